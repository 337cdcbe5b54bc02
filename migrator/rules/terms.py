"""What the rules know of a provider: no name, but what it does to tokens. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from migrator.models import Action
from migrator.providers.facts import Facts, LegacyFate, Renewal, RenewalRule, Repeat


@dataclass(frozen=True)
class Terms:
    """What decides, beside where a connection stands, what must happen to it."""

    repeat: Repeat = Repeat.UNKNOWN
    legacy_fate: LegacyFate = LegacyFate.UNKNOWN
    app_types: Mapping[str, bool] = field(default_factory=dict)
    """Application types, and whether their tokens are swapped; empty: all are."""
    renewal: Renewal = Renewal()
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
    """Whether a token reaches one account, and not tenants."""
    scope: tuple[str, ...] = ()
    """What every pair should be granted."""

    @classmethod
    def of(cls, facts: Facts, asked: tuple[str, ...] = ()) -> Terms:
        """Those of a provider; ``asked`` are the scopes that the calls ask for."""
        return cls(
            repeat=facts.repeat,
            legacy_fate=facts.legacy_fate,
            app_types={name: fate == "swap" for name, fate in facts.app_types.items()},
            renewal=facts.renewal if Action.RENEW in facts.calls else Renewal(RenewalRule.NEVER),
            refreshes=facts.refreshes,
            verifies=Action.VERIFY in facts.calls,
            verify_billed=facts.verify_billed,
            identifies=Action.IDENTIFY in facts.calls,
            disables=Action.DISABLE in facts.calls,
            of_account=facts.account is not None,
            scope=tuple(dict.fromkeys((*facts.scope_needed, *asked))),
        )

    @property
    def asks_again(self) -> bool:
        """Whether a legacy token may be swapped once more, after a swap of which nobody knows what came."""
        return self.repeat not in (Repeat.NEVER, Repeat.ONCE_PER_USER)
