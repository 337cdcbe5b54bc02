"""Topics stand beside their labels, within the terminal's width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrator.terminal.topics import topics_text


def test_lines_stand_beside_their_labels_and_lists_have_dashes() -> None:
    told = topics_text(
        [
            ("One", [("label", "a text that is longer than its line is"), ("a", "b")]),
            ("Two", [("", "item"), ("", "another item that is longer than its line")]),
            ("Three", []),
        ],
        40,
    )
    assert told == (
        "One\n"
        "  label  a text that is longer than its\n"
        "         line is\n"
        "  a      b\n"
        "\n"
        "Two\n"
        "  - item\n"
        "  - another item that is longer than its\n"
        "    line\n"
        "\n"
        "Three"
    )


def test_a_long_label_has_a_line_of_its_own() -> None:
    told = topics_text([("One", [("l" * 50, "text"), ("a", "b")])], 80)
    assert told == f"One\n  {'l' * 50}\n{' ' * 34}text\n  a{' ' * 31}b"


WORDS = st.lists(st.text(st.characters(categories=["L", "Cc"]), min_size=1, max_size=8), min_size=1)


@given(st.lists(st.tuples(st.text(max_size=20), WORDS), max_size=5), st.integers(0, 200))
def test_nothing_is_lost_and_nothing_is_obeyed(lines: list[tuple[str, list[str]]], width: int) -> None:
    told = topics_text([("T", [(label, " ".join(words)) for label, words in lines])], width)
    assert all(line.isprintable() for line in told.split("\n"))
    assert told.count("\n") >= len(lines)
