"""Reading XML: what its elements say, and nothing of what it could do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.providers import xml
from tests.providers.support import answer

LAUGHS = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a><Code>&y;</Code></a>'
ELSEWHERE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><Code>&x;</Code></a>'


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b"<a><Code>22</Code></a>", ["22"]),
        (b'<a xmlns="urn:x"><b><Code>22</Code></b><Code>1</Code></a>', ["22", "1"]),
        (b'<y:a xmlns:y="urn:x"><y:Code> \n 22\n</y:Code></y:a>', ["22"]),
        (b"<?xml version='1.0' encoding='iso-8859-1'?><Code>\xfc</Code>", ["ü"]),
        (b"<!-- x --><a><Code><![CDATA[<22>]]></Code></a>", ["<22>"]),
        (b"<a><Code/><Code>  </Code><Codes>1</Codes></a>", []),
        (b"<a><Code>22</Code>", []),
        (b"", []),
        (b'{"Code": "22"}', []),
        (b"<?xml version='1.0' encoding='nowhere'?><Code>22</Code>", []),
        (b"<?xml version='1.0' encoding='euc-jp'?><Code>22</Code>", []),
        (LAUGHS, []),
        (ELSEWHERE, []),
    ],
)
def test_elements_are_found_wherever_they_stand(body: bytes, texts: list[str]) -> None:
    assert list(xml.texts(answer(200, body), "Code")) == texts


@given(st.binary(max_size=80) | st.text(alphabet="<>/a &;!?-=\"'", max_size=60).map(str.encode))
def test_whatever_comes_is_read(body: bytes) -> None:
    assert all(xml.texts(answer(200, body), "a"))
