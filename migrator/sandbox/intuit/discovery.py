"""``/.well-known/openid_configuration/``: where everything is. Intuit's own client reads it before all else.

It also names what the sandbox does not play, as the client demands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call

if TYPE_CHECKING:
    from migrator.sandbox.intuit.provider import Intuit


def configuration(_intuit: Intuit, call: Call) -> Answer:
    """Answer where everything is."""
    base = f"{call.scheme}://{call.host}"
    document = {
        "issuer": f"{base}/op/v1",
        "authorization_endpoint": f"{base}/connect/oauth2",
        "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
        "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
        "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
        "jwks_uri": f"{base}/op/v1/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }
    return Answer.of_json(200, document)
