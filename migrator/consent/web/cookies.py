"""What a browser keeps for us while its user is at the provider: which invitation, ``state``, and the secret
behind the PKCE challenge.

It is sealed, so that the browser cannot read or make one, and bound to the browser: a callback whose
``state`` comes without its cookie began elsewhere (RFC 6749, 10.12). One cookie a state, so that two tabs do
not meet. Another cookie, which only links' pages get, says in which order they were given out: so the oldest
go before there are more than a proxy takes.

A ``state`` names its invitation, sealed, so that one whose cookie is gone can be told to the operator.
Nothing goes on with that name: only the cookie shows that this browser began.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from migrator.errors import LedgerError
from migrator.models import Secret

LIFETIME = timedelta(hours=1)
"""How long a user may be at the provider."""
_RANDOM = 32
"""Bytes of a state and of a verifier."""
KEPT_AFTER_RETURN = timedelta(minutes=5)
"""How long a cookie is kept once its user is back: who loads that page again is known, and who has many links
does not gather cookies until a proxy finds them too long.
"""
RETURNED = "consent-back"
"""The name of the cookie of a browser that has just come back."""
_RETURNED = "back"
_DIGITS = 32
"""Of a state's hash, in its cookie: 128 bits."""
_LONGEST = 2048
"""Characters; ours have a quarter of that."""
_MOST_CONFIRMABLE = 10
"""Ids; a cookie is small."""


MOST_AT_ONCE = 8
"""Requests of one browser at a time; their cookies are 2 KB, a quarter of what proxies take."""
ORDER = "consent-order"
"""The name of the cookie that tells the order of the others."""
_NAME = re.compile(r"consent-[0-9a-f]{16}")


class Sealer(Protocol):
    """What can seal."""

    def seal_cookie(self, text: str) -> bytes:
        """Encrypt."""

    def open_cookie(self, sealed: bytes) -> Secret:
        """Decrypt. Raises ``LedgerError``."""

    def seal_state(self, text: str) -> bytes:
        """Encrypt what goes to the provider and back."""

    def open_state(self, sealed: bytes) -> Secret:
        """Decrypt. Raises ``LedgerError``."""


@dataclass(frozen=True)
class AuthorizationRequest:
    """An authorization request under way (RFC 6749, 4.1.1): its user is at the provider."""

    invitation_id: str
    state: Secret
    verifier: Secret
    """The secret behind the challenge (RFC 7636, 4.1)."""
    began_at: datetime
    confirmable: tuple[str, ...] = ()
    """The ids of tenants that the user had been told are called otherwise, before they left."""

    @classmethod
    def begin(
        cls, invitation_id: str, confirmable: tuple[str, ...], sealer: Sealer, now: datetime
    ) -> AuthorizationRequest:
        """A new one."""
        random, verifier = (secrets.token_urlsafe(_RANDOM) for _ in range(2))
        state = f"{random}.{_text(sealer.seal_state(invitation_id))}"
        return cls(invitation_id, Secret(state), Secret(verifier), now, confirmable)

    @property
    def challenge(self) -> str:
        """``code_challenge`` of the method S256 (RFC 7636, 4.2)."""
        digest = hashlib.sha256(self.verifier.reveal().encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def state_hash(state: str) -> str:
    """Names a state in the ledger and in a cookie's name, without being of use to anybody."""
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


def invitation_of(state: str, sealer: Sealer) -> str | None:
    """The invitation that a state of ours names, whoever brings it; None for any other."""
    try:
        return sealer.open_state(_bytes(state.rpartition(".")[2])).reveal()
    except (LedgerError, ValueError):
        return None


def returned(invitation_id: str, sealer: Sealer, now: datetime) -> str:
    """The value of the cookie of a browser that has just come back, and connected what it was asked for."""
    return _text(sealer.seal_state(f"{_RETURNED} {now.timestamp()} {invitation_id}"))


def has_just_returned(value: str, invitation_id: str, sealer: Sealer, now: datetime) -> bool:
    """Whether a browser has come back for this invitation within the last minutes."""
    parts = (invitation_of(value[:_LONGEST], sealer) or "").split(" ")
    if len(parts) != 3 or parts[0] != _RETURNED or parts[2] != invitation_id:  # noqa: PLR2004 - as it is written
        return False
    return 0 <= now.timestamp() - float(parts[1]) <= KEPT_AFTER_RETURN.total_seconds()


def cookie_name(state: str) -> str:
    """The name of a state's cookie."""
    return f"consent-{state_hash(state)[:16]}"


def ordered(value: str, name: str) -> tuple[str, tuple[str, ...]]:
    """The cookie of the order with one more name, and the names of the oldest cookies, which must go.

    ``value`` is what the browser brought: whatever it has made of it, only cookies of its own go.
    """
    names = [*(one for one in _NAME.findall(value[:_LONGEST]) if one != name), name]
    return ".".join(names[-MOST_AT_ONCE:]), tuple(names[:-MOST_AT_ONCE])


def sealed(request: AuthorizationRequest, sealer: Sealer) -> str:
    """A cookie's value."""
    text = json.dumps(
        [
            request.invitation_id,
            state_hash(request.state.reveal())[:_DIGITS],
            request.verifier.reveal(),
            request.began_at.timestamp(),
            request.confirmable[:_MOST_CONFIRMABLE],
        ]
    )
    return _text(sealer.seal_cookie(text))


def opened(value: str, state: str, sealer: Sealer, now: datetime) -> AuthorizationRequest | None:
    """What the browser that began with this state kept for us; None if it is another one, or too long ago."""
    if len(value) > _LONGEST:
        return None
    try:
        text = sealer.open_cookie(_bytes(value)).reveal()
    except (LedgerError, ValueError):
        return None
    invitation_id, kept, verifier, began, confirmable = json.loads(text)
    began_at = datetime.fromtimestamp(began, now.tzinfo)
    request = AuthorizationRequest(
        invitation_id, Secret(state), Secret(verifier), began_at, tuple(confirmable)
    )
    if (
        Secret(kept) != Secret(state_hash(state)[:_DIGITS])
        or not timedelta(0) <= now - request.began_at <= LIFETIME
    ):
        return None
    return request


def _text(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, altchars=b"-_", validate=True)
