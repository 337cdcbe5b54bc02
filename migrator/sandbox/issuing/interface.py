"""What the sandbox is to know of a provider's legacy tokens, to issue some or to take some for its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from migrator.sandbox.errors import MixError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.legacy_tokens import LegacyRow


@dataclass(frozen=True, kw_only=True)
class Order:
    """Which tokens are wanted. None: as the provider's usually are."""

    count: int
    seed: int | None = None
    """Fixes names and order, never tokens."""
    mix: str | None = None
    """Application types, by weight: ``partner=80,public=15``."""
    expired: float | None = None
    """Share of those that could be renewed whose time is over."""
    organisations_per_user: int | None = None

    def check(self, provider: str, known: Collection[str]) -> None:
        """Refuse what the provider does not have; ``known``: names of fields. Raises ``MixError``."""
        if self.count < 1:
            raise MixError(f"{self.count} tokens cannot be issued")
        for name, what in _CHOICES.items():
            if getattr(self, name) is not None and name not in known:
                option = name.replace("_", "-")
                raise MixError(f"{provider} has no {what}: leave --{option} away")


_CHOICES = {
    "mix": "application types",
    "expired": "legacy tokens that expire",
    "organisations_per_user": "organisations",
}


class LegacyTokens(Protocol):
    """One provider's."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the contract's input columns that say something there."""

    @property
    def choices(self) -> frozenset[str]:
        """Which optional fields of an ``Order`` mean something there."""

    def invent(self, order: Order, clock: Clock) -> Iterator[LegacyRow]:
        """The tokens of invented users; those of one user stand together. Raises ``MixError``."""

    def read(self, row: Mapping[str, str], now: float) -> LegacyRow | None:
        """The token that a row of an input file holds; None: none that could be this provider's.

        An empty ``user_id``: whoever has the e-mail address. An empty ``tenant_id``: the user's own id.
        """
