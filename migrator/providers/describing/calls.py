"""The calls of a profile, for people: where each goes, as whom, and with what."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.models import Action
from migrator.providers.calls import USER_AGENT
from migrator.providers.describing.topic import Line, cited
from migrator.providers.facts import Auth, CallFacts, ClientStyle, Facts

ORDER = (
    Action.IDENTIFY,
    Action.RENEW,
    Action.SWAP,
    Action.VERIFY,
    Action.DISABLE,
    Action.REFRESH,
    Action.REVOKE,
    Action.EXCHANGE_CODE,
)
"""That of a migration."""
_CLIENT = {
    ClientStyle.BASIC: "as the client (Basic)",
    ClientStyle.FORM: "as the client (id and secret in the form)",
    ClientStyle.JSON: "as the client (id and secret in the JSON body)",
    ClientStyle.CLIENT_ID: "as the client (id alone)",
    ClientStyle.NONE: "as nobody",
}


def call_lines(facts: Facts) -> Iterator[Line]:
    """Each call, in the order of a migration; then what the provider is said not to have."""
    if facts.application_token is not None:
        yield "application_token", _call(facts.application_token, facts)
    for action in ORDER:
        if action in facts.calls:
            yield action.value, _call(facts.calls[action], facts)
    for name, text in facts.headers.items():
        yield "each call", f"has the header {name}: {text.replace('{user_agent}', USER_AGENT)}"
    missing = [
        action for action in (Action.VERIFY, Action.REFRESH, Action.REVOKE) if action not in facts.calls
    ]
    if missing:
        yield "there is no", ", ".join(missing)


def _call(call: CallFacts, facts: Facts) -> str:
    parts = [f"{call.method} {call.url}", _auth(call, facts)]
    parts += [
        f"{where} {', '.join(fields)}"
        for where, fields in (
            ("query", call.query),
            ("form", call.form),
            ("JSON", call.json),
            ("header", call.headers),
        )
        if fields
    ]
    if call.oauth:
        parts.append(f"signed too: {', '.join(call.oauth)}")
    if call.body:
        parts.append(f"body {call.body}")
    if call is facts.calls.get(Action.VERIFY) and facts.verify_billed:
        parts.append("billed")
    return "; ".join(parts) + cited(call.source)


def _auth(call: CallFacts, facts: Facts) -> str:
    match call.auth:
        case Auth.OAUTH1:
            where = " in the query" if facts.signature_in == "query" else ""
            return f"signed with OAuth 1.0a{where} ({' or '.join(facts.signature_methods)})"
        case Auth.CLIENT:
            return _CLIENT[facts.client]
        case Auth.BEARER:
            return "with the access token"
        case Auth.APPLICATION_BEARER:
            return "with the application's own access token"
        case Auth.NONE:
            return "authenticated by nothing but what it carries"
