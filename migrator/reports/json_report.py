"""Everything, for another program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from migrator.reports.interface import Facts
from migrator.terminal.present import pairs_document, run_document, upkeep_document


def json_report(facts: Facts) -> Iterator[str]:
    """One JSON object; its long lists are written element by element."""
    status = facts.status
    head = {
        "generated_at": facts.generated_at.isoformat(),
        "provider": facts.provider,
        "deadline": facts.deadline.isoformat() if facts.deadline else None,
        "total": status.total,
        "states": status.states,
        "app_types": status.app_types,
        "reasons": status.reasons,
        "rejected": status.rejected,
        "pairs": pairs_document(status.pairs),
        "upkeep": upkeep_document(status.pairs),
        "calls": status.attempts,
        "runs": [run_document(run) for run in facts.runs],
    }
    yield json.dumps(head, indent=2).rstrip("\n}") + ",\n"
    yield from _array(
        "rejects", ({"source": s, "line": n, "reason": r, "detail": d} for s, n, r, d in facts.rejects())
    )
    yield ",\n"
    yield from _array(
        "refresh_tokens_end",
        ({"day": day, "waiting": waiting, "exported": taken} for day, waiting, taken in facts.days_of_end()),
    )
    yield ",\n"
    yield from _array("connections", (vars(row) for row in facts.connections()))
    yield "\n}\n"


def _array(name: str, elements: Iterable[object]) -> Iterator[str]:
    yield f'  "{name}": ['
    separator = "\n"
    for element in elements:
        yield f"{separator}    {json.dumps(element)}"
        separator = ",\n"
    yield "\n  ]"
