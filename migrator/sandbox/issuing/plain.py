"""Legacy tokens of a provider that has neither application types nor tenants: one a user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from migrator.sandbox.errors import MixError
from migrator.sandbox.issuing import names
from migrator.sandbox.issuing.cells import cell, epoch
from migrator.sandbox.issuing.shares import Shares
from migrator.sandbox.state.legacy_tokens import LegacyRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.sandbox.issuing.interface import Order
    from migrator.sandbox.state.clock import Clock

_COLUMNS = ("connection_id", "organisation", "contact_email", "oauth_token", "oauth_token_secret")
_LONGEST_EXPIRED = 30 * 86400
"""Seconds since which an expired token has been expired, at most."""


@dataclass(frozen=True, kw_only=True)
class PlainTokens:
    """How a provider's tokens look."""

    new_user_id: Callable[[], str]
    new_token: Callable[[str], str]
    """For a user's id."""
    new_secret: Callable[[], str]
    user_id: Callable[[str], str] = lambda _token: ""
    """The user that a token names; empty: it names none."""
    new_permission: Callable[[Random], str] = lambda _random: ""
    """What a new token may do."""
    permission: str = ""
    """What a token out of a file may do."""
    lifetime: int | None = None
    """Seconds that a token lives; None: it does not end."""

    @property
    def columns(self) -> tuple[str, ...]:
        """``oauth_expires_at`` among them where tokens end."""
        return (*_COLUMNS, "oauth_expires_at") if self.lifetime else _COLUMNS

    @property
    def choices(self) -> frozenset[str]:
        """A share of expired tokens, where tokens end."""
        return frozenset({"expired"} if self.lifetime else ())

    def invent(self, order: Order, clock: Clock) -> Iterator[LegacyRow]:
        """The tokens of as many users; ``organisation`` is the user's name."""
        random = Random(order.seed)  # noqa: S311 - names, not secrets
        expired = order.expired or 0.0
        if not 0 <= expired <= 1:
            raise MixError(f"the share of expired tokens is {expired}, not between 0 and 1")
        over = round(order.count * expired)
        ended = Shares({True: over, False: order.count - over}, random)
        return self._invented(order.count, random, ended, clock)

    def _invented(self, count: int, random: Random, ended: Shares[bool], clock: Clock) -> Iterator[LegacyRow]:
        for _ in range(count):
            country = random.choice(names.COUNTRIES)
            name = names.person(random, country)
            user_id = self.new_user_id()
            yield LegacyRow(
                app_type="",
                organisation=name,
                tenant_id=user_id,
                tenant_type="",
                contact_email=names.email(name, random.choice(country.places)),
                user_id=user_id,
                token=self.new_token(user_id),
                token_secret=self.new_secret(),
                session_handle=None,
                expires_at=self._expiry(random, clock.now(), over=ended.draw()),
                permission=self.new_permission(random),
            )

    def _expiry(self, random: Random, now: float, *, over: bool) -> int | None:
        if self.lifetime is None:
            return None
        return int(now) - random.randint(60, _LONGEST_EXPIRED) if over else int(now) + self.lifetime

    def read(self, row: Mapping[str, str], now: float) -> LegacyRow | None:
        """The token of a row that has one, its secret, and no date that cannot be read."""
        token, secret = cell(row, "oauth_token"), cell(row, "oauth_token_secret")
        if not token or not secret:
            return None
        try:
            expires_at = self._read_expiry(cell(row, "oauth_expires_at"), now)
        except (ValueError, OverflowError):
            return None
        user_id = self.user_id(token)
        return LegacyRow(
            app_type="",
            organisation=cell(row, "organisation"),
            tenant_id=user_id,
            tenant_type="",
            contact_email=cell(row, "contact_email"),
            user_id=user_id,
            token=token,
            token_secret=secret,
            session_handle=None,
            expires_at=expires_at,
            permission=self.permission,
            consumer_key=cell(row, "consumer_key"),
        )

    def _read_expiry(self, text: str, now: float) -> int | None:
        if self.lifetime is None:
            return None
        return epoch(text) if text else int(now) + self.lifetime
