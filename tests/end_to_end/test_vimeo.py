"""Vimeo: a refresh token only for some, and less granted to some than was asked for."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

from migrator.models import Secret
from tests.end_to_end.conftest import SetLife
from tests.end_to_end.support import in_the_clear, user_ids
from tests.handover.support import Life, json_lines
from tests.support import fingerprint

ASKED = ["public", "private", "upload"]


def with_scopes(life: Life) -> None:
    settings = life.folder / "migrator.toml"
    text = settings.read_text("utf-8").replace("[oauth2]\n", f"[oauth2]\nscopes = {json.dumps(ASKED)}\n")
    settings.write_text(text, "utf-8")


def readers(life: Life) -> set[str]:
    """The hashes of the legacy tokens that may only read, as the sandbox issued them."""
    with closing(sqlite3.connect(life.folder.parent / "sandbox.db")) as db:
        found = db.execute("SELECT token FROM oauth1_tokens WHERE permission = 'read'").fetchall()
    return {fingerprint(Secret(token)) for (token,) in found}


def test_less_scope_than_asked_for_is_told_of_each_and_counted(set_life: SetLife) -> None:
    life = set_life("vimeo", 30)
    with_scopes(life)
    ran = life.done("run", "tokens.csv")
    may_read = readers(life)
    short = {held.key for held in life.held() if held.tokens & may_read}
    assert 0 < len(short) < 30, "the test shows nothing"
    assert life.states() == {"migrated": 30}
    assert life.untrue() == []
    listed = life.query("SELECT key, state, reason FROM problems")
    assert {key for key, _, _ in listed} == short
    assert {(state, reason) for _, state, reason in listed} == {("migrated", "scope_missing")}
    assert life.status()["reasons"] == {"migrated": {"scope_missing": len(short)}}
    assert f"{len(short)} migrated: the pair works, and was granted less than it should be" in ran.stdout
    for name in ("r.json", "r.csv", "r.md", "r.html"):
        life.done("report", "-o", name)
    report = json.loads((life.folder / "r.json").read_text("utf-8"))
    assert {row["key"] for row in report["connections"] if row["reason"] == "scope_missing"} == short
    rows = csv.DictReader(io.StringIO((life.folder / "r.csv").read_text("utf-8")))
    assert {row["key"] for row in rows if row["reason"] == "scope_missing"} == short
    for name in ("r.md", "r.html"):
        told = (life.folder / name).read_text("utf-8")
        assert told.count("was granted less than it should be") == len(short)
    granted = dict(
        life.query("SELECT c.key, p.scope FROM token_pairs p JOIN connections c ON c.id = connection_id")
    )
    assert {key for key, scope in granted.items() if "upload" not in scope.split()} == short
    verified = life.done("verify", "--all", code=1)
    assert (
        f"30 pairs verified, 0 do not reach what they should, {len(short)} were granted less"
        in verified.stdout
    )
    assert "nothing" not in verified.stdout, "nobody asked what they reach"
    assert life.status()["reasons"] == {"migrated": {"scope_missing": len(short)}}, "a look does not heal it"


def test_tokens_that_end_and_tokens_that_do_not_are_handed_over_as_they_came(set_life: SetLife) -> None:
    life = set_life("vimeo", 24)
    life.done("run", "tokens.csv")
    ids = user_ids(life)
    life.done("export", "-o", "pairs.jsonl")
    handed = json_lines(life.folder / "pairs.jsonl")
    witness = {held.key: life.witness()[next(iter(held.tokens))] for held in life.held()}
    ending = [row for row in handed if row["refresh_token"]]
    assert 0 < len(ending) < 24, "the test shows nothing"
    for row in handed:
        assert bool(row["expires_at"]) is bool(row["refresh_token"])
        assert row["user_id"] == f"/users/{ids[row['connection_id']]}"
        assert bool(witness[row["connection_id"]]["refresh_tokens_sha256"]) is bool(row["refresh_token"])
    left = [datetime.fromisoformat(row["expires_at"]) - datetime.now(UTC) for row in ending]
    assert all(80_000 < time.total_seconds() <= 86_400 for time in left), "a moment, not a number of seconds"
    refused = life.done("refresh", code=2)
    assert "Vimeo refreshes no pairs" in refused.stderr
    assert in_the_clear(life) == set()


def test_a_token_that_has_ended_shows_nothing_and_its_pair_is_handed_over_all_the_same(
    set_life: SetLife,
) -> None:
    life = set_life("vimeo", 12)
    life.done("run", "tokens.csv")
    lasting = life.query("SELECT count(*) FROM token_pairs WHERE expires_at IS NULL")[0][0]
    life.pass_days(2)
    verified = life.json("verify", "--all")
    assert (verified["verified"], verified["refused"], verified["open"]) == (lasting, 0, 0)
    assert life.states() == {"migrated": 12}
    assert life.untrue() == []
    asked = life.query("SELECT count(*) FROM attempts WHERE action = 'verify' AND outcome <> 'done'")
    assert asked == [(0,)]
    life.done("export", "-o", "pairs.jsonl")
    assert len(json_lines(life.folder / "pairs.jsonl")) == 12


def test_a_revocation_ends_one_and_no_other(set_life: SetLife) -> None:
    life = set_life("vimeo", 4)
    life.done("run", "tokens.csv")
    life.done("revoke", life.key_of(2), "--yes")
    assert life.state_of(2) == ("needs_consent", "revoked_by_operator")
    assert life.sandbox.stats()["pairs_revoked"] == 1
    gone = {held.key: life.witness()[next(iter(held.tokens))] for held in life.held()}[life.key_of(2)]
    assert gone["pairs_working"] == 0
    assert life.untrue() == []
    assert life.json("verify", "--all")["verified"] == 3
