"""Texts with placeholders: what they become, and that a secret in one makes a secret of it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import Secret
from migrator.providers import templates

VALUES: dict[str, str | Secret] = {
    "token": Secret("t/1"),
    "token_secret": Secret("s 2"),
    "client_id": "id&1",
    "row.base": "https://eu.example/v1",
    "row.Tenant Type": "A/B",
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{client_id}", "id&1"),
        ("{token}:{token_secret}", Secret("t/1:s 2")),
        ("x{client_id}-{token}", Secret("xid&1-t/1")),
        ("{token}-{client_id}", Secret("t/1-id&1")),
        ("{row.Tenant Type}", "A/B"),
        ("{nothing}", ""),
        ("{Not a name} {1}", "{Not a name} {1}"),
    ],
)
def test_a_text_with_a_secret_in_it_is_one(text: str, filled: str | Secret) -> None:
    assert templates.fill(text, VALUES) == filled
    assert type(templates.fill(text, VALUES)) is type(filled)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("https://api.example/a", "https://api.example/a"),
        ("https://api.example/{client_id}/x", "https://api.example/id%261/x"),
        ("https://api.example/{token}", Secret("https://api.example/t%2F1")),
        ("{row.base}/me", "https://eu.example/v1/me"),
        ("{row.base}/{row.Tenant Type}", "https://eu.example/v1/A%2FB"),
        ("{row.base}/{token}", Secret("https://eu.example/v1/t%2F1")),
        ("{token}/x", Secret("t/1/x")),
    ],
)
def test_what_stands_in_a_path_is_encoded_and_a_base_stands_as_it_is(text: str, filled: str | Secret) -> None:
    assert templates.fill_url(text, VALUES) == filled
    assert type(templates.fill_url(text, VALUES)) is type(filled)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_value_leads_a_url_elsewhere(value: str) -> None:
    filled = templates.fill_url("https://api.example/a/{row.id}/b", {"row.id": value})
    assert isinstance(filled, str)
    parts = urlsplit(filled)
    assert (parts.netloc, parts.query, parts.fragment) == ("api.example", "", "")
    before, shown, after = parts.path.removeprefix("/").split("/")
    assert (before, unquote(shown), after) == ("a", value, "b")


def test_the_placeholders_of_texts_are_known() -> None:
    assert templates.names(["{token}:{row.a b}", "x", "{token}"]) == {"token", "row.a b"}
