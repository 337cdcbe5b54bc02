"""Dropbox: one token that does not end, and nothing beside it; bodies that tell more than a status."""

from __future__ import annotations

from datetime import datetime, timedelta

from migrator import sandbox
from migrator.models import Secret
from tests.end_to_end.conftest import SetLife, Spoil
from tests.end_to_end.support import in_the_clear, rows
from tests.handover.support import Life, json_lines, write_csv
from tests.support import fingerprint

FOREIGN = {"consumer_key": "another-application"}


def adopt(life: Life, number: int) -> list[dict[str, str]]:
    """So many legacy tokens that the sandbox knows, and that are another application's."""
    others = [
        {
            "connection_id": f"foreign-{n}",
            "contact_email": f"foreign-{n}@mail.example",
            "oauth_token": f"foreigntoken{n:04}",
            "oauth_token_secret": f"foreignsecret{n:03}",
        }
        for n in range(number)
    ]
    taken = sandbox.adopt_tokens(life.folder.parent / "sandbox.db", ({**row, **FOREIGN} for row in others))
    assert taken == number
    return others


def test_a_token_without_end_is_verified_handed_over_and_revoked_and_never_refreshed(
    set_life: SetLife,
) -> None:
    life = set_life("dropbox", 6)
    life.done("run", "tokens.csv")
    refused = life.done("refresh", code=2)
    assert "Dropbox refreshes no pairs" in refused.stderr
    assert "nothing to keep alive" in refused.stderr
    assert life.query(
        "SELECT DISTINCT expires_at, refresh_expires_at, has_refresh_token FROM token_pairs"
    ) == [(None, None, 0)]
    assert life.json("verify")["verified"] == 6
    assert life.status()["upkeep"] == {
        "users_with_several_pairs": 0,
        "first_end": None,
        "ending_within_a_week": 0,
        "ended": 0,
    }
    life.pass_days(400)
    assert life.json("verify", "--all")["verified"] == 6
    life.done("export", "-o", "pairs.jsonl")
    witness = life.witness()
    given = {row["connection_id"]: row for row in rows(life)}
    handed = json_lines(life.folder / "pairs.jsonl")
    assert sorted(row["connection_id"] for row in handed) == sorted(given)
    for row in handed:
        assert (row["refresh_token"], row["expires_at"], row["refresh_expires_at"]) == ("", "", "")
        assert row["user_id"].startswith("dbid:")
        said = witness[hashed(given[row["connection_id"]]["oauth_token"])]
        assert hashed(row["access_token"]) in said["access_tokens_sha256"]
    life.done("revoke", life.key_of(1), "--yes")
    assert life.state_of(1) == ("needs_consent", "revoked_by_operator")
    assert life.sandbox.stats()["pairs_revoked"] == 1
    assert life.untrue() == []
    assert in_the_clear(life) == set()


def test_an_endpoint_that_is_retired_stops_the_job_in_its_own_words(set_life: SetLife, spoil: Spoil) -> None:
    life = set_life("dropbox", 12)
    spoil(life, "exchange=closed")
    stopped = life.done("run", "tokens.csv", "--concurrency", "1", code=3)
    assert "the provider has closed this endpoint ('v1_retired')" in stopped.stderr
    assert "secret" not in stopped.stderr, "nothing is wrong with the application"
    assert life.states() == {"pending": 12}
    assert life.query("SELECT http_status, problem FROM attempts") == [(400, "v1_retired")]
    spoil(life)
    life.done("resume")
    assert life.states() == {"migrated": 12}


def test_a_wrong_app_secret_stops_the_job_at_its_first_call(set_life: SetLife) -> None:
    life = set_life("dropbox", 12)
    life.environment["MIGRATOR_CLIENT_SECRET"] = "HUSH-wrong"
    stopped = life.done("run", "tokens.csv", "--concurrency", "1", code=3)
    assert life.states() == {"pending": 12}
    assert life.query("SELECT count(*) FROM attempts") == [(1,)]
    assert "app secret" in stopped.stderr
    assert "HUSH" not in stopped.stderr + life.ledger.read_bytes().decode("latin-1")
    del life.environment["MIGRATOR_CLIENT_SECRET"]
    life.done("resume")
    assert life.states() == {"migrated": 12}


def test_a_limit_that_is_told_in_the_body_is_kept(set_life: SetLife) -> None:
    life = set_life("dropbox", 24, "limit=10/2s")
    life.done("run", "tokens.csv", "--concurrency", "4")
    assert life.states() == {"migrated": 24}
    assert life.untrue() == []
    refused = life.sandbox.stats()["requests_refused_429"]
    assert 1 <= refused <= 12, (
        "at each limit those in flight draw one, and nobody comes again before the time"
    )
    calls = life.query("SELECT started_at, finished_at, http_status FROM attempts ORDER BY id")
    (told, *_) = [datetime.fromisoformat(ended) for _, ended, status in calls if status == 429]
    later = [datetime.fromisoformat(began) for began, _, _ in calls]
    assert not [
        began for began in later if timedelta(milliseconds=100) < began - told < timedelta(seconds=0.9)
    ]


def test_a_token_of_another_application_fails_alone_and_many_stop_the_job(set_life: SetLife) -> None:
    life = set_life("dropbox", 12)
    own, foreign = rows(life), adopt(life, 30)
    header = dict.fromkeys(own[0], "")
    mixed = [*own[:6], {**header, **foreign[0]}, *own[6:]]
    write_csv(life.folder / "tokens.csv", mixed)
    life.done("run", "tokens.csv", "--concurrency", "1", code=1)
    assert life.query("SELECT key, state, reason FROM connections WHERE state <> 'migrated'") == [
        ("foreign-0", "failed", "app_id_mismatch")
    ]
    assert life.untrue() == []
    write_csv(life.folder / "more.csv", [{**header, **row} for row in foreign[1:]])
    stopped = life.done("run", "more.csv", "--concurrency", "1", code=3)
    assert "app_id_mismatch" in stopped.stderr
    assert "another application's: check oauth2.client_id" in stopped.stderr
    assert life.states()["pending"] > 15
    assert life.untrue() == []


def hashed(text: str) -> str:
    """As the witness names a secret."""
    return fingerprint(Secret(text))
