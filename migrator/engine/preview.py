"""The dry run: what a run over some files would do. Sends nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from migrator.batching import batched
from migrator.ledger import recognition
from migrator.ledger.access import open_to_compare
from migrator.ledger.file import opening
from migrator.ledger.file.keys import require_key
from migrator.ledger.recognition import plan_row
from migrator.models import Clock, Misnamed, Reject
from migrator.row_rules import RowRules
from migrator.rules.next_step import Decision, first_step
from migrator.rules.plan import Tally
from migrator.rules.terms import Terms
from migrator.settings.model import Settings
from migrator.sources import Source
from migrator.sources.duplicates import DuplicateIndex
from migrator.sources.screening import Accepted, screen
from migrator.terminal.progress import Progress

_AT_ONCE = 500
"""Rows that are held against the ledger together; after them progress is told."""

_Decide = Callable[[Sequence[Accepted]], Iterable[Decision | Reject]]
"""What a run would do with each of some rows, in their order."""


def preview(
    sources: Sequence[Source],
    ledger: Path,
    settings: Settings,
    environ: Mapping[str, str],
    terms: Terms,
    rules: RowRules,
    *,
    clock: Clock,
    progress: Progress,
) -> Tally:
    """Count what a run would do with each row, held against the ledger where there is one."""
    tally = Tally()
    with DuplicateIndex() as seen, _decider(ledger, settings, environ, terms, clock) as decide:
        for rows in batched(screen(sources, seen, rules), _AT_ONCE):
            _count(tally, rows, decide)
            progress.advance(number=sum(not isinstance(row, Misnamed) for row in rows))
    return tally


def _count(tally: Tally, rows: Sequence[Accepted | Reject | Misnamed], decide: _Decide) -> None:
    decided = iter(decide([row for row in rows if isinstance(row, Accepted)]))
    for row in rows:
        if isinstance(row, Misnamed):
            tally.misnamed.append(row)
            continue
        what = next(decided) if isinstance(row, Accepted) else row
        if isinstance(what, Reject):
            tally.reject(what)
        elif isinstance(row, Accepted):
            tally.add(row.connection.app_type, what)


@contextmanager
def _decider(
    path: Path, settings: Settings, environ: Mapping[str, str], terms: Terms, clock: Clock
) -> Iterator[_Decide]:
    now = clock()
    if not opening.exists(path):
        yield lambda rows: [
            first_step(row.connection.app_type, row.connection.legacy, terms, now) for row in rows
        ]
        return
    key = require_key(path, environ, settings.ledger_key_file)
    with open_to_compare(path, key) as (db, codec):

        def decide(rows: Sequence[Accepted]) -> Iterator[Decision | Reject]:
            known = [recognition.named(codec, row) for row in rows]
            found = recognition.look_for(db, codec, known)
            for each in known:
                recognised = recognition.hold_against(db, codec, each, found)
                if isinstance(recognised, Reject):
                    yield recognised
                else:
                    yield plan_row(each.row, recognised, terms, now)

        yield decide
