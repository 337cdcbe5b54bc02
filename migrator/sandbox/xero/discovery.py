"""``/.well-known/openid-configuration``: where everything is (OpenID Connect Discovery, 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.xero.authorisation_server import ISSUER

if TYPE_CHECKING:
    from migrator.sandbox.xero.authorisation_server import Xero


def configuration(_xero: Xero, call: Call) -> Answer:
    """Answer where everything is."""
    base = f"{call.scheme}://{call.host}"
    document = {
        "issuer": ISSUER,
        "jwks_uri": f"{base}/.well-known/openid-configuration/jwks",
        "authorization_endpoint": f"{base}/identity/connect/authorize",
        "token_endpoint": f"{base}/connect/token",
        "userinfo_endpoint": f"{base}/connect/userinfo",
        "revocation_endpoint": f"{base}/connect/revocation",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
    }
    return Answer.of_json(200, document)
