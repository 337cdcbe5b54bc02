"""What is put into the rescue file comes out of it whole, whatever a verdict says."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path

from migrator.ledger import rescued_calls
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.keys import make_key
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.vault import Vault
from migrator.models import Action, LegacyToken, Secret, State, Tenant, TokenPair
from migrator.rules.verdict import Verdict

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TENANT = Tenant("t", "ORGANISATION", "Name")
SAYS_ALL = Verdict(
    outcome="over",
    problem="invalid_grant",
    state=State.UNCERTAIN,
    reason="unverified_pair",
    doubt=Action.REFRESH,
    not_before=NOW,
    tries=3,
    new_pair=TokenPair(Secret("a"), Secret("r"), NOW, "scope", "tenant", "user", NOW, lifetime_assumed=True),
    new_pair_set_aside=True,
    new_legacy=LegacyToken(Secret("t"), Secret("s"), Secret("h"), NOW),
    found_in=4,
    pair_restored=5,
    pair_verified=True,
    reached=("t",),
    adopted=Tenant("t", "ORGANISATION"),
    pair_set_aside=True,
    pair_dead=True,
    pair_expired=True,
    token_expired=True,
    seen=(TENANT,),
    chosen=(TENANT,),
    user_id="user",
    disabled=True,
)
NEVER_ENDS = TokenPair(Secret("a"), Secret(""), None)


def test_what_a_verdict_says_comes_out_of_the_rescue_file_as_it_went_in(tmp_path: Path) -> None:
    unsaid = [field.name for field in fields(Verdict) if field.default is not MISSING
              and getattr(SAYS_ALL, field.name) == field.default]  # fmt: skip
    assert unsaid == [], "a field that this test does not know"
    calls = [
        EndedCall(1, 2, 3, SAYS_ALL, 200, b"\xff{}", "support-1"),
        EndedCall(3, 3, None, Verdict("done", "", State.MIGRATED, "", new_pair=NEVER_ENDS), 200),
        EndedCall(4, 5, None, Verdict("done", "", State.MIGRATED, ""), None),
    ]
    vault = Vault(make_key(tmp_path / "migration.db"))
    rescue = RescueFile(tmp_path / "migration.db", vault)
    rescue.set_aside(3)
    for call in calls:
        rescued_calls.save(rescue, call)
    rescue.close()
    assert list(rescued_calls.waiting(RescueFile(tmp_path / "migration.db", vault))) == calls
