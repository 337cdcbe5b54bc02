"""Providers that do what the sandbox does not: the job neither loses a pair nor goes on for ever."""

from __future__ import annotations

import re
import shlex
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import SetScene
from tests.provider import SIGNATURE_INVALID, Calls, Reply, misbehaving, of_json, pair
from tests.support import Scene

SWAP, CONNECTIONS, TOKEN = "/oauth/migrate", "/connections", "/connect/token"
RENEW = "/oauth/AccessToken"


def talk_to(scene: Scene, url: str) -> None:
    """Point the scene's settings at another provider."""
    settings = scene.folder / "migrator.toml"
    settings.write_text(re.sub(r"base_url = .*", f'base_url = "{url}"', settings.read_text("utf-8")), "utf-8")


@pytest.fixture
def scene(set_scene: SetScene) -> Scene:
    return set_scene(40, mix="partner=1", expired=0.0, patience=1.2, timeout=1.0)


def test_a_pair_whose_access_token_is_refused_is_kept_and_tried_by_its_refresh_token(scene: Scene) -> None:
    def answer(path: str, calls: Calls) -> Reply:
        if path == SWAP:
            return None if calls.count(SWAP) == 1 else pair(1)
        if path == CONNECTIONS:
            return of_json(401, {"Title": "Unauthorized"})
        return of_json(
            200, {"access_token": "a2", "refresh_token": "r2", "expires_in": 1800, "token_type": "Bearer"}
        )

    with misbehaving(answer) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--limit", "1")
    assert finished.returncode == 0, finished.stderr
    assert [calls.count(path) for path in (SWAP, CONNECTIONS, TOKEN)] == [2, 1, 1]
    assert [p.refresh_token.reveal() for p in scene.pairs().values()] == ["r2"]
    assert scene.query("SELECT state FROM connections WHERE id = 1") == [("migrated",)]


def test_a_pair_that_nobody_lets_us_verify_is_neither_lost_nor_asked_for_again_and_again(
    scene: Scene,
) -> None:
    def answer(path: str, calls: Calls) -> Reply:
        if path == SWAP:
            return None if calls.count(SWAP) == 1 else pair(1)
        return of_json(403, {"Title": "Forbidden"})

    with misbehaving(answer) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--limit", "1")
    assert finished.returncode in (1, 3), finished.stderr
    assert calls.count(SWAP) == 2
    assert scene.query("SELECT state, reason FROM connections WHERE id = 1") == [
        ("uncertain", "unverified_pair")
    ]
    assert [p.refresh_token.reveal() for p in scene.pairs().values()] == ["refresh-1"]


def test_a_refused_refresh_ends_in_bounded_attempts(scene: Scene) -> None:
    def answer(path: str, calls: Calls) -> Reply:
        if path == SWAP:
            return None if calls.count(SWAP) == 1 else pair(calls.count(SWAP))
        return (
            of_json(401, {"Title": "no"}) if path == CONNECTIONS else of_json(400, {"error": "invalid_grant"})
        )

    with misbehaving(answer) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--limit", "1")
    assert finished.returncode == 1, finished.stderr
    assert calls.count(SWAP) <= 5
    assert scene.states()["uncertain"] == 1


def test_what_hits_all_in_the_middle_of_a_run_stops_it_and_condemns_nobody(scene: Scene) -> None:
    def answer(path: str, calls: Calls) -> Reply:
        return pair(calls.count(SWAP)) if calls.count(SWAP) <= 12 else SIGNATURE_INVALID

    with misbehaving(answer) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--concurrency", "4")
    assert finished.returncode == 3, finished.stderr
    assert "signature_invalid" in finished.stderr
    # A good answer that is judged after bad ones lets these be counted anew.
    assert len(calls.paths) <= 12 + 10 + 2 * 4
    assert scene.states() == {"migrated": 12, "pending": 28}


def test_a_canary_of_which_some_fall_lets_nobody_follow(scene: Scene) -> None:
    def answer(path: str, calls: Calls) -> Reply:
        if path == CONNECTIONS:
            tenants = scene.query("SELECT tenant_id FROM connections")
            return of_json(200, [{"tenantId": tenant} for (tenant,) in tenants])
        return pair(1) if calls.count(SWAP) == 1 else SIGNATURE_INVALID

    with misbehaving(answer) as (url, _):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--canary", "5")
    assert finished.returncode == 3, finished.stderr
    called = scene.query("SELECT max(connection_id) FROM attempts")
    assert called == [(5,)]
    assert scene.states() == {"migrated": 1, "pending": 39}


def test_a_provider_that_is_always_busy_ends_the_run(scene: Scene) -> None:
    with misbehaving(lambda *_: (503, {"Retry-After": "0"}, b"")) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--limit", "2")
    assert finished.returncode == 3, finished.stderr
    assert len(calls.paths) <= 10
    assert scene.states() == {"pending": 40}, "it is nobody's failure"


