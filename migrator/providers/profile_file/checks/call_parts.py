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
        yield from _client(name, call, facts.client)
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
    said = {"form": call.form is not None, "json": call.json is not None, "body": bool(call.body)}
    bodies = [key for key, is_said in said.items() if is_said]
    if len(bodies) > 1:
        yield Problem((name, bodies[1]), f"excludes {bodies[0]}: a call has one body", "leave one of them")
    if bodies and call.method == "GET":
        yield Problem((name, bodies[0]), "has no place in a GET: it has no body", "use query, or POST")
    if call.content_type and not bodies:
        yield Problem(
            (name, "content_type"), "says nothing in a call without a body", "add form, json or body"
        )


def _client(name: str, call: CallFacts, style: ClientStyle) -> Iterator[Problem]:
    if call.auth is not Auth.CLIENT:
        return
    if style is ClientStyle.NONE:
        yield Problem(
            (name, "auth"),
            'says "client", and [client] says that nothing authenticates it',
            'say how in [client], or auth = "none" here',
        )
        return
    other = "form" if style is ClientStyle.JSON else "json" if style is not ClientStyle.BASIC else ""
    if (other == "form" and call.form is not None) or (other == "json" and call.json is not None):
        wanted = "json" if other == "form" else "form"
        yield Problem(
            (name, other),
            f"excludes the {wanted} that the client authenticates in",
            f'say {wanted} here, or auth = "none" and put {{client_id}} and {{client_secret}} into {other}',
        )


def _optional(name: str, call: CallFacts) -> Iterator[Problem]:
    fields = {*call.query, *call.headers, *call.oauth, *(call.form or ()), *(call.json or ())}
    for field in sorted(call.optional - fields):
        shown = f" {field}" if field.replace("_", "").isalnum() else ""
        yield Problem((name, "optional"), f"names a field{shown} that the call has not", "take it out")
