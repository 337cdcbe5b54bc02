"""Every connection, a row each, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from migrator.ledger.lists import Listed
from migrator.reports.interface import Facts
from migrator.terminal.tables import csv_lines


def csv_report(facts: Facts) -> Iterator[str]:
    """Header and rows."""
    names = [field.name for field in fields(Listed)]
    yield from csv_lines(names, (list(vars(row).values()) for row in facts.connections()))
