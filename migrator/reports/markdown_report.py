"""The record as Markdown, for an issue tracker or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterator

from migrator.reports.digest import deadline_text, headline, sections
from migrator.reports.interface import Facts
from migrator.terminal.present import moment_text
from migrator.terminal.printable import printable

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$@:.])")


def markdown_report(facts: Facts) -> Iterator[str]:
    """Title, headline, a table a section."""
    yield f"# Migration to OAuth 2.0: {_escaped(facts.provider)}\n\n"
    yield f"{headline(facts)} {deadline_text(facts)}".strip() + f" As of {moment_text(facts.generated_at)}.\n"
    for section in sections(facts):
        yield f"\n## {section.title}\n\n{section.text}\n"
        if section.rows:
            yield "\n" + _row(section.headers) + "|" + " --- |" * len(section.headers) + "\n"
            for row in section.rows:
                yield _row(row)


def _row(cells: object) -> str:
    if not isinstance(cells, list | tuple):
        raise TypeError("a row is a list or tuple of cells")
    return "|" + "".join(f" {_cell(cell)} |" for cell in cells) + "\n"


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else _escaped(str(value))


def _escaped(text: str) -> str:
    """A name must not become a link, an image or a new column."""
    return _SPECIAL.sub(r"\\\1", printable(text))
