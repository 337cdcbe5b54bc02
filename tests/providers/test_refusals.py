"""What the rules of a profile make of an answer: in each place where one can stand, with each meaning."""

from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.models import Action, State
from migrator.providers import (
    Later,
    NoAnswer,
    Outcome,
    Over,
    Profile,
    RenewFirst,
    Revoked,
    StopAll,
    Suspect,
    Unknown,
    Won,
)
from migrator.providers.refusals import says_so
from tests.providers.support import NOW, acme, answer

LONG = "x" * 30
PAIR = {"access_token": f"a{LONG}", "refresh_token": f"r{LONG}"}


def ruled(rule: str, more: str = "") -> Profile:
    """The base profile with a rule before its others."""
    return acme(
        ("[[errors]]\nstatus = [429]", f"[[errors]]\n{rule}\n\n[[errors]]\nstatus = [429]"), more=more
    )


# --- where a rule looks ------------------------------------------------------------------------------------

XML = b'<?xml version="1.0"?><r xmlns="urn:x"><Code> 22 </Code></r>'


@pytest.mark.parametrize(
    ("rule", "body", "headers"),
    [
        ("json = 'error.code'\nis = ['22']", b'{"error": {"code": 22}}', {}),
        ("json = 'errors.code'\nis = ['22']", b'{"errors": [{"code": 1}, {"code": 22}]}', {}),
        ("json = 'error..tag'\nis = ['OVER']", b'{"error": {".tag": "over"}}', {}),
        ("json = 'error'\ncontains = ['never', 'NO longer']", b'{"error": "It is No Longer valid"}', {}),
        ("json = 'failure'", b'{"failure": "anything"}', {}),
        ("json = 'failure'", b'{"failure": {"code": 22}}', {}),
        ("json = 'failures'", b'{"failures": [null, {"code": 22}]}', {}),
        ("json = 'ok'\nis = ['false']", b'{"ok": false}', {}),
        ("form = 'oauth_problem'\nis = ['dead']", b"oauth_problem=dead&more=x", {}),
        ("xml = 'Code'\nis = ['22']", XML, {}),
        (
            "header = 'WWW-Authenticate'\ncontains = ['dead']",
            b"",
            {"www-authenticate": 'OAuth problem="Dead"'},
        ),
        ("text = true\ncontains = ['dead']", b"The token is DEAD.", {}),
    ],
)
def test_a_rule_finds_what_it_looks_for(rule: str, body: bytes, headers: dict[str, str]) -> None:
    profile = ruled(f"{rule}\nmeans = 'token_dead'\nproblem = 'found'")
    expected = Over(State.NEEDS_CONSENT, "grant_revoked", "found", refused=True)
    assert profile.read(Action.SWAP, answer(400, body, headers)) == expected
    assert says_so(profile.facts, Action.SWAP, answer(400, body, headers))
    if "json" in rule or "xml" in rule or "form" in rule:  # and only where it says that it stands
        assert isinstance(profile.read(Action.SWAP, answer(400, b"error 22 dead over")), Suspect)


def test_what_stands_elsewhere_or_is_no_text_is_not_found() -> None:
    profile = ruled("json = 'error'\nis = ['false', '1.5', 'x']\nmeans = 'token_dead'")
    for said in (True, 1.5, None, {"x": "x"}, "xx", {"error": "x"}, ["y"]):
        assert isinstance(profile.read(Action.SWAP, answer(400, {"error": said})), Suspect)
    assert isinstance(profile.read(Action.SWAP, answer(400, {"error": ["y", "x"]})), Over)


@pytest.mark.parametrize("said", [None, False, [], {}])
def test_a_field_that_says_that_there_is_nothing_is_not_there(said: object) -> None:
    profile = ruled("json = 'trouble'\nmeans = 'token_dead'")
    assert isinstance(profile.read(Action.SWAP, answer(400, {"trouble": said})), Suspect)
    assert isinstance(profile.read(Action.REVOKE, answer(200, {"trouble": said})), Revoked)


def test_the_first_rule_that_matches_holds_and_only_for_its_calls_and_statuses() -> None:
    profile = ruled(
        "calls = ['refresh']\nstatus = [400, 418]\njson = 'error'\nis = ['invalid_grant']\nmeans = 'later'"
    )
    said = {"error": "invalid_grant"}
    assert profile.read(Action.REFRESH, answer(418, said)) == Later("invalid_grant")
    assert isinstance(profile.read(Action.REFRESH, answer(401, said)), Over)
    assert isinstance(profile.read(Action.SWAP, answer(400, said)), Over)


