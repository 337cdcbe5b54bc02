"""The dry run: what a run over some files would do. Sends nothing and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

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
"""Rows after which progress is told."""


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
    untold = 0
    with DuplicateIndex() as seen, _decider(ledger, settings, environ, terms, clock) as decide:
        for row in screen(sources, seen, rules):
            if isinstance(row, Misnamed):
                tally.misnamed.append(row)
                continue
            decided = decide(row) if isinstance(row, Accepted) else row
            if isinstance(decided, Reject):
                tally.reject(decided)
            elif isinstance(row, Accepted):
                tally.add(row.connection.app_type, decided)
            untold += 1
            if untold == _AT_ONCE:
                progress.advance(number=untold)
                untold = 0
    progress.advance(number=untold)
    return tally


@contextmanager
def _decider(
    path: Path, settings: Settings, environ: Mapping[str, str], terms: Terms, clock: Clock
) -> Iterator[Callable[[Accepted], Decision | Reject]]:
    now = clock()
    if not opening.exists(path):
        yield lambda row: first_step(row.connection.app_type, row.connection.legacy, terms, now)
        return
    key = require_key(path, environ, settings.ledger_key_file)
    with open_to_compare(path, key) as (db, codec):

        def decide(row: Accepted) -> Decision | Reject:
            recognised = recognition.recognise(db, codec, row)
            if isinstance(recognised, Reject):
                return recognised
            return plan_row(row, recognised, terms, now)

        yield decide