def test_a_rate_limit_is_waited_for_and_counts_against_nobody(scene: Scene) -> None:
    limited = (429, {"Retry-After": "1", "X-Rate-Limit-Problem": "appminute"}, b"")

    def answer(path: str, calls: Calls) -> Reply:
        return limited if 10 < calls.count(SWAP) <= 20 else pair(calls.count(SWAP))

    scene.configure(timeout=4.0)  # on a busy machine no answer is late
    with misbehaving(answer) as (url, _):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 40}
    assert scene.query("SELECT count(*) FROM attempts WHERE http_status = 429") == [(10,)]
    waits = """SELECT min(julianday(n.started_at) - julianday(a.finished_at)) * 86400 FROM attempts a
               JOIN attempts n ON n.id = (SELECT min(id) FROM attempts WHERE started_at > a.finished_at)
               WHERE a.http_status = 429"""
    assert scene.query(waits)[0][0] >= 0.9


@pytest.mark.parametrize("status", [402, 403, 409, 451])
def test_a_door_that_is_closed_to_all_condemns_nobody(scene: Scene, status: int) -> None:
    with misbehaving(lambda *_: (status, {}, b"<html>")) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert len(calls.paths) == 5
    assert scene.states() == {"pending": 40}


def test_renewals_that_are_refused_to_all_condemn_nobody(scene: Scene) -> None:
    def answer(path: str, calls: Calls) -> Reply:
        return of_json(401, {"errors": ["The access token has expired"]}) if path == SWAP else (403, {}, b"")

    with misbehaving(answer) as (url, _):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert scene.states() == {"pending": 40}


def test_a_renewal_that_may_have_been_cut_off_is_stored_and_known_by_its_use(set_scene: SetScene) -> None:
    scene = set_scene(12, mix="partner=1", expired=1.0, patience=1.2, timeout=1.0)

    def answer(path: str, calls: Calls) -> Reply:
        number = calls.count(RENEW)
        if path == RENEW:
            body = f"oauth_token=renewed-{number}&oauth_token_secret=secret-{number}"
            return 200, {"Connection": "close"}, body.encode()
        if path == SWAP:
            cut_off = 'oauth_token="renewed-3"' in calls.authorizations[-1]
            return SIGNATURE_INVALID if cut_off else pair(number)
        tenants = [{"tenantId": tenant} for (tenant,) in scene.query("SELECT tenant_id FROM connections")]
        return of_json(200, tenants)

    with misbehaving(answer) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--concurrency", "1")
    assert finished.returncode == 0, finished.stderr
    assert scene.query("SELECT reason, count(*) FROM connections GROUP BY state ORDER BY state") == [
        ("", 11),
        ("response_lost", 1),
    ]
    assert calls.count(CONNECTIONS) == 11  # a pair counts once it has been seen to work


def test_tokens_of_another_application_stop_the_job_before_everybody_must_consent(scene: Scene) -> None:
    rejected: Reply = (401, {}, b"oauth_problem=token_rejected")
    with misbehaving(lambda *_: rejected) as (url, _):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "token_rejected" in finished.stderr
    assert scene.states() == {"pending": 40}


def test_tokens_that_are_refused_in_the_middle_of_a_night_are_not_given_up(set_scene: SetScene) -> None:
    scene = set_scene(100, mix="partner=1", expired=0.0, patience=1.2)

    def answer(path: str, calls: Calls) -> Reply:
        return (
            pair(calls.count(SWAP)) if calls.count(SWAP) <= 2 else (401, {}, b"oauth_problem=token_rejected")
        )

    with misbehaving(answer) as (url, _):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
        assert finished.returncode == 3, finished.stderr
        assert scene.states() == {"migrated": 2, "pending": 98}
        believed = scene.migrator("resume", "--believe-refusals")
    assert believed.returncode == 0, believed.stderr
    assert scene.states() == {"migrated": 2, "needs_consent": 98}


def test_one_token_that_is_refused_is_believed_though_it_is_alone(scene: Scene) -> None:
    rejected: Reply = (401, {}, b"oauth_problem=token_rejected")
    with misbehaving(lambda *_: rejected) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--limit", "1")
    assert finished.returncode == 0, finished.stderr
    assert scene.query("SELECT state, reason FROM connections WHERE id = 1") == [
        ("needs_consent", "grant_revoked")
    ]
    assert len(calls.paths) == 3


def test_a_connection_that_is_always_too_busy_is_left_for_later(scene: Scene) -> None:
    busy: Reply = (429, {"Retry-After": "0", "X-Rate-Limit-Problem": "concurrent"}, b"")
    with misbehaving(lambda *_: busy) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--limit", "1")
    assert finished.returncode == 0, finished.stderr
    assert len(calls.paths) == 5
    assert scene.states() == {"pending": 40}


