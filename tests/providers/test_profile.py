"""Each built-in provider's documented answers and refusals (protocol.md), and that whatever comes is read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from migrator.models import Action, Secret, State, Tenant, TokenPair
from migrator.providers import (
    Answer,
    Disabled,
    Identified,
    Later,
    NoAnswer,
    Outcome,
    Over,
    Profile,
    Reached,
    RenewFirst,
    Revoked,
    StopAll,
    Suspect,
    Unknown,
    Won,
    find_profile,
    profile_names,
)
from tests.providers.support import NOW, acme, answer

PROFILES = {name: find_profile(name) for name in profile_names()}
SWAP, REFRESH, VERIFY, REVOKE = Action.SWAP, Action.REFRESH, Action.VERIFY, Action.REVOKE


def pair(
    access: str, refresh: str = "", *, seconds: int = 0, scope: str = "", tenant: str = "", user: str = "",
    refresh_seconds: int = 0,
) -> TokenPair:  # fmt: skip
    return TokenPair(
        Secret(access),
        Secret(refresh),
        NOW + timedelta(seconds=seconds) if seconds else None,
        scope,
        tenant,
        user,
        NOW + timedelta(seconds=refresh_seconds) if refresh_seconds else None,
    )


DAY = 86400
X_SCOPE = "tweet.read users.read offline.access"
X_PAIR = {
    "token_type": "bearer", "expires_in": 7200, "access_token": "a", "refresh_token": "r", "scope": X_SCOPE,
}  # fmt: skip
GARMIN_PAIR = {
    "access_token": "a", "token_type": "bearer", "refresh_token": "r", "expires_in": 86400,
    "scope": "PARTNER_WRITE", "refresh_token_expires_in": 7775998,
}  # fmt: skip
TUMBLR_PAIR = {
    "access_token": "a", "expires_in": 2520, "token_type": "bearer", "scope": "basic write",
    "refresh_token": "r",
}  # fmt: skip
VIMEO = {
    "access_token": "a", "token_type": "bearer", "scope": "public private", "app": {"uri": "/apps/1"},
    "user": {"uri": "/users/7"},
}  # fmt: skip
INTUIT_PAIR = {
    "token_type": "bearer", "access_token": "a", "refresh_token": "r", "expires_in": 3600,
    "x_refresh_token_expires_in": 8726400, "realmId": "123",
}  # fmt: skip
XERO_PAIR = {
    "access_token": "a", "refresh_token": "r", "expires_in": "1800", "token_type": "Bearer",
    "xero_tenant_id": "t",
}  # fmt: skip

WON = [
    ("x", X_PAIR, pair("a", "r", seconds=7200, scope=X_SCOPE, refresh_seconds=180 * DAY)),
    ("garmin", GARMIN_PAIR, pair("a", "r", seconds=DAY, scope="PARTNER_WRITE", refresh_seconds=7775998)),
    ("tumblr", TUMBLR_PAIR, pair("a", "r", seconds=2520, scope="basic write")),
    ("vimeo", VIMEO, pair("a", scope="public private", user="/users/7")),
    (
        "vimeo",
        VIMEO | {"refresh_token": "r", "expires_on": str(int(NOW.timestamp()) + 3600)},
        pair("a", "r", seconds=3600, scope="public private", user="/users/7"),
    ),
    ("dropbox", {"oauth2_token": "a"}, pair("a")),
    ("intuit", INTUIT_PAIR, pair("a", "r", seconds=3600, tenant="123", refresh_seconds=8726400)),
    ("xero", XERO_PAIR, pair("a", "r", seconds=1800, tenant="t", refresh_seconds=30 * DAY)),
]


@pytest.mark.parametrize(("name", "document", "expected"), WON)
def test_the_documented_answer_to_a_swap_is_a_whole_pair(
    name: str, document: dict[str, object], expected: TokenPair
) -> None:
    outcome = PROFILES[name].read(SWAP, answer(200, document))
    assert outcome == Won(expected)


@pytest.mark.parametrize(("name", "document", "expected"), WON)
def test_a_pair_is_salvaged_from_an_answer_that_broke_off_behind_it(
    name: str, document: dict[str, object], expected: TokenPair
) -> None:
    tokens = {key: text for key, text in document.items() if key in ("oauth2_token", "access_token")}
    refresh = {key: text for key, text in document.items() if key == "refresh_token"}
    body = json.dumps(tokens | refresh)[:-1].encode()
    lost = PROFILES[name].read(SWAP, NoAnswer(sent=True, problem="answer_broken", part=answer(200, body)))
    assert isinstance(lost, Won)
    assert not lost.whole
    assert (lost.pair.access_token, lost.pair.refresh_token) == (
        expected.access_token,
        expected.refresh_token,
    )
    if name != "vimeo":  # whose refresh token may be missing
        cut = NoAnswer(sent=True, problem="timeout", part=answer(200, body[:-1]))
        assert PROFILES[name].read(SWAP, cut) == Unknown("timeout")


def test_dropboxs_token_is_a_pair_only_where_it_stands_whole() -> None:
    whole = b'{"oauth2_token": "sl.abc"'
    for end in range(len(whole) + 1):
        part = answer(200, whole[:end])
        outcome = PROFILES["dropbox"].read(SWAP, NoAnswer(sent=True, problem="timeout", part=part))
        if end == len(whole):
            assert isinstance(outcome, Won)
            assert (outcome.whole, outcome.pair.access_token.reveal()) == (False, "sl.abc")
        else:
            assert outcome == Unknown("timeout")


def test_a_token_by_another_name_is_none_in_what_is_no_good_answer() -> None:
    alike = {"token": "a" * 30}
    assert not isinstance(PROFILES["dropbox"].read(SWAP, answer(500, alike)), Won)
    assert isinstance(PROFILES["dropbox"].read(SWAP, answer(200, alike)), Won)


@pytest.mark.parametrize("action", Action)
def test_a_call_that_never_left_is_without_effect_and_one_that_did_is_unknown(action: Action) -> None:
    for profile in PROFILES.values():
        assert profile.read(action, NoAnswer(sent=False, problem="timeout")) == Later("timeout")
        assert profile.read(action, NoAnswer(sent=True, problem="timeout")) == Unknown("timeout")


@pytest.mark.parametrize(
    ("name", "document", "user"),
    [
        ("x", {"data": {"id": "12", "username": "ann"}}, Tenant("12", name="ann")),
        ("garmin", {"userId": "u-1"}, Tenant("u-1")),
        (
            "tumblr",
            {"meta": {"status": 200}, "response": {"user": {"name": "ann"}}},
            Tenant("ann", name="ann"),
        ),
        ("dropbox", {"account_id": "dbid:1", "name": {"display_name": "Ann"}}, Tenant("dbid:1", name="Ann")),
    ],
)
def test_a_verification_names_its_user(name: str, document: object, user: Tenant) -> None:
    assert PROFILES[name].read(VERIFY, answer(200, document)) == Reached((user,))


def test_whose_a_token_is_is_known_before_the_swap_where_the_provider_tells() -> None:
    garmin = PROFILES["garmin"]
    assert garmin.read(Action.IDENTIFY, answer(200, {"userId": "u-1"})) == Identified("u-1")
    assert garmin.read(Action.IDENTIFY, answer(200, {"userId": ""})) == Unknown("unreadable_user")
    assert PROFILES["x"].user_of(Secret("12-abc-d")) == "12"
    assert PROFILES["x"].user_of(Secret("12")) == ""
    assert garmin.user_of(Secret("12-abc")) == ""


@pytest.mark.parametrize("name", ["x", "garmin", "vimeo", "dropbox", "xero"])
def test_a_revocation_is_answered_with_whatever_success(name: str) -> None:
    for status, body in ((204, b""), (200, b"null"), (200, b"{}")):
        assert PROFILES[name].read(REVOKE, answer(status, body)) == Revoked()


def dead(problem: str, reason: str = "grant_revoked") -> Over:
    bare = problem.startswith("http_")
    return Over(State.NEEDS_CONSENT, reason, problem, refused=True, by_status_alone=bare)


ACCESS = Over(State.FAILED, "access_token_refused", "http_401", refused=True)
TUMBLR_401 = {
    "meta": {"status": 401, "msg": "Unauthorized"}, "response": [],
    "errors": [{"title": "Unauthorized", "code": 1016, "detail": "Unable to authorize"}],
}  # fmt: skip
RESET = {"x-rate-limit-reset": str(int(NOW.timestamp()) + 60)}


def limited(after: float | None = None) -> Later:
    return Later("rate_limited", timedelta(seconds=after) if after else None, "app")


@pytest.mark.parametrize(
    ("name", "action", "reply", "expected"),
    [
        ("x", SWAP, answer(400, {"error": "invalid_request"}), StopAll),
        ("x", SWAP, answer(400, {"error": "invalid_grant"}), dead("invalid_grant")),
        ("x", SWAP, answer(400, {"error": "invalid_scope"}), Suspect),
        ("x", SWAP, answer(400, {"error": "unauthorized_client"}), StopAll),
        ("x", SWAP, answer(400, {"error": "invalid_client"}), StopAll),
        ("x", SWAP, answer(429, {"error": "rate_limited"}, RESET), limited(60)),
        ("x", SWAP, answer(503, {"error": "temporarily_unavailable"}, RESET),
         Later("temporarily_unavailable")),
        ("x", SWAP, answer(500), Unknown("http_500")),
        ("x", REFRESH, answer(400, {"error": "invalid_grant"}), dead("invalid_grant")),
        ("x", VERIFY, answer(401), ACCESS),
        ("garmin", SWAP, answer(401, {"errorMessage": "?", "errorId": "e"}), dead("http_401")),
        ("garmin", SWAP, answer(403, {"errorMessage": "?", "errorId": "e"}), Suspect),
        ("garmin", REFRESH, answer(400, {"error": "invalid_grant"}), dead("invalid_grant")),
        ("garmin", REFRESH, answer(401, {"error": "invalid_client"}), StopAll),
        ("garmin", VERIFY, answer(401), ACCESS),
        ("tumblr", SWAP, answer(401, TUMBLR_401), dead("http_401")),
        ("tumblr", SWAP, answer(400, TUMBLR_401), StopAll),
        ("tumblr", SWAP, answer(429, TUMBLR_401), limited()),
        ("tumblr", REFRESH, answer(401, TUMBLR_401), dead("http_401")),
        ("tumblr", REFRESH, answer(401, {"error": "invalid_client"}), StopAll),
        ("tumblr", VERIFY, answer(401, TUMBLR_401), ACCESS),
        ("vimeo", SWAP, answer(400, {"error": "invalid_grant"}), dead("invalid_grant")),
        ("vimeo", SWAP, answer(400, {"error": "unsupported_grant_type"}), StopAll),
        ("vimeo", SWAP, answer(400, {"error": "invalid_request"}), StopAll),
        ("vimeo", SWAP, answer(401, {"error": "invalid_client"}), StopAll),
        ("vimeo", VERIFY, answer(401), ACCESS),
        ("dropbox", SWAP, answer(409, {"error": {".tag": "invalid_oauth1_token_info"}}),
         dead("invalid_oauth1_token_info")),
        ("dropbox", SWAP, answer(409, {"error": {".tag": "app_id_mismatch"}}), Suspect),
        ("dropbox", SWAP, answer(400, {"error": "v1_retired"}), StopAll),
        ("dropbox", SWAP, answer(401), StopAll),
        ("dropbox", SWAP, answer(429, {"error": {"reason": {}, "retry_after": 300}}), limited(300)),
        ("dropbox", VERIFY, answer(401), ACCESS),
        ("intuit", SWAP, answer(500), dead("http_500", "already_exchanged")),
        ("intuit", SWAP, answer(401, b"", {"WWW-Authenticate": 'OAuth oauth_problem="token_rejected"'}),
         dead("token_rejected")),
        ("intuit", SWAP, answer(401, b"", {"WWW-Authenticate": "oauth_problem=token_expired"}),
         RenewFirst("token_expired")),
        ("intuit", SWAP, answer(401, b"", {"WWW-Authenticate": "signature_invalid"}), Suspect),
        ("intuit", SWAP, answer(401, b"", {"WWW-Authenticate": "consumer_key_unknown"}), StopAll),
        ("intuit", SWAP, answer(401, b"", {"WWW-Authenticate": "timestamp_refused"}), StopAll),
        ("intuit", SWAP, answer(400, {"error": "invalid_scope"}), StopAll),
        ("intuit", REFRESH, answer(400, {"error": "invalid_grant"}), dead("invalid_grant")),
        ("intuit", REFRESH, answer(500), Unknown("http_500")),
    ],
)  # fmt: skip
def test_each_documented_refusal_means_what_it_says(
    name: str, action: Action, reply: Answer, expected: Outcome | type
) -> None:
    outcome = PROFILES[name].read(action, reply)
    if isinstance(expected, type):
        assert isinstance(outcome, expected)
        assert isinstance(outcome, StopAll | Suspect)
        assert outcome.hint or outcome.problem in ("v1_retired", "unsupported_grant_type")
    else:
        assert outcome == expected


def test_a_closed_endpoint_is_told_from_a_fault_of_the_application() -> None:
    for name, word in (("dropbox", "v1_retired"), ("vimeo", "unsupported_grant_type")):
        closed = PROFILES[name].read(SWAP, answer(400, {"error": word}))
        assert isinstance(closed, StopAll)
        assert (closed.closed, closed.problem) == (True, word)


@pytest.mark.parametrize(
    ("name", "reply", "said"),
    [
        ("intuit", answer(500, b"", {"Intuit_Tid": "1-abc"}), "1-abc"),
        ("intuit", answer(200, INTUIT_PAIR, {"intuit_tid": "x" * 300}), "x" * 200),
        ("intuit", answer(500), ""),
        ("garmin", answer(400, {"errorId": "e-1\n"}), "e-1"),
        ("garmin", answer(400, {"errorId": 77}), "77"),
        ("garmin", answer(400, {"errorId": True}), ""),
        ("garmin", answer(400, b"<html>"), ""),
        ("xero", answer(400, {"errorId": "e-1"}), ""),
    ],
)
def test_what_support_asks_for_is_taken_down(name: str, reply: Answer, said: str) -> None:
    profile = PROFILES[name]
    assert profile.support_id(SWAP, reply) == said
    assert profile.support_id(SWAP, NoAnswer(sent=True, problem="timeout", part=reply)) == said
    assert profile.support_id(SWAP, NoAnswer(sent=True, problem="timeout")) == ""


def test_what_is_left_of_a_limit_is_read_where_it_is_a_number() -> None:
    x = PROFILES["x"]
    assert x.remaining(answer(200, b"", {"X-Rate-Limit-Remaining": "17"})) == {0: 17}
    assert x.remaining(answer(200, b"", {"X-Rate-Limit-Remaining": "-1"})) == {}
    assert x.remaining(answer(200)) == {}
    assert PROFILES["tumblr"].remaining(answer(200, b"", {"": "3"})) == {}


def test_the_calls_of_a_swap_are_known() -> None:
    assert PROFILES["garmin"].swap_calls == (Action.IDENTIFY, SWAP)
    assert PROFILES["x"].swap_calls == (SWAP,)
    answers = '[answer]\naccess_token = "access_token"\nrefresh_token = "refresh_token"\n'
    alone = acme((answers, '[answer]\naccess_token = ""\nrefresh_token = "refresh_token"\n'))
    assert alone.swap_calls == (SWAP, REFRESH)


ALONE = acme(
    (
        '[answer]\naccess_token = "access_token"\n',
        '[refresh.answer]\naccess_token = "access_token"\n\n[answer]\naccess_token = ""\n',
    )
)


def test_a_refresh_token_alone_is_stored_and_a_refresh_comes_next() -> None:
    outcome = ALONE.read(SWAP, answer(200, {"token_type": "bearer", "refresh_token": "r"}))
    assert isinstance(outcome, Won)
    assert not outcome.whole
    assert (outcome.pair.access_token.reveal(), outcome.pair.refresh_token.reveal()) == ("", "r")
    assert outcome.pair.ended(NOW)
    refreshed = ALONE.read(REFRESH, answer(200, X_PAIR))
    assert isinstance(refreshed, Won)
    assert (refreshed.whole, refreshed.pair.access_token.reveal()) == (True, "a")


DISABLING = acme(
    ('after_swap = "unknown"', 'after_swap = "must_be_disabled"'),
    more='\n[disable]\nrequest = "POST https://api.acme.example/disable"\nauth = "oauth1"\n',
)


def test_a_legacy_token_is_disabled_or_was() -> None:
    assert DISABLING.read(Action.DISABLE, answer(200, b"whatever")) == Disabled()
    assert DISABLING.read(Action.DISABLE, answer(400, {"error": "invalid_grant"})) == dead("invalid_grant")
    assert DISABLING.swap_calls == (SWAP, Action.DISABLE)


def test_a_refresh_token_alone_is_no_pair_where_none_is_documented() -> None:
    """A word that looks like one must not stand for what the provider gives: a token without an end."""
    outcome = PROFILES["dropbox"].read(SWAP, answer(200, {"refresh_token": "r" * 40, "token_type": "bearer"}))
    assert isinstance(outcome, Unknown)


# --- moments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "said", "ends"),
    [
        ("epoch_seconds", "1780322400", datetime(2026, 6, 1, 14, tzinfo=UTC)),
        ("epoch_seconds", 1780322400.5, datetime(2026, 6, 1, 14, 0, 0, 500_000, tzinfo=UTC)),
        ("epoch_milliseconds", 1780322400000, datetime(2026, 6, 1, 14, tzinfo=UTC)),
        ("epoch_milliseconds", "1780322400000", datetime(2026, 6, 1, 14, tzinfo=UTC)),
        ("epoch_seconds", 1780308000, None),  # it has ended already: nobody would send that
        ("epoch_seconds", 1780322400000, None),
        ("epoch_milliseconds", 1780322400, None),
        ("epoch_milliseconds", int("9" * 400), None),
        ("epoch_seconds", int("9" * 400), None),
        ("epoch_seconds", True, None),
        ("epoch_seconds", "soon", None),
        ("epoch_seconds", None, None),
    ],
)
def test_an_end_may_be_a_moment(form: str, said: object, ends: datetime | None) -> None:
    lasting = f'expires = {{ field = "ends", as = "{form}" }}'
    profile = acme(('expires = { field = "expires_in", documented = "1h" }', lasting))
    outcome = profile.read(SWAP, answer(200, {**X_PAIR, "ends": said}))
    assert isinstance(outcome, Won)
    assert outcome.pair.expires_at == ends
    assert outcome.pair.lifetime_assumed is (ends is None and said is not None)


# --- whatever comes ----------------------------------------------------------------------------------------

WORDS = sorted(
    {
        word
        for profile in PROFILES.values()
        for rule in profile.facts.errors
        for word in rule.equals + rule.contains
    }
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "access_token",
                    "oauth2_token",
                    "error",
                    ".tag",
                    "errors",
                    "user",
                    "data",
                    "expires_on",
                    "scope",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
documents = [json.dumps(document).encode() for _, document, _ in WON]
bodies = st.one_of(
    st.binary(max_size=60),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.dictionaries(
        st.sampled_from(["oauth_token", "oauth_token_secret", "oauth_problem"]), st.sampled_from(WORDS)
    ).map(lambda fields: urlencode(fields).encode()),
    st.sampled_from(["22", "0", "", "x"]).map(lambda code: f"<r><ErrorCode>{code}</ErrorCode></r>".encode()),
    st.sampled_from(documents),
    st.builds(lambda body, end: body[:end], st.sampled_from(documents), st.integers(0, 200)),
    st.sampled_from(
        [b"[" * 5_000 + b"]" * 5_000, b"<?xml version='1.0' encoding='foo'?><a/>", b"\xff\xfe\x00"]
    ),
)
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "x-rate-limit-reset", "WWW-Authenticate", "Content-Type", "intuit_tid"]),
    st.text(max_size=12) | st.sampled_from([*WORDS, "0", "99999999999999", "text/html"]),
).map(CaseInsensitiveDict)
statuses = st.sampled_from([200, 204, 302, 400, 401, 409, 429, 500, 503]) | st.integers(100, 599)
arrived = st.builds(Answer, statuses, headers, bodies, st.just(NOW), st.booleans())
replies = arrived | st.builds(NoAnswer, st.booleans(), st.just("timeout"), st.none() | arrived)
profiles = st.sampled_from([*PROFILES.values(), ALONE, DISABLING])


@given(profiles, st.sampled_from(Action), replies)
def test_every_answer_is_read_by_every_profile_and_shows_no_token(
    profile: Profile, action: Action, reply: Answer | NoAnswer
) -> None:
    outcome = profile.read(action, reply)
    assert isinstance(outcome, Outcome)
    assert isinstance(profile.support_id(action, reply), str)
    if isinstance(reply, Answer) and reply.status == 429:
        assert isinstance(outcome, Later | Won) or (action is Action.RENEW)
    if isinstance(outcome, Won):
        pair = outcome.pair
        assert pair.access_token or pair.refresh_token
        for token in (pair.access_token.reveal(), pair.refresh_token.reveal()):
            assert token.isascii()
            assert token.isprintable()
            assert len(token) < 16 or token not in repr(outcome)


@given(replies)
def test_every_answer_to_the_applications_own_call_is_read(reply: Answer | NoAnswer) -> None:
    found = PROFILES["x"].read_application_token(reply)
    if isinstance(found, TokenPair):
        assert found.access_token
    else:
        assert isinstance(found, StopAll | Later)
        assert isinstance(found, StopAll) or found.scope == "app"
