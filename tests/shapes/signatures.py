"""Signatures of OAuth 1.0a (RFC 5849) checked by oauthlib's own server, which the client does not use."""

# ruff: noqa: ARG002 - oauthlib says what its questions are called with
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from oauthlib.oauth1 import RequestValidator, SignatureOnlyEndpoint

from tests.shapes.server import CONSUMER_KEY, CONSUMER_SECRET, Arrived, Provider


class SignedCalls(RequestValidator):
    """Whether calls are signed with the consumer's secret and a legacy token's, each nonce once."""

    def __init__(self, provider: Provider, *methods: str) -> None:
        super().__init__()
        self._provider = provider
        self._methods = methods
        self._nonces: set[tuple[str, str]] = set()

    def token_of(self, call: Arrived) -> str:
        """The legacy token that a call is signed with; empty if it is not, or not rightly."""
        if call.query.get("oauth_signature_method") == "PLAINTEXT" in self._methods:
            return self._plaintext_token_of(call.query)
        endpoint = SignatureOnlyEndpoint(self)
        valid, request = endpoint.validate_request(
            call.url, call.method, call.body.decode(), dict(call.headers)
        )
        return str(request.resource_owner_key) if valid else ""

    def _plaintext_token_of(self, query: Mapping[str, str]) -> str:
        """The same for PLAINTEXT in a query (RFC 5849, 3.4.4), which oauthlib's server decodes twice."""
        token = query.get("oauth_token", "")
        secrets = (CONSUMER_SECRET, self._provider.secret_of.get(token, "no such token"))
        signature = "&".join(quote(secret, safe="") for secret in secrets)
        said = query.get("oauth_consumer_key"), query.get("oauth_signature")
        return token if said == (CONSUMER_KEY, signature) else ""

    # --- what oauthlib asks ---

    enforce_ssl = False
    nonce_length = (1, 100)

    @property
    def allowed_signature_methods(self) -> tuple[str, ...]:
        return self._methods

    def check_client_key(self, client_key: str) -> bool:
        return client_key == CONSUMER_KEY

    def check_access_token(self, request_token: str) -> bool:
        return True

    def check_nonce(self, nonce: str) -> bool:
        return bool(nonce)

    def validate_timestamp_and_nonce(
        self,
        client_key: str,
        timestamp: Any,
        nonce: str,
        request: Any,
        request_token: str | None = None,
        access_token: str | None = None,
    ) -> bool:
        fresh = (timestamp, nonce) not in self._nonces
        self._nonces.add((timestamp, nonce))
        return fresh and abs(float(timestamp) - self._provider.now()) < 300

    def validate_client_key(self, client_key: str, request: Any) -> bool:
        return client_key == CONSUMER_KEY

    def get_client_secret(self, client_key: str, request: Any) -> str:
        return CONSUMER_SECRET

    def get_access_token_secret(self, client_key: str, token: str, request: Any) -> str:
        return self._provider.secret_of.get(token, "no such token")
