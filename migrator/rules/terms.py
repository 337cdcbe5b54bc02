"""What the rules know of a provider: no name, but what it does to tokens. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.models import Action, Standing
from migrator.providers.facts import Facts, LegacyFate, Renewal, Repeat

NO_RENEWAL = Renewal()


@dataclass(frozen=True)
class Terms:
    """What decides, beside where a connection stands, what must happen to it."""

    repeat: Repeat = Repeat.UNKNOWN
    legacy_fate: LegacyFate = LegacyFate.UNKNOWN
    app_types: Mapping[str, bool] = field(default_factory=dict)
    """Application types, and whether their tokens are swapped; empty: all are."""
    renewal: Renewal = NO_RENEWAL
    refreshes: bool = True
    """Whether a pair can be refreshed."""
    verifies: bool = True
    """Whether the provider can be asked whether an access token works."""
    verify_billed: bool = False
    """Whether that costs money."""
    identifies: bool = False
    """Whether the legacy token's user is asked for before the swap."""
    disables: bool = False
    """Whether the legacy token is ended by us, after the swap."""
    of_account: bool = False
    """Whether a verification names the one account that a token reaches."""
    lists_tenants: bool = True
    """Whether it names the tenants that a token reaches."""
    scope: tuple[str, ...] = ()
    """What every pair should be granted."""

    @classmethod
    def of(cls, facts: Facts, asked: tuple[str, ...] = ()) -> Terms:
        """Those of a provider; ``asked`` are the scopes that the calls ask for."""
        return cls(
            repeat=facts.repeat,
            legacy_fate=facts.legacy_fate,
            app_types=facts.app_types,
            renewal=facts.renewal if Action.RENEW in facts.calls else NO_RENEWAL,
            refreshes=facts.refreshes,
            verifies=Action.VERIFY in facts.calls,
            verify_billed=facts.verify_billed,
            identifies=Action.IDENTIFY in facts.calls,
            disables=Action.DISABLE in facts.calls,
            of_account=facts.account is not None,
            lists_tenants=facts.tenants is not None,
            scope=tuple(dict.fromkeys((*facts.scope_needed, *asked))),
        )

    def swaps(self, app_type: str) -> bool:
        """Whether tokens of an application type are swapped at all."""
        return self.app_types.get(app_type, True)

    def refreshable(self, standing: Standing) -> bool:
        """Whether the pair of a connection has something that a refresh can be asked with."""
        return self.refreshes and standing.has_refresh_token

    @property
    def cures(self) -> bool:
        """Whether another swap brings a pair in the place of one that is dead, without asking the user."""
        alive = self.legacy_fate is LegacyFate.LIVES
        return alive and self.repeat in (Repeat.NEWEST_WINS, Repeat.BOTH_LIVE)

    @property
    def swap_spoils(self) -> bool:
        """Whether a second swap of a token is known to spoil what the first one won, or to be refused."""
        return self.repeat in (Repeat.NEWEST_WINS, Repeat.NEVER)

    @property
    def asks_again(self) -> bool:
        """Whether a legacy token may be swapped once more, after a swap of which nobody knows what came."""
        return self.repeat not in (Repeat.NEVER, Repeat.ONCE_PER_USER)
