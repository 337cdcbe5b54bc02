"""Intuit: closed to all but the sandbox; a bare 500 that is no outage; renewals told in XML; a support id."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from migrator.models import Action
from tests.end_to_end.conftest import SetLife
from tests.end_to_end.support import finish, in_the_clear, rows, set_value
from tests.handover.support import Life, write_csv

DAY = 86400.0


def end_in(life: Life, seconds: dict[str, float]) -> None:
    """Have these tokens end so many seconds from now: for the sandbox, and in the input file."""
    changed = []
    with closing(sqlite3.connect(life.folder.parent / "sandbox.db")) as db, db:
        for row in rows(life):
            if (left := seconds.get(row["connection_id"])) is not None:
                ends = int(time.time() + left)
                db.execute(
                    "UPDATE oauth1_tokens SET expires_at = ? WHERE token = ?", (ends, row["oauth_token"])
                )
                row["oauth_expires_at"] = datetime.fromtimestamp(ends, UTC).isoformat()
            changed.append(row)
    write_csv(life.folder / "tokens.csv", changed)


def of_key(life: Life) -> dict[str, tuple[str, str]]:
    """Key to state and reason."""
    return {
        key: (state, reason)
        for key, state, reason in life.query("SELECT key, state, reason FROM connections")
    }


def test_a_closed_exchange_is_told_before_anything_is_sent(set_life: SetLife) -> None:
    life = set_life("intuit", 6)
    played = life.folder / "migrator.toml"
    text = played.read_text("utf-8")
    closed = re.sub(r"(?m)^base_url = .*\n", "", text)
    played.write_text(closed, "utf-8")
    planned = life.done("run", "tokens.csv", "--dry-run")
    assert "The exchange is closed since 2019-12-17: a run stops before its first call." in planned.stdout
    assert " calls " not in planned.stdout
    assert life.json("run", "tokens.csv", "--dry-run")["closed_since"] == "2019-12-17"
    assert not life.ledger.exists()
    for command in (("run", "tokens.csv"), ("resume",)):
        stopped = life.done(*command, code=3)
        assert "Intuit QuickBooks Online closed its exchange on 2019-12-17" in stopped.stderr
        assert "nothing was sent" in stopped.stderr
        assert life.query("SELECT count(*) FROM attempts") == [(0,)]
    assert sum(life.states().values()) == 6, "the rows are in the ledger"
    assert life.status()["last_run"]["outcome"] == "stopped"
    played.write_text(text, "utf-8")
    life.done("resume")
    assert life.states()["migrated"] == 5
    assert life.untrue() == []
    played.write_text(closed, "utf-8")
    life.done("run", "tokens.csv")  # nothing is left to be sent: that it is closed is no trouble


def test_a_bare_500_says_that_the_company_was_migrated_before(set_life: SetLife) -> None:
    life = set_life("intuit", 8)
    other = life.folder / "other.db"
    life.done("--ledger", str(other), "run", "tokens.csv", "--limit", "3")
    life.done("run", "tokens.csv")
    again = [key for key, (_, reason) in of_key(life).items() if reason == "already_exchanged"]
    assert len(again) == 3
    assert life.states() == {"migrated": 4, "needs_consent": 4}
    assert life.untrue() == []
    # Believed once others have got pairs, and no outage.
    refused = life.sandbox.stats()["requests"]["500"]
    assert 6 <= refused <= 9
    ids = life.query("SELECT c.key, a.support_id FROM attempts a JOIN connections c ON c.id = connection_id")
    assert len(ids) == len({support for _, support in ids if support}) == 4 + refused, "each has its own"
    life.done("report", "-o", "r.json")
    report = json.loads((life.folder / "r.json").read_text("utf-8"))
    told = {row["key"]: row["support_id"] for row in report["connections"]}
    assert {key for key, support in told.items() if support} == set(again), "of what came to nothing"
    assert {(key, told[key]) for key in again} <= set(ids)


def test_a_500_for_one_after_the_other_condemns_nobody(set_life: SetLife) -> None:
    life = set_life("intuit", 20)
    life.done("--ledger", str(life.folder / "other.db"), "run", "tokens.csv")
    stopped = life.done("run", "tokens.csv", code=3)
    assert "the provider refuses one token after another ('http_500'); none was given up" in stopped.stderr
    assert life.states() == {"pending": 18, "needs_consent": 2}
    assert {reason for state, reason in of_key(life).values() if state == "needs_consent"} == {
        "token_expired"
    }
    life.done("resume", "--believe-refusals")
    assert {reason for _, reason in of_key(life).values()} == {"token_expired", "already_exchanged"}
    assert life.untrue() == []


def test_a_token_about_to_end_is_renewed_where_it_can_be(set_life: SetLife) -> None:
    life = set_life("intuit", 6)
    keys = [row["connection_id"] for row in rows(life)]
    ends = dict.fromkeys(keys, 100 * DAY) | {keys[0]: 45.0, keys[1]: 20 * DAY, keys[2]: -DAY}
    end_in(life, ends)
    life.done("run", "tokens.csv", "--concurrency", "1")
    states = of_key(life)
    assert states.pop(keys[2]) == ("needs_consent", "token_expired")
    assert set(states.values()) == {("migrated", "")}
    assert life.query(
        "SELECT c.key, a.outcome FROM attempts a JOIN connections c ON c.id = connection_id"
        " WHERE action = 'renew'"
    ) == [(keys[0], "done")]
    assert life.sandbox.stats()["renewals"] == 1
    assert life.query("SELECT support_id <> '' FROM attempts WHERE action = 'renew'") == [(1,)]
    assert life.untrue() == []
    assert in_the_clear(life) == set()


@pytest.mark.parametrize(
    ("really", "reason"),
    [(-60.0, "token_expired"), (90 * DAY, "error_212")],
    ids=["270: it has ended", "212: outside the window"],
)
def test_a_renewal_that_is_refused_in_xml_is_understood(
    set_life: SetLife, really: float, reason: str
) -> None:
    life = set_life("intuit", 4)
    keys = [row["connection_id"] for row in rows(life)]
    end_in(life, dict.fromkeys(keys, 90 * DAY) | dict.fromkeys(keys[:2], 45.0))  # the second is renewed
    with closing(sqlite3.connect(life.folder.parent / "sandbox.db")) as db, db:
        token = rows(life)[0]["oauth_token"]
        db.execute("UPDATE oauth1_tokens SET expires_at = ? WHERE token = ?", (time.time() + really, token))
    life.migrator("run", "tokens.csv", "--concurrency", "1")
    assert of_key(life)[keys[0]][1] == reason
    assert life.untrue() == []


def test_a_renewal_whose_answer_is_lost_is_asked_for_again_and_then_the_user(set_life: SetLife) -> None:
    life = set_life("intuit", 2, timeout=1.0)
    keys = [row["connection_id"] for row in rows(life)]
    end_in(life, {keys[0]: 50.0, keys[1]: 90 * DAY})
    life.kill_at("after answer", Action.RENEW, 1, "run", "tokens.csv", "--concurrency", "1")
    finish(life)
    assert of_key(life) == {keys[0]: ("needs_consent", "response_lost"), keys[1]: ("migrated", "")}
    assert life.query("SELECT problem FROM attempts WHERE action = 'renew' AND outcome = 'over'") == [
        ("error_22",)
    ]


def test_a_refresh_keeps_the_refresh_token_for_a_day_and_the_stored_pair_is_right(set_life: SetLife) -> None:
    life = set_life("intuit", 5)
    life.done("run", "tokens.csv")
    number = life.states()["migrated"]
    refused = life.done("verify", code=2)
    assert "cannot be asked whether an access token works" in refused.stderr
    assert "'migrator refresh --all' shows" in refused.stderr
    first = standing(life)
    life.pass_seconds(7_200)
    life.done("refresh", "--all")
    assert standing(life) == first, "within a day it is the same"
    assert life.sandbox.stats()["refreshes_issued"] == number
    assert life.untrue() == []
    life.pass_days(1.5)
    life.done("refresh", "--all")
    assert not set(standing(life)) & set(first), "after that there is a new one"
    assert life.untrue() == []
    assert life.states()["migrated"] == number
    life.pass_days(98)
    life.done("refresh", "--within", "7d")
    assert life.sandbox.stats()["refreshes_issued"] == 3 * number
    assert life.untrue() == []


def standing(life: Life) -> list[str]:
    """The fingerprints of the refresh tokens that stand, in order."""
    return [held.standing for held in life.held() if held.standing]


def test_a_secret_that_is_wrong_stops_the_job_at_its_first_call(set_life: SetLife) -> None:
    life = set_life("intuit", 6)
    set_value(life, "client_id", "another")
    stopped = life.done("run", "tokens.csv", "--concurrency", "1", code=3)
    assert "check oauth2.client_id and the client secret" in stopped.stderr
    assert life.query("SELECT problem FROM attempts") == [("invalid_client",)]
    assert life.untrue() == []
