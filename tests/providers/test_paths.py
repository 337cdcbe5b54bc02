"""Paths into an answer's document."""

from __future__ import annotations

from typing import Any

import pytest

from migrator.providers import paths


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ()), ("a", ("a",)), ("a.b.c", ("a", "b", "c")), ("error..tag", ("error", ".tag")),
        (".tag", (".tag",)), ("a b.c-d", ("a b", "c-d")),
    ],
)  # fmt: skip
def test_a_name_may_begin_with_a_dot(path: str, names: tuple[str, ...]) -> None:
    assert paths.names(path) == names


DOCUMENT = {
    "error": {".tag": "closed", "code": 7},
    "errors": [{"code": 1, "more": [{"code": 2}, {"code": 3}]}, {"other": 4}, {"code": None}],
    "scopes": ["a", "b"],
    "none": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("error..tag", ["closed"]),
        ("error.code", [7]),
        ("errors.code", [1, None]),
        ("errors.more.code", [2, 3]),
        ("scopes", ["a", "b"]),
        ("none", [None]),
        ("missing", []),
        ("error.code.more", []),
        ("", [DOCUMENT]),
    ],
)
def test_all_that_stands_at_a_path_is_found_in_order(path: str, found: list[Any]) -> None:
    assert list(paths.at(DOCUMENT, path)) == found
    assert paths.first(DOCUMENT, path) == (found[0] if found else None)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("error.code", 7),
        ("scopes", ["a", "b"]),
        ("errors.code", None),
        ("missing.more", None),
        ("", DOCUMENT),
    ],
)
def test_what_is_named_is_not_looked_for_in_lists(path: str, found: Any) -> None:
    assert paths.named(DOCUMENT, path) == found


def test_lists_may_be_nested_deeper_than_calls() -> None:
    document: Any = "found"
    for _ in range(20_000):
        document = [document]
    assert paths.first({"a": document}, "a") == "found"
