"""Every connection, a row each, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, fields

from migrator.ledger import Listed
from migrator.reports.interface import Facts
from migrator.terminal.tables import csv_lines


def csv_report(facts: Facts) -> Iterator[str]:
    """Header and rows."""
    yield from csv_lines(
        [field.name for field in fields(Listed)], (astuple(row) for row in facts.connections())
    )
