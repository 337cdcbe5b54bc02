"""The record as one HTML page that needs nothing else: no script, no style sheet or font from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined

from migrator.models import State
from migrator.reports.digest import STATE_TEXT, deadline_text, headline, sections
from migrator.reports.interface import Facts
from migrator.terminal.present import moment_text
from migrator.terminal.printable import printable

_environment = Environment(
    loader=PackageLoader("migrator.reports"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else printable(str(value))


_environment.filters["cell"] = _cell


def html_report(facts: Facts) -> Iterator[str]:
    """The page."""
    states = facts.status.states
    shares = [
        {
            "state": state.value,
            "text": STATE_TEXT[state],
            "number": states[state],
            "percent": 100 * states[state] / facts.status.total,
        }
        for state in State
        if states[state]
    ]
    yield from _environment.get_template("report.html").generate(
        provider=facts.provider,
        headline=headline(facts),
        deadline=deadline_text(facts),
        generated_at=moment_text(facts.generated_at),
        shares=shares,
        sections=sections(facts),
    )
