"""``POST /connect/token`` with the refresh grant (RFC 6749, section 6)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from migrator.sandbox import access_tokens, pairs
from migrator.sandbox.clients import basic_credentials, secret_valid
from migrator.sandbox.messages import FORM, NO_STORE, Answer, Call, Refusal
from migrator.sandbox.signatures import form_parameters

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from migrator.sandbox.provider import Provider


def token(provider: Provider, call: Call) -> Answer:
    """Answer a new pair for a refresh token, which serves once; the old access token lives on.

    Where the provider grants a grace, it may be used again for so long, for a client that lost the answer;
    the pair that it won before is then dead.
    """
    form = _read_form(call)
    client_id = _authenticate(provider, call, form)
    if "grant_type" not in form:
        raise _error("invalid_request", "grant_type is missing")
    if form["grant_type"] != "refresh_token":
        raise _error("unsupported_grant_type", "The sandbox knows the refresh_token grant")
    if not form.get("refresh_token"):
        raise _error("invalid_request", "refresh_token is missing")
    with provider.state.writing() as db:
        pair = _refresh(db, client_id, form, provider.clock.now(), provider.refresh_grace)
    document = {
        "access_token": pairs.sign(provider, pair),
        "refresh_token": pair.refresh_token,
        "expires_in": access_tokens.LIFETIME,
        "token_type": "Bearer",
        "scope": " ".join(pair.claims["scope"]),
    }
    return Answer.of_json(200, document, NO_STORE)


def _refresh(
    db: sqlite3.Connection, client_id: str, form: Mapping[str, str], now: float, grace: float
) -> pairs.Pair:
    old = pairs.by_refresh_token(db, form["refresh_token"], client_id, now=now, grace=grace)
    if old is None:
        raise _error("invalid_grant", "The refresh token is unknown, used, ended or expired")
    wanted = form.get("scope", old["scope"])
    if not set(wanted.split()) <= set(old["scope"].split()):
        raise _error("invalid_scope", "scope goes beyond what the user granted")
    pairs.use_up(db, old["id"], now)
    return pairs.issue(
        db,
        connection_id=old["connection_id"],
        user_id=old["user_id"],
        client_id=client_id,
        scope=old["scope"],
        access_scope=wanted,
        now=now,
        grant_id=old["grant_id"],
    )


def _read_form(call: Call) -> dict[str, str]:
    if call.media_type != FORM:
        raise _error("invalid_request", f"The body must be {FORM}")
    fields = [(n.decode(errors="replace"), v.decode(errors="replace")) for n, v in form_parameters(call.body)]
    repeated = [name for name, times in Counter(name for name, _ in fields).items() if times > 1]
    if repeated:
        raise _error("invalid_request", f"{repeated[0]} was given more than once")
    return dict(fields)


def _authenticate(provider: Provider, call: Call, form: Mapping[str, str]) -> str:
    """The client's id, from a Basic header or from the body, but not from both (2.3)."""
    authorization = call.headers.get("authorization")
    if authorization is None:
        if secret_valid(provider.credentials, form.get("client_id"), form.get("client_secret")):
            return provider.credentials.client_id
        raise _error("invalid_client", "client_id or client_secret is wrong")
    if "client_secret" in form:
        raise _error("invalid_request", "The client authenticates twice, in the header and in the body")
    client_id, client_secret = basic_credentials(authorization) or (None, None)
    right = secret_valid(provider.credentials, client_id, client_secret)
    if not right or form.get("client_id", client_id) != client_id:
        # 5.2: who tried with a header is told so with a 401 and the scheme.
        refused = Answer.of_json(
            401, {"error": "invalid_client"}, {"WWW-Authenticate": 'Basic realm="sandbox"'}
        )
        raise Refusal(refused)
    return provider.credentials.client_id


def _error(word: str, description: str) -> Refusal:
    document = {"error": word, "error_description": description}
    return Refusal(Answer.of_json(400, document, NO_STORE))
