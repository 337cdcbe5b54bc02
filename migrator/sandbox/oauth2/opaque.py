"""Opaque tokens: random, and of access tokens nothing but the hash is kept.

Here is what providers of such tokens have in common, and in what they differ; the words, paths and forms of
answers are each provider's own.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

from migrator.sandbox.oauth2 import codes
from migrator.sandbox.oauth2.authorisation_server import TokenFlaw
from migrator.sandbox.provider import Provider
from migrator.sandbox.state import pairs, portal, swaps
from migrator.sandbox.state.pairs import AuthEvent, NewPair

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from migrator.sandbox.http.messages import Call
    from migrator.sandbox.provider import Options
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.grants import Grant
    from migrator.sandbox.state.state_file import State
    from migrator.sandbox.state.swaps import Repeat

    Refused = Callable[[TokenFlaw], Exception]

_random = partial(secrets.token_urlsafe, 48)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a provider's tokens are like."""

    access_lifetime: float | None
    """Seconds; None: without end."""
    refresh_lifetime: float | None = None
    """Seconds unused; None: without end."""
    renewable: bool = True
    """Whether there is a refresh token at all."""
    refresh_kept: float = 0.0
    """Seconds for which refreshes give the same refresh token again; 0: each gives a new one, and ends it."""
    new_access_token: Callable[[], str] = _random
    new_refresh_token: Callable[[], str] = _random


@dataclass(frozen=True, kw_only=True)
class OpaquePair:
    """A pair as it is handed out."""

    access_token: str
    refresh_token: str
    """Empty: there is none."""
    access_expires_at: float | None
    """Epoch seconds; None: it does not end."""
    scope: str
    user_id: str
    grant_id: int


class RefreshFlaw(Enum):
    """Why a refresh token wins nothing."""

    DEAD = auto()
    """It is unknown, used, ended, expired, or another client's."""
    SCOPE = auto()
    """More scopes were asked for than were granted."""


