"""What was met is remembered exactly, and nothing of it in the clear."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.sources.duplicates import DuplicateIndex

values = st.text(max_size=3)
kinds = st.sampled_from(["token", "connection_id"])
meetings = st.lists(st.tuples(st.sampled_from(["met", "first"]), kinds, values), max_size=40)


@settings(max_examples=50)
@given(meetings)
def test_it_remembers_as_a_dictionary_does(meetings: list[tuple[str, str, str]]) -> None:
    known: dict[tuple[str, str], str] = {}
    with DuplicateIndex() as seen:
        for number, (how, kind, value) in enumerate(meetings):
            if how == "met":
                assert seen.met(kind, value) == known.get((kind, value))
            else:
                assert seen.first(kind, value, f"f:{number}") == known.get((kind, value))
                known.setdefault((kind, value), f"f:{number}")


def test_asking_remembers_nothing_and_the_first_place_stays() -> None:
    with DuplicateIndex() as seen:
        assert seen.met("token", "a") is None
        assert seen.met("token", "a") is None
        assert seen.first("token", "a", "f:1") is None
        assert seen.first("token", "a", "f:2") == "f:1"
        assert seen.met("token", "a") == "f:1"


def test_kinds_and_values_do_not_run_into_each_other() -> None:
    with DuplicateIndex() as seen:
        seen.first("token", "a", "f:1")
        assert seen.met("connection_id", "a") is None
        assert seen.met("tokena", "") is None
        assert seen.met("", "tokena") is None


def test_any_text_can_be_met() -> None:
    with DuplicateIndex() as seen:
        for value in ("\ud800", "\0", "x" * 100_000, ""):
            assert seen.first("token", value, "f:1") is None
            assert seen.met("token", value) == "f:1"


def test_no_value_is_kept_in_the_clear() -> None:
    with DuplicateIndex() as seen:
        seen.first("token", "HUSH7HUSH", "f:1")
        dump = "\n".join(seen._db.iterdump()).encode() + seen._db.serialize()
    assert b"HUSH7HUSH" not in dump
    assert b"HUSH7HUSH".hex().encode() not in dump.lower()


def test_two_runs_name_the_same_value_differently() -> None:
    with DuplicateIndex() as one, DuplicateIndex() as other:
        one.first("token", "a", "f:1")
        other.first("token", "a", "f:1")
        prints = [seen._db.execute("SELECT print FROM seen").fetchone() for seen in (one, other)]
    assert prints[0] != prints[1]


def test_no_file_is_left_behind_under_a_name(tmp_path: Path) -> None:
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        with DuplicateIndex() as seen:
            for number in range(30_000):  # more than SQLite keeps in memory
                seen.first("token", str(number), "f:1")
            assert list(tmp_path.iterdir()) == []
            assert seen.met("token", "29999") == "f:1"
            assert seen.met("token", "30000") is None
    finally:
        os.chdir(here)
