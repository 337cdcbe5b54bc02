"""What receivers say of pairs that they refuse, without the secrets that they repeat."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.handover.receivers.told_problems import ToldProblems

TOKEN = "eyJhbGciOiJSUzI1NiJ9.c3ViamVjdA-_.abcdefghijklmnop"
TOKENS = st.text(string.ascii_letters + string.digits + "-._~+/= ", min_size=15, max_size=80)


def shown(problem: object, *secrets: str) -> str:
    return ToldProblems(secrets or (TOKEN, "short7")).shown(problem)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("no such organisation", "no such organisation"),
        (f"duplicate key ({TOKEN})", "duplicate key …"),
        (f"failing row contains (k1, {TOKEN[:20]}…)", "failing row contains (k1, …"),
        (f"value ends in {TOKEN[-15:]}", "value ends in …"),
        (f"in the middle of it {TOKEN[3:18]}.", "in the middle of it …"),
        (f'{{"access_token":"{TOKEN}","key":"k1"}}', "…"),
        ("it was (short7), and not shorter7", "it was … and not shorter7"),
        ("two\nlines\tand\x1b[31m red \ud800", "two lines and [31m red"),
        ("x" * 300, "x" * 200),
        ("", "refused"),
        (" \n", "refused"),
        (None, "refused"),
        (["a"], "refused"),
    ],
)
def test_a_problem_is_one_short_line_without_secrets(problem: object, expected: str) -> None:
    assert shown(problem) == expected


def test_a_secret_is_hidden_before_a_problem_is_cut() -> None:
    for start in range(8):
        assert shown("x" * 187 + " " + TOKEN[start:]) == "x" * 187 + " …"


@given(TOKENS, TOKENS, st.data())
def test_no_piece_that_is_no_accident_is_shown(one: str, other: str, data: st.DataObject) -> None:
    secret = data.draw(st.sampled_from([one, other]))
    start = data.draw(st.integers(0, len(secret) - 15))
    piece = secret[start : data.draw(st.integers(start + 15, len(secret)))]
    told = shown(f"it is <{piece}> that it does not take", one, other)
    assert told.startswith("it is ")
    assert piece not in told
    assert not any(word in told for word in piece.split() if len(word) >= 15)
