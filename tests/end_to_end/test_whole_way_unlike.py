"""Providers that lack a refresh, a verification or a second try, from the plan to the export: with faults, a
kill and another one, and the witness's consent.
"""

from __future__ import annotations

import json

import pytest

from migrator.models import Secret
from tests.end_to_end.conftest import SetLife, Spoil
from tests.end_to_end.support import FAULTS, finish, in_the_clear
from tests.handover.support import Life, json_lines
from tests.support import fingerprint

COUNT = 40
CANARY = {
    "vimeo": "works as it should",
    "dropbox": "works as it should",
    "intuit": "cannot be asked whether it works",
}


@pytest.mark.parametrize("provider", CANARY)
def test_the_whole_way(set_life: SetLife, spoil: Spoil, provider: str) -> None:
    life = set_life(provider, COUNT, timeout=1.0)
    plan = life.done("run", "tokens.csv", "--dry-run")
    assert "the provider names no limit" in plan.stdout
    assert not life.ledger.exists()
    assert life.sandbox.stats()["requests"] == {}
    canary = life.done("run", "tokens.csv", "--canary", "4", "--limit", "4")
    assert CANARY[provider] in canary.stderr
    spoil(life, "latency=30ms", *FAULTS)
    life.stop_at(life.start("run", "tokens.csv", "--concurrency", "4"), 10)
    assert life.untrue() == []
    life.stop_at(life.start("resume", "--concurrency", "4"), 16)
    assert life.untrue() == []
    finish(life)
    kept_alive(life)
    spoil(life)
    exported = handed_over(life)
    reports = reported(life)
    assert in_the_clear(life, plan.stdout, canary.stderr, exported, reports) == set()


def kept_alive(life: Life) -> None:
    """Ask for every pair as the provider lets us, with faults; nobody is lost but with an answer."""
    for command in ("verify", "refresh --all"):
        said = life.migrator(*command.split())
        there_is_none = life.provider == "intuit" if command == "verify" else life.provider != "intuit"
        assert said.returncode in ((2,) if there_is_none else (0, 1)), said.stderr
        finish(life)
    gone = dict(life.query("SELECT reason, count(*) FROM connections WHERE state <> 'migrated' GROUP BY 1"))
    if life.provider != "intuit":
        assert gone == {}, "a legacy token that lives on cures whatever was lost"
        return
    assert gone.pop("token_expired") == COUNT // 10
    assert gone.keys() <= {"response_lost"}
    assert life.sandbox.stats()["swapped_twice"] == 0
    asked_again = """SELECT connection_id FROM attempts WHERE action = 'swap'
                     AND (outcome IS NULL OR outcome IN ('done', 'unknown')) GROUP BY 1 HAVING count(*) > 1"""
    assert life.query(asked_again) == [], "nobody is asked twice once a call may have taken effect"


def handed_over(life: Life) -> str:
    """Export; each pair works, and is the right connection's. Returns what was printed."""
    witness = life.witness()
    of_key = {held.key: witness[next(iter(held.tokens))] for held in life.held()}
    said = life.done("export", "-o", "pairs.jsonl")
    pairs = json_lines(life.folder / "pairs.jsonl")
    assert len(pairs) == life.states()["migrated"]
    for pair in pairs:
        working = of_key[pair["connection_id"]]
        assert fingerprint(Secret(pair["access_token"])) in working["access_tokens_sha256"]
        if pair["refresh_token"]:
            assert fingerprint(Secret(pair["refresh_token"])) in working["refresh_tokens_sha256"]
    return said.stdout + said.stderr


def reported(life: Life) -> str:
    """Every report and the list of who must consent; returns all that they say."""
    for name in ("r.html", "r.md", "r.json", "r.csv"):
        life.done("report", "-o", name)
    assert json.loads((life.folder / "r.json").read_text("utf-8"))["states"] == life.status()["states"]
    listed = life.done("reconsent", "list")
    assert "app type" not in listed.stdout
    said = listed.stdout
    for command in ("links -o links.csv", "serve"):
        where = ("--public-url", "http://127.0.0.1:8766")
        refused = life.done("reconsent", *command.split(), *where, code=2)
        assert "does not say how users authorise the application" in refused.stderr
        said += refused.stderr
    assert not (life.folder / "links.csv").exists()
    return said
