"""Xero: what is sent, and what every answer means. There is no answer that is not read."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from migrator.errors import ConfigurationError
from migrator.models import Action, Credentials, LegacyToken, Secret, State, Tenant, TokenPair
from migrator.providers import (
    Answer,
    Basic,
    Bearer,
    Given,
    Later,
    NoAnswer,
    NoRefreshToken,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    Signed,
    StopAll,
    Suspect,
    Unknown,
    Won,
    find_profile,
)
from migrator.providers.refusals import refusal

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
XERO = find_profile("xero")
OF_PAIRS = (Action.SWAP, Action.REFRESH, Action.EXCHANGE_CODE)
CREDENTIALS = Credentials(
    "ck", "HMAC-SHA1", Secret("cs"), Secret(""), "id", Secret("hush"), ("offline_access", "a.b")
)
LEGACY = LegacyToken(Secret("tok"), Secret("ts"), Secret("handle"))
GIVEN = Given(CREDENTIALS, LEGACY, TokenPair(Secret("a"), Secret("r"), NOW))
OAUTH_PROBLEMS = [word for rule in XERO.facts.errors if rule.where == "form" for word in rule.equals]
JSON_ERRORS = [word for rule in XERO.facts.errors if rule.path == "error" for word in rule.equals]

CLAIMS = base64.urlsafe_b64encode(b'{"xero_userid": "user-1"}').decode().rstrip("=")
PAIR: Mapping[str, object] = {
    "access_token": f"h.{CLAIMS}.s",
    "refresh_token": "refresh",
    "expires_in": "1800",
    "token_type": "Bearer",
    "xero_tenant_id": "tenant-1",
}


def answer(status: int, body: object = b"", headers: Mapping[str, str] | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = {"Content-Length": str(len(raw))}
    return Answer(status, CaseInsensitiveDict({**length, **(headers or {})}), raw, NOW)


# --- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tenant_type", ["ORGANISATION", "PRACTICE"])
def test_a_swap_is_the_migration_endpoints(tenant_type: str) -> None:
    request = XERO.request(Action.SWAP, replace(GIVEN, row={"tenant_type": tenant_type}))
    assert (request.method, request.url) == (
        "POST",
        f"https://api.xero.com/oauth/migrate?tenantType={tenant_type}",
    )
    assert request.auth == Signed(LEGACY, CREDENTIALS)
    assert request.json == {
        "scope": "offline_access a.b",
        "client_id": "id",
        "client_secret": CREDENTIALS.client_secret,
    }
    assert request.form is None


def test_a_renewal_carries_the_handle_in_the_header() -> None:
    request = XERO.request(Action.RENEW, GIVEN)
    assert (request.method, request.url) == ("POST", "https://api.xero.com/oauth/AccessToken")
    assert request.auth == Signed(LEGACY, CREDENTIALS, {"oauth_session_handle": Secret("handle")})
    assert (request.json, request.form) == (None, None)


def test_a_refresh_is_the_token_endpoints() -> None:
    request = XERO.request(Action.REFRESH, GIVEN)
    assert (request.method, request.url) == ("POST", "https://identity.xero.com/connect/token")
    assert request.auth == Basic(CREDENTIALS)
    assert request.form == {"grant_type": "refresh_token", "refresh_token": Secret("r")}


def test_a_verification_asks_for_the_connections() -> None:
    request = XERO.request(Action.VERIFY, GIVEN)
    assert (request.method, request.url) == ("GET", "https://api.xero.com/connections")
    assert request.auth == Bearer(Secret("a"))


def test_a_code_is_exchanged_with_what_proves_who_asked_for_it() -> None:
    given = replace(GIVEN, code=Secret("c"), code_verifier=Secret("v"), redirect_uri="https://a.example/back")
    request = XERO.request(Action.EXCHANGE_CODE, given)
    assert (request.method, request.url) == ("POST", "https://identity.xero.com/connect/token")
    assert request.auth == Basic(CREDENTIALS)
    assert request.form == {
        "grant_type": "authorization_code",
        "code": Secret("c"),
        "redirect_uri": "https://a.example/back",
        "code_verifier": Secret("v"),
    }


def test_a_base_url_replaces_every_host_and_no_url_holds_a_secret() -> None:
    profile = find_profile("xero", base_url="http://127.0.0.1:8765/under")
    urls = [profile.request(action, GIVEN).url for action in profile.facts.calls]
    assert all(isinstance(url, str) and url.startswith("http://127.0.0.1:8765/under/") for url in urls)
    assert profile.authorise_url == "http://127.0.0.1:8765/under/identity/connect/authorize"


def test_a_provider_that_nobody_knows_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError) as caught:
        find_profile("zero")
    assert "zero" in caught.value.message
    assert "xero" in caught.value.hint


# --- what an answer means ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", OF_PAIRS)
@pytest.mark.parametrize("lifetime", ["1800", 1800])
def test_a_whole_pair_is_won(action: Action, lifetime: object) -> None:
    outcome = XERO.read(action, answer(200, {**PAIR, "expires_in": lifetime}))
    assert isinstance(outcome, Won)
    assert outcome.pair.access_token.reveal() == PAIR["access_token"]
    assert outcome.pair.refresh_token.reveal() == "refresh"
    assert outcome.pair.expires_at == NOW + timedelta(minutes=30)
    assert (outcome.pair.tenant_id, outcome.pair.user_id) == ("tenant-1", "user-1")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
pair_like = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | json_values for name, value in PAIR.items()}
)
renewal_like = st.lists(
    st.tuples(
        st.sampled_from(["oauth_token", "oauth_token_secret", "oauth_expires_in", "oauth_session_handle"]),
        st.text(max_size=5) | st.just("1800"),
    ),
    max_size=4,
).map(lambda pairs: "&".join(f"{n}={quote(v, errors='replace')}" for n, v in pairs).encode())
refusals = st.one_of(
    st.sampled_from(sorted(OAUTH_PROBLEMS)).map(lambda word: f"oauth_problem={quote(word)}".encode()),
    st.sampled_from(sorted(JSON_ERRORS)).map(lambda word: json.dumps({"error": word}).encode()),
    json_values.map(lambda value: json.dumps({"error": value, "errors": value}).encode()),
    json_values.map(lambda value: json.dumps([{"tenantId": value}]).encode()),
)
bodies = st.one_of(
    st.binary(max_size=60),
    json_values.map(lambda value: json.dumps(value).encode()),
    pair_like.map(lambda document: json.dumps(document).encode()),
    renewal_like,
    refusals,
    st.sampled_from([b"[" * 50_000, b"null", b"[]", b"{}"]),
)
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "X-Rate-Limit-Problem", "Content-Type"]),
    st.text(max_size=12)
    | st.sampled_from(["0", "5", "minute", "appminute", "Mon, 01 Jun 2026 12:00:30 GMT"]),
).map(CaseInsensitiveDict)
statuses = st.sampled_from([200, 200, 400, 401, 429]) | st.integers(100, 599)
replies: st.SearchStrategy[Answer | NoAnswer] = st.one_of(
    st.builds(Answer, statuses, headers, bodies, st.just(NOW)),
    st.builds(NoAnswer, st.booleans(), st.sampled_from(["timeout", "no_answer"])),
)


@given(st.sampled_from(Action), replies)
def test_every_answer_is_read_and_only_a_whole_pair_is_won(action: Action, reply: Answer | NoAnswer) -> None:
    outcome = XERO.read(action, reply)
    assert isinstance(outcome, Outcome)
    if isinstance(outcome, Won):
        assert isinstance(reply, Answer)
        assert action in OF_PAIRS
        assert outcome.pair.refresh_token
    if isinstance(outcome, Won) and isinstance(reply, Answer) and outcome.whole:
        assert reply.status == 200
        said = json.loads(reply.body)
        assert said["access_token"] == outcome.pair.access_token.reveal() != ""
        assert said["refresh_token"] == outcome.pair.refresh_token.reveal() != ""
        assert said["token_type"].lower() == "bearer"
        assert outcome.pair.expires_at is not None
        assert outcome.pair.expires_at > NOW
    if isinstance(outcome, Renewed):
        assert action is Action.RENEW
        assert outcome.legacy.token
        assert outcome.legacy.token_secret
    if isinstance(outcome, Reached):
        assert action is Action.VERIFY
        assert all(isinstance(tenant.id, str) for tenant in outcome.tenants)


@given(st.sampled_from(OF_PAIRS), replies)
def test_what_is_not_understood_after_success_is_unknown(action: Action, reply: Answer | NoAnswer) -> None:
    if isinstance(reply, Answer) and reply.status == 200:
        outcome = XERO.read(action, reply)
        said = refusal(XERO.facts, action, reply)
        assert isinstance(outcome, Won | NoRefreshToken) or outcome == (said or Unknown("unreadable_pair"))


WITH_BAD_STATUS = {"access_token": "a" * 40, "refresh_token": "r" * 40}
BAD_FORMS: Mapping[str, bytes] = {
    "the standard's": json.dumps(WITH_BAD_STATUS | {"token_type": "Bearer", "expires_in": 1800}).encode(),
    "a form": urlencode(WITH_BAD_STATUS).encode(),
    "wrapped": json.dumps({"body": json.dumps(WITH_BAD_STATUS)}).encode(),
    "renamed": json.dumps({"token": "a" * 40, "refresh": "r" * 40}).encode(),
    "beside a refusal": json.dumps({"error": "invalid_grant"} | WITH_BAD_STATUS).encode(),
    "beside a problem": b"oauth_problem=token_rejected&" + urlencode(WITH_BAD_STATUS).encode(),
    "on a page": f"<html><body>{json.dumps(WITH_BAD_STATUS)}</body></html>".encode(),
}


@pytest.mark.parametrize("action", OF_PAIRS)
@pytest.mark.parametrize("status", [302, 400, 401, 403, 429, 500, 502, 503])
@pytest.mark.parametrize("form", BAD_FORMS)
def test_a_pair_that_came_with_a_bad_status_has_come(action: Action, status: int, form: str) -> None:
    outcome = XERO.read(action, answer(status, BAD_FORMS[form], {"X-Rate-Limit-Problem": "day"}))
    assert isinstance(outcome, Won)
    assert not outcome.whole
    assert outcome.pair.access_token.reveal() == "a" * 40
    assert outcome.pair.refresh_token.reveal() == "r" * 40


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_refresh_token_alone_counts_but_in_a_refusal_which_may_repeat_the_question(status: int) -> None:
    alone = {"refresh_token": "r" * 40}
    assert isinstance(XERO.read(Action.SWAP, answer(status, alone)), Won)
    refused = XERO.read(Action.REFRESH, answer(status, {"error": "invalid_client"} | alone))
    assert isinstance(refused, Later if status == 429 else StopAll)


@pytest.mark.parametrize("status", [400, 429, 500])
def test_a_renewed_token_that_came_with_a_bad_status_has_come(status: int) -> None:
    body = b"oauth_token=new&oauth_token_secret=s&oauth_session_handle=h"
    expected = Renewed(LegacyToken(Secret("new"), Secret("s"), Secret("h")), whole=False)
    assert XERO.read(Action.RENEW, answer(status, body)) == expected


def test_a_renewed_token_is_taken_from_the_part_of_an_answer_if_it_stands_there_whole() -> None:
    body = b"oauth_token=new&oauth_token_secret=sss&oauth_session_handle=hhh"
    for end in range(len(body) + 1):
        part = replace(answer(200, body[:end]), delimited=False)
        outcome = XERO.read(Action.RENEW, NoAnswer(sent=True, problem="timeout", part=part))
        if end > body.index(b"&oauth_session"):
            assert outcome == Renewed(LegacyToken(Secret("new"), Secret("sss")), whole=False)
        else:
            assert outcome == Unknown("timeout")


@pytest.mark.parametrize("action", OF_PAIRS)
def test_the_part_of_an_answer_in_which_both_tokens_stand_whole_is_a_pair(action: Action) -> None:
    body = b'{"access_token": "aaaa", "refresh_token": "rrrr", "expires_'
    whole_tokens = XERO.read(action, NoAnswer(sent=True, problem="answer_broken", part=answer(200, body)))
    assert isinstance(whole_tokens, Won)
    assert not whole_tokens.whole
    cut = NoAnswer(sent=True, problem="answer_broken", part=answer(200, body[: body.index(b"rr")]))
    assert XERO.read(action, cut) == Unknown("answer_broken")


@pytest.mark.parametrize("action", OF_PAIRS)
@pytest.mark.parametrize("form", ["the standard's", "a form", "on a page"])
def test_a_pair_that_is_labelled_as_a_page_is_a_pair(action: Action, form: str) -> None:
    outcome = XERO.read(action, answer(200, BAD_FORMS[form], {"Content-Type": "text/html"}))
    assert isinstance(outcome, Won)
    assert outcome.pair.refresh_token.reveal() == "r" * 40


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("body", "label"),
    [
        (b"<!doctype html><title>Log in to the network</title>", "text/plain"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>Log in</html>", "application/json"),
        (b"Access to this site is blocked by policy", "text/html"),
    ],
)
def test_a_web_page_is_nobodys_answer_whatever_was_asked(action: Action, body: bytes, label: str) -> None:
    outcome = XERO.read(action, answer(200, body, {"Content-Type": label}))
    assert isinstance(outcome, Unknown)
    assert (outcome.problem, bool(outcome.hint)) == ("not_the_providers", True)


def test_an_expired_token_is_renewed_whatever_the_status_of_the_answer() -> None:
    body = b'{"errors": ["The access token has expired"]}'
    for status in (200, 400, 401):
        assert XERO.read(Action.SWAP, answer(status, body)) == RenewFirst("token_expired")


@pytest.mark.parametrize("action", Action)
def test_a_call_that_never_left_is_without_effect_and_one_that_did_is_unknown(action: Action) -> None:
    assert XERO.read(action, NoAnswer(sent=False, problem="x")) == Later("x")
    assert XERO.read(action, NoAnswer(sent=True, problem="timeout")) == Unknown("timeout")


REVOKED = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        ("token_expired", RenewFirst("token_expired")),
        ("token_rejected", REVOKED),
        ("permission_denied", Over(State.NEEDS_CONSENT, "grant_revoked", "permission_denied", refused=True)),
        ("signature_invalid", Suspect),
        ("signature_method_rejected", StopAll),
        ("consumer_key_unknown", StopAll),
        ("timestamp_refused", StopAll),
        ("nonce_used", Unknown("nonce_used")),
        ("rate limit exceeded", Later("rate_limited", scope="app")),
        ("something_new", Suspect),
    ],
)
def test_each_oauth_problem_blames_whom_it_means(problem: str, expected: Outcome | type) -> None:
    body = f"oauth_problem={quote(problem)}&oauth_problem_advice=See%20docs".encode()
    outcome = XERO.read(Action.SWAP, answer(401, body, {"Content-Type": "text/html"}))
    if isinstance(expected, type):
        assert isinstance(outcome, expected)
        assert isinstance(outcome, StopAll | Suspect)
        assert outcome.hint
    else:
        assert outcome == expected


@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_expired_token_may_be_told_in_json(status: int) -> None:
    reply = answer(status, {"errors": ["The access token has expired"]})
    assert XERO.read(Action.SWAP, reply) == RenewFirst("token_expired")


@pytest.mark.parametrize("status", [200, 401])
def test_an_expired_token_at_its_renewal_means_that_the_grant_is_over(status: int) -> None:
    outcome = XERO.read(Action.RENEW, answer(status, b"oauth_problem=token_expired"))
    assert outcome == Over(State.NEEDS_CONSENT, "grant_over", "token_expired", refused=True)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_client", StopAll),
        ("unauthorized_client", StopAll),
        ("invalid_scope", StopAll),
        ("invalid_grant", Over),
        ("else", Suspect),
    ],
)
def test_each_json_error_blames_whom_it_means(error: str, kind: type) -> None:
    outcome = XERO.read(Action.REFRESH, answer(400, {"error": error}))
    assert isinstance(outcome, kind)
    if isinstance(outcome, Over):
        assert (outcome.state, outcome.refused) == (State.NEEDS_CONSENT, True)


@pytest.mark.parametrize(
    ("said", "scope"),
    [
        ("minute", "connection"), ("day", "connection"), ("concurrent", "connection"), ("appminute", "app"),
        ("AppMinute ", "app"), (None, "app"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("action", Action)
def test_a_limit_holds_whom_it_names(action: Action, said: str | None, scope: str) -> None:
    named = {"Retry-After": "11"} | ({"X-Rate-Limit-Problem": said} if said else {})
    outcome = XERO.read(action, answer(429, b"", named))
    assert isinstance(outcome, Later)
    assert (outcome.problem, outcome.after, outcome.scope) == ("rate_limited", timedelta(seconds=11), scope)


@pytest.mark.parametrize("status", [401, 403])
def test_a_status_alone_condemns_no_token(status: int) -> None:
    assert isinstance(XERO.read(Action.SWAP, answer(status)), Suspect)


def test_an_access_token_that_is_refused_is_not_taken_for_a_missing_scope() -> None:
    refused = Over(State.FAILED, "access_token_refused", "http_401", refused=True)
    assert XERO.read(Action.VERIFY, answer(401)) == refused
    assert isinstance(XERO.read(Action.VERIFY, answer(403)), Suspect)


@pytest.mark.parametrize("status", [200, 201, 203])
def test_a_whole_pair_is_won_whatever_success_is_called(status: int) -> None:
    body = b'{"access_token": "a", "refresh_token": "r", "expires_in": "1800", "token_type": "Bearer"}'
    assert isinstance(XERO.read(Action.SWAP, answer(status, body)), Won)


@pytest.mark.parametrize("status", [500, 502, 504, 408])
def test_a_server_in_trouble_may_have_done_it(status: int) -> None:
    assert XERO.read(Action.SWAP, answer(status, b"<html>")) == Unknown(f"http_{status}")


def test_a_renewal_is_a_form() -> None:
    body = b"oauth_token=new&oauth_token_secret=s%2B1&oauth_expires_in=1800&oauth_session_handle=h2"
    ends = NOW + timedelta(minutes=30)
    expected = Renewed(LegacyToken(Secret("new"), Secret("s+1"), Secret("h2"), ends))
    assert XERO.read(Action.RENEW, answer(200, body)) == expected
    bare = XERO.read(Action.RENEW, answer(200, b"oauth_token=new&oauth_token_secret=s"))
    assert bare == Renewed(LegacyToken(Secret("new"), Secret("s")))
    undelimited = replace(answer(200, body), delimited=False)
    assert XERO.read(Action.RENEW, undelimited) == replace(expected, whole=False)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"oauth_token=new",
        b"oauth_token_secret=s",
        b"oauth_token=&oauth_token_secret=s",
        b"oauth_token=t&oauth_token_secret=",
    ],
)
def test_half_a_renewal_is_none(body: bytes) -> None:
    assert XERO.read(Action.RENEW, answer(200, body)) == Unknown("unreadable_token")


def test_connections_are_the_tenants_that_are_reached() -> None:
    body = [{"id": "1", "tenantId": "t1", "authEventId": None}, {"tenantId": "t2"}, {"tenantId": None}]
    assert XERO.read(Action.VERIFY, answer(200, body)) == Reached((Tenant("t1"), Tenant("t2")))
    assert XERO.read(Action.VERIFY, answer(200, [])) == Reached(())


def test_what_was_connected_in_a_tokens_own_consent_is_known_by_its_event() -> None:
    body = [
        {"tenantId": "t1", "authEventId": "e1"},
        {"tenantId": "t2", "authEventId": "e2"},
        {"tenantId": "t3", "authEventId": None},
    ]
    reached = XERO.read(Action.VERIFY, answer(200, body))
    assert isinstance(reached, Reached)

    def chosen(claims: object) -> list[str]:
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return [tenant.id for tenant in XERO.chosen(reached, Secret(f"h.{payload}.s")).chosen]

    assert chosen({"authentication_event_id": "e2"}) == ["t2"]
    assert chosen({}) == chosen([]) == [], "nobody can tell"
    assert chosen({"authentication_event_id": None}) == chosen({"authentication_event_id": "e9"}) == []
    assert XERO.chosen(reached, Secret("opaque")) == reached


@pytest.mark.parametrize("body", [{}, {"a": 1}, "x", [1], ["t1"], [{"tenantId": "t"}, None], b"<xml>"])
def test_any_other_list_of_connections_is_not_understood(body: object) -> None:
    assert XERO.read(Action.VERIFY, answer(200, body)) == Unknown("unreadable_connections")
