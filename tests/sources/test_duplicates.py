"""What was met is remembered exactly, in memory and on disk, and nothing of it in the clear."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.sources.duplicates import DuplicateIndex
from migrator.sources.prints_in_memory import PrintsInMemory
from migrator.sources.prints_on_disk import PrintsOnDisk
from migrator.sources.screening import Repeated
from tests.sources.helpers import DictSeen

values = st.text(max_size=3)
rows = st.lists(
    st.tuples(st.sampled_from(["T1", "T2"]) | values, st.sampled_from(["K1", ""]) | values), max_size=40
)
sources = st.lists(st.sampled_from("ab"), min_size=40, max_size=40)
IN_MEMORY, ON_DISK = 1_000, 0


@settings(max_examples=100)
@given(rows, sources, st.integers(0, 50))
def test_it_remembers_as_a_dictionary_does_whenever_it_leaves_the_memory(
    rows: list[tuple[str, str]], sources: list[str], most_in_memory: int
) -> None:
    plain = DictSeen()
    with DuplicateIndex(most_in_memory) as seen:
        for line, ((token, key), source) in enumerate(zip(rows, sources, strict=False), 1):
            assert seen.repeated(token, key, source, line) == plain.repeated(token, key, source, line)


numbers = st.integers(-(2**63), 2**63 - 1)
near = st.integers(-3, 3) | st.integers(2**63 - 3, 2**63 - 1) | st.integers(-(2**63), -(2**63) + 3)
steps = st.lists(
    st.none() | st.tuples(near | numbers, st.integers(0, 1) | st.integers(0, 2**32 - 1)), max_size=60
)


@settings(max_examples=200)
@given(steps)
def test_prints_in_memory_are_what_those_on_disk_are(steps: list[tuple[int, int] | None]) -> None:
    """None forgets the last. Prints with the same upper bits have the same slot."""
    memory, disk = PrintsInMemory(len(steps)), PrintsOnDisk(())
    known: dict[tuple[int, int], int] = {}
    last = None
    for place, step in enumerate(steps):
        if step is not None:
            earlier = known.get(step)
            assert (memory.meet(*step, place), disk.meet(*step, place)) == (earlier, earlier)
            last = step if earlier is None else last
            known.setdefault(step, place)
        elif last is not None:
            memory.forget_last()
            disk.forget_last()
            del known[last]
            last = None
    assert {(first, second): place for first, second, place in memory.all()} == known
    moved = PrintsOnDisk(memory.all())
    assert all(moved.meet(*one, -1) == place for one, place in known.items())
    disk.close()
    moved.close()


def test_what_is_forgotten_takes_no_room() -> None:
    prints = PrintsInMemory(1)
    for number in range(9):
        assert prints.meet(number, 0, number) is None
        prints.forget_last()
    assert prints.meet(1, 1, 1) is None
    assert list(prints.all()) == [(1, 1, 1)]


@pytest.mark.parametrize("most_in_memory", [IN_MEMORY, ON_DISK, 1])
def test_neither_is_remembered_of_a_row_that_is_rejected(most_in_memory: int) -> None:
    with DuplicateIndex(most_in_memory) as seen:
        assert seen.repeated("a", "1", "f", 1) is None
        assert seen.repeated("b", "1", "f", 2) == Repeated("connection_id", "f:1")
        assert seen.repeated("a", "2", "f", 3) == Repeated("oauth_token", "f:1")
        assert seen.repeated("b", "2", "f", 4) is None
        assert seen.repeated("b", "3", "g:h", 5) == Repeated("oauth_token", "f:4")
        assert seen.repeated("c", "3", "g:h", 6) is None
        assert seen.repeated("c", "", "f", 7) == Repeated("oauth_token", "g:h:6")


@pytest.mark.parametrize("most_in_memory", [IN_MEMORY, ON_DISK])
def test_a_token_says_nothing_of_a_connection_id_nor_an_empty_one_of_another(most_in_memory: int) -> None:
    with DuplicateIndex(most_in_memory) as seen:
        assert seen.repeated("a", "b", "f", 1) is None
        assert seen.repeated("b", "a", "f", 2) is None
        assert seen.repeated("c", "", "f", 3) is None
        assert seen.repeated("d", "", "f", 4) is None


@pytest.mark.parametrize("most_in_memory", [IN_MEMORY, ON_DISK])
def test_any_text_can_be_met(most_in_memory: int) -> None:
    texts = ("\ud800", "\0", "x" * 100_000, "", "ab", "\u6261")  # Python has the last two in the same bytes
    with DuplicateIndex(most_in_memory) as seen:
        for line, text in enumerate(texts, 1):
            assert seen.repeated(text, "", "f", line) is None
        for line, text in enumerate(texts, 1):
            assert seen.repeated(text, "", "f", 9) == Repeated("oauth_token", f"f:{line}")


@pytest.mark.parametrize("most_in_memory", [IN_MEMORY, ON_DISK])
def test_no_value_is_kept_in_the_clear(most_in_memory: int) -> None:
    with DuplicateIndex(most_in_memory) as seen:
        seen.repeated("HUSH7HUSH" * 4, "7HUSH7" * 4, "f", 1)
        kept = b"".join(_content(prints) for prints in (seen._tokens, seen._keys))
        gc.collect()
        texts = [each for each in gc.get_referents(seen, seen._tokens, seen._keys) if isinstance(each, str)]
    assert kept.strip(b"\0")
    for secret in (b"HUSH7HUSH", b"7HUSH7"):
        assert secret not in kept
        assert secret.hex().encode() not in kept.lower()
        assert secret.decode() not in "".join(texts)


def _content(prints: PrintsInMemory | PrintsOnDisk) -> bytes:
    """All that a store holds, as bytes."""
    if isinstance(prints, PrintsOnDisk):
        return "\n".join(prints._db.iterdump()).encode() + prints._db.serialize()
    return b"".join(bytes(part) for part in (prints._slots, prints._firsts, prints._seconds, prints._places))


def test_two_runs_name_the_same_value_differently() -> None:
    names = []
    for _ in range(2):
        with DuplicateIndex(IN_MEMORY) as seen:
            seen.repeated("a", "", "f", 1)
            assert isinstance(seen._tokens, PrintsInMemory)
            names.append(list(seen._tokens.all()))
    [(one_first, one_second, _)], [(other_first, other_second, _)] = names
    assert one_first != other_first
    assert one_second != other_second


def test_no_file_is_left_behind_under_a_name(tmp_path: Path) -> None:
    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        with DuplicateIndex(most_in_memory=1_000) as seen:
            for number in range(60_000):  # more than SQLite keeps in memory
                assert seen.repeated(str(number), "", "f", 1) is None
            assert list(tmp_path.iterdir()) == []
            assert seen.repeated("0", "", "f", 2) == Repeated("oauth_token", "f:1")
            assert seen.repeated("59999", "", "f", 2) == Repeated("oauth_token", "f:1")
            assert seen.repeated("60000", "", "f", 2) is None
    finally:
        os.chdir(here)
