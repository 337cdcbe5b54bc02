"""The dry run counts every row, in what it says and in its progress."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrator.engine.preview import preview
from migrator.rules.next_step import Step
from migrator.settings.model import Settings
from migrator.sources import open_source
from migrator.terminal.progress import Lines
from tests import xero

HEADER = "connection_id,app_type,oauth_token,oauth_token_secret,oauth_expires_at,mail\n"
NOW = datetime(2019, 12, 1, tzinfo=UTC)
ENDED, LASTING = "2019-11-05T10:00:00Z", "2019-12-05T10:00:00Z"


@pytest.mark.parametrize("rows", [0, 1, 499, 500, 501, 1_203])
def test_every_row_counts_but_what_is_told_of_columns_does_not(tmp_path: Path, rows: int) -> None:
    path, told = tmp_path / "tokens.csv", io.StringIO()
    with path.open("w") as file:
        file.write(HEADER)
        for number in range(rows):
            app_type, ends = (("partner", LASTING), ("partner", ENDED), ("public", ""), ("?", ""))[number % 4]
            file.write(f"k{number},{app_type},T{number},S,{ends},a@b.example\n")
    rules = xero.PROFILE.row_rules()
    source = open_source(str(path), stdin=io.BytesIO(), rules=rules)
    progress = Lines(told)
    progress.start("reading", None)
    tally = preview(
        [source],
        tmp_path / "none.db",
        Settings(),
        {},
        xero.TERMS,
        rules,
        clock=lambda: NOW,
        progress=progress,
    )
    progress.stop()
    quarters = [len(range(place, rows, 4)) for place in range(4)]
    swaps, consents = quarters[0], quarters[1] + quarters[2]
    assert (tally.count(Step.SWAP), tally.count(Step.MUST_CONSENT)) == (swaps, consents)
    assert tally.count(Step.RENEW_THEN_SWAP) == 0
    assert tally.rejected.total() == quarters[3]
    assert [(one.column, one.rows) for one in tally.misnamed] == ([("contact_email", rows)] if rows else [])
    assert told.getvalue().splitlines()[-1].startswith(f"reading: {rows:,} (")
