"""Whether each placeholder exists, has a value in its call, and stands where its value may stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from migrator.models import Action
from migrator.providers.facts import CallFacts, Facts
from migrator.providers.profile_file.checks.each_call import APPLICATION_TOKEN, each_call
from migrator.providers.profile_file.problems import KeyPath, Problem

_BRACES = re.compile(r"\{([^{}]*)\}")
_ROW = "row."

OWN_COLUMNS = ("organisation", "tenant_id", "tenant_type", "contact_email")
"""Columns of every input that calls may use."""

_EVERYWHERE = frozenset(
    {"consumer_key", "consumer_secret", "client_id", "client_secret", "scope", "redirect_uri", "user_agent"}
)
_LEGACY = frozenset({"token", "token_secret", "session_handle"})
_WITH_LEGACY = frozenset({Action.SWAP, Action.RENEW, Action.IDENTIFY, Action.DISABLE})
_OF_CALL: Mapping[str, frozenset[str]] = {
    Action.VERIFY: frozenset({"access_token"}),
    Action.REFRESH: frozenset({"refresh_token"}),
    Action.REVOKE: frozenset({"access_token", "refresh_token"}),
    Action.DISABLE: frozenset({"access_token"}),
    Action.EXCHANGE_CODE: frozenset({"code", "code_verifier"}),
}
_OF_HEADERS = frozenset({"user_agent", "consumer_key", "client_id"})
"""What has a value in every call, and is no secret."""
_SECRET = _LEGACY | frozenset().union(*_OF_CALL.values()) | {"consumer_secret", "client_secret"}
_ALL = _EVERYWHERE | _SECRET


def check_placeholders(facts: Facts) -> Iterator[Problem]:
    """Placeholders that do not exist, have no value in their call, or would put a secret into a query."""
    for name, call in each_call(facts).items():
        known = _known(name, facts)
        for at, text in texts(name, call):
            yield from _check(at, text, known, facts)
        for field, text in call.query.items():
            if _SECRET & set(_BRACES.findall(text)):
                yield Problem(
                    (name, "query", field),
                    "would put a secret into the query, and queries end up in logs",
                    "put it into form, json or headers; into the path only if the provider wants it there",
                )
    for header, text in facts.headers.items():
        yield from _check(("headers", header), text, _OF_HEADERS, facts)


def texts(name: str, call: CallFacts) -> Iterator[tuple[KeyPath, str]]:
    """All texts of a call that may hold placeholders."""
    yield (name, "request"), call.url
    yield (name, "body"), call.body
    for table in ("query", "form", "json", "headers", "oauth"):
        for field, text in (getattr(call, table) or {}).items():
            yield (name, table, field), text


def _known(name: str, facts: Facts) -> frozenset[str]:
    """What has a value in a call."""
    if name == APPLICATION_TOKEN:
        return _EVERYWHERE
    known = _EVERYWHERE | _OF_CALL.get(name, frozenset())
    if name in _WITH_LEGACY:
        known |= _LEGACY
    return known | {f"{_ROW}{column}" for column in (*OWN_COLUMNS, *facts.columns)}


def _check(at: KeyPath, text: str, known: frozenset[str], facts: Facts) -> Iterator[Problem]:
    if re.search(r"[{}]", _BRACES.sub("", text)):
        yield Problem(at, "has a brace without its other half", "write placeholders as {refresh_token}")
    for name in dict.fromkeys(_BRACES.findall(text)):
        if name in known:
            continue
        column = name.removeprefix(_ROW)
        if name in _ALL or (name.startswith(_ROW) and column in (*OWN_COLUMNS, *facts.columns)):
            todo = f"here there may be {', '.join(sorted(known))}"
            yield Problem(at, f"has the placeholder {{{name}}}, which has no value in this call", todo)
        elif name.startswith(_ROW):
            yield Problem(
                at,
                f"has the placeholder {{{name}}}, and there is no such column",
                f"add [columns.{column}], or use {', '.join(OWN_COLUMNS)}",
            )
        else:
            close = get_close_matches(name, sorted(known), n=1)
            todo = f"did you mean {{{close[0]}}}?" if close else f"there may be {', '.join(sorted(known))}"
            yield Problem(at, f"has the placeholder {{{name}}}, which does not exist", todo)
