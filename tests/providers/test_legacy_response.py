"""Reading the answer to a renewal: a form, XML or a document."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import Action, LegacyToken, Secret, State
from migrator.providers import (
    Answer,
    NoAnswer,
    Outcome,
    Over,
    Renewed,
    StopAll,
    Suspect,
    Unknown,
    find_profile,
)
from migrator.providers.facts import LegacyAnswer
from migrator.providers.legacy_response import read, salvaged
from tests.providers.support import NOW, answer

INTUIT = find_profile("intuit")
FORM = LegacyAnswer()
XML = LegacyAnswer("xml", "OAuthToken", "OAuthTokenSecret", "Handle", "Expires")
BARE_XML = LegacyAnswer("xml", "OAuthToken", "OAuthTokenSecret", "", "")
JSON = LegacyAnswer("json", "token", "secret", "", "expires")
NEW = LegacyToken(Secret("new"), Secret("s"))
FULL = LegacyToken(Secret("new"), Secret("s"), Secret("h"), NOW + timedelta(seconds=60))

RECONNECT = """<?xml version="1.0" encoding="utf-8"?>
<ReconnectResponse xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://platform.intuit.com/api/v1">
  <ErrorMessage/>
  <ErrorCode>{code}</ErrorCode>
  <ServerTime>2026-06-01T12:00:00Z</ServerTime>{tokens}
</ReconnectResponse>"""
TOKENS = "\n  <OAuthToken>qye2e</OAuthToken>\n  <OAuthTokenSecret>\n    H3vPQ\n  </OAuthTokenSecret>"


def delimited(body: bytes) -> Answer:
    return answer(200, body)


@pytest.mark.parametrize(
    ("documented", "body", "legacy"),
    [
        (FORM, b"oauth_token=new&oauth_token_secret=s", NEW),
        (FORM, b"OAuth_Token=new&oauth_token_secret=s&oauth_session_handle=h&oauth_expires_in=60", FULL),
        (FORM, b"oauth_token=new&oauth_token_secret=s&oauth_session_handle=%C3%BC&oauth_expires_in=no", NEW),
        (FORM, b'{"oauth_token": "new", "oauth_token_secret": "s"}', NEW),
        (XML, b"<r><OAuthToken>new</OAuthToken><OAuthTokenSecret> s </OAuthTokenSecret></r>", NEW),
        (
            XML,
            (
                b"<r><Handle>h</Handle><OAuthToken>new</OAuthToken><OAuthTokenSecret>s</OAuthTokenSecret>"
                b"<Expires>60</Expires></r>"
            ),
            FULL,
        ),
        (JSON, b'{"token": "new", "secret": "s"}', NEW),
        (JSON, b'{"Token": "new", "SECRET": "s", "expires": "60"}', replace(FULL, session_handle=None)),
        (JSON, b"token=new&secret=s&=x", NEW),
        (BARE_XML, b"<r><OAuthToken>new</OAuthToken><OAuthTokenSecret>s</OAuthTokenSecret></r>", NEW),
    ],
)
def test_a_renewed_token_is_read_in_its_form(
    documented: LegacyAnswer, body: bytes, legacy: LegacyToken
) -> None:
    assert read(delimited(body), documented) == Renewed(legacy)
    assert salvaged(delimited(body), documented) == Renewed(legacy, whole=False)


@pytest.mark.parametrize(
    ("documented", "body"),
    [
        (FORM, b"oauth_token=new"),
        (FORM, b"oauth_token=new&oauth_token_secret="),
        (FORM, b"oauth_token=%0Anew&oauth_token_secret=s"),
        (XML, b"<r><OAuthToken>new</OAuthToken></r>"),
        (XML, b"<r><OAuthToken>new</OAuthToken><OAuthTokenSecret>s</OAuthTokenSecret>"),
        (XML, b"oauth_token=new&oauth_token_secret=s"),
        (JSON, b'{"token": 1, "secret": "s"}'),
        (JSON, b""),
    ],
)
def test_half_a_token_is_none(documented: LegacyAnswer, body: bytes) -> None:
    assert read(delimited(body), documented) is None
    assert salvaged(delimited(body), documented) is None


def test_a_form_alone_does_not_show_where_it_ends() -> None:
    form = replace(delimited(b"oauth_token=new&oauth_token_secret=s"), delimited=False)
    assert read(form, FORM) == Renewed(NEW, whole=False)
    xml = delimited(b"<r><OAuthToken>new</OAuthToken><OAuthTokenSecret>s</OAuthTokenSecret></r>")
    assert read(replace(xml, delimited=False), XML) == Renewed(NEW)
    document = delimited(b'{"token": "new", "secret": "s"}')
    assert read(replace(document, delimited=False), JSON) == Renewed(NEW)


def test_the_last_field_of_a_form_that_broke_off_is_not_believed() -> None:
    body = b"oauth_token=new&oauth_token_secret=s"
    assert salvaged(replace(delimited(body), delimited=False), FORM) is None
    assert salvaged(replace(delimited(body + b"&x="), delimited=False), FORM) == Renewed(NEW, whole=False)
    document = b'{"oauth_token": "new", "oauth_token_secret": "s", "x": "a&b"}'
    assert salvaged(replace(delimited(document), delimited=False), FORM) == Renewed(NEW, whole=False)


# --- Intuit's ----------------------------------------------------------------------------------------------


def reconnect(code: int, tokens: str = "") -> Answer:
    return answer(200, RECONNECT.format(code=code, tokens=tokens).encode())


def test_intuit_answers_in_xml() -> None:
    renewed = INTUIT.read(Action.RENEW, reconnect(0, TOKENS))
    assert renewed == Renewed(LegacyToken(Secret("qye2e"), Secret("H3vPQ")))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (22, Over(State.NEEDS_CONSENT, "grant_revoked", "error_22", refused=True)),
        (270, Over(State.NEEDS_CONSENT, "token_expired", "error_270", refused=True)),
        (24, StopAll),
        (212, Suspect),
        (999, Unknown("unreadable_token")),
    ],
)
def test_intuit_refuses_with_status_200(code: int, expected: Outcome | type) -> None:
    outcome = INTUIT.read(Action.RENEW, reconnect(code))
    if isinstance(expected, type):
        assert isinstance(outcome, expected)
        assert isinstance(outcome, StopAll | Suspect)
        assert (outcome.problem, bool(outcome.hint)) == (f"error_{code}", True)
    else:
        assert outcome == expected


@given(st.integers(0, 400))
def test_xml_that_broke_off_is_nothing(length: int) -> None:
    whole = RECONNECT.format(code=0, tokens=TOKENS).encode()
    part = answer(200, whole[: min(length, len(whole) - 1)])
    lost = INTUIT.read(Action.RENEW, NoAnswer(sent=True, problem="timeout", part=part))
    assert lost == Unknown("timeout")
