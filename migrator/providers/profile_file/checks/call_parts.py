"""Whether the parts of one call fit together: how it is authenticated, what it sends, and how."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.models import Action
from migrator.providers.facts import Auth, CallFacts, ClientStyle, Facts
from migrator.providers.profile_file.checks.each_call import APPLICATION_TOKEN, each_call
from migrator.providers.profile_file.problems import Problem

_WITH_LEGACY_TOKEN = frozenset(
    {Action.SWAP, Action.RENEW, Action.IDENTIFY, Action.DISABLE, Action.VERIFY, Action.REVOKE}
)
_WITH_ACCESS_TOKEN = frozenset({Action.VERIFY, Action.REVOKE, Action.DISABLE})
"""Calls that are made while their connection has such a token."""


def check_call_parts(facts: Facts) -> Iterator[Problem]:
    """Parts of calls that exclude each other, or that say nothing."""
    for name, call in each_call(facts).items():
        yield from _auth(name, call)
        yield from _body(name, call)
        yield from _client(name, call, facts)
        yield from _optional(name, call)


def _auth(name: str, call: CallFacts) -> Iterator[Problem]:
    with_token = {Auth.OAUTH1: _WITH_LEGACY_TOKEN, Auth.BEARER: _WITH_ACCESS_TOKEN}.get(call.auth)
    if with_token is not None and name not in with_token:
        token = "legacy token" if call.auth is Auth.OAUTH1 else "access token"
        yield Problem(
            (name, "auth"),
            f"cannot be: when this call is made there is no {token}",
            f"only {', '.join(sorted(with_token))} can have it",
        )
    if call.auth is Auth.APPLICATION_BEARER and name == APPLICATION_TOKEN:
        yield Problem(
            (name, "auth"),
            "cannot be: this is the call that gives the application's token",
            'say how the client authenticates in [client], and auth = "client" here',
        )
    if call.oauth and call.auth is not Auth.OAUTH1:
        yield Problem(
            (name, "oauth"), "says nothing in a call that is not signed", 'say auth = "oauth1", or use form'
        )


def _body(name: str, call: CallFacts) -> Iterator[Problem]:
    bodies = _bodies(call)
    if len(bodies) > 1:
        yield Problem((name, bodies[1]), f"excludes {bodies[0]}: a call has one body", "leave one of them")
    if bodies and call.method == "GET":
        yield Problem((name, bodies[0]), "has no place in a GET: it has no body", "use query, or POST")
    if call.content_type and not bodies:
        yield Problem(
            (name, "content_type"), "says nothing in a call without a body", "add form, json or body"
        )


def _client(name: str, call: CallFacts, facts: Facts) -> Iterator[Problem]:
    if call.auth is not Auth.CLIENT:
        return
    if facts.client is ClientStyle.NONE:
        yield Problem(
            (name, "auth"),
            'says "client", and [client] says that nothing authenticates it',
            'say how in [client], or auth = "none" here',
        )
    home = _home(facts)
    if home and call.method == "GET":
        yield Problem((name, "request"), f"is a GET, and the client's id stands in the {home}", "use POST")
    for other in _bodies(call):
        if home not in ("", other):
            yield Problem(
                (name, other),
                f"excludes the {home} that the client's id stands in",
                f'say {home} here, or auth = "none" and put {{client_id}} and {{client_secret}} into {other}',
            )


def _home(facts: Facts) -> str:
    """The body that holds the client's id; empty where a header does."""
    if facts.client is ClientStyle.JSON:
        return "json"
    in_form = facts.client in (ClientStyle.FORM, ClientStyle.CLIENT_ID)
    return "form" if in_form or (facts.client is ClientStyle.BASIC and facts.client_public) else ""


def _bodies(call: CallFacts) -> list[str]:
    """The keys that say what the body is."""
    said = {"form": call.form is not None, "json": call.json is not None, "body": bool(call.body)}
    return [key for key, is_said in said.items() if is_said]


def _optional(name: str, call: CallFacts) -> Iterator[Problem]:
    fields = {*call.query, *call.headers, *call.oauth, *(call.form or ()), *(call.json or ())}
    for field in sorted(call.optional - fields):
        shown = f" {field}" if field.replace("_", "").isalnum() else ""
        yield Problem((name, "optional"), f"names a field{shown} that the call has not", "take it out")