@dataclass(frozen=True, kw_only=True)
class OpaqueProvider(Provider):
    """A provider of opaque tokens: what its endpoints do, within their own transactions."""

    repeat: Repeat
    """What a second swap does."""
    refresh_grace: float = 0.0
    """Seconds after its first use in which a refresh token may be used again."""

    terms: ClassVar[Terms]
    own_rule: ClassVar[Repeat]
    """What a second swap does unless something else is ordered."""

    @classmethod
    def opened(cls, state: State, clock: Clock, options: Options) -> Self:
        """The provider, as it knows what a state file keeps."""
        return cls(
            state=state,
            credentials=portal.load(state),
            clock=clock,
            repeat=options.repeat or cls.own_rule,
            refresh_grace=options.refresh_grace,
        )

    def swappable(self, grant: Grant) -> bool:
        """Whether a legacy token may be swapped now."""
        return (
            grant.alive
            and not grant.of_another_application(self.credentials.consumer_key)
            and not grant.expired(self.clock.now())
            and not self.repeat.refuses(grant.swaps)
        )

    def swap(
        self,
        db: sqlite3.Connection,
        grant: Grant,
        client_id: str,
        scope: str,
        terms: Terms | None = None,
    ) -> OpaquePair:
        """The pair of a swap; what the repeat rule ends, ends. ``terms``: where this pair has its own."""
        swaps.record(db, grant.connection_id, self.repeat)
        now = self.clock.now()
        return self._issue(
            db,
            user_id=grant.user_id,
            client_id=client_id,
            scope=scope,
            event=AuthEvent(str(uuid.uuid4()), now),
            connection_id=grant.connection_id,
            now=now,
            terms=terms,
        )

    def redeem(
        self, db: sqlite3.Connection, form: Mapping[str, str], client_id: str, scope: str
    ) -> OpaquePair | None:
        """The pair that a consent's code wins, as the form shows it; None: none."""
        now = self.clock.now()
        code = codes.good(db, client_id, form, now)
        if code is None:
            return None
        pair = self._issue(
            db,
            user_id=code["user_id"],
            client_id=client_id,
            scope=scope,
            event=codes.event(code),
            connection_id=None,
            now=now,
        )
        codes.use_up(db, code, pair.grant_id)
        return pair

    def refresh(
        self, db: sqlite3.Connection, refresh_token: str, client_id: str, scope: str = ""
    ) -> OpaquePair | RefreshFlaw:
        """The pair that a refresh token wins, or why it wins none.

        ``scope``: narrower, if given; it lasts as long as the access token (RFC 6749, 6).
        """
        now = self.clock.now()
        old = pairs.by_refresh_token(db, refresh_token, client_id, now=now, grace=self.refresh_grace)
        if old is None:
            return RefreshFlaw.DEAD
        if not set(scope.split()) <= set(old["scope"].split()):
            return RefreshFlaw.SCOPE
        pairs.use_up(db, old["id"], now)
        kept = old["refresh_issued_at"] + self.terms.refresh_kept > now
        pair = self._issue(
            db,
            user_id=old["user_id"],
            client_id=client_id,
            scope=old["scope"],
            event=AuthEvent(old["auth_event_id"], old["auth_time"]),
            connection_id=old["connection_id"],
            grant_id=old["grant_id"],
            kept=(old["refresh_token"], old["refresh_issued_at"]) if kept else None,
            now=now,
        )
        return replace(pair, scope=scope or pair.scope)

    def bearer(self, db: sqlite3.Connection, call: Call, refused: Refused) -> sqlite3.Row:
        """The pair whose access token a call carries (RFC 6750); raises what ``refused`` says of a flaw."""
        scheme, _, token = call.headers.get("authorization", "").strip().partition(" ")
        row = pairs.by_access_token(db, token.strip()) if scheme.lower() == "bearer" else None
        if row is None:
            raise refused(TokenFlaw.UNKNOWN)
        if row["ended"] is not None:
            raise refused(TokenFlaw.REVOKED)
        if row["access_expires_at"] is not None and row["access_expires_at"] <= self.clock.now():
            raise refused(TokenFlaw.EXPIRED)
        return row

    def revoke(self, db: sqlite3.Connection, token: str, client_id: str) -> bool:
        """End the grant of a client's access or refresh token; whether there was one to end."""
        now = self.clock.now()
        row = pairs.by_refresh_token(db, token, client_id, now=now, grace=self.refresh_grace)
        row = row or pairs.by_access_token(db, token)
        if row is None or row["client_id"] != client_id or row["ended"] is not None:
            return False
        pairs.revoke(db, row["grant_id"])
        return True

    def _issue(
        self,
        db: sqlite3.Connection,
        *,
        user_id: str,
        client_id: str,
        scope: str,
        event: AuthEvent,
        connection_id: int | None,
        now: float,
        grant_id: int | None = None,
        kept: tuple[str, float] | None = None,
        terms: Terms | None = None,
    ) -> OpaquePair:
        """``kept``: the refresh token that stays, and since when it is known."""
        terms = terms or self.terms
        access_token, access_expires_at = terms.new_access_token(), _end(now, terms.access_lifetime)
        fresh = (terms.new_refresh_token() if terms.renewable else None, now)
        refresh_token, refresh_issued_at = kept or fresh
        grant_id = pairs.insert(
            db,
            NewPair(
                user_id=user_id,
                client_id=client_id,
                scope=scope,
                event=event,
                access_token=access_token,
                access_expires_at=access_expires_at,
                refresh_token=refresh_token,
                refresh_issued_at=refresh_issued_at,
                refresh_expires_at=_end(now, terms.refresh_lifetime),
                connection_id=connection_id,
                grant_id=grant_id,
            ),
        )
        return OpaquePair(
            access_token=access_token,
            refresh_token=refresh_token or "",
            access_expires_at=access_expires_at,
            scope=scope,
            user_id=user_id,
            grant_id=grant_id,
        )


def _end(now: float, lifetime: float | None) -> float | None:
    return None if lifetime is None else now + lifetime
