"""Texts of the usual characters come out of six bits each as they went in; others are not taken."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrator.ledger.file.six_bits import packed, unpacked

USUAL = string.ascii_letters + string.digits + "-_"
usual = st.lists(st.text(USUAL, max_size=255), min_size=1, max_size=4)
any_texts = st.lists(st.text(st.characters() | st.sampled_from(USUAL + "+/=\n"), max_size=12), max_size=4)


@given(usual)
@example(["A" * 255, "", "-_"])
def test_usual_texts_come_back_in_three_quarters_of_their_bytes(texts: list[str]) -> None:
    values = packed(texts)
    assert values is not None
    assert unpacked(values, len(texts)) == texts
    assert len(values) == len(texts) + -(-sum(map(len, texts)) // 4) * 3


@given(any_texts)
@example(["=="])
@example(["ab=="])
@example(["abc+"])
@example(["\ud800"])
def test_whatever_is_taken_comes_back(texts: list[str]) -> None:
    values = packed(texts)
    assert (values is not None) is (set("".join(texts)) <= set(USUAL))
    assert values is None or unpacked(values, len(texts)) == texts


@pytest.mark.parametrize("length", [256, 10_000])
def test_what_is_too_long_is_not_taken(length: int) -> None:
    assert packed(["A" * length]) is None