# --- what it means -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ("token_dead", Over(State.NEEDS_CONSENT, "grant_revoked", "word", refused=True)),
        ("already_exchanged", Over(State.NEEDS_CONSENT, "already_exchanged", "word", refused=True)),
        ("access_token_refused", Over(State.FAILED, "access_token_refused", "word", refused=True)),
        ("token_expired", RenewFirst("word")),
        ("later", Later("word")),
        ("limit", Later("rate_limited", scope="app")),
        ("unknown", Unknown("word")),
        ("suspect", Suspect("word", "do this")),
        ("application", StopAll("word", "do this")),
        ("request", StopAll("word", "do this")),
        ("closed", StopAll("word", "do this", closed=True)),
    ],
)
def test_each_meaning_is_an_outcome(means: str, expected: Outcome) -> None:
    hint = "\nhint = 'do this'" if means in ("suspect", "application", "request", "closed") else ""
    profile = ruled(f"json = 'error'\nis = ['word']\nmeans = '{means}'{hint}")
    assert profile.read(Action.SWAP, answer(400, {"error": "WORD"})) == expected


def test_a_clock_that_is_off_is_told_by_how_much() -> None:
    profile = ruled("json = 'error'\nis = ['word']\nmeans = 'clock'")
    said = {"Date": "Mon, 01 Jun 2026 11:59:00 GMT"}
    outcome = profile.read(Action.SWAP, answer(400, {"error": "word"}, said))
    assert isinstance(outcome, StopAll)
    assert "60 s ahead" in outcome.hint


def test_a_rule_may_name_problem_and_reason_and_else_the_status_is_the_problem() -> None:
    named = ruled("status = [410]\nmeans = 'token_dead'\nproblem = 'gone'\nreason = 'grant_over'")
    over = Over(State.NEEDS_CONSENT, "grant_over", "gone", refused=True, by_status_alone=True)
    assert named.read(Action.SWAP, answer(410)) == over
    bare = ruled("status = [410]\nmeans = 'token_dead'")
    usual = Over(State.NEEDS_CONSENT, "grant_revoked", "http_410", refused=True, by_status_alone=True)
    assert bare.read(Action.SWAP, answer(410)) == usual


def test_a_token_that_is_refused_to_a_verification_is_the_access_token() -> None:
    refused = Over(State.FAILED, "access_token_refused", "invalid_grant", refused=True)
    assert acme().read(Action.VERIFY, answer(400, {"error": "invalid_grant"})) == refused


# --- answers of 200 that refuse ----------------------------------------------------------------------------

ENVELOPE = "json = 'error'\nis = ['token_already_exchanged']\nmeans = 'already_exchanged'"


@pytest.mark.parametrize("action", [Action.SWAP, Action.REFRESH])
def test_a_refusal_may_come_with_status_200(action: Action) -> None:
    said = answer(200, {"ok": False, "error": "token_already_exchanged"})
    outcome = ruled(ENVELOPE).read(action, said)
    assert outcome == Over(State.NEEDS_CONSENT, "already_exchanged", "token_already_exchanged", refused=True)


def test_a_pair_beside_a_refusal_of_status_200_has_come() -> None:
    said = answer(200, {"error": "token_already_exchanged", **PAIR, "token_type": "bearer"})
    outcome = ruled(ENVELOPE).read(Action.SWAP, said)
    assert isinstance(outcome, Won)
    assert not outcome.whole  # it says both: only the pair's use tells which is so


def test_a_status_in_the_body_is_one() -> None:
    profile = ruled("json = 'status'\nis = ['293', '601']\nmeans = 'limit'")
    assert profile.read(Action.SWAP, answer(200, {"status": 601})) == Later("rate_limited", scope="app")
    assert profile.read(Action.VERIFY, answer(200, {"status": 601})) == Later("rate_limited", scope="app")


def test_a_revocation_is_one_unless_a_rule_says_that_it_was_refused() -> None:
    profile = ruled(
        ENVELOPE, '\n[revoke]\nrequest = "POST https://api.acme.example/revoke"\nauth = "bearer"\n'
    )
    assert profile.read(Action.REVOKE, answer(200, b"whatever")) == Revoked()
    refused = profile.read(Action.REVOKE, answer(200, {"error": "token_already_exchanged"}))
    assert isinstance(refused, Over)


# --- limits ------------------------------------------------------------------------------------------------


def in_seconds(number: int) -> str:
    """A moment as epoch seconds."""
    return str(int(NOW.timestamp()) + number)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    "status_of", [b"", b'{"error": "invalid_grant"}', b"<html>", b'{"error": {"a": []}}']
)
def test_a_429_is_a_limit_whatever_its_body_says(status_of: bytes) -> None:
    bare = acme(('[[errors]]\nstatus = [429]\nmeans = "limit"\n', ""))
    for profile in (acme(), bare):
        outcome = profile.read(Action.SWAP, answer(429, status_of, {"Retry-After": "7"}))
        assert outcome == Later("rate_limited", seconds(7), "app")


