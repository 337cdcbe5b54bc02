"""The OAuth 1.0a consumers, and how each signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sandbox.oauth1 import signatures
from migrator.sandbox.state.portal import private_key

if TYPE_CHECKING:
    from migrator.sandbox.state.portal import Credentials

HMAC, RSA = "HMAC-SHA1", "RSA-SHA1"


@dataclass(frozen=True)
class Consumer:
    """Who signs: a consumer key, registered for one signature method."""

    key: str
    method: str
    app_type: str
    """Of the application, where that matters; empty: of the one that may use every token."""
    secret: str
    """The consumer secret, or for RSA-SHA1 the private key, PEM."""

    def may_use(self, app_type: str) -> bool:
        """Whether it may sign with such an application's tokens.

        The main application's consumers may with all of them, since ``sandbox tokens`` issues tokens of all
        types for one set of settings.
        """
        return self.app_type in {"", app_type}

    def signed(self, base_string: str, signature: str, token_secret: str) -> bool:
        """Whether the signature is this consumer's, with that token."""
        if self.method == RSA:
            public_key = private_key(self.secret).public_key()
            return signatures.rsa_sha1_valid(base_string, signature, public_key)
        return signatures.hmac_sha1_valid(base_string, signature, self.secret, token_secret)


def by_key(credentials: Credentials) -> dict[str, Consumer]:
    """All that the provider has."""
    known = (
        Consumer(credentials.consumer_key, HMAC, "", credentials.consumer_secret),
        Consumer(credentials.rsa_consumer_key, RSA, "", credentials.rsa_private_key),
        Consumer(credentials.public_consumer_key, HMAC, "public", credentials.public_consumer_secret),
    )
    return {consumer.key: consumer for consumer in known if consumer.key}
