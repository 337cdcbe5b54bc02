"""``revoke`` but for the command line: a pair is made worthless."""

from __future__ import annotations

from dataclasses import dataclass

from migrator.engine.engine import Engine
from migrator.engine.open_run import Ended, end_run
from migrator.errors import ConfigurationError, LedgerError
from migrator.ledger.pairs import Served
from migrator.models import Action, State
from migrator.providers import Profile
from migrator.wording import counted


@dataclass(frozen=True)
class Revocation:
    """What became of a revocation."""

    ended: Ended
    revoked: bool
    served: Served


def require_revocation(profile: Profile) -> None:
    """Raise ``ConfigurationError`` where the provider revokes no pairs."""
    if Action.REVOKE not in profile.facts.calls:
        raise ConfigurationError(
            f"{profile.title} revokes no pairs: its profile has no [revoke]",
            hint="nothing was sent: end the pair in the provider's own pages, or have its user do so",
        )


def revoke(engine: Engine, key: str, *, shared: bool) -> Revocation:
    """Revoke the pair of one connection at the provider (RFC 7009).

    ``shared`` allows that it stands for others too. Raises ``ConfigurationError`` where the provider revokes
    none, and ``LedgerError`` where there is nothing to revoke, or more than was asked for.
    """
    require_revocation(engine.profile)
    with engine.open_run("revoke") as run:
        served = run.ledger.served(key)
        if served is None:
            raise LedgerError(f"no connection has the key {key!r}", hint="keys are in the table connections")
        if not served.owner:
            raise LedgerError(
                f"the connection {key!r} has no pair: there is nothing to revoke",
                hint="the view pairs says who has one",
            )
        if served.purged:
            raise LedgerError(
                f"the tokens of {key!r} were purged: nothing is left to revoke with",
                hint="revoke it where the application holds the pair, or in the provider's own pages",
            )
        if not served.own_pair:
            raise LedgerError(
                f"the connection {key!r} is served by the pair of {served.owner!r}, as others are",
                hint=f"'migrator revoke {served.owner} --shared' undoes them all",
            )
        if served.others and not shared:
            raise LedgerError(
                f"the pair of {key!r} stands for {counted(len(served.others), 'other connection')} too",
                hint="say --shared to undo them all: " + ", ".join(served.others[:10]),
            )
        before = run.ledger.standing(served.connection_id)
        if before.state is not State.MIGRATED and before.doubt is not Action.REVOKE:
            raise LedgerError(
                f"the connection {key!r} is {before.state}: another call for it has yet to be settled",
                hint="'migrator resume' settles it; revoke it then",
            )
        engine.job(run).revoke(served.connection_id)
        standing = run.ledger.standing(served.connection_id)
        revoked = standing.state is State.NEEDS_CONSENT
        return Revocation(end_run(run, open_=not revoked, wrong=False), revoked, served)
