"""What the answer to the application's own call means: never that a connection is at fault."""

from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.models import TokenPair
from migrator.providers import Answer, Later, NoAnswer, Profile, StopAll
from tests.providers.support import NOW, acme, answer

OWN = (
    '\n[application_token]\nrequest = "POST https://api.acme.example/app"\nauth = "client"\n'
    'form = { grant_type = "client_credentials" }\n'
)
USES = ('auth = "client"\nform = { token', 'auth = "application_bearer"\nform = { token')
RULES = """
[[errors]]
json = "error"
is = ["invalid_client"]
means = "application"
hint = "check it"

[[errors]]
json = "error"
is = ["slow"]
means = "limit"
scope = "connection"

[[errors]]
calls = ["swap"]
json = "error"
is = ["of_swaps"]
means = "application"
hint = "not here"
"""
PROFILE = acme(USES, more=OWN + RULES)
PLACED = acme(USES, more=f'{OWN}answer = {{ access_token = "data.token", token_type = "" }}\n{RULES}')


def read(reply: Answer | NoAnswer, profile: Profile = PROFILE) -> TokenPair | StopAll | Later:
    return profile.read_application_token(reply)


def later(problem: str, seconds: int | None = None) -> Later:
    return Later(problem, timedelta(seconds=seconds) if seconds else None, "app")


@pytest.mark.parametrize(
    ("profile", "document"),
    [
        (PROFILE, {"access_token": "app", "token_type": "Bearer", "expires_in": 60}),
        (PROFILE, {"access_token": "app", "expires_in": "60"}),
        (PROFILE, {"access_token": "app", "token_type": "Bearer", "expires_in": 60, "refresh_token": "r"}),
        (PLACED, {"data": {"token": "app"}, "expires_in": 60}),
        (PLACED, {"token": "a-token-of-something-else", "data": {"token": "app"}, "expires_in": 60}),
    ],
)
def test_the_token_stands_where_an_access_token_does(profile: Profile, document: object) -> None:
    found = read(answer(200, document), profile)
    assert isinstance(found, TokenPair)
    assert found.access_token.reveal() == "app"
    assert found.expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(400, {"error": "invalid_client"}), StopAll("invalid_client", "check it")),
        (answer(200, {"error": "invalid_client"}), StopAll("invalid_client", "check it")),
        (answer(400, {"error": "slow"}), later("rate_limited")),
        (answer(429, b"", {"Retry-After": "9"}), later("rate_limited", 9)),
        (answer(429, {"error": "invalid_client"}), later("rate_limited")),
        (answer(503, b"", {"Retry-After": "9"}), later("http_503", 9)),
        (answer(500, b"", {"Retry-After": "9"}), later("http_500", 9)),
        (answer(408), later("http_408")),
        (answer(200, {"hello": 1}), later("unreadable_application_token")),
        (answer(200, b"<html>Log in</html>"), later("unreadable_application_token")),
        (answer(200, b'<html>{"access_token": "abc"}</html>'), later("unreadable_application_token")),
        (answer(200, {"refresh_token": "r"}), later("unreadable_application_token")),
        (NoAnswer(sent=True, problem="timeout"), later("timeout")),
        (NoAnswer(sent=False, problem="tls_certificate"), later("tls_certificate")),
    ],
)
def test_without_a_token_everybody_waits_or_the_job_stops(
    reply: Answer | NoAnswer, expected: StopAll | Later
) -> None:
    assert read(reply) == expected


@pytest.mark.parametrize(
    "reply",
    [
        answer(401),
        answer(400, {"error": "invalid_grant"}),  # whose rule blames a connection's token
        answer(403, {"error": "of_swaps"}),
        answer(302),
        NoAnswer(sent=False, problem="unsendable"),
    ],
)
def test_whatever_else_is_refused_is_the_applications_fault(reply: Answer | NoAnswer) -> None:
    found = read(reply)
    assert isinstance(found, StopAll)
    assert "oauth2.client_id" in found.hint


def test_a_429_is_a_limit_without_any_rule_too() -> None:
    bare = acme(USES, ('[[errors]]\nstatus = [429]\nmeans = "limit"\n', ""), more=OWN)
    assert read(answer(429, b"", {"Retry-After": "9"}), bare) == later("rate_limited", 9)
