"""Intuit's legacy tokens: one a company, each good for 180 days."""

from __future__ import annotations

import secrets
import string
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from migrator.sandbox.errors import MixError
from migrator.sandbox.issuing import names
from migrator.sandbox.issuing.cells import cell, epoch
from migrator.sandbox.issuing.shares import Shares
from migrator.sandbox.state.legacy_tokens import LegacyRow
from migrator.sandbox.state.portal import random_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.sandbox.issuing.interface import Order
    from migrator.sandbox.state.clock import Clock

LIFETIME = 180 * 86400
"""Seconds that a token lives."""
EXPIRED = 0.1
"""Share of issued tokens whose time is over."""
LONGEST_EXPIRED = 30 * 86400
"""Seconds since which an expired token has been expired, at most."""
_SOONEST = 3600
"""Seconds that a token which is not expired is good for at least, so that a test has time."""
_LETTERS = string.ascii_letters + string.digits

new_token = partial(random_text, _LETTERS, 48)
new_secret = partial(random_text, _LETTERS, 40)


class IntuitTokens:
    """How they are made up, and read."""

    columns = (
        "connection_id",
        "organisation",
        "tenant_id",
        "contact_email",
        "oauth_token",
        "oauth_token_secret",
        "oauth_expires_at",
    )
    choices = frozenset({"expired"})

    def invent(self, order: Order, clock: Clock) -> Iterator[LegacyRow]:
        """The tokens of invented companies, one user each, as old as they come. Raises ``MixError``."""
        share = EXPIRED if order.expired is None else order.expired
        if not 0 <= share <= 1:
            raise MixError(f"the share of expired tokens is {share}, not between 0 and 1")
        random = Random(order.seed)  # noqa: S311 - names, not secrets
        over = round(order.count * share)
        ended = Shares({True: over, False: order.count - over}, random)
        return (_row(random, clock, ended=ended.draw()) for _ in range(order.count))

    def read(self, row: Mapping[str, str], now: float) -> LegacyRow | None:
        """The token of a row that has one, and its secret. Without ``oauth_expires_at`` it is new."""
        token, secret, end = (
            cell(row, column) for column in ("oauth_token", "oauth_token_secret", "oauth_expires_at")
        )
        if not token or not secret:
            return None
        try:
            expires_at = epoch(end) if end else int(now) + LIFETIME
        except (ValueError, OverflowError):
            return None
        return LegacyRow(
            app_type="",
            organisation=cell(row, "organisation"),
            tenant_id=cell(row, "tenant_id") or _new_realm_id(),
            tenant_type="",
            contact_email=cell(row, "contact_email"),
            user_id="",
            token=token,
            token_secret=secret,
            session_handle=None,
            expires_at=expires_at,
            consumer_key=cell(row, "consumer_key"),
        )


def _new_realm_id() -> str:
    """A company's id: 16 digits."""
    return str(9_130_000_000_000_000 + secrets.randbelow(10**13))


def _row(random: Random, clock: Clock, *, ended: bool) -> LegacyRow:
    country = random.choice(names.COUNTRIES)
    organisation = names.organisation(random, country)
    ends_in = -random.randint(60, LONGEST_EXPIRED) if ended else random.randint(_SOONEST, LIFETIME)
    realm_id = _new_realm_id()
    return LegacyRow(
        app_type="",
        organisation=organisation,
        tenant_id=realm_id,
        tenant_type="",
        contact_email=names.email(names.person(random, country), organisation),
        user_id=f"owner-of-{realm_id}",
        token=new_token(),
        token_secret=new_secret(),
        session_handle=None,
        expires_at=int(clock.now()) + ends_in,
    )
