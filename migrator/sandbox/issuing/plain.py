"""Legacy tokens of a provider that has neither application types nor tenants: one a user, without end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from migrator.sandbox.issuing import names
from migrator.sandbox.issuing.cells import cell
from migrator.sandbox.state.legacy_tokens import LegacyRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.sandbox.issuing.interface import Order
    from migrator.sandbox.state.clock import Clock


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
    columns: tuple[str, ...] = (
        "connection_id",
        "organisation",
        "contact_email",
        "oauth_token",
        "oauth_token_secret",
    )
    choices: frozenset[str] = frozenset()

    def invent(self, order: Order, _clock: Clock) -> Iterator[LegacyRow]:
        """The tokens of as many users; ``organisation`` is the user's name."""
        random = Random(order.seed)  # noqa: S311 - names, not secrets
        for _ in range(order.count):
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
                expires_at=None,
                permission=self.new_permission(random),
            )

    def read(self, row: Mapping[str, str], _now: float) -> LegacyRow | None:
        """The token of a row that has one, and its secret."""
        token, secret = cell(row, "oauth_token"), cell(row, "oauth_token_secret")
        if not token or not secret:
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
            expires_at=None,
            permission=self.permission,
            consumer_key=cell(row, "consumer_key"),
        )
