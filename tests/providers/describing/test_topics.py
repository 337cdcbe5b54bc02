"""What a profile says is said to people whole, and in words that are true of it."""

from __future__ import annotations

from datetime import date

import pytest

from migrator.providers import Profile
from migrator.providers.describing import (
    Topic,
    access_life,
    exchange_text,
    refresh_life,
    second_swap,
    sent_topics,
    topics,
)
from migrator.providers.facts import Facts, LegacyFate, Meaning, RenewalRule, Repeat
from migrator.providers.profile_file import built_in, built_in_names, read_profile
from tests.providers.profile_file.base import BASE, changed
from tests.providers.profile_file.everything import EVERYTHING

TODAY = date(2026, 11, 27)


def said(facts: Facts, today: date = TODAY) -> dict[str, list[tuple[str, str]]]:
    return {topic.title: list(topic.lines) for topic in topics(facts, today)}


def text(told: tuple[Topic, ...]) -> str:
    return "\n".join(f"{topic.title}\n{topic.lines}" for topic in told)


@pytest.mark.parametrize("name", built_in_names())
def test_every_check_and_every_gap_is_said_as_it_stands(name: str) -> None:
    facts = built_in(name)
    told = said(facts)
    assert [line for _, line in told.get("Before you start", [])] == list(facts.before)
    assert [line for _, line in told["Not known"]] == list(facts.unknown)
    assert [key for key, _ in told["Sources"]] == list(facts.sources)
    assert len(told["What refusals mean, the first that fits"]) >= len(facts.errors)
    calls = [label for label, _ in told["Calls"]]
    assert all(action.value in calls for action in facts.calls)


def test_every_word_of_everything_is_said() -> None:
    facts = read_profile(EVERYTHING, "everything.toml")
    everything = text(topics(facts, TODAY))
    for word in (
        "Do this.", "That.", "X-Request-Id", "HMAC-SHA256 or PLAINTEXT", "in the query", "the consumer key",
        "a public client needs none", "User-Agent: oauth-migrator", "application_token", "oauth_callback",
        "[docs]",
        "with the application's own access token", "100 calls in each calendar hour (UTC)", "4 calls at once",
        "counting renew, swap alone", "50% is left to it", "X-Reset", "the field wait", "oauth_problem",
        "has WWW-Authenticate", "the body holds gone", "25 connections", "from 1,000 on", "Mind this.",
        "https://example.com/authorize", "required", "1 scope with words", "offline", "https://docs.example",
        "read on 2026-11-26", "body null", "billed", "in the 30 days before its end, with its session handle",
        "is disabled by migrator", "column region", "one of eu, us; eu where", "column base", "a URL",
        "it has none",
    ):  # fmt: skip
        assert word in everything, word


def test_each_rule_has_words() -> None:
    for repeat in Repeat:
        facts = read_profile(changed('rule = "unknown"', f'rule = "{repeat}"'), "acme.toml")
        lines = dict(said(facts)["Tokens"])
        assert lines["a second swap"]
        assert lines["a lost answer"].startswith("is gone") == (
            repeat in (Repeat.NEVER, Repeat.ONCE_PER_USER)
        )
        assert second_swap(facts)
    fates = set()
    for fate in LegacyFate:
        days = "\ndays = 3" if fate is LegacyFate.DIES_AFTER else ""
        disable = '\n[disable]\nrequest = "DELETE https://a.example"\nauth = "oauth1"'
        added = disable if fate is LegacyFate.MUST_BE_DISABLED else ""
        changed_text = changed('after_swap = "unknown"', f'after_swap = "{fate}"{days}{added}')
        fates.add(dict(said(read_profile(changed_text, "acme.toml"))["Tokens"])["the legacy token"])
    assert len(fates) == len(LegacyFate)


def test_each_renewal_has_words() -> None:
    told = set()
    for rule in RenewalRule:
        window = '\nwindow = "30d"' if rule is RenewalRule.WINDOW else ""
        renew = f'[renew]\nrequest = "POST https://a.example"\nauth = "oauth1"\nwhen = "{rule}"{window}'
        facts = read_profile(BASE if rule is RenewalRule.NEVER else changed("", renew), "acme.toml")
        told.add(dict(said(facts)["Tokens"]).get("its renewal", ""))
    assert len(told) == len(RenewalRule)


def test_each_meaning_has_words() -> None:
    rules = "\n".join(f'[[errors]]\njson = "e"\nis = ["{one}"]\nmeans = "{one}"' for one in Meaning)
    told = said(read_profile(changed("", rules), "acme.toml"))["What refusals mean, the first that fits"]
    assert len({line for _, line in told[2:]}) == len(Meaning)


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ("", "open"),
        ("open_since = { day = 2026-11-27 }", "open since 2026-11-27"),
        ("open_since = { day = 2026-11-28 }", "opens 2026-11-28"),
        ("closes = { day = 2026-11-27 }", "open until 2026-11-27"),
        ("closes = { day = 2026-11-26 }", "closed 2026-11-26"),
    ],
)
def test_a_day_that_is_over_closes_the_exchange(dates: str, expected: str) -> None:
    assert exchange_text(read_profile(changed("", f"[dates]\n{dates}"), "acme.toml"), TODAY) == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [(26, "ended on 2026-11-26"), (27, "ends today"), (28, "ends on 2026-11-28, in 1 day")],
)
def test_the_end_of_oauth_1_is_counted_in_days(day: int, expected: str) -> None:
    facts = read_profile(changed("", f"[dates]\nlegacy_ends = {{ day = 2026-11-{day} }}"), "acme.toml")
    assert dict(said(facts)["Dates"])["OAuth 1.0a"] == expected


@pytest.mark.parametrize(
    ("name", "access", "refresh"),
    [
        ("x", "2 hours", "180 days"),
        ("dropbox", "does not end", "none"),
        ("vimeo", "as answered", "sometimes"),
        ("tumblr", "42 minutes", "not known"),
    ],
)
def test_how_long_tokens_live(name: str, access: str, refresh: str) -> None:
    assert (access_life(built_in(name)), refresh_life(built_in(name))) == (access, refresh)


@pytest.mark.parametrize("name", built_in_names())
def test_each_call_is_shown_as_it_would_be_sent(name: str) -> None:
    facts = built_in(name)
    told = sent_topics(Profile(facts))
    assert {topic.title.partition(":")[0] for topic in told} == {action.value for action in facts.calls}
    for topic in told:
        action, _, request = topic.title.partition(": ")
        call = next(call for one, call in facts.calls.items() if one == action)
        assert request.startswith(f"{call.method} {call.url}")
        fields = [line.partition(" = ")[0] for label, line in topic.lines if label in ("form", "JSON")]
        assert set(fields) >= {*(call.form or ()), *(call.json or ())}
        assert "{" not in str(topic.lines)


def test_whatever_can_be_said_can_be_shown() -> None:
    told = text(sent_topics(Profile(read_profile(EVERYTHING, "everything.toml"))))
    for word in (
        "application_token: POST https://api.example/application",
        "identify: GET https://BASE/whoami",
        "swap: POST https://api.example/exchange/CONSUMER_KEY?region=eu",
        "token = TOKEN:TOKEN_SECRET",
        "what application_token was answered with",
        "in the query",
        'oauth_callback="oob"',
        'oauth_signature_method="HMAC-SHA256"',
        "application/vnd.example+json",
        "('Accept', 'application/json')",
        "('body', 'null')",
        "Bearer ACCESS_TOKEN",
    ):
        assert word in told, word
