"""The record of a migration: one file a format, chosen by the ending of the file's name.

Pure: facts in, text out.

- ``html_report`` (with ``templates``), ``markdown_report``, ``json_report``, ``csv_report``: the formats
- ``digest``: the sections of those for people; ``interface``: the facts that a report is made of
"""

from pathlib import Path

from migrator.errors import OutputError
from migrator.reports.csv_report import csv_report
from migrator.reports.html_report import html_report
from migrator.reports.interface import Facts, Format
from migrator.reports.json_report import json_report
from migrator.reports.markdown_report import markdown_report

__all__ = ["FORMATS", "Facts", "Format", "format_for"]

FORMATS: dict[str, Format] = {
    ".html": html_report,
    ".md": markdown_report,
    ".json": json_report,
    ".csv": csv_report,
}


def format_for(path: Path) -> Format:
    """The format that a file's name asks for. Raises ``OutputError``."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(
            f"{path}: a report ends in {', '.join(FORMATS)}",
            hint="name the file so that its ending tells the format",
        )
    return FORMATS[path.suffix.lower()]
