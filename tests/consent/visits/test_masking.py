"""What others wrote is kept without secrets."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from migrator.consent.visits.masking import MASK, masked
from migrator.models import Secret


@given(st.text(), st.sampled_from(["", "code=", "the token '", "https://x.example/?a="]), st.data())
def test_nothing_that_may_be_a_secret_passes_the_mask(text: str, before: str, data: st.DataObject) -> None:
    secret = secrets.token_urlsafe(data.draw(st.integers(16, 48)))
    shown = masked(f"{text} {before}{secret}' {text}")
    assert secret[:12] not in shown
    assert len(shown) <= 200
    assert shown.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "The scope accounting.transactions.read is not allowed",
        "AADSTS700016: unsupported_response_type, ask your administrator",
        "2026-11-27 12:00:00 Unbekannte Anwendung",
        "The code has expired, or was used before",
        "AADSTS7000215: Invalid client secret provided. Ensure that the client secret is the value",
        "Parameter 'code' is missing; 'redirect_uri' must match",
        "invalid authorization_code or redirect_uri: the token endpoint knows no such client",
        "error code 700016, status code 401",
        "Der Code ist ungültig",
    ],
)
def test_what_an_operator_needs_passes_the_mask(text: str) -> None:
    assert masked(text) == text


NAMES = st.sampled_from(
    ["client_secret", "Client secret", "code", "The token", "password", '"refresh_token"']
)
VISIBLE = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"'`&,;<>")


@given(
    NAMES, st.sampled_from(["=", ": ", " = ", " is: ", " was =", " value is:"]), st.text(VISIBLE, min_size=1)
)
def test_what_follows_a_name_and_a_sign_is_masked_however_plain(name: str, sign: str, secret: str) -> None:
    assert masked(f"{name}{sign}{secret}") == masked(f"{name}{sign}{MASK}")


@given(
    NAMES,
    st.sampled_from([" ", " is ", ": ", "=", " value "]),
    st.sampled_from(["''", '""', "``", "\u2018\u2019", "\u201c\u201d", "\u201e\u201c"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\"'`"), min_size=1),
)
def test_what_is_quoted_after_a_name_is_masked_however_plain(
    name: str, between: str, quotes: str, secret: str
) -> None:
    shown = masked(f"The {name}{between}{quotes[0]}{secret}{quotes[1]} is wrong")
    assert shown == f"The {name}{between}{quotes[0]}{MASK}{quotes[1]} is wrong"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The code AbCdEfGh has expired", "The code … has expired"),
        ("the password is Tr0ub4dor&3", "the password is …"),
        ("your code 123456 has ended", "your code … has ended"),
        ("secret token x1", "secret token …"),
        ("The code QWERTZ", "The code …"),
        ("got x#y%z1", "got …"),
        ("got p$ss!word, 50% of it", "got … 50% of it"),
    ],
)
def test_a_word_where_a_secret_may_stand_is_masked_unless_it_is_plain(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4, max_size=60).map(str.strip),
    st.sampled_from([str, quote, quote_plus]),
    st.text(max_size=2100),
)
def test_nothing_of_a_secret_in_hand_is_shown(
    secret: str, written: Callable[[str], str], before: str
) -> None:
    assume(len(secret) >= 4)
    shown = masked(f"{before}<{written(secret)}> and so on", [Secret(secret), Secret(""), Secret("\ud800")])
    assert secret not in shown
    assert written(secret) not in shown
    assert MASK in shown


def test_a_secret_in_hand_that_is_the_beginning_of_another_leaves_nothing_of_that() -> None:
    known = [Secret("correct"), Secret("correct horse"), Secret("correct horse battery")]
    assert (
        masked("it was correct horse battery, or correct, or correct+horse", known) == "it was …, or …, or …"
    )


@pytest.mark.parametrize("text", ["token" * 400, "token-" * 333 + "'", "code is " * 250, "code 'x" * 280])
def test_no_text_takes_the_mask_long(text: str) -> None:
    """With a pattern that goes back and forth, these took longer than anybody waits."""
    assert len(masked(text)) <= 200
