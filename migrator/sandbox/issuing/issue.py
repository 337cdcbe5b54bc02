"""Legacy tokens out: as many as wanted, of invented organisations, known to the sandbox from then on."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from migrator.sandbox.errors import MixError
from migrator.sandbox.issuing import names
from migrator.sandbox.issuing.shares import Shares, apportion
from migrator.sandbox.state import users
from migrator.sandbox.state.legacy_tokens import (
    BATCH,
    TOKEN_LIFETIME,
    LegacyRow,
    insert_connection,
    insert_tenant,
    insert_token,
    next_id,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.state_file import State

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


def issue(
    state: State,
    clock: Clock,
    count: int,
    mix: Mapping[str, float],
    *,
    expired: float,
    seed: int | None,
    organisations_per_user: int | None = None,
) -> Iterator[dict[str, str]]:
    """Issue ``count`` tokens and give each as a row of the contract's columns.

    They are issued batch by batch while the rows are taken, each before its row is given. ``expired`` is the
    share of partner tokens whose time is over. ``seed`` fixes the order of types and the names; tokens and
    identifiers are new every time. A user has one e-mail address, which is nobody else's: where a name comes
    again, the address gets a number. ``organisations_per_user`` gives each user so many in a row (the last
    one what is left); None: as various as in life. Raises ``MixError``.
    """
    if not 0 <= expired <= 1:
        raise MixError(f"the share of expired tokens is {expired}, not between 0 and 1")
    if count < 1:
        raise MixError(f"{count} tokens cannot be issued")
    if organisations_per_user is not None and organisations_per_user < 1:
        raise MixError(f"a user cannot have {organisations_per_user} organisations")
    random = Random(seed)  # noqa: S311 - names, not secrets
    owners = _owners(random, organisations_per_user)
    return _in_batches(state, clock, _invented(clock, apportion(count, mix), expired, random, owners))


def _in_batches(state: State, clock: Clock, rows: Iterator[LegacyRow]) -> Iterator[dict[str, str]]:
    latest = ("", "")  # id and address of the user whose organisations come now
    while batch := list(islice(rows, BATCH)):
        now = clock.now()
        issued = []
        with state.writing() as db:
            first = next_id(db)
            for connection_id, wanted in enumerate(batch, first):
                if wanted.user_id != latest[0]:
                    address = users.free_address(db, wanted.contact_email)
                    latest = (users.add(db, address, wanted.user_id), address)
                row = replace(wanted, contact_email=latest[1])
                insert_tenant(db, row)
                insert_connection(db, connection_id, row, now)
                insert_token(db, connection_id, row)
                issued.append(row)
        for connection_id, row in enumerate(issued, first):
            yield row.as_columns(f"conn-{connection_id:06}")


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
        row = _row(random, user, app_type, _expiry(random, clock, app_type, ended))
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
