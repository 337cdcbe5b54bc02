"""The job end to end: real tokens, real signatures, real HTTP, a real ledger."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter

import pytest

from tests.conftest import SetScene
from tests.support import Scene


def changed(scene: Scene, column: str, value: str, *, line: int) -> None:
    """Put another value into one cell of tokens.csv; ``line`` counts from the first row of tokens."""
    path = scene.folder / "tokens.csv"
    lines = path.read_text("utf-8").splitlines()
    at = lines[0].split(",").index(column)
    cells = lines[line].split(",")
    cells[at] = value
    lines[line] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", "utf-8")


def test_every_partner_is_swapped_and_everybody_else_is_flagged(set_scene: SetScene) -> None:
    scene = set_scene(60)
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    status = scene.status()
    assert status["total"] == 60
    assert status["app_types"]["partner"]["migrated"] == 48
    assert status["app_types"]["public"]["needs_consent"] == 9
    assert status["app_types"]["private"]["needs_consent"] == 3
    assert status["pairs"]["stored"] == 48
    assert status["last_run"]["outcome"] == "done"
    assert scene.untrue() == []
    assert scene.sandbox.stats()["swaps_issued"] == 48
    assert all(scene.refresh_works(pair) for pair in scene.pairs().values())


def test_a_renewed_token_is_stored_before_it_is_used(set_scene: SetScene) -> None:
    scene = set_scene(20, mix="partner=1", expired=1.0)
    assert scene.migrator("run", "tokens.csv").returncode == 0
    for (connection_id,) in scene.query("SELECT id FROM connections"):
        rows = scene.query(
            "SELECT id, action, started_at, finished_at FROM attempts WHERE connection_id = ? ORDER BY id",
            connection_id,
        )
        assert [row[1] for row in rows] == ["renew", "swap"]
        (renewal, _, _, renewed_at), (_, _, swap_started_at, _) = rows
        stored = "SELECT attempt_id FROM legacy_tokens WHERE connection_id = ? AND generation = 2"
        assert scene.query(stored, connection_id) == [(renewal,)], "in the transaction that ended its call"
        assert renewed_at <= swap_started_at
    generations = scene.query("SELECT generation, count(*) FROM legacy_tokens GROUP BY generation")
    assert generations == [(1, 20), (2, 20)], "the replaced token is kept"


def test_the_same_file_again_changes_nothing(set_scene: SetScene) -> None:
    scene = set_scene(30)
    changed(scene, "app_type", "franchise", line=3)
    scene.migrator("run", "tokens.csv")
    before, calls = everything_but_runs(scene), scene.sandbox.stats()["requests"]
    again = scene.migrator("run", "tokens.csv")
    assert again.returncode == 0
    assert everything_but_runs(scene) == before
    assert scene.sandbox.stats()["requests"] == calls
    assert scene.status()["last_run"]["known"] == 29


def everything_but_runs(scene: Scene) -> list[str]:
    db = sqlite3.connect(scene.ledger)
    try:
        return [line for line in db.iterdump() if not line.startswith('INSERT INTO "runs"')]
    finally:
        db.close()


def test_a_row_that_was_corrected_is_taken_up_again(set_scene: SetScene) -> None:
    scene = set_scene(6, mix="partner=1", expired=0.0)
    original = (scene.folder / "tokens.csv").read_text("utf-8")
    changed(scene, "oauth_token_secret", "WRONG", line=4)
    assert scene.migrator("run", "tokens.csv").returncode == 1
    assert scene.query("SELECT state, reason FROM connections WHERE id = 4") == [
        ("failed", "signature_invalid")
    ]
    (scene.folder / "tokens.csv").write_text(original, "utf-8")
    assert scene.migrator("run", "tokens.csv").returncode == 0
    assert scene.states() == {"migrated": 6}
    assert scene.untrue() == []


def test_a_mended_row_is_no_longer_a_reject(set_scene: SetScene) -> None:
    scene = set_scene(6)
    original = (scene.folder / "tokens.csv").read_text("utf-8")
    changed(scene, "app_type", "franchise", line=2)
    finished = scene.migrator("run", "tokens.csv")
    assert "tokens.csv:3: unknown_app_type" in finished.stderr
    assert scene.query("SELECT source, line, reason FROM rejects") == [("tokens.csv", 3, "unknown_app_type")]
    (scene.folder / "tokens.csv").write_text(original, "utf-8")
    scene.migrator("run", "tokens.csv")
    assert scene.query("SELECT * FROM rejects") == []
    assert scene.status()["total"] == 6


def renamed(scene: Scene, column: str, name: str, *, back: bool = False) -> None:
    """Give a column of tokens.csv another name, or its own again."""
    path = scene.folder / "tokens.csv"
    header, newline, rows = path.read_text("utf-8").partition("\n")
    cells = header.split(",")
    old, new = (name, column) if back else (column, name)
    cells[cells.index(old)] = new
    path.write_text(",".join(cells) + newline + rows, "utf-8")


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("oauth_token_secret", "OAuthTokenSecret"),
        ("oauth_session_handle", "session_handle"),
        ("connection_id", "ConnectionId"),
        ("app_type", "App Type"),
    ],
)
def test_nobody_is_condemned_over_a_header_that_is_nearly_right(
    set_scene: SetScene, column: str, name: str
) -> None:
    scene = set_scene(10, mix="partner=1", expired=1.0)
    renamed(scene, column, name)
    for arguments in (["--dry-run"], ["--dry-run", "--json"], []):
        finished = scene.migrator("run", "tokens.csv", *arguments)
        assert finished.returncode == 2, finished.stderr
        told = f"Its column {name!r} looks like it: call it {column}."
        assert finished.stderr.count(told) == 1
    assert scene.sandbox.stats()["swaps_issued"] == 0
    renamed(scene, column, name, back=True)
    assert scene.migrator("run", "tokens.csv").returncode == 0
    assert scene.states() == {"migrated": 10}
    assert scene.untrue() == []


def test_a_column_that_only_looks_like_ours_can_stay_beside_an_empty_one(set_scene: SetScene) -> None:
    scene = set_scene(4, mix="partner=1", expired=0.0)
    renamed(scene, "oauth_session_handle", "handle")
    path = scene.folder / "tokens.csv"
    header, *rows = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([f"{header},oauth_session_handle", *(f"{row}," for row in rows)]), "utf-8")
    assert scene.migrator("run", "tokens.csv").returncode == 0
    assert scene.states() == {"migrated": 4}


def test_a_column_that_decides_nothing_is_told_and_the_run_goes_on(set_scene: SetScene) -> None:
    scene = set_scene(6, mix="partner=1", expired=1.0)
    renamed(scene, "oauth_expires_at", "ExpiresAt")
    told = "tokens.csv: 6 rows have no oauth_expires_at, but 'ExpiresAt'"
    assert scene.migrator("run", "tokens.csv", "--dry-run").stdout.startswith(told)
    finished = scene.migrator("run", "tokens.csv")
    assert told in finished.stderr
    # The provider says that the tokens have expired, and nobody is condemned.
    assert (finished.returncode, scene.states()) == (0, {"migrated": 6})
    assert scene.untrue() == []


def test_a_file_of_which_no_row_can_be_used_is_exit_2_and_nothing_of_it_is_taken_in(
    set_scene: SetScene,
) -> None:
    scene = set_scene(3)
    (scene.folder / "tokens.json").write_text('[{"OAuthToken": "t", "app_type": "partner"}]', "utf-8")
    finished = scene.migrator("run", "tokens.csv", "tokens.json")
    assert finished.returncode == 2
    assert "tokens.json: no row has the column oauth_token" in finished.stderr
    assert "'OAuthToken' looks like it" in finished.stderr
    assert scene.query("SELECT count(*) FROM connections") == [(0,)]


def test_a_dry_run_sends_nothing_and_writes_nothing(set_scene: SetScene) -> None:
    scene = set_scene(50)
    before = {path.name: path.read_bytes() for path in scene.folder.iterdir()}
    finished = scene.migrator("run", "tokens.csv", "--dry-run", "--json")
    assert finished.returncode == 0
    assert {path.name: path.read_bytes() for path in scene.folder.iterdir()} == before
    assert scene.sandbox.stats()["requests"] == {}
    plan = json.loads(finished.stdout)
    counted = Counter({(row["app_type"], row["action"]): row["connections"] for row in plan["plan"]})
    assert counted == {
        ("partner", "swap"): 36,
        ("partner", "renew, then swap"): 4,
        ("public", "must consent again"): 8,
        ("private", "must consent again"): 2,
    }
    assert plan["calls"] == {"renew": 4, "swap": 40}


def test_a_dry_run_over_a_ledger_says_what_is_left_and_leaves_the_ledger_alone(set_scene: SetScene) -> None:
    scene = set_scene(20, mix="partner=1")
    scene.migrator("run", "tokens.csv", "--limit", "5")
    before = everything_but_runs(scene)
    plan = json.loads(scene.migrator("run", "tokens.csv", "--dry-run", "--json").stdout)
    done = sum(row["connections"] for row in plan["plan"] if row["action"] == "done already")
    assert (done, plan["calls"]["swap"]) == (5, 15)
    assert everything_but_runs(scene) == before
    assert len(scene.query("SELECT * FROM runs")) == 1


def test_a_limit_takes_on_that_many_and_resume_the_rest_without_the_file(set_scene: SetScene) -> None:
    scene = set_scene(20, mix="partner=1")
    finished = scene.migrator("run", "tokens.csv", "--limit", "7")
    assert finished.returncode == 0
    assert "13 left for later" in finished.stderr
    assert scene.states() == {"migrated": 7, "pending": 13}
    (scene.folder / "tokens.csv").unlink()
    assert scene.migrator("resume").returncode == 0
    assert scene.states() == {"migrated": 20}
    assert scene.untrue() == []


def test_a_canary_that_reaches_its_tenants_lets_the_others_follow(set_scene: SetScene) -> None:
    scene = set_scene(12, mix="partner=1")
    assert scene.migrator("run", "tokens.csv", "--canary", "3").returncode == 0
    assert scene.states() == {"migrated": 12}
    verified = scene.query("SELECT connection_id FROM token_pairs WHERE verified_at IS NOT NULL ORDER BY 1")
    assert verified == [(1,), (2,), (3,)]
    first_other = scene.query("SELECT min(id) FROM attempts WHERE connection_id > 3")[0][0]
    last_verify = scene.query("SELECT max(id) FROM attempts WHERE action = 'verify'")[0][0]
    assert last_verify < first_other


def test_a_canary_that_does_not_reach_its_tenant_stops_the_job(set_scene: SetScene) -> None:
    scene = set_scene(12, mix="partner=1")
    changed(scene, "tenant_id", "00000000-0000-0000-0000-000000000000", line=2)
    finished = scene.migrator("run", "tokens.csv", "--canary", "3")
    assert finished.returncode == 3
    assert "2 of 3" in finished.stderr
    assert "the canary is not over" not in finished.stderr
    assert scene.states() == {"migrated": 3, "pending": 9}
    assert scene.query("SELECT reason FROM connections WHERE id = 2") == [("tenant_mismatch",)]


def test_whoever_leaves_a_canary_before_its_end_learns_how_to_begin_another(set_scene: SetScene) -> None:
    scene = set_scene(8, mix="partner=1", expired=0.0)
    scene.environment["MIGRATOR_CLIENT_SECRET"] = "not the secret"
    stopped = scene.migrator("run", "tokens.csv", "--canary", "2")
    assert stopped.returncode == 3
    assert "the canary is not over: 'migrator run' with the same files and --canary" in stopped.stderr
    del scene.environment["MIGRATOR_CLIENT_SECRET"]  # the right one is in a file
    finished = scene.migrator("run", "tokens.csv", "--canary", "2")
    assert finished.returncode == 0, finished.stderr
    assert "the canary is not over" not in finished.stderr
    assert scene.query("SELECT count(*) FROM attempts WHERE action = 'verify'") == [(2,)]


@pytest.mark.parametrize(
    "command", [["resume"], ["run", "tokens.csv"], ["verify"], ["export", "-o", "p.csv"]]
)
def test_no_token_goes_to_another_provider_than_its_own(set_scene: SetScene, command: list[str]) -> None:
    scene = set_scene(4, mix="partner=1", expired=0.0)
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    calls = scene.sandbox.stats()["requests"]
    settings = scene.folder / "migrator.toml"
    settings.write_text(
        settings.read_text("utf-8").replace('provider = "xero"', 'provider = "vimeo"'), "utf-8"
    )
    refused = scene.migrator(*command)
    assert refused.returncode == 2
    assert "holds connections of 'xero', and the configuration is for 'vimeo'" in refused.stderr
    assert scene.sandbox.stats()["requests"] == calls
    assert scene.states() == {"migrated": 1, "pending": 3}
    assert scene.query("SELECT count(*) FROM runs") == [(1,)]


def test_standard_input_is_a_source(set_scene: SetScene) -> None:
    scene = set_scene(10)
    finished = scene.migrator("run", "-", stdin=(scene.folder / "tokens.csv").read_text("utf-8"))
    assert finished.returncode == 0, finished.stderr
    assert scene.status()["total"] == 10


def test_rsa_sha1_signs_with_the_applications_key(set_scene: SetScene) -> None:
    scene = set_scene(6, mix="partner=1", expired=0.5)
    settings = scene.folder / "migrator.toml"
    text = settings.read_text("utf-8")
    text = text.replace(
        'signature_method = "HMAC-SHA1"', 'signature_method = "RSA-SHA1"\nprivate_key_file = "app.pem"'
    )
    text = re.sub(r'consumer_key = ".*"', f'consumer_key = "{scene.credentials["rsa_consumer_key"]}"', text)
    settings.write_text(text, "utf-8")
    (scene.folder / "app.pem").symlink_to(scene.credentials["rsa_private_key_file"])
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 6}


def test_a_limit_that_others_use_too_is_kept_without_ever_being_refused(set_scene: SetScene) -> None:
    scene = set_scene(60, "limit=600/min", mix="partner=1", expired=0.0)
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 60}
    assert scene.sandbox.stats()["requests_refused_429"] == 0


@pytest.mark.parametrize("repeat", ["newest-wins", "keep", "never"])
def test_faults_leave_no_untrue_statement(set_scene: SetScene, repeat: str) -> None:
    scene = set_scene(
        100,
        f"repeat={repeat}",
        "drop-response=0.05",
        "http-503=0.05",
        "garbage=0.05",
        "late=0.03:200ms",
        mix="partner=1",
        timeout=0.5,
        patience=8.0,
    )
    finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode in (0, 1), finished.stderr
    faults = scene.sandbox.stats()["faults"]
    assert len(faults) >= 4, f"too few faults to show anything: {faults}"
    assert scene.untrue() == []
    states = scene.states()
    assert set(states) <= {"migrated", "needs_consent", "uncertain"}
    if repeat != "never":
        lost_renewals = scene.query(
            """SELECT count(DISTINCT connection_id) FROM attempts
               WHERE action = 'renew' AND outcome = 'unknown'"""
        )[0][0]
        assert states.get("needs_consent", 0) <= lost_renewals, "only a lost renewal ends in consent here"
    reasons = scene.query("SELECT DISTINCT reason FROM connections WHERE state = 'needs_consent'")
    assert reasons in ([], [("response_lost",)])
