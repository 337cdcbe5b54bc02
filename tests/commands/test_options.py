"""What commands print for scripts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrator.commands.options import print_json, print_json_array

documents = st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=documents)
def test_an_array_is_the_same_document_element_by_element(
    documents: list[dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    print_json_array(iter(documents))
    streamed = capsys.readouterr().out
    print_json(documents)
    assert streamed == capsys.readouterr().out
