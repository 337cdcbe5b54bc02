"""The addresses that a row names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.rules.addresses import addresses


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a@b.example", {"a@b.example"}),
        (" A@B.Example ", {"a@b.example"}),
        ("Ann Lee <Ann.Lee+x@mail.b.example>", {"ann.lee+x@mail.b.example"}),
        ('"Lee, Ann" <a@b.example>', {"a@b.example"}),
        ("a@b.example; C@d.example", {"a@b.example", "c@d.example"}),
        ("a@b.example, a@B.example,", {"a@b.example"}),
        ("\u00c4@B\u00dcCHER.example", {"\u00e4@b\u00fccher.example"}),
        ("A\u0308@bu\u0308cher.example", {"\u00e4@b\u00fccher.example"}),
        ("o'brien@b.example", {"o'brien@b.example"}),
    ],
)
def test_one_address_or_several_are_read(text: str, named: set[str]) -> None:
    assert addresses(text) == named


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "n/a", "-", "none", "a", "a@", "@b.example", "a@b", "a b@c.example", "a@b..example",
        "a@b.example.", "a@b.example; none", "a@b@c.example", "a@\u200bb.example", "a\n@b.example",
        "mailto:a@b.example", "a at b.example",
    ],
)  # fmt: skip
def test_what_no_mail_could_go_to_is_nobodys(text: str) -> None:
    assert addresses(text) == frozenset()


@given(st.text())
def test_any_text_may_stand_where_an_address_belongs(text: str) -> None:
    found = addresses(text)
    assert not found or "@" in text
    assert all(one == unicodedata.normalize("NFC", one).strip() for one in found)


local_parts = st.text("abzABZ09+_-\u00e4\u00d6", min_size=1, max_size=8)
domains = st.lists(st.text("abzAZ\u00fc", min_size=1, max_size=6), min_size=1, max_size=3).map(".".join)
wraps = st.sampled_from(["{}", " {} ", "<{}>", "x <{}>", '"x, y" <{}>', "{}; other@else.example", "{},"])


@given(st.builds("{}@{}.example".format, local_parts, domains), wraps)
def test_however_it_is_written_it_is_the_same_address(name: str, wrap: str) -> None:
    (plain,) = addresses(name)
    for written in (name, name.upper(), unicodedata.normalize("NFD", name)):
        assert plain in addresses(wrap.format(written)), written
