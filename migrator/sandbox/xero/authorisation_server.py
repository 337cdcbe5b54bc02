"""Xero's side of OAuth 2.0: its tokens' claims and lifetimes, its ceiling of connections, its words."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrator.sandbox.oauth2.access_tokens import AccessTokens
from migrator.sandbox.oauth2.authorisation_server import AuthorisationServer, TokenFlaw
from migrator.sandbox.provider import Options
from migrator.sandbox.state import portal, tenants
from migrator.sandbox.state.swaps import Repeat
from migrator.sandbox.xero import words

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.http.messages import Answer
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.pairs import AuthEvent
    from migrator.sandbox.state.state_file import State

ISSUER = "https://identity.xero.com"
AUDIENCE = "https://identity.xero.com/resources"
UNCERTIFIED_LIMIT = 25
"""Organisations that an application may have connected as long as it is not certified."""


@dataclass(frozen=True, kw_only=True)
class Xero(AuthorisationServer):
    """The provider behind Xero's endpoints."""

    repeat: Repeat = Repeat.NEWEST_WINS
    """What a second swap does; what the real Xero does is unknown."""
    certified: bool = True
    """Whether the application may have more than 25 organisations connected."""

    access_lifetime = 1800
    refresh_lifetime = 30 * 24 * 3600
    """The stricter of the two that Xero's documents name."""
    tenant_type = "ORGANISATION"
    refresh_scope = "offline_access"
    session_claims = ("global_session_id",)

    @classmethod
    def opened(cls, state: State, clock: Clock, options: Options) -> Xero:
        """Xero, as it knows what a state file keeps."""
        known = portal.load(state)
        return cls(
            state=state,
            credentials=known,
            clock=clock,
            access_tokens=AccessTokens(known.jwt_key, issuer=ISSUER, audience=AUDIENCE),
            refresh_grace=options.refresh_grace,
            repeat=options.repeat or Repeat.NEWEST_WINS,
            certified=options.certified,
        )

    def claims(
        self, *, client_id: str, user_id: str, scope: str, now: float, event: AuthEvent
    ) -> dict[str, Any]:
        """The claims that Xero's access tokens have (protocol: *OAuth 2.0*)."""
        start = int(now)
        return {
            "nbf": start,
            "exp": start + self.access_lifetime,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "client_id": client_id,
            **self.user_claims(user_id),
            "auth_time": int(event.time),
            "global_session_id": uuid.uuid4().hex,
            "jti": uuid.uuid4().hex.upper(),
            "authentication_event_id": event.id,
            "scope": scope.split(),
        }

    def user_claims(self, user_id: str) -> dict[str, str]:
        """A subject that is a hash, and the user's id."""
        subject = hashlib.md5(user_id.encode(), usedforsecurity=False).hexdigest()
        return {"sub": subject, "xero_userid": user_id}

    def user_id(self, claims: dict[str, Any]) -> str:
        """OAuth 2.0 tokens belong to a user."""
        user_id: str = claims["xero_userid"]
        return user_id

    def unauthorised(self, flaw: TokenFlaw) -> Answer:
        """A 401 that says in Xero's word what is wrong with the access token."""
        return words.refusal(401, "Unauthorized", _WORDS[flaw]).answer

    def too_many_connected(self, db: sqlite3.Connection, tenant_ids: set[str]) -> str | None:
        """25 organisations, for an application that is not certified."""
        if self.certified or not tenants.exceeds(db, UNCERTIFIED_LIMIT, tenant_ids):
            return None
        return (
            f"The application is not certified and has {UNCERTIFIED_LIMIT} organisations connected already."
        )


_WORDS = {
    TokenFlaw.UNKNOWN: words.UNSUCCESSFUL,
    TokenFlaw.EXPIRED: "TokenExpired",
    TokenFlaw.REVOKED: "TokenRevoked",
}
