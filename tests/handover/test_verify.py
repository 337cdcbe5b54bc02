"""``verify``: each stored pair is seen to work, and to reach what the legacy row said."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from migrator.models import Action
from tests.handover.conftest import Live
from tests.handover.support import Life
from tests.provider import Calls, Reply, misbehaving, of_json


def test_every_pair_is_verified_once_and_each_question_is_logged(live: Live) -> None:
    life = live(4)
    document = life.json("verify")
    assert document == {
        "outcome": "done",
        "verified": 4,
        "refreshed": 0,
        "refused": 0,
        "open": 0,
        "mismatches": [],
        "not_asked": 0,
    }
    assert sorted(life.attempts("verify")) == [(number, "done") for number in (1, 2, 3, 4)]
    assert life.status()["pairs"]["verified"] == 4
    again = life.json("verify")
    assert again["verified"] == 0
    assert again["outcome"] == "done"
    assert len(life.attempts("verify")) == 4
    assert life.json("verify", "--all")["verified"] == 4
    assert Counter(life.attempts("verify")) == {(number, "done"): 2 for number in (1, 2, 3, 4)}
    assert "4 pairs verified" in life.done("verify", "--all").stdout


def test_what_a_pair_reaches_is_kept(live: Live) -> None:
    life = live(4, per_user=2)
    life.done("verify")
    tenants = [life.tenant_of(number) for number in (1, 2, 3, 4)]
    reached = [reached for (reached,) in life.query("SELECT reached FROM token_pairs ORDER BY connection_id")]
    for number, of_pair in enumerate(reached):
        first = number - number % 2
        assert all(tenant in of_pair for tenant in tenants[first : first + 2])


def test_an_access_token_that_has_ended_is_refreshed_first(live: Live) -> None:
    life = live(4)
    life.pass_seconds(3600)
    document = life.json("verify")
    assert (document["verified"], document["refreshed"], document["outcome"]) == (4, 4, "done")
    assert life.dead() == []
    assert life.untrue() == []
    assert life.query("SELECT count(*) FROM token_pairs WHERE replaced_at IS NULL") == [(4,)]


def test_access_tokens_that_only_the_provider_refuses_are_refreshed_and_all_is_well(live: Live) -> None:
    life = live(3)
    life.sandbox.advance(3600)  # migrator's own clock still says that they are valid
    document = life.json("verify")
    assert (document["verified"], document["refreshed"]) == (3, 3)
    assert document["refused"] == 0, "nobody must consent again"
    assert life.dead() == []
    assert life.state_of_all() == [("migrated", "")]


def test_many_access_tokens_that_only_the_provider_refuses_do_not_stop_the_job(live: Live) -> None:
    life = live(12)
    life.sandbox.advance(3600)
    life.migrator("verify")
    life.migrator("verify")
    assert life.state_of_all() == [("migrated", "")]
    assert life.query("SELECT count(*) FROM pairs WHERE verified_at IS NOT NULL") == [(12,)]


def test_another_tenant_than_the_row_named_is_a_finding(live: Live) -> None:
    life = live(3)
    other = str(uuid.uuid4())
    reached = life.tenant_of(2)
    life.alter("UPDATE connections SET tenant_id = ? WHERE id = 2", other)
    document = life.json("verify", code=1)
    (finding,) = document["mismatches"]
    assert finding["key"] == life.key_of(2)
    assert finding["reason"] == "tenant_mismatch"
    assert finding["tenant_id"] == other
    assert list(finding["reached"]) == [reached]
    assert document["verified"] == 3
    assert life.state_of(2) == ("migrated", "tenant_mismatch")
    said = life.done("verify", code=1).stdout
    assert other in said
    assert "1 does not reach" in said
    assert life.query("SELECT key, reason FROM problems") == [(life.key_of(2), "tenant_mismatch")]


def test_another_type_of_tenant_than_the_row_said_is_a_finding(live: Live) -> None:
    life = live(3)
    ((said,),) = life.query("SELECT tenant_type FROM connections WHERE id = 1")
    other = "PRACTICE" if said == "ORGANISATION" else "ORGANISATION"
    life.alter("UPDATE connections SET tenant_type = ? WHERE id = 1", other)
    (finding,) = life.json("verify", code=1)["mismatches"]
    assert (finding["key"], finding["reason"]) == (life.key_of(1), "tenant_type_mismatch")
    life.alter("UPDATE connections SET tenant_type = ? WHERE id = 1", said)
    assert life.json("verify", "--all")["mismatches"] == [], "what was put right is no finding any more"
    assert life.state_of_all() == [("migrated", "")]


def test_a_tenant_that_was_disconnected_is_a_finding_and_stays_one_through_a_refresh(live: Live) -> None:
    life = live(4, per_user=2)
    life.disconnect(life.tenant_of(1))
    (finding,) = life.json("verify", code=1)["mismatches"]
    assert finding["key"] == life.key_of(1)
    assert list(finding["reached"]) == [life.tenant_of(2)]
    life.done("refresh", "--all")
    assert life.state_of(1) == ("migrated", "tenant_mismatch")


@pytest.mark.parametrize("end", ["access", "refresh"])
def test_a_revoked_pair_needs_consent(live: Live, end: str) -> None:
    life = live(3)
    life.revoke_at_provider(life.tenant_of(2))
    if end == "refresh":
        life.pass_seconds(3600)  # so that the refresh token is tried at once
    document = life.json("verify", code=1)
    assert life.state_of(2) == ("needs_consent", "grant_revoked")
    assert life.states() == {"migrated": 2, "needs_consent": 1}
    assert document["verified"] == 2
    assert document["refused"] == 1, "one pair was refused, however often it was tried"
    life.migrator("resume")
    assert life.state_of(2) == ("needs_consent", "grant_revoked")
    assert life.sandbox.stats()["swaps_issued"] == 3, "a legacy token must not win back what a user ended"
    assert life.dead() == []


@pytest.mark.parametrize("step", ["after intent", "after answer", "after commit"])
def test_a_verification_that_was_killed_goes_on_with_the_rest(live: Live, step: str) -> None:
    life = live(4)
    life.kill_at(step, Action.VERIFY, 3, "verify", "--concurrency", "1")
    seen = 3 if step == "after commit" else 2
    assert life.query("SELECT count(*) FROM pairs WHERE verified_at IS NOT NULL") == [(seen,)]
    assert life.json("verify")["verified"] == 4 - seen
    assert Counter(life.attempts("verify")) == Counter(
        [(1, "done"), (2, "done"), (3, "done"), (4, "done")]
        + ([] if step == "after commit" else [(3, "unknown")])
    )
    assert life.state_of_all() == [("migrated", "")]


def test_trouble_with_the_provider_leaves_the_rest_open(live: Live) -> None:
    life = live(3, "drop-response=1")
    life.configure(max_attempts=2)
    finished = life.migrator("verify")
    assert finished.returncode in (1, 3), finished.stderr
    assert life.state_of_all() == [("migrated", "")], "a question that got lost changes nothing"
    live.serve(life)
    assert life.json("verify")["verified"] == 3


def test_without_a_ledger_there_is_nothing_to_verify(live: Live) -> None:
    life = live(3)
    life.done("--ledger", "other.db", "verify", code=2)
    assert not (life.folder / "other.db").exists()


REFUSED: Reply = (403, {"Content-Type": "text/plain"}, b"Forbidden")


@contextmanager
def refusing_one(life: Life, number: int) -> Iterator[None]:
    """A provider that answers one connection with a refusal of no known reason, and the others well."""
    tenants = [
        {"tenantId": tenant, "tenantType": kind, "authEventId": None}
        for tenant, kind in life.query("SELECT tenant_id, tenant_type FROM connections")
    ]
    refused = f"Bearer {life.pairs()[life.tenant_of(number)].access_token.reveal()}"

    def answer(_path: str, calls: Calls) -> Reply:
        return REFUSED if calls.authorizations[-1] == refused else of_json(200, tenants)

    with misbehaving(answer) as (url, _):
        before = life.sandbox
        life.served_by(replace(before, base_url=url))
        yield
    life.served_by(before)


def test_a_refusal_without_a_known_reason_is_no_mismatch(live: Live) -> None:
    life = live(3)
    life.configure(max_attempts=2)
    with refusing_one(life, 2):
        document = life.json("verify", "--concurrency", "1", code=1)
    assert document["verified"] == 2
    assert document["mismatches"] == [], "nobody knows yet what it reaches"
    assert life.state_of(2)[0] == "migrated"
    assert life.json("verify")["verified"] == 1
    assert life.state_of_all() == [("migrated", "")]


def test_a_refresh_that_went_well_leaves_no_reason_of_an_earlier_refusal(live: Live) -> None:
    life = live(3)
    life.configure(max_attempts=2)
    with refusing_one(life, 2):
        life.done("verify", "--concurrency", "1", code=1)
    life.done("refresh", "--all")
    assert life.state_of_all() == [("migrated", "")]


def test_a_mismatch_that_is_then_refused_does_not_keep_the_job_for_ever(live: Live) -> None:
    life = live(3)
    life.configure(max_attempts=2)
    life.alter("UPDATE connections SET reason = 'tenant_mismatch' WHERE id = 2")
    with refusing_one(life, 2):
        process = life.start("verify", "--concurrency", "1")
        try:
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 1, said
    assert life.query("SELECT count(*) FROM pairs WHERE verified_at IS NOT NULL") == [(2,)]
    assert life.state_of(2) == ("migrated", "tenant_mismatch")