@pytest.mark.parametrize(
    ("wait", "headers", "body", "after"),
    [
        ("", {}, b"", None),
        ("", {"Retry-After": "30"}, b"", seconds(30)),
        ("", {"Retry-After": "Mon, 01 Jun 2026 12:01:00 GMT"}, b"", seconds(60)),
        ("epoch_header = 'X-Reset'", {"X-Reset": in_seconds(90)}, b"", seconds(90)),
        ("epoch_header = 'X-Reset'", {"X-Reset": in_seconds(-90)}, b"", None),
        ("epoch_header = 'X-Reset'", {"X-Reset": in_seconds(9 * 86400)}, b"", timedelta(days=1)),
        ("epoch_header = 'X-Reset'", {"X-Reset": "90"}, b"", None),
        ("epoch_header = 'X-Reset'", {"X-Reset": in_seconds(90), "Retry-After": "5"}, b"", seconds(5)),
        ("field = 'error.retry_after'", {}, b'{"error": {"retry_after": 300}}', seconds(300)),
        ("field = 'error.retry_after'", {}, b'{"error": {"retry_after": "300"}}', seconds(300)),
        ("field = 'error.retry_after'", {}, b'{"error": {"retry_after": 9999999}}', timedelta(days=1)),
        ("field = 'error.retry_after'", {}, b'{"error": {"retry_after": "soon"}}', None),
        ("field = 'error.retry_after'", {"Retry-After": "5"}, b'{"error": {"retry_after": 300}}', seconds(5)),
    ],
)  # fmt: skip
def test_the_wait_stands_where_the_profile_says(
    wait: str, headers: dict[str, str], body: bytes, after: timedelta | None
) -> None:
    profile = acme(more=f"\n[wait]\n{wait}\n" if wait else "")
    assert profile.read(Action.SWAP, answer(429, body, headers)) == Later("rate_limited", after, "app")


def test_when_a_limit_is_renewed_is_not_when_a_provider_in_trouble_is_well_again() -> None:
    rule = "json = 'error'\nis = ['temporarily_unavailable']\nmeans = 'later'"
    profile = ruled(rule, "\n[wait]\nepoch_header = 'X-Reset'\n")
    reset = {"X-Reset": in_seconds(900)}
    said = {"error": "temporarily_unavailable"}
    assert profile.read(Action.SWAP, answer(503, said, reset)) == Later("temporarily_unavailable")
    told = profile.read(Action.SWAP, answer(503, said, reset | {"Retry-After": "4"}))
    assert told == Later("temporarily_unavailable", seconds(4))


NAMED = """
[wait]
limit_header = "X-Limit"

[[limits]]
count = 10
window = "1d"
subject = "tenant"
name = "Day"

[[limits]]
count = 1000
window = "2h"
subject = "key"
name = "hours"

[[limits]]
at_once = 5
subject = "tenant"
name = "concurrent"
"""


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("day", Later("rate_limited", timedelta(hours=1), "connection", "Day")),
        (" HOURS ", Later("rate_limited", timedelta(hours=1), "app", "hours")),
        ("concurrent", Later("rate_limited", None, "connection", "concurrent")),
        ("other", Later("rate_limited", None, "app", "")),
        ("", Later("rate_limited", None, "app", "")),
    ],
)
def test_a_limit_that_is_named_holds_whom_it_is_of(named: str, expected: Later) -> None:
    profile = acme(more=NAMED)
    assert profile.read(Action.SWAP, answer(429, b"", {"X-Limit": named})) == expected
    told = profile.read(Action.SWAP, answer(429, b"", {"X-Limit": named, "Retry-After": "9"}))
    assert isinstance(told, Later)
    assert told.after == seconds(9)


def test_a_rule_may_say_that_a_limit_is_one_connections() -> None:
    profile = ruled("json = 'error'\nis = ['slow']\nmeans = 'limit'\nscope = 'connection'")
    assert profile.read(Action.SWAP, answer(400, {"error": "slow"})) == Later(
        "rate_limited", scope="connection"
    )


# --- pairs beside refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [302, 400, 429, 500])
def test_beside_a_refusal_in_words_a_pair_must_have_its_own_names(status: int) -> None:
    alike = {"token": PAIR["access_token"], "refresh": PAIR["refresh_token"]}
    profile = acme()
    assert isinstance(profile.read(Action.SWAP, answer(status, alike)), Won)
    assert not isinstance(profile.read(Action.SWAP, answer(status, alike | {"error": "invalid_grant"})), Won)
    assert isinstance(profile.read(Action.SWAP, answer(status, PAIR | {"error": "invalid_grant"})), Won)


def test_what_broke_off_is_no_refusal() -> None:
    part = answer(400, b'{"error": "invalid_grant"')
    assert acme().read(Action.SWAP, NoAnswer(sent=True, problem="timeout", part=part)) == Unknown("timeout")


@pytest.mark.parametrize("action", Action)
def test_what_cannot_be_sent_is_its_own_rows_failure(action: Action) -> None:
    outcome = acme().read(action, NoAnswer(sent=False, problem="unsendable"))
    assert outcome == Over(State.FAILED, "unsendable", "unsendable")