def test_a_limit_that_lasts_for_hours_stops_the_run_instead_of_hanging_it(scene: Scene) -> None:
    limited = (429, {"Retry-After": "7200", "X-Rate-Limit-Problem": "appminute"}, b"")
    with misbehaving(lambda *_: limited) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "rate_limited" in finished.stderr
    assert len(calls.paths) == 1
    assert scene.states() == {"pending": 40}


def test_an_organisation_at_its_limit_holds_up_nobody_else(scene: Scene) -> None:
    def answer(path: str, calls: Calls) -> Reply:
        if calls.count(SWAP) == 1:
            return 429, {"Retry-After": "7200", "X-Rate-Limit-Problem": "day"}, b""
        return pair(calls.count(SWAP))

    with misbehaving(answer) as (url, _):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "retry-failed" not in finished.stderr, "nothing has failed"
    assert scene.states() == {"migrated": 39, "pending": 1}
    told_when(scene, finished.stderr)


def told_when(scene: Scene, said: str) -> None:
    """It is told when to go on, there and in the status, with a command that any shell takes."""
    resume_at = datetime.fromisoformat(scene.status()["resume_at"])
    assert timedelta(hours=1, minutes=59) < resume_at - datetime.now(UTC) < timedelta(hours=2)
    paths = ["--config", f"{scene.folder}/migrator.toml", "--ledger", f"{scene.folder}/migration.db"]
    command = shlex.join([sys.executable, "-m", "migrator", *paths, "resume"])
    local = (resume_at + timedelta(minutes=1)).astimezone().strftime("%Y%m%d%H%M")
    for text in (said, scene.migrator("status").stdout):
        assert f"go on from {resume_at:%Y-%m-%d %H:%M:%S} UTC on, in 2.0 h: {command}" in text
        assert f"echo '{command}' | at -t {local}" in text


@pytest.mark.parametrize("limit", ["appminute", "appday", "application", "", "Day-App"])
def test_a_limit_of_the_application_stops_at_the_first_answer_that_says_so(scene: Scene, limit: str) -> None:
    headers = {"Retry-After": "7200", **({"X-Rate-Limit-Problem": limit} if limit else {})}
    with misbehaving(lambda *_: (429, headers, b"")) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert len(calls.paths) == 1
    assert scene.states() == {"pending": 40}
    assert "limit for the application is reached" in finished.stderr
    assert "retry-failed" not in finished.stderr
    told_when(scene, finished.stderr)


def test_a_daily_limit_that_is_everybodys_stops_whatever_it_is_called(scene: Scene) -> None:
    limited: Reply = (429, {"Retry-After": "7200", "X-Rate-Limit-Problem": "day"}, b"")
    with misbehaving(lambda *_: limited) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
        assert finished.returncode == 3, finished.stderr
        assert len(calls.paths) == 5
        assert scene.states() == {"pending": 40}
        told_when(scene, finished.stderr)
    talk_to(scene, scene.sandbox.base_url)
    assert scene.alter("UPDATE connections SET not_before = NULL WHERE not_before IS NOT NULL") == 5
    assert scene.migrator("resume").returncode == 0
    assert scene.states() == {"migrated": 40}
    assert scene.status()["resume_at"] is None


def test_a_provider_that_is_down_for_hours_stops_the_job_which_says_when_to_go_on(
    set_scene: SetScene,
) -> None:
    scene = set_scene(40, mix="partner=1", expired=0.0, timeout=10.0, patience=40.0)

    def answer(path: str, calls: Calls) -> Reply:
        number = calls.count(SWAP)
        return pair(number) if number <= 20 else (503, {"Retry-After": "7200"}, b"busy")

    with misbehaving(answer) as (url, calls):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--concurrency", "1")
    assert finished.returncode == 3, finished.stderr
    assert len(calls.paths) == 25
    assert scene.states() == {"migrated": 20, "pending": 20}
    assert "the provider is down, and says for how long ('http_503')" in finished.stderr
    told_when(scene, finished.stderr)


def test_one_connection_whose_calls_shall_wait_for_hours_holds_up_nobody_else(
    set_scene: SetScene,
) -> None:
    scene = set_scene(40, mix="partner=1", expired=0.0, timeout=10.0, patience=40.0)

    def answer(path: str, calls: Calls) -> Reply:
        number = calls.count(SWAP)
        return (503, {"Retry-After": "7200"}, b"busy") if number == 2 else pair(number)

    with misbehaving(answer) as (url, _):
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert scene.states() == {"migrated": 39, "pending": 1}
    told_when(scene, finished.stderr)


def test_an_unreadable_answer_is_kept_encrypted(scene: Scene) -> None:
    body = b'{"access_token": "half a pair'
    with misbehaving(lambda *_: (200, {}, body)) as (url, _):
        talk_to(scene, url)
        scene.migrator("run", "tokens.csv", "--limit", "1")
    answers = [value for (value,) in scene.query("SELECT answer FROM attempts WHERE outcome = 'unknown'")]
    assert answers
    assert all(scene.codec_opens(value) == body for value in answers)
    assert body not in scene.ledger.read_bytes()
