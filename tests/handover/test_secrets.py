"""No secret is shown by any of these commands, but in the export itself."""

from __future__ import annotations

from tests.handover.conftest import Live
from tests.handover.support import Life, arguments_of, secrets_of, until
from tests.support import PATIENCE


def test_no_command_shows_a_secret_however_much_it_is_told_to_say(live: Live) -> None:
    life = live(4, per_user=2)
    said = ""
    for command in (
        ["verify"],
        ["refresh", "--all"],
        ["status"],
        ["export", "--per", "user", "-o", "pairs.jsonl"],
        ["export", "-o", "pairs.csv"],
        ["revoke", life.key_of(1), "--yes"],
        ["report", "-o", "report.html"],
        ["report", "-o", "report.json"],
    ):
        finished = life.migrator("-v", "--log-file", "migrator.log", *command)
        assert "Traceback" not in finished.stderr
        said += finished.stdout + finished.stderr
    secrets = secrets_of(life) | {life.credentials["client_secret"], life.credentials["consumer_secret"]}
    said += life.done("-v", "purge", "--yes").stdout
    for name in ("migrator.log", "report.html", "report.json"):
        said += (life.folder / name).read_text("utf-8")
    assert "refresh" in said
    assert not [secret for secret in secrets if secret in said]
    handed = (life.folder / "pairs.csv").read_text("utf-8")
    assert [secret for secret in secrets if secret in handed], "the search would not find them"
    left = life.bytes_beside()
    assert not [secret for secret in secrets if secret.encode() in left]


def test_no_command_that_fails_shows_a_secret(live: Live) -> None:
    life = live(3, "garbage=1")
    life.configure(max_attempts=1)
    said = ""
    for command in (["verify"], ["refresh", "--all"], ["revoke", life.key_of(1), "--yes"]):
        finished = life.migrator("-v", "--log-file", "migrator.log", *command)
        assert finished.returncode != 0
        said += finished.stdout + finished.stderr
    said += (life.folder / "migrator.log").read_text("utf-8")
    assert not [secret for secret in secrets_of(life) if secret in said]


def test_ps_shows_no_secret(live: Live) -> None:
    life = live(3, "latency=300ms")
    process = life.start("refresh", "--all", "--concurrency", "1")
    until(lambda: life.attempts("refresh"), process)
    shown = arguments_of(process.pid)
    process.communicate(timeout=PATIENCE)
    assert b"refresh" in shown
    assert not [secret for secret in _all(life) if secret.encode() in shown]


def _all(life: Life) -> set[str]:
    return secrets_of(life) | {life.credentials["client_secret"], life.credentials["consumer_secret"]}
