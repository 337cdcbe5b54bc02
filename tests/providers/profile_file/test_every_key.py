"""Every key that the schema knows is read, and every fact can be said."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migrator.models import Action
from migrator.providers import facts as facts_module
from migrator.providers.facts import (
    AccountAnswer,
    Advice,
    Auth,
    ClientStyle,
    Facts,
    LegacyAnswer,
    LegacyFate,
    Lifetime,
    Limit,
    Meaning,
    Name,
    Renewal,
    RenewalRule,
    Repeat,
    TenantsAnswer,
    WaitFacts,
)
from migrator.providers.profile_file import read_profile, schema_text
from migrator.row_rules import Column
from tests.providers.profile_file.everything import EVERYTHING, OTHER

SCHEMA: dict[str, Any] = json.loads(schema_text())

Path = tuple[str, ...]


def other() -> str:
    """The same with what excludes something of it."""
    document = EVERYTHING.replace('account = { id = "id", name = "name" }\n', "")
    for table in ("legacy_token", "disable", "identify"):
        begin = document.index(f"[{table}]")
        document = document[:begin] + document[document.index("\n[", begin) + 1 :]
    return document.replace('support_id = { header = "X-Request-Id" }\n', "") + OTHER


def keys_of_schema(schema: dict[str, Any], at: Path = ()) -> Iterator[Path]:
    """The path of every key that may be written; lists and tables of free names are passed through."""
    if "$ref" in schema:
        yield from keys_of_schema(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], at)
    for name, inner in schema.get("properties", {}).items():
        yield (*at, name)
        yield from keys_of_schema(inner, (*at, name))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from keys_of_schema(schema["additionalProperties"], (*at, "*"))
    if "items" in schema:
        yield from keys_of_schema(schema["items"], at)


def keys_of(value: Any, known: set[Path], at: Path = ()) -> Iterator[Path]:
    """The same of a document."""
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item, known, at)
    elif isinstance(value, dict):
        for name, inner in value.items():
            path = (*at, name) if (*at, name) in known else (*at, "*")
            yield path
            yield from keys_of(inner, known, path)


def folded(path: Path) -> Path:
    """What one call may say, every other may, too; and so with what answers hold."""
    shared = {*SCHEMA["$defs"]["call"]["properties"], "answer"}
    if path[0] == "answer":
        return ("CALL", *path)
    of_call = (
        "$ref" in SCHEMA["properties"][path[0]] or "unevaluatedProperties" in SCHEMA["properties"][path[0]]
    )
    if of_call and len(path) > 1 and path[1] in shared and path[:2] != ("renew", "answer"):
        return ("CALL", *path[1:])
    return path


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_examples_say_every_key_that_the_schema_knows() -> None:
    known = set(keys_of_schema(SCHEMA))
    written = {path for text in (EVERYTHING, other()) for path in keys_of(tomllib.loads(text), known)}
    said = {path for path in written if path[-1] != "*"}  # names that are free
    assert said <= known
    assert {folded(path) for path in known} == {folded(path) for path in said}
    assert len(known) > 200


def test_every_key_is_read() -> None:
    facts = read_profile(EVERYTHING, "everything.toml")
    swap = facts.calls[Action.SWAP]
    assert set(facts.calls) == set(Action)
    assert (swap.method, swap.url) == ("POST", "https://api.example/exchange/{consumer_key}")
    assert swap.auth is Auth.APPLICATION_BEARER
    assert swap.query == {"region": "{row.region}"}
    assert swap.json == {"token": "{token}:{token_secret}", "scope": "{scope}"}
    assert swap.content_type == "application/vnd.example+json"
    assert swap.headers == {"Accept": "application/json"}
    assert swap.optional == {"scope"}
    assert swap.answer is not None
    assert swap.answer.expires == Lifetime("ends", "epoch_milliseconds", timedelta(hours=2))
    assert swap.answer.refresh_expires == Lifetime(documented=timedelta(days=60))
    assert (swap.answer.refresh_token, swap.answer.refresh_optional) == ("refresh", True)
    assert swap.answer.user == Name(field="profile", inside="user.id")
    assert facts.calls[Action.VERIFY].body == "null"
    assert facts.calls[Action.IDENTIFY].oauth == {"oauth_callback": "oob"}
    assert facts.identify == "user.id"
    refreshed = facts.calls[Action.REFRESH].answer
    assert refreshed is not None
    assert refreshed.user == Name(claim="sub")
    assert facts.application_token is not None
    assert facts.application_token.answer is not None
    assert facts.application_token.answer.access_token == "app_token"
    assert (facts.client, facts.client_public, facts.client_is_consumer) == (ClientStyle.FORM, True, True)
    assert (facts.signature_methods, facts.signature_in) == (("HMAC-SHA256", "PLAINTEXT"), "query")
    assert facts.headers == {"User-Agent": "{user_agent}"}
    assert facts.app_types == {"partner": True, "public": False}
    assert facts.columns == {"region": Column(("eu", "us"), "eu"), "base": Column(url=True)}
    assert (facts.refresh_rotates, facts.grace) == ("sometimes", timedelta(minutes=30))
    assert (facts.repeat, facts.repeat_source) == (Repeat.BOTH_LIVE, "docs")
    assert (facts.legacy_fate, facts.legacy_source) == (LegacyFate.MUST_BE_DISABLED, "docs")
    assert facts.token_secret is False
    assert facts.renewal == Renewal(
        rule=RenewalRule.WINDOW,
        needs_handle=True,
        window=timedelta(days=30),
        ahead=timedelta(minutes=5),
        answer=LegacyAnswer("xml", "Token", "Secret", "Handle", "Lives"),
    )
    assert facts.limits == (
        Limit(
            count=100,
            window=timedelta(hours=1),
            calendar=True,
            at_once=4,
            subject="key",
            leave=0.5,
            shared=True,
            calls=frozenset({Action.SWAP, Action.RENEW}),
            name="hour",
            remaining="X-Left",
            counts="bucket",
            source="docs",
        ),
    )
    assert facts.wait == WaitFacts("X-Reset", "wait", "X-Limit")
    assert [(rule.where, rule.path, rule.means) for rule in facts.errors] == [
        ("json", "error.code", Meaning.LIMIT),
        ("form", "oauth_problem", Meaning.TOKEN_EXPIRED),
        ("xml", "ErrorCode", Meaning.SUSPECT),
        ("header", "WWW-Authenticate", Meaning.APPLICATION),
        ("text", "", Meaning.CLOSED),
    ]
    first = facts.errors[0]
    assert (first.problem, first.reason, first.hint, first.scope) == (
        "code_17",
        "because",
        "wait",
        "connection",
    )
    assert (set(first.calls), first.status, first.equals) == ({Action.SWAP}, (400, 429), ("17",))
    assert facts.support_id == "X-Request-Id"
    assert facts.account == AccountAnswer("id", "name")
    assert facts.verify_billed
    assert facts.consent is not None
    assert (facts.consent.pkce, facts.consent.scopes) == ("required", {"offline": "Stay connected"})
    assert (facts.scope_needed, facts.no_refresh_token_hint) == (("offline",), "ask for offline")
    assert facts.uncertified_limit == 25
    assert facts.advice == (Advice("Mind this.", 1_000),)
    assert facts.sources["docs"].read == date(2026, 11, 26)


def test_what_excludes_something_of_that_is_read_too() -> None:
    facts = read_profile(other(), "other.toml")
    assert facts.support_id == "json:error.id"
    assert facts.tenants == TenantsAnswer("id", "list", "type", "name", "consent", "claim")
    assert (facts.legacy_fate, facts.legacy_days, facts.legacy_user_before) == (
        LegacyFate.DIES_AFTER,
        30,
        "-",
    )


CLASSES = [
    kind
    for kind in vars(facts_module).values()
    if is_dataclass(kind) and kind.__module__.startswith(f"{facts_module.__name__}.")
]


def inside(value: Any) -> Iterator[Any]:
    """All dataclasses in facts."""
    if is_dataclass(value):
        yield value
        for one in fields(value):
            yield from inside(getattr(value, one.name))
    elif isinstance(value, dict):
        for one_value in value.values():
            yield from inside(one_value)
    elif isinstance(value, tuple):
        for item in value:
            yield from inside(item)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_fact_can_be_said(kind: type) -> None:
    """In the examples each field has, somewhere, two values, or another than where nothing is said."""
    minimal = """
        name = "m"
        title = "M"
        swap = { request = "GET https://m.example", auth = "none" }
        answer = { access_token = "a", refresh_token = "" }
        repeat = { rule = "unknown" }
        legacy_token = { after_swap = "unknown" }
    """
    texts = (EVERYTHING, other(), minimal)
    found: list[Any] = [
        one for text in texts for one in inside(read_profile(text, "x.toml")) if type(one) is kind
    ]
    unsaid = []
    for field in fields(kind):
        values = [repr(getattr(one, field.name)) for one in found]
        if len(set(values)) < 2 and set(values) <= {repr(field.default), repr(())}:
            unsaid.append(field.name)
    assert found
    assert unsaid == []


def test_facts_are_all_of_one_profile() -> None:
    assert Facts in CLASSES, "what is said of each class is said of some"
    assert isinstance(read_profile(EVERYTHING, "everything.toml"), Facts)
