"""Topics with labelled lines, as a terminal of some width shows them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from migrator.terminal.printable import printable

_WIDEST_LABEL = 30
_NARROWEST = 40


def topics_text(topics: Iterable[tuple[str, Sequence[tuple[str, str]]]], width: int) -> str:
    """Titles and, below each, its lines: a label, which may be empty, and a text that is wrapped beside it.

    Where no line of a topic has a label, they are a list.
    """
    return "\n\n".join("\n".join((title, *_lines(lines, width))) for title, lines in topics)


def _lines(lines: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    labelled = any(label for label, _ in lines)
    room = min(max((len(label) for label, _ in lines), default=0), _WIDEST_LABEL)
    for label, text in lines:
        begins = f"  {printable(label):<{room}}  " if labelled else "  - "
        indent = " " * (room + 4 if labelled else len(begins))
        # A label that is too long has a line of its own.
        if len(begins) > len(indent):
            yield begins.rstrip()
            begins = indent
        yield from textwrap.wrap(
            printable(text),
            max(width, _NARROWEST),
            initial_indent=begins,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
