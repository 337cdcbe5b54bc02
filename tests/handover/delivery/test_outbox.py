"""What waits to be delivered, and how long that took, as the ledger records it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import LedgerLockedError
from migrator.ledger.access import open_for_job
from migrator.ledger.deliveries import _of_two_figures
from migrator.ledger.delivery_counts import _quantile
from migrator.ledger.file import lock
from migrator.ledger.file.keys import require_key
from migrator.ledger.job_ledger import Ledger
from migrator.models import Action, utc_now
from tests.handover.conftest import Live
from tests.handover.support import Life
from tests.rules.strategies import POLICY


@contextmanager
def at_work(life: Life) -> Iterator[Ledger]:
    key = require_key(life.ledger, {}, None)
    with open_for_job(life.ledger, key, utc_now, hurry=threading.Event(), create=False) as ledger:
        ledger.begin_run("resume", POLICY, workers=1)
        yield ledger
        ledger.end_run("done")


@pytest.mark.parametrize("action", [Action.REFRESH, Action.VERIFY])
def test_no_call_begins_with_a_pair_that_was_handed_over_since_it_was_read(
    live: Live, action: Action
) -> None:
    with at_work(live(2)) as ledger:
        ledger.deliveries.begin_for("somewhere")
        before = ledger.standing(1)
        begun = ledger.deliveries.begin("somewhere", "d-1", most=1)
        assert begun is not None
        assert ledger.begin_call(before, action) is None
        assert ledger.begin_call(ledger.standing(2), action) is not None, "it is nobody's yet"
        assert ledger.begin_call(ledger.standing(1), Action.REVOKE) is not None


def test_those_that_wait_longest_go_first_and_who_is_taken_waits_until_the_end(live: Live) -> None:
    life = live(3)
    with at_work(life) as ledger:
        deliveries = ledger.deliveries
        deliveries.begin_for("somewhere")
        life.alter("UPDATE outbox SET since = '2020-01-01T00:00:00.000000Z' WHERE connection_id = 2")
        assert deliveries.backlog(2).pairs == 2, "no further than it was asked to count"
        begun = deliveries.begin("somewhere", "d-1", most=1)
        assert begun is not None
        (taken,) = deliveries.taken(begun)
        assert [connection.key for connection in taken.connections] == [life.key_of(2)]
        assert deliveries.backlog(9).pairs == 3
        assert deliveries.unfinished("somewhere") == [begun]
        assert deliveries.unfinished("elsewhere") == []
        deliveries.cancel(begun)
        again = deliveries.begin("somewhere", "d-2", most=1)
        assert again is not None
        deliveries.finish(again, {})
        assert deliveries.backlog(9).pairs == 2
        assert life.query("SELECT connection_id FROM outbox") == [(1,), (3,)]


def test_what_was_refused_is_tried_again_later_each_time(live: Live) -> None:
    life = live(1)
    with at_work(life) as ledger:
        ledger.deliveries.begin_for("somewhere")
        pauses = []
        for number in range(10):
            life.alter("UPDATE outbox SET not_before = '' WHERE problem IS NOT NULL")
            begun = ledger.deliveries.begin("somewhere", f"d-{number}", most=1)
            assert begun is not None
            before = utc_now()
            ledger.deliveries.finish(begun, {life.key_of(1): "no"})
            ((due,),) = life.query("SELECT not_before FROM outbox")
            pauses.append(round((datetime.fromisoformat(due) - before).total_seconds()))
            assert ledger.deliveries.begin("somewhere", "too soon", most=1) is None
        assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]
        assert life.query("SELECT count(*) FROM exports") == [(0,)], "nothing was handed over"
        ledger.deliveries.begin_for("somewhere")
        assert ledger.deliveries.begin("somewhere", "mended", most=1) is not None, (
            "a new process tries at once"
        )


def test_nothing_waits_before_somebody_delivers(live: Live) -> None:
    life = live(2)
    assert life.status()["delivery"] is None
    life.done("refresh", "--all")
    assert life.query("SELECT count(*) FROM outbox") == [(0,)]


# --- who delivers ---


def test_who_delivers_to_the_same_is_let_be_and_to_another_is_refused(live: Live) -> None:
    ledger = live(1).ledger
    with lock.deliveries_if_free(ledger, "a table") as first:
        assert first
        with lock.deliveries_if_free(ledger, "a table") as second:
            assert not second
        with (
            pytest.raises(LedgerLockedError, match=r"delivered by process \d+, to a table"),
            lock.deliveries_if_free(ledger, "another table"),
        ):
            pass
    with lock.deliveries_if_free(ledger, "another table") as free:
        assert free


# --- how long it took ---


@given(st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_time_is_kept_in_two_figures_and_never_for_less(time: timedelta) -> None:
    kept = _of_two_figures(time)
    exact = time / timedelta(milliseconds=1)
    assert exact <= kept <= max(exact * 1.1, exact + 1)
    assert len(str(kept).rstrip("0")) <= 2


def test_a_clock_that_was_set_back_takes_no_negative_time() -> None:
    assert _of_two_figures(timedelta(seconds=-1)) == 0


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=300), st.sampled_from([50, 99, 100]))
def test_so_many_of_a_hundred_are_within_it_and_not_within_less(times: list[int], percent: int) -> None:
    counts = sorted((time, times.count(time)) for time in set(times))
    found = _quantile(counts, len(times), percent)
    assert found is not None
    within = [time for time in times if timedelta(milliseconds=time) <= found]
    shorter = [time for time in times if timedelta(milliseconds=time) < found]
    assert len(within) * 100 >= len(times) * percent
    assert len(shorter) * 100 < len(times) * percent


def test_of_nothing_there_is_no_time() -> None:
    assert _quantile([], 0, 50) is None
