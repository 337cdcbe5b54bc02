"""OAuth 1.0a signatures (RFC 5849, 3), made by requests-oauthlib.

Nothing else knows how a request is signed.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, cast

from oauthlib.common import Request as OAuthRequest
from oauthlib.oauth1 import SIGNATURE_TYPE_AUTH_HEADER, SIGNATURE_TYPE_QUERY, Client
from requests_oauthlib import OAuth1

from migrator.providers import Signed


def sign(signed: Signed, now: datetime) -> OAuth1:
    """What signs one request when requests prepares it.

    Made anew for every call, so that no timestamp or nonce is ever used twice. ``now`` is the clock the
    signature bears (UTC).
    """
    credentials = signed.credentials
    return OAuth1(
        credentials.consumer_key,
        client_secret=credentials.consumer_secret.reveal(),
        resource_owner_key=signed.legacy.token.reveal(),
        resource_owner_secret=signed.legacy.token_secret.reveal(),
        signature_method=credentials.signature_method,
        signature_type=SIGNATURE_TYPE_QUERY if signed.in_query else SIGNATURE_TYPE_AUTH_HEADER,
        rsa_key=credentials.private_key.reveal() or None,
        timestamp=str(int(now.timestamp())),
        client_class=cast("type[Client]", partial(_Client, signed)),  # it is called, and no more than that
    )


class _Client(Client):
    """oauthlib's client, which has no place for further ``oauth_`` parameters in the header."""

    def __init__(self, signed: Signed, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._further = signed.parameters

    def get_oauth_params(self, request: OAuthRequest) -> list[tuple[str, str]]:
        further = [(name, value.reveal()) for name, value in self._further.items()]
        return [*super().get_oauth_params(request), *further]  # type: ignore[no-untyped-call]
