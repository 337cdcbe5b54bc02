"""The plan and the status, for people and for scripts: the same facts."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.ledger.pair_counts import Ends, Pairs
from migrator.ledger.runs import Run
from migrator.ledger.status import Status
from migrator.models import Misnamed, Reject, State
from migrator.providers import find_profile
from migrator.providers.facts import Limit
from migrator.rules.next_step import Decision, Step
from migrator.rules.plan import Forecast, Tally, forecast
from migrator.terminal.durations import duration_text
from migrator.terminal.present import (
    moment_text,
    plan_document,
    plan_text,
    reason_text,
    run_document,
    run_text,
    status_document,
    status_text,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def tally(swaps: int = 1_200) -> Tally:
    counted = Tally()
    counted.steps["partner", Step.SWAP, "valid"] = swaps
    counted.steps["partner", Step.RENEW_THEN_SWAP, "token_expired"] = 30
    counted.add("public", Decision(Step.MUST_CONSENT, "public_app"))
    counted.reject(Reject("f", 3, "missing_token", "x"))
    counted.reject(Reject("f", 4, "some_new_word", "x"))
    return counted


def ahead(
    counted: Tally, *, deadline: date | None = None, certified: bool = True, rate: int = 600
) -> Forecast:
    played = find_profile("xero", base_url="http://127.0.0.1:8765")  # the real one is closed
    return forecast(counted, played, NOW, rate_per_minute=rate, certified=certified, deadline=deadline)


def swaps_at(
    provider: str, number: int, leave: float | None = None, deadline: date | None = None
) -> list[str]:
    """What the plan says of so many swaps: of their calls, and what comes behind that."""
    counted = Tally()
    counted.steps["", Step.SWAP, "valid"] = number
    planned = forecast(
        counted,
        find_profile(provider),
        NOW,
        rate_per_minute=None,
        certified=True,
        deadline=deadline,
        leave=leave,
    )
    lines = plan_text(counted, planned).splitlines()
    return lines[next(number for number, line in enumerate(lines) if " calls (" in line) :]


def test_a_plan_of_days_says_so_and_what_is_left_to_production() -> None:
    shared = "The application's ordinary traffic counts in this limit, too"
    assert swaps_at("tumblr", 50_000)[:2] == [
        "50,000 calls (50,000 swaps) take at least 8.7 days at 1,000 calls an hour and 5,000 a calendar day.",
        f'{shared}, and nothing is left to it: leave = "50%" under [job] would leave it half.',
    ]
    assert swaps_at("tumblr", 50_000, 0.5)[:2] == [
        "50,000 calls (50,000 swaps) take at least 19 days at 500 calls an hour and 2,500 a calendar day.",
        f"{shared}: 50% of it is left to that, and not in these numbers.",
    ]
    assert not [line for line in swaps_at("tumblr", 10) if "ordinary traffic" in line]


def test_a_plan_whose_calls_are_far_apart_says_how_far() -> None:
    def said(rate: int) -> list[str]:
        return plan_text(tally(), ahead(tally(), rate=rate)).splitlines()

    calls = "1,260 calls (30 renewals, 1,230 swaps) take at least"
    assert f"{calls} 21.0 h at 1 call a minute, one every 60 s." in said(1)
    assert f"{calls} 5.2 h at 4 calls a minute, one every 15 s." in said(4)
    assert not [line for line in said(5) if "one every" in line]


def test_a_plan_without_known_limits_promises_nothing() -> None:
    calls, *further = swaps_at("garmin", 1_000, deadline=date(2026, 6, 11))
    assert calls.startswith("2,000 calls (1,000 questions whose token it is, 1,000 swaps) are to be made;")
    assert calls.endswith("rate_per_minute under [job] sets one.")
    assert "Deadline 2026-06-11: in 10 days." in further


def test_what_no_call_is_needed_for_is_not_counted() -> None:
    few = Tally(steps=Counter({("partner", Step.SWAP, "valid"): 3}))
    assert "3 calls (3 swaps) take" in plan_text(few, ahead(few))


def test_what_must_be_done_before_the_first_call_is_said_where_there_is_one() -> None:
    planned = replace(ahead(tally()), before=("Register the callback.",))
    assert plan_text(tally(), planned).endswith("Before the first call:\n  - Register the callback.")
    nothing = Tally(steps=Counter({("partner", Step.DONE_ALREADY, "migrated"): 3}))
    planned = replace(ahead(nothing), before=("Register the callback.",))
    assert "Register" not in plan_text(nothing, planned)


def test_a_plan_names_the_day_on_which_the_provider_ends_oauth_1() -> None:
    day = "The provider ends OAuth 1.0a on 2026-12-31."
    assert day in swaps_at("garmin", 10)
    assert not [line for line in swaps_at("tumblr", 10) if "ends OAuth 1.0a" in line]


def test_the_document_of_a_plan_says_of_each_limit_what_is_left() -> None:
    limit = Limit(500, timedelta(hours=1), leave=125)
    document = plan_document(tally(), replace(ahead(tally()), limits=(limit,)))
    assert document["limits"] == [{"calls": 500, "seconds": 3600.0, "calendar": False, "left": 125}]


def test_a_plan_for_a_closed_exchange_promises_no_call() -> None:
    text = plan_text(tally(), replace(ahead(tally()), closed=date(2021, 3, 31)))
    assert "The exchange is closed since 2021-03-31: a run stops before its first call." in text
    assert "calls" not in text
    assert "Before the first call" not in text


def test_the_plan_counts_by_application_step_and_reason() -> None:
    lines = [" ".join(line.split()) for line in plan_text(tally(), ahead(tally())).splitlines()]
    assert "partner swap the token is valid 1,200" in lines
    assert "partner renew, then swap the token has expired 30" in lines
    assert "public must consent again public applications cannot be migrated 1" in lines
    assert "rejected row cannot be used missing token 1" in lines
    assert "1,260 calls (30 renewals, 1,230 swaps) take at least 2 min at 600 calls a minute." in lines


@pytest.mark.parametrize(
    ("deadline", "said"),
    [
        (date(2026, 6, 11), "Deadline 2026-06-11: in 10 days; a job that starts now ends in time."),
        (date(2026, 5, 30), "Deadline 2026-05-30: 2 days ago; a job that starts now ends NOT in time."),
    ],
)
def test_a_deadline_is_said_with_what_it_means(deadline: date, said: str) -> None:
    assert said in plan_text(tally(), ahead(tally(), deadline=deadline))
    assert "Deadline" not in plan_text(tally(), ahead(tally()))


def test_an_uncertified_application_is_told_how_many_are_too_many() -> None:
    text = plan_text(tally(), ahead(tally(), certified=False))
    assert "may hold 25 connections, 1,205 fewer than this" in text
    fitting = Tally()
    fitting.steps["partner", Step.SWAP, "valid"] = 25
    text = plan_text(fitting, ahead(fitting, certified=False))
    assert "may hold 25 connections." in text
    assert "fewer" not in text
    assert "uncertified" not in plan_text(tally(), ahead(tally()))


def test_the_security_assessment_is_said_from_where_it_is_due() -> None:
    assert "From 1,000 connections on" in plan_text(tally(), ahead(tally()))
    assert "assessment" not in plan_text(tally(10), ahead(tally(10)))


def test_what_many_rows_of_a_file_have_in_common_is_said_once() -> None:
    counted = Tally()
    for line in range(2, 1_500):
        counted.reject(Reject("a.csv", line, "damaged_cell", "oauth_token is damaged."))
    for line in (3, 5, 7, 9):
        counted.reject(Reject("b.csv", line, "missing_token", "The row has no oauth_token."))
    lines = plan_text(counted, ahead(counted)).splitlines()
    assert "a.csv: 1,498 rows, the first in line 2: damaged_cell: oauth_token is damaged." in lines
    assert sum(line.startswith("a.csv") for line in lines) == 1
    assert [line for line in lines if line.startswith("b.csv")] == [
        "b.csv:3, 5, 7 and 9: missing_token: The row has no oauth_token."
    ]
    assert not any("more rejected" in line for line in lines)
    document = plan_document(counted, ahead(counted))
    assert document["rejected_alike"] == [
        {"source": "a.csv", "line": 2, "reason": "damaged_cell", "detail": "oauth_token is damaged.",
         "rows": 1_498, "varied": False},
        {"source": "b.csv", "line": 3, "reason": "missing_token", "detail": "The row has no oauth_token.",
         "rows": 4, "varied": False},
    ]  # fmt: skip


def test_what_is_said_of_many_rows_is_true_of_each() -> None:
    counted = Tally()
    for line in range(2, 8):
        counted.reject(Reject("a.csv", line, "impossible_date", "too late" if line == 2 else "too early"))
    for line in range(2, 32):
        counted.reject(Reject("b.csv", line, "duplicate_token", f"stands in a.csv:{line}"))
    lines = plan_text(counted, ahead(counted)).splitlines()
    assert [line for line in lines if line.startswith(("a.csv", "b.csv"))] == [
        "a.csv: 5 rows, the first in line 3: impossible_date: too early",
        "b.csv: 30 rows, the first in line 2: duplicate_token, of that one: stands in a.csv:2",
        "a.csv:2: impossible_date: too late",
    ]


def test_few_rows_beyond_the_sentences_that_are_told_each_for_itself_are_counted() -> None:
    counted = Tally()
    for line in range(20):
        counted.reject(Reject("a.csv", line, "bad", f"sentence {line // 2}"))
    counted.reject(Reject("a.csv", 99, "bad", "one more"))
    lines = plan_text(counted, ahead(counted)).splitlines()
    assert "a.csv:0 and 1: bad: sentence 0" in lines
    assert "a.csv: 1 row, the first in line 99: bad, of that one: one more" in lines
    assert sum(line.startswith("a.csv") for line in lines) == 11


def test_no_more_lines_are_told_than_a_person_would_read() -> None:
    counted = Tally()
    for line in range(25):
        counted.reject(Reject("a.csv", line, f"reason_{line}", "x"))
    lines = plan_text(counted, ahead(counted)).splitlines()
    assert [line for line in lines if line.startswith("a.csv")] == [
        f"a.csv:{line}: reason_{line}: x" for line in range(20)
    ]
    assert "… and 5 more rejected rows" in lines


def test_columns_that_are_not_read_are_told_before_anything_else() -> None:
    counted = Tally(misnamed=[Misnamed("a.csv", "oauth_expires_at", "Expires\x1b[2J", 1_200)])
    told = plan_text(counted, ahead(counted)).splitlines()[0]
    assert told.startswith("a.csv: 1,200 rows have no oauth_expires_at, but 'Expires")
    assert told.endswith("if it is meant, call it oauth_expires_at.")
    assert "\x1b" not in told
    assert plan_document(counted, ahead(counted))["misnamed_columns"] == [
        {"source": "a.csv", "column": "oauth_expires_at", "name": "Expires\x1b[2J", "rows": 1_200}
    ]


def test_an_empty_plan_says_so() -> None:
    text = plan_text(Tally(), ahead(Tally()))
    assert "no rows" in text
    assert "Nothing to swap." in text


def test_the_plan_for_scripts_gives_the_same_facts() -> None:
    document = json.loads(json.dumps(plan_document(tally(), ahead(tally(), deadline=date(2026, 6, 11)))))
    assert document["connections"] == 1_231
    assert document["plan"] == [
        {"app_type": "partner", "action": "renew, then swap", "reason": "token_expired", "connections": 30},
        {"app_type": "partner", "action": "swap", "reason": "valid", "connections": 1_200},
        {"app_type": "public", "action": "must consent again", "reason": "public_app", "connections": 1},
    ]
    assert document["rejected"] == {"missing_token": 1, "some_new_word": 1}
    assert document["calls"] == {"renew": 30, "swap": 1_230}
    assert (document["rate_per_minute"], document["duration_seconds"]) == (600, 126.0)
    assert (document["deadline"], document["days_left"], document["deadline_ok"]) == ("2026-06-11", 10, True)
    assert document["uncertified_limit"] is None
    assert document["advice"] == [
        {"from_connections": 1_000, "text": "Xero demands an advanced security assessment, yearly."}
    ]


RUN = Run(7, "run", 4321, NOW, NOW + timedelta(seconds=75), "done", 5, 1, 2, ("a.csv", "-"))


PAIRS = Pairs(1_500, 4, 1, 2, 1, Ends(NOW, 3, 2))


def status_of(numbers: dict[tuple[str, State], int], last_run: Run | None = RUN) -> Status:
    states = {state.value: 0 for state in State}
    app_types = {app_type: dict(states) for app_type in ("partner", "public", "private")}
    for (app_type, state), number in numbers.items():
        states[state] += number
        app_types[app_type][state] += number
    total = sum(states.values())
    reasons = {"needs_consent": {"public_app": 2}} if total else {}
    return Status("xero", total, states, app_types, reasons, 3, PAIRS, {"swap": 1_500}, last_run)


STATUS = status_of(
    {("partner", State.MIGRATED): 1_500, ("partner", State.FAILED): 1} | {("public", State.NEEDS_CONSENT): 2}
)


def test_the_status_says_every_number_once() -> None:
    lines = [" ".join(line.split()) for line in status_text(STATUS).splitlines()]
    assert lines[0] == "app type migrated needs_consent failed all"
    assert lines[2:5] == ["partner 1,500 0 1 1,501", "public 0 2 0 2", "all 1,500 2 1 1,503"]
    assert "2 needs_consent: public applications cannot be migrated" in lines
    assert "1,500 pairs stored, 4 verified, 1 handed over; 2 users, 1 of them with several pairs" in lines
    assert "3 rows were rejected" in lines
    assert lines[-1] == "last run: run, started 2026-06-01 12:00:00 UTC, done after 75 s"


def test_an_empty_ledger_says_so() -> None:
    assert status_text(status_of({}, None)) == "The ledger holds no connections yet."


def test_the_status_for_scripts_is_the_contracts() -> None:
    document = json.loads(json.dumps(status_document(STATUS, Path("/x/migration.db"))))
    assert document["ledger"] == "/x/migration.db"
    assert (document["provider"], document["total"], document["rejected"]) == ("xero", 1_503, 3)
    assert set(document["states"]) == {state.value for state in State}
    assert document["states"]["migrated"] == 1_500
    assert document["app_types"]["public"]["needs_consent"] == 2
    assert document["pairs"] == {"stored": 1_500, "verified": 4, "exported": 1, "users": 2}
    assert document["upkeep"] == {
        "users_with_several_pairs": 1,
        "first_end": NOW.isoformat(),
        "ending_within_a_week": 3,
        "ended": 2,
    }
    assert document["last_run"] == run_document(RUN)
    assert status_document(status_of({}, None), Path("x"))["last_run"] is None


def test_a_run_is_told_in_a_document_and_in_a_line() -> None:
    assert run_document(RUN) == {
        "id": 7, "command": "run", "started_at": "2026-06-01T12:00:00+00:00",
        "finished_at": "2026-06-01T12:01:15+00:00", "outcome": "done", "sources": ["a.csv", "-"],
        "accepted": 5, "known": 1, "rejected": 2,
    }  # fmt: skip
    under_way = Run(8, "resume", 4321, NOW, None, None, 0, 0, 0, ())
    assert run_document(under_way)["finished_at"] is None
    assert run_text(under_way) == (
        "resume, started 2026-06-01 12:00:00 UTC, under way or killed (process 4321)"
    )


@given(st.from_regex(r"[a-z_]{1,20}", fullmatch=True))
def test_every_reason_has_a_text_without_underscores(word: str) -> None:
    assert "_" not in reason_text(word)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.9, "1 s"),
        (1, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (5_000, "83 min"),
        (5_400, "1.5 h"),
        (126_000, "35.0 h"),
        (129_600, "1.5 days"),
        (864_000, "10 days"),
    ],
)
def test_durations_are_said_in_the_unit_that_people_would_use(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text


def test_moments_are_said_in_utc() -> None:
    assert moment_text(NOW) == "2026-06-01 12:00:00 UTC"


def test_a_provider_without_application_types_has_none_in_the_document() -> None:
    status = replace(STATUS, app_types={"": {state.value: 1 for state in State}})
    assert status_document(status, Path("x"))["app_types"] == {}
