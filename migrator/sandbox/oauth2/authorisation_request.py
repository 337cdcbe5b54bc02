"""What an application asks for at the authorisation endpoint (RFC 6749, 4.1.1; RFC 7636, 4.3)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.sandbox.http.forms import form_fields, with_query
from migrator.sandbox.http.messages import Answer, Call, Refusal
from migrator.sandbox.pages import rendering

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from migrator.sandbox.state.portal import Credentials

SCOPE = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*")
"""RFC 6749, 3.3."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
"""A SHA-256 sum in Base64 for URLs, without padding."""
_HEADING = "The application's request is wrong"


@dataclass(frozen=True)
class AuthorisationRequest:
    """A request that a user may be asked about."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    challenge: str | None
    """PKCE, S256; None: the client does not use it."""
    nonce: str | None

    def back(self, **fields: str) -> Answer:
        """The way back to the application, with these and the ``state``."""
        state = {} if self.state is None else {"state": self.state}
        return Answer.redirect(with_query(self.redirect_uri, {**fields, **state}))


def read(
    call: Call,
    credentials: Credentials,
    redirect_uris: Collection[str],
    *,
    scoped: bool = True,
    always_pkce: bool = False,
) -> AuthorisationRequest:
    """Read the query; raises ``Refusal``: a page where the way back cannot be trusted, else the way back.

    Not ``scoped``: the provider has no scope to ask for. ``always_pkce``: it demands PKCE of every client,
    not of the public one alone.
    """
    given = form_fields(call.query)
    repeated = [name for name, times in Counter(name for name, _ in given).items() if times > 1]
    if repeated:
        raise rendering.error_page(_HEADING, f"{repeated[0]} was given more than once.")
    fields = {name: value for name, value in given if value}  # 3.1: one without a value was not sent
    if fields.get("client_id") not in {credentials.client_id, credentials.public_client_id}:
        raise rendering.error_page(_HEADING, "There is no application with this client_id.")
    if fields.get("redirect_uri") not in redirect_uris:
        raise rendering.error_page(_HEADING, "The redirect_uri is not one that the application registered.")
    request = AuthorisationRequest(
        client_id=fields["client_id"],
        redirect_uri=fields["redirect_uri"],
        scope=fields.get("scope", ""),
        state=fields.get("state"),
        challenge=fields.get("code_challenge"),
        nonce=fields.get("nonce"),
    )
    pkce_needed = always_pkce or request.client_id == credentials.public_client_id
    flaw = _flaw(request, fields, scoped=scoped, pkce_needed=pkce_needed)
    if flaw is not None:
        error, description = flaw
        raise Refusal(request.back(error=error, error_description=description))
    return request


def _flaw(
    request: AuthorisationRequest, fields: Mapping[str, str], *, scoped: bool, pkce_needed: bool
) -> tuple[str, str] | None:
    """The error word of 4.1.2.1 and a sentence, if something is wrong."""
    if "response_type" not in fields:
        return "invalid_request", "response_type is missing"
    if fields["response_type"] != "code":
        return "unsupported_response_type", "response_type must be code"
    if request.scope and not scoped:
        return "invalid_scope", "there is no scope to ask for"
    if scoped and not SCOPE.fullmatch(request.scope):
        return "invalid_scope", "scope must name at least one scope, separated by single spaces"
    flaw = _pkce_flaw(request, fields, needed=pkce_needed)
    return ("invalid_request", flaw) if flaw else None


def _pkce_flaw(request: AuthorisationRequest, fields: Mapping[str, str], *, needed: bool) -> str | None:
    if request.challenge is None:
        return "code_challenge is missing" if needed or "code_challenge_method" in fields else None
    if fields.get("code_challenge_method", "plain") != "S256":
        return "code_challenge_method must be S256"
    if not _CHALLENGE.fullmatch(request.challenge):
        return "code_challenge must be 43 characters of Base64 for URLs"
    return None
