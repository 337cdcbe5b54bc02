"""Xero's legacy tokens: of three types of applications, each for one organisation or practice of a user."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from migrator.sandbox.errors import MixError
from migrator.sandbox.issuing import names
from migrator.sandbox.issuing.cells import cell, epoch
from migrator.sandbox.issuing.shares import Shares, apportion, parse_mix
from migrator.sandbox.state.legacy_tokens import COLUMNS, LegacyRow
from migrator.sandbox.xero.app_types import APP_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.sandbox.issuing.interface import Order
    from migrator.sandbox.state.clock import Clock

TENANT_TYPES = ("ORGANISATION", "PRACTICE")
TOKEN_LIFETIME = 1800
"""Seconds that a partner's or public application's access token lives."""
GRANT_LIFETIME = 10 * 365 * 86400
"""Seconds for which a partner application may renew without asking its user again."""
DEFAULT_MIX = "partner=80,public=15,private=5"
EXPIRED = 0.1
"""Share of issued partner tokens whose time is over, so that renewals are exercised."""
LONGEST_EXPIRED = 30 * 86400
"""Seconds since which an expired token has been expired, at most."""
PRACTICES = 1 / 12
"""Share of tenants that are accounting practices."""
OWNERS_OF_SEVERAL = 1 / 10
"""Share of users who opened more than one organisation."""
MOST_TENANTS = 5
"""Of one user."""


@dataclass(frozen=True)
class _User:
    user_id: str
    name: str
    country: names.Country
    tenants: int


class XeroTokens:
    """How they are made up, and read."""

    columns = COLUMNS
    choices = frozenset({"mix", "expired", "organisations_per_user"})

    def invent(self, order: Order, clock: Clock) -> Iterator[LegacyRow]:
        """The tokens of invented users. Raises ``MixError``.

        ``expired`` is of the partner tokens. Without ``organisations_per_user`` users have as various a
        number as in life; with it, the last one has what is left.
        """
        expired = EXPIRED if order.expired is None else order.expired
        if not 0 <= expired <= 1:
            raise MixError(f"the share of expired tokens is {expired}, not between 0 and 1")
        if order.organisations_per_user is not None and order.organisations_per_user < 1:
            raise MixError(f"a user cannot have {order.organisations_per_user} organisations")
        counts = apportion(order.count, parse_mix(DEFAULT_MIX if order.mix is None else order.mix, APP_TYPES))
        random = Random(order.seed)  # noqa: S311 - names, not secrets
        return _invented(clock, counts, expired, random, _owners(random, order.organisations_per_user))

    def read(self, row: Mapping[str, str], now: float) -> LegacyRow | None:
        """The token of a row of a known type. Without ``oauth_expires_at`` it ends in 30 minutes.

        A private application's token never ends.
        """
        token, app_type = cell(row, "oauth_token"), cell(row, "app_type").lower()
        tenant_type = cell(row, "tenant_type").upper() or "ORGANISATION"
        if not token or app_type not in APP_TYPES or tenant_type not in TENANT_TYPES:
            return None
        try:
            expires_at = _read_expiry(cell(row, "oauth_expires_at"), app_type, now)
        except (ValueError, OverflowError):
            return None
        return LegacyRow(
            app_type=app_type,
            organisation=cell(row, "organisation"),
            tenant_id=cell(row, "tenant_id") or str(uuid.uuid4()),
            tenant_type=tenant_type,
            contact_email=cell(row, "contact_email"),
            user_id="",
            token=token,
            token_secret=cell(row, "oauth_token_secret"),
            session_handle=cell(row, "oauth_session_handle") or None,
            expires_at=expires_at,
            authorised_until=_authorised_until(app_type, now),
        )


def _authorised_until(app_type: str, now: float) -> float | None:
    return now + GRANT_LIFETIME if app_type == "partner" else None


def _read_expiry(text: str, app_type: str, now: float) -> int | None:
    if app_type == "private":
        return None
    return epoch(text) if text else int(now) + TOKEN_LIFETIME


def _invented(
    clock: Clock, counts: Mapping[str, int], expired: float, random: Random, owners: Iterator[_User]
) -> Iterator[LegacyRow]:
    types = Shares(counts, random)
    partners = counts.get("partner", 0)
    over = round(partners * expired)
    ended = Shares({True: over, False: partners - over}, random)
    user, email = next(owners), ""
    owned = 0
    for _ in range(sum(counts.values())):
        if owned == user.tenants:
            user, owned = next(owners), 0
        owned += 1
        app_type = types.draw()
        row = replace(
            _row(random, user, app_type, _expiry(random, clock, app_type, ended)),
            authorised_until=_authorised_until(app_type, clock.now()),
        )
        if owned == 1:
            email = names.email(user.name, row.organisation)
        yield replace(row, contact_email=email)


def _owners(random: Random, tenants_each: int | None) -> Iterator[_User]:
    while True:
        country = random.choice(names.COUNTRIES)
        tenants = tenants_each or (
            random.randint(2, MOST_TENANTS) if random.random() < OWNERS_OF_SEVERAL else 1
        )
        yield _User(str(uuid.uuid4()), names.person(random, country), country, tenants)


def _expiry(random: Random, clock: Clock, app_type: str, ended: Shares[bool]) -> int | None:
    if app_type == "private":
        return None
    if app_type == "partner" and ended.draw():
        return int(clock.now()) - random.randint(60, LONGEST_EXPIRED)
    return int(clock.now()) + TOKEN_LIFETIME


def _row(random: Random, user: _User, app_type: str, expires_at: int | None) -> LegacyRow:
    practice = random.random() < PRACTICES
    organisation = (names.practice if practice else names.organisation)(random, user.country)
    return LegacyRow(
        app_type=app_type,
        organisation=organisation,
        tenant_id=str(uuid.uuid4()),
        tenant_type="PRACTICE" if practice else "ORGANISATION",
        contact_email="",  # of the user's first organisation
        user_id=user.user_id,
        token=secrets.token_hex(15).upper(),
        token_secret=secrets.token_hex(15).upper(),
        session_handle=secrets.token_hex(15).upper() if app_type == "partner" else None,
        expires_at=expires_at,
    )
