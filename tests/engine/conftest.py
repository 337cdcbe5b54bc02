"""What the tests of the engine share: a ledger, and connections in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from migrator.ledger.access import open_for_job
from migrator.ledger.file.keys import make_key
from migrator.ledger.job_ledger import Ledger
from migrator.models import utc_now
from migrator.rules.verdict import Policy
from tests import xero

POLICY = Policy(max_attempts=9, settle=timedelta(seconds=1), patience=timedelta(seconds=60), terms=xero.TERMS)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A new one, with a run under way."""
    path = tmp_path / "migration.db"
    with open_for_job(path, make_key(path), utc_now, create=True, hurry=threading.Event()) as opened:
        opened.begin_run("run", POLICY, ["tokens.csv"], workers=1)
        yield opened
