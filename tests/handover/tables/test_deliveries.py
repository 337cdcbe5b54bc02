"""What has arrived, the application's database itself says: also of a transaction that nobody saw end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migrator.errors import OutputError
from migrator.handover.tables import deliveries
from migrator.handover.tables.database_table import arrival, write_table
from migrator.sources.sql_connection import DatabaseUrl
from tests.postgres import Database


def rows(number: int = 1) -> Iterator[dict[str, object]]:
    for each in range(number):
        yield {"connection_id": f"k{each}", "access_token": "A", "refresh_token": "R", "generation": 1}


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request: pytest.FixtureRequest, postgres: Database, tmp_path: Path) -> DatabaseUrl:
    of_kind: dict[str, Callable[[], str]] = {
        "postgresql": lambda: postgres.url("pairs"),
        "sqlite": lambda: f"sqlite:///{tmp_path}/app.db?table=pairs",
    }
    return DatabaseUrl.parse(of_kind[request.param]())


def test_what_was_written_has_arrived(url: DatabaseUrl) -> None:
    write_table(url, rows(), key="connection_id", delivery_id="one")
    assert arrival(url, "one").arrived
    assert arrival(url, "one").arrived, "asking changes nothing"


def test_what_was_never_begun_has_not_arrived_and_never_will(url: DatabaseUrl) -> None:
    assert not arrival(url, "one").arrived
    assert not arrival(url, "one").arrived
    with pytest.raises(OutputError):
        write_table(url, rows(), key="connection_id", delivery_id="one")
    assert write_table(url, rows(), key="connection_id", delivery_id="two") == 1


def test_what_was_taken_back_has_not_arrived(url: DatabaseUrl) -> None:
    def broken() -> Iterator[dict[str, object]]:
        yield from rows(1000)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_table(url, broken(), key="connection_id", delivery_id="one")
    assert not arrival(url, "one").arrived


class UnendedWriter:
    """A delivery ``one`` whose transaction has written all, and not ended."""

    def __init__(self, url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
        recorded, self._may_end = threading.Event(), threading.Event()
        record = deliveries.record

        def slow(*given: object) -> None:
            record(*given)  # type: ignore[arg-type]
            recorded.set()
            self._may_end.wait(30)

        monkeypatch.setattr(deliveries, "record", slow)
        self._thread = threading.Thread(
            target=lambda: write_table(url, rows(), key="connection_id", delivery_id="one"), daemon=True
        )
        self._thread.start()
        assert recorded.wait(30)

    def end(self) -> None:
        self._may_end.set()
        self._thread.join(30)


def test_whoever_asks_waits_for_a_transaction_that_is_about_to_end(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process may have died with the commit on its way: the answer must not be given before it is in."""
    url = DatabaseUrl.parse(postgres.url("pairs"))
    write_table(url, rows(), key="connection_id", delivery_id="earlier")
    writer = UnendedWriter(url, monkeypatch)
    found: list[bool] = []
    asking = threading.Thread(target=lambda: found.append(arrival(url, "one").arrived), daemon=True)
    asking.start()
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%deliveries%'"
    )
    while asking.is_alive() and postgres.execute(waits) != [(1,)]:
        pass
    assert found == []
    writer.end()
    asking.join(30)
    assert found == [True]


def test_a_database_that_cannot_tell_yet_says_so(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    url = DatabaseUrl.parse(postgres.url("pairs"))
    write_table(url, rows(), key="connection_id", delivery_id="earlier")
    monkeypatch.setitem(deliveries._LONGEST_WAIT, "postgresql", "SET LOCAL lock_timeout = '50ms'")
    writer = UnendedWriter(url, monkeypatch)
    with pytest.raises(OutputError) as caught:
        arrival(url, "one")
    assert "LockNotAvailable" in caught.value.message
    assert caught.value.hint == "It may still be at it: try again in a while."
    writer.end()
    assert arrival(url, "one").arrived
