"""Which of Xero's paths is answered by which endpoint."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from migrator.sandbox.oauth1 import request_tokens
from migrator.sandbox.oauth2 import authorisation_endpoint, id_tokens, revocation, token_endpoint
from migrator.sandbox.xero import (
    access_token,
    authorise,
    connections,
    discovery,
    migrate,
    migrate_intuit,
    organisation,
)

if TYPE_CHECKING:
    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.xero.authorisation_server import Xero

    Endpoint = Callable[[Xero, Call], Answer]

LONGEST_CALLBACK = 250
"""Characters."""

# In lower case: Xero's paths match whatever their case.
ROUTES: tuple[tuple[str, tuple[str, ...], Endpoint], ...] = (
    (
        "/oauth/requesttoken",
        ("GET", "POST"),
        partial(request_tokens.request_token, longest_callback=LONGEST_CALLBACK),
    ),
    ("/oauth/accesstoken", ("GET", "POST"), access_token.access_token),
    ("/oauth/migrate", ("POST",), migrate.migrate),
    ("/v2/oauth2/tokens/migrate", ("POST",), migrate_intuit.migrate_intuit),
    ("/connections", ("GET",), connections.connections),
    ("/connections/<connection_id>", ("DELETE",), connections.disconnect),
    ("/connect/token", ("POST",), token_endpoint.token),
    ("/connect/revocation", ("POST",), revocation.revoke),
    ("/connect/userinfo", ("GET",), id_tokens.userinfo),
    ("/.well-known/openid-configuration", ("GET",), discovery.configuration),
    ("/.well-known/openid-configuration/jwks", ("GET",), id_tokens.keys),
    ("/api.xro/2.0/organisation", ("GET",), organisation.organisation),
    ("/api.xro/2.0/organisations", ("GET",), organisation.organisation),
)
SWAPS = frozenset({"/oauth/migrate", "/v2/oauth2/tokens/migrate"})
"""Those of them that swap."""
PAGES: tuple[tuple[str, Endpoint], ...] = (
    ("/oauth/authorize", authorise.authorise),
    ("/identity/connect/authorize", authorisation_endpoint.authorise),
)
