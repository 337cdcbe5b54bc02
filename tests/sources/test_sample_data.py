"""The sample files say what their README says of them."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrator.models import Reject
from migrator.sources import open_source
from migrator.sources.screening import Accepted, screen
from tests.sources.helpers import XERO, DictSeen

SAMPLES = Path(__file__).parents[2] / "sample_data"
ACCEPTED = {
    "partners.csv": {"partner": 49, "public": 7, "private": 4},
    "practices.json": {"partner": 8},
    "late-additions.jsonl": {"partner": 5, "public": 1, "private": 1},
    "legacy.db:xero_tokens": {"partner": 8, "public": 1, "private": 1},
    "legacy.db:nz_tokens": {"partner": 2},
    "with-bom.csv": {"partner": 6, "public": 1},
    "rejects.csv": {"partner": 2},
}
REJECTED = {
    3: "missing_token",
    4: "missing_secret",
    5: "unknown_app_type",
    6: "unknown_tenant_type",
    7: "bad_date",
    8: "bad_date",
    9: "bad_value",
    11: "duplicate_token",
    12: "duplicate_connection_id",
    14: "bad_row",
    15: "bad_encoding",
    16: "bad_row",
}


def screened(*names: str) -> tuple[list[Accepted], list[Reject]]:
    sources = [open_source(str(SAMPLES / name), stdin=io.BytesIO(), rules=XERO) for name in names]
    results = list(screen(sources, DictSeen(), XERO))
    accepted = [result for result in results if isinstance(result, Accepted)]
    return accepted, [result for result in results if isinstance(result, Reject)]


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_sample_holds_what_is_said_of_it(name: str) -> None:
    accepted, rejected = screened(name)
    assert Counter(each.connection.app_type for each in accepted) == ACCEPTED[name]
    assert {each.line: each.reason for each in rejected} == (REJECTED if name == "rejects.csv" else {})


def test_nothing_repeats_across_the_samples() -> None:
    names = [name for name in ACCEPTED if name != "legacy.db:nz_tokens"]
    accepted, rejected = screened(*names)
    assert len(accepted) == 60 + 8 + 7 + 10 + 7 + 2
    assert {each.source for each in rejected} == {str(SAMPLES / "rejects.csv")}


def test_a_token_that_has_a_date_has_expired() -> None:
    accepted, _ = screened("partners.csv", "practices.json", "late-additions.jsonl", "with-bom.csv")
    dates = [each.connection.legacy.expires_at for each in accepted]
    assert None in dates
    assert max(date for date in dates if date) < datetime(2026, 1, 1, tzinfo=UTC)


def test_the_main_list_has_all_that_a_migration_meets() -> None:
    connections = [each.connection for each in screened("partners.csv")[0]]
    expired = [each for each in connections if each.legacy.expires_at and each.app_type == "partner"]
    assert {bool(each.legacy.session_handle) for each in expired} == {True, False}
    assert {each.tenant_type for each in connections} == {"ORGANISATION", "PRACTICE"}
    assert {tuple(each.further) for each in connections} == {("plan", "account_manager")}
    assert len({each.key for each in connections}) == len(connections)


def test_the_readme_names_every_sample() -> None:
    readme = (SAMPLES / "README.md").read_text()
    for path in SAMPLES.iterdir():
        assert path.name == "README.md" or path.name in readme


def test_the_database_is_small() -> None:
    assert (SAMPLES / "legacy.db").stat().st_size < 40_000
