"""The authorisation server (RFC 6749, 1.1): what the endpoints of OAuth 2.0 ask of a provider."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar

from migrator.sandbox.provider import Provider
from migrator.sandbox.state import pairs
from migrator.sandbox.state.pairs import NewPair, Pair

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.http.messages import Answer
    from migrator.sandbox.oauth2.access_tokens import AccessTokens
    from migrator.sandbox.state.pairs import AuthEvent


class TokenFlaw(Enum):
    """Why an access token does not open anything."""

    UNKNOWN = auto()
    """There is none, or it is none of ours."""
    EXPIRED = auto()
    REVOKED = auto()


@dataclass(frozen=True, kw_only=True)
class AuthorisationServer(Provider, ABC):
    """One provider's side of OAuth 2.0. Each provider says in a class of its own what is abstract here."""

    access_tokens: AccessTokens
    refresh_grace: float = 0.0
    """Seconds after its first use in which a refresh token may be used again."""

    access_lifetime: ClassVar[int]
    """Seconds that an access token works."""
    refresh_lifetime: ClassVar[int]
    """Seconds unused after which a refresh token no longer works."""
    refresh_scope: ClassVar[str]
    """The scope without which there is no refresh token."""
    session_claims: ClassVar[tuple[str, ...]] = ()
    """What an identity token repeats of the provider's own claims in the access token."""

    @abstractmethod
    def claims(
        self, *, client_id: str, user_id: str, scope: str, now: float, event: AuthEvent
    ) -> dict[str, Any]:
        """The claims of a new access token.

        ``iss``, ``nbf``, ``exp``, ``auth_time``, ``client_id``, ``jti`` and ``scope`` (a list) among them.
        """

    @abstractmethod
    def user_claims(self, user_id: str) -> dict[str, str]:
        """How tokens name a user; ``sub`` among them."""

    @abstractmethod
    def user_id(self, claims: dict[str, Any]) -> str:
        """The user that an access token's claims name."""

    @abstractmethod
    def unauthorised(self, flaw: TokenFlaw) -> Answer:
        """The answer to a call whose access token opens nothing, but for its ``WWW-Authenticate``."""

    def too_many_connected(self, _db: sqlite3.Connection, _tenant_ids: set[str]) -> str | None:
        """Why the application may not have these organisations connected too; None: it may."""
        return None

    def issue(
        self,
        db: sqlite3.Connection,
        *,
        user_id: str,
        client_id: str,
        scope: str,
        event: AuthEvent,
        now: float,
        renewable: bool = True,
        access_scope: str | None = None,
        connection_id: int | None = None,
        grant_id: int | None = None,
    ) -> Pair:
        """Issue a new pair of a user's.

        One that is not ``renewable`` has no refresh token. ``access_scope``: what of ``scope`` the access
        token may use, None: all; the rest as for ``NewPair``.
        """
        claims = self.claims(
            client_id=client_id, user_id=user_id, scope=access_scope or scope, now=now, event=event
        )
        refresh_token = secrets.token_hex(32) if renewable else None
        grant_id = pairs.insert(
            db,
            NewPair(
                user_id=user_id,
                client_id=client_id,
                scope=scope,
                event=event,
                jti=claims["jti"],
                access_expires_at=claims["exp"],
                refresh_token=refresh_token,
                refresh_issued_at=now,
                refresh_expires_at=now + self.refresh_lifetime,
                connection_id=connection_id,
                grant_id=grant_id,
            ),
        )
        return Pair(claims=claims, refresh_token=refresh_token, grant_id=grant_id)

    def sign(self, pair: Pair) -> str:
        """The access token of a pair that is recorded already; the witness will know it by its hash.

        Signing takes longest of all that a swap does, so it holds no other call up, at the price of a second
        transaction. After a kill between the two, a pair works whose access token nobody has.
        """
        access_token = self.access_tokens.sign(pair.claims)
        with self.state.writing() as db:
            pairs.record_access_token(db, pair, access_token)
        return access_token
