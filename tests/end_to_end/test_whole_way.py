"""Each provider from the plan to the export, with faults and kills, and never a word that is untrue."""

from __future__ import annotations

import pytest

from migrator.models import Secret
from tests.end_to_end.conftest import SetLife, Spoil
from tests.end_to_end.support import FAULTS, finish, in_the_clear, with_limits
from tests.handover.support import Life, json_lines
from tests.support import ASKED_ONCE, fingerprint

COUNT = 28
PROVIDERS = ("x", "garmin", "tumblr")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_whole_way(set_life: SetLife, spoil: Spoil, provider: str) -> None:
    life = set_life(provider, COUNT, timeout=1.0)
    with_limits(life)
    plan = life.done("run", "tokens.csv", "--dry-run")
    assert not life.ledger.exists()
    assert life.sandbox.stats()["requests"] == {}
    canary = life.done("run", "tokens.csv", "--canary", "4", "--limit", "4")
    assert "each of 4 new access tokens works as it should" in canary.stderr
    assert life.status()["pairs"]["verified"] == 4
    spoil(life, "latency=30ms", *FAULTS)
    life.stop_at(life.start("run", "tokens.csv", "--concurrency", "4"), 10)
    assert life.untrue() == []
    life.stop_at(life.start("resume", "--concurrency", "4"), 16)
    assert life.untrue() == []
    finish(life)
    kept_alive(life)
    spoil(life)
    exported = handed_over(life)
    assert in_the_clear(life, plan.stdout, plan.stderr, canary.stdout, canary.stderr, exported) == set()


def kept_alive(life: Life) -> None:
    """Verify and refresh, with faults: nobody must consent again but for an answer that was lost for good."""
    for command in ("verify", "refresh --all"):
        said = life.migrator(*command.split())
        assert said.returncode in (0, 1), said.stderr
        assert life.untrue() == []
        finish(life)
    gone = dict(life.query("SELECT reason, count(*) FROM connections WHERE state <> 'migrated' GROUP BY 1"))
    if life.provider in ASKED_ONCE:
        assert gone.keys() <= {"response_lost"}
        assert life.sandbox.stats()["swapped_twice"] == 0
    else:
        assert gone == {}, "a legacy token that lives on cures whatever was lost"


def handed_over(life: Life) -> str:
    """Export; each pair works, and is the right user's. Returns what was printed."""
    migrated = life.states()["migrated"]
    witness = life.witness()
    said = life.done("export", "-o", "pairs.jsonl")
    pairs = json_lines(life.folder / "pairs.jsonl")
    assert len(pairs) == migrated
    of_key = {held.key: witness[next(iter(held.tokens))] for held in life.held()}
    working = {token: key for key, one in of_key.items() for token in one["refresh_tokens_sha256"]}
    for pair in pairs:
        key = pair["connection_id"]
        sent = fingerprint(Secret(pair["refresh_token"]))
        assert working.get(sent) == key
        assert pair["user_id"] == of_key[key]["user_id"]
    return said.stdout + said.stderr
