"""The whole life of the pairs: swapped, kept alive, handed over, purged."""

from __future__ import annotations

from migrator.models import Secret
from tests.handover.conftest import Live
from tests.handover.support import Life, json_lines, secrets_of
from tests.support import fingerprint


def all_work(life: Life, number: int) -> None:
    """Every connection has a stored pair, and the provider would take its refresh token."""
    assert life.states() == {"migrated": number}
    assert life.untrue() == []
    assert life.dead() == []


def test_every_pair_works_until_it_is_handed_over_and_then_its_tokens_are_gone(live: Live) -> None:
    life = live(4, per_user=2)
    all_work(life, 4)
    life.pass_days(25)
    assert life.status()["upkeep"]["ending_within_a_week"] == 4
    life.done("refresh", "--within", "7d")
    all_work(life, 4)
    assert life.status()["upkeep"]["ending_within_a_week"] == 0
    life.pass_days(20)  # the pairs of the swap would have ended long ago
    all_work(life, 4)
    life.done("refresh")  # ten days are left: nothing is due
    assert len(life.attempts("refresh")) == 4
    life.pass_days(4)
    life.done("refresh")
    assert len(life.attempts("refresh")) == 8
    all_work(life, 4)
    life.done("export", "-o", "pairs.jsonl")
    handed = json_lines(life.folder / "pairs.jsonl")
    assert len(handed) == 4
    witness = life.witness()
    for row in handed:
        working = witness[row["tenant_id"]]["refresh_tokens_sha256"]
        assert fingerprint(life.refresh_tokens()[row["tenant_id"]]) in working
        assert row["refresh_token"] == life.refresh_tokens()[row["tenant_id"]].reveal()
    life.pass_days(25)
    life.done("refresh", "--all")
    life.done("verify", "--all")
    assert len(life.attempts("refresh")) == 8, "what was handed over is the application's to refresh"
    all_work(life, 4)
    secrets, sealed = secrets_of(life), life.ciphertexts()
    life.done("purge", "--yes")
    left = life.bytes_beside()
    assert not [secret for secret in secrets if secret.encode() in left]
    assert not [value for value in sealed if value in left]
    assert all(life.works(Secret(row["refresh_token"])) for row in handed), "a purge revokes nothing"
