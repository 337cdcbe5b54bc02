"""What the tests of the engine that reads profiles have in common: answers, and what calls are made with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from requests.structures import CaseInsensitiveDict

from migrator.models import Credentials, LegacyToken, Secret, TokenPair
from migrator.providers import Answer, Given, Profile
from migrator.providers.facts import Facts
from migrator.providers.profile_file import read_profile
from tests.providers.profile_file.base import BASE

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CREDENTIALS = Credentials(
    "consumer", "HMAC-SHA1", Secret("CONSUMER-SECRET"), Secret(""), "client", Secret("CLIENT-SECRET"),
    ("a", "b.c"), "https://app.example/back",
)  # fmt: skip
LEGACY = LegacyToken(Secret("LEGACY-TOKEN"), Secret("LEGACY-SECRET"), Secret("LEGACY-HANDLE"))
PAIR = TokenPair(Secret("ACCESS-TOKEN"), Secret("REFRESH-TOKEN"), NOW)
ROW = {"tenant_type": "ORGANISATION", "region": "eu"}
GIVEN = Given(CREDENTIALS, LEGACY, PAIR, ROW, Secret("THE-CODE"), Secret("THE-VERIFIER"))
SECRETS = (
    "CONSUMER-SECRET", "CLIENT-SECRET", "LEGACY-TOKEN", "LEGACY-SECRET", "LEGACY-HANDLE", "ACCESS-TOKEN",
    "REFRESH-TOKEN", "THE-CODE", "THE-VERIFIER",
)  # fmt: skip


COLUMN = '[columns.region]\nvalues = ["eu", "us"]\n'


def answer(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is bytes as they are, or anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, CaseInsensitiveDict(headers or {}), raw, NOW)


def acme(*changes: tuple[str, str], more: str = "") -> Profile:
    """The base profile with some of its text in other words, and with more after it; without its column if
    no call uses that."""
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    if "{row.region}" not in text:
        text = text.replace(COLUMN, "")
    return Profile(facts_of(text + more))


def facts_of(text: str) -> Facts:
    """The facts in a profile's text."""
    return read_profile(text, "acme.toml")


def without_client_secret(given: Given) -> Given:
    """The same call by a public client."""
    return replace(given, credentials=replace(given.credentials, client_secret=Secret("")))
