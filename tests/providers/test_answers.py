"""Reading answers: a body may be anything, and only a whole pair is a pair."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from migrator.models import State
from migrator.providers import Answer, Later, Over, Suspect, Unknown, answers

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
bodies = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "replace")
    ),
    st.sampled_from(
        [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000, b"1e999", b"\xff\xfe[\x00]\x00", b"null"]
    ),
)


def answer(body: bytes = b"", status: int = 200, **headers: str) -> Answer:
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Answer(status, named, body, NOW)


def jwt(payload: bytes) -> str:
    return f"h.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.s"


@given(bodies)
def test_no_body_makes_a_reader_fail(body: bytes) -> None:
    value = answers.json_value(answer(body))
    document = answers.json_object(answer(body))
    assert document == value if isinstance(value, dict) else document is None
    fields = answers.form(answer(body))
    assert all(isinstance(item, str) for pair in fields.items() for item in pair)
    assert answers.oauth_problem(answer(body)) == fields.get("oauth_problem", "").strip().lower()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"oauth_problem=token_expired&oauth_problem_advice=It%20has%20expired", "token_expired"),
        (b"\r\noauth_problem=Token_Rejected\n", "token_rejected"),
        (b"oauth_problem=rate%20limit%20exceeded", "rate limit exceeded"),
        (b"oauth_problem=first&oauth_problem=second", "first"),
        (b"oauth_problem", ""),
        (b'{"oauth_problem": "x"}', ""),
        (b"oauth_problem=\xff", ""),
        (b"", ""),
    ],
)  # fmt: skip
def test_an_oauth_problem_is_a_form_whatever_its_content_type(body: bytes, problem: str) -> None:
    assert answers.oauth_problem(answer(body, 401, Content_Type="text/html")) == problem


@given(json_values)
def test_strings_are_the_texts_of_a_list(value: object) -> None:
    assert all(isinstance(text, str) for text in answers.strings(value))


def test_strings_leaves_out_what_is_no_text() -> None:
    assert answers.strings(["a", 1, None, "b"]) == ["a", "b"]
    assert answers.strings("ab") == []


# --- how long to wait --------------------------------------------------------------------------------------


@given(st.text(max_size=40) | st.from_regex(r"\w{3}, \d\d \w{3} \d+ \d\d:\d\d:\d\d [+-]?\w+", fullmatch=True))
@example("Mon, 01 Jan 2024 00:00:00 +99999999999999999999")
@example("Mon, 01 Jan 99999999999 00:00:00 GMT")
@example("²")
@example("9" * 5_000)
@example("-1")
@example("nan")
def test_no_retry_after_makes_the_reader_fail_or_waits_for_ever(text: str) -> None:
    wait = answers.retry_after(answer(Retry_After=text))
    assert wait is None or timedelta(0) <= wait <= answers.LONGEST_WAIT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("86400", 86_400),
        ("99999999999999", 86_400),
        ("Mon, 01 Jun 2026 12:00:30 GMT", 30),
        ("Mon, 01 Jun 2026 11:59:30 GMT", 0),
        ("Mon, 01 Jun 2026 14:01:00 +0200", 60),
        ("Tue, 01 Jun 2027 12:00:00 GMT", 86_400),
        ("soon", None),
        ("1.5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: int | None) -> None:
    wait = None if seconds is None else timedelta(seconds=seconds)
    assert answers.retry_after(answer(Retry_After=text)) == wait


def test_without_the_header_nothing_is_said() -> None:
    assert answers.retry_after(answer()) is None


# --- tokens ------------------------------------------------------------------------------------------------


lifetimes = st.one_of(json_values, st.text(max_size=12), st.integers(-10, 10**12).map(str))


@given(lifetimes)
@example("١٨٠٠")
@example(value=True)
@example(float("nan"))
@example(float("inf"))
@example(10**400)
@example(0.5)
@example("0")
@example("0.9")
@example("-1800")
@example("1e3")
def test_a_lifetime_is_a_number_of_seconds_that_can_be(value: object) -> None:
    seconds = answers.seconds(value)
    assert seconds is None or 1 <= seconds <= 10 * 365 * 86_400
    if isinstance(value, str) and seconds is not None:
        assert float(value) >= seconds > float(value) - 1
        assert set(value) <= set(" \t\n\r\v\f0123456789.")
    if isinstance(value, bool):
        assert seconds is None


@pytest.mark.parametrize("value", ["1800", 1800, 1800.0, "1800.0", "1800.", " 1800 ", 1800.9])
def test_a_lifetime_may_be_number_or_text(value: object) -> None:
    assert answers.seconds(value) == 1800


@pytest.mark.parametrize(
    "beginning",
    [
        b"<!DOCTYPE html>",
        b"\n <html lang=en>",
        b"<HTML>",
        b"\xef\xbb\xbf<!doctype HTML>",
        b"<!-- x --><html>",
    ],
)
def test_a_web_page_is_known_by_its_beginning(beginning: bytes) -> None:
    assert answers.is_web_page(answer(beginning + b"<title>Log in</title>"))


@pytest.mark.parametrize(
    "body",
    [
        b"<?xml version='1.0'?><!DOCTYPE html>", b"<?xml version='1.0' encoding='utf-8'?>\n<html>",
        b"<div>please log in</div>", b"<p>", b"<Script src=x>", b"<h1>",
    ],
)  # fmt: skip
def test_a_web_page_needs_no_label(body: bytes) -> None:
    assert answers.is_web_page(answer(body))


@pytest.mark.parametrize("label", ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"])
@pytest.mark.parametrize("body", [b"Access to this site is blocked by policy", b"html", b"a=b blocked", b"1"])
def test_a_text_that_is_labelled_as_a_page_is_one(label: str, body: bytes) -> None:
    assert answers.is_web_page(answer(body, Content_Type=label))
    assert not answers.is_web_page(answer(body, Content_Type="text/plain"))


@pytest.mark.parametrize(
    "body", [b"", b" ", b"{}", b"[]", b"oauth_problem=x", b"oauth_token=a%20b&oauth_token_secret=c\n"]
)
def test_what_is_json_or_a_form_is_no_web_page_whatever_its_label(body: bytes) -> None:
    assert not answers.is_web_page(answer(body, Content_Type="text/html"))


@pytest.mark.parametrize("body", [b'{"html": "<html>"}', b"<xml/>", b"<pair>", b"<access_token>", b"html"])
def test_what_is_no_web_page_is_not_taken_for_one(body: bytes) -> None:
    assert not answers.is_web_page(answer(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"error": "invalid_grant", "error_description": "The refresh_token_of_this_grant has expired."}',
        b'{"error": "x", "error_uri": "https://developer.example.com/oauth/errors"}',
        b'{"errors": ["The access token has expired"]}',
        b"oauth_problem=token_rejected&oauth_problem_advice=Token%20of%20customer%20does%20not%20match",
        b'{"Title": "Forbidden", "Status": 403}',
        b"The service is unavailable.",
        b"<html>" + b"x" * 10_000,
    ],
)
def test_a_refusal_in_a_few_words_is_plain(body: bytes) -> None:
    assert answers.is_plain(answer(body, 400))


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "x", "pair": "' + b"t0ken" * 4 + b'"}',
        b'{"error": "x", "said": {"deeper": ["' + b"t0ken" * 4 + b'"]}}',
        b"oauth_problem=x&other=" + b"t0ken" * 4,
        b"jeton: " + b"t0ken" * 4,
        b"\x00\x01" + b"t0ken" * 4,
        b'{"error": "' + b"long " * 1_000 + b'"}',
    ],
)
def test_a_refusal_that_may_hide_a_token_is_not_plain(body: bytes) -> None:
    assert not answers.is_plain(answer(body, 400))


@given(bodies)
def test_any_refusal_is_plain_or_not(body: bytes) -> None:
    assert answers.is_plain(answer(body, 400)) in (True, False)
    assert answers.is_web_page(answer(body, 400, Content_Type="text/html")) in (True, False)


@given(bodies.map(jwt) | st.text(max_size=40) | st.text("ab._-=%", max_size=20))
@example(jwt(b"[" * 100_000))
def test_no_token_makes_the_claims_fail(token: str) -> None:
    assert isinstance(answers.jwt_claims(token), dict)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_claims_are_the_middle_of_three_parts(claims: dict[str, str]) -> None:
    assert answers.jwt_claims(jwt(json.dumps(claims).encode())) == claims
    assert answers.jwt_claims(jwt(json.dumps(claims).encode()) + ".more") == {}


# --- statuses ----------------------------------------------------------------------------------------------


@given(st.integers(100, 599))
def test_every_status_means_something_and_none_alone_a_pair_or_the_users_consent(status: int) -> None:
    outcome = answers.by_status(answer(status=status))
    assert isinstance(outcome, Later | Unknown | Suspect | Over)
    assert outcome.problem == f"http_{status}"
    assert not isinstance(outcome, Over) or (outcome.state is State.FAILED and not outcome.refused)
    if status < 300 or (status >= 500 and status != 503):
        assert isinstance(outcome, Unknown)
    if 300 <= status < 400:
        assert isinstance(outcome, Suspect)


def test_an_unavailable_provider_is_asked_later_as_it_says() -> None:
    assert answers.by_status(answer(status=503, Retry_After="9")) == Later("http_503", timedelta(seconds=9))
    assert answers.by_status(answer(status=503)) == Later("http_503")


@given(st.text(st.characters()) | st.none() | st.integers())
def test_a_name_can_be_shown_and_is_no_longer_than_anybody_reads(value: object) -> None:
    name = answers.name(value)
    assert name.isprintable()
    assert len(name) <= 200
    if isinstance(value, str) and value.isprintable():
        assert name == value[:200]


def test_of_a_name_only_what_cannot_be_shown_is_lost() -> None:
    assert answers.name("Totally\u200b \ud800Other\n") == "Totally Other"
    assert len(answers.name("x" * 500_000)) == 200
