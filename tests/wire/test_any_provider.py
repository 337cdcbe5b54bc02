"""What profiles can ask of the wire beside Xero's calls: methods, bodies, headers and URLs of whatever kind,
signatures wherever they stand, and calls that cannot be written down.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from migrator.models import Secret
from migrator.providers import (
    UNSENDABLE,
    ApplicationBearer,
    Bearer,
    NoAnswer,
    Request,
    Signed,
    Unauthenticated,
)
from tests.wire.test_http import BEARER, CREDENTIALS, LEGACY, Seen, answers, sent, serving, wired
from tests.wire.test_signing import base_string, encoded, form_parameters, header_parameters

NOBODY = Unauthenticated()
KEY = "cs&ts"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_every_method_is_sent_and_an_empty_one_says_so(method: str) -> None:
    seen = sent(lambda url: Request(method, f"{url}/x", BEARER))  # type: ignore[arg-type]
    assert (seen.line, seen.body) == (f"{method} /x HTTP/1.1", b"")
    assert seen.headers.get("content-length") == (None if method == "GET" else "0")
    assert "content-type" not in seen.headers


@pytest.mark.parametrize("body", ["null", Secret("null")])
def test_a_body_that_is_neither_form_nor_document_is_sent_as_it_is(body: str | Secret) -> None:
    headers = {"Content-Type": "application/json"}
    seen = sent(lambda url: Request("POST", url, BEARER, body=body, headers=headers))
    assert (seen.body, seen.headers["content-type"]) == (b"null", "application/json")


def test_headers_of_a_call_go_before_those_of_every_call() -> None:
    headers: dict[str, str | Secret] = {
        "User-Agent": "acme/1", "Accept": "text/x", "X-Key": Secret("k"), "X-Name": "Zoë €",
        "Content-Type": "application/vnd.acme+json",
    }  # fmt: skip
    seen = sent(lambda url: Request("POST", url, BEARER, json={"a": "b"}, headers=headers))
    said = {name: text.encode("latin-1").decode() for name, text in seen.headers.items()}
    assert (said["user-agent"], said["accept"], said["x-key"], said["x-name"]) == (
        "acme/1", "text/x", "k", "Zoë €",
    )  # fmt: skip
    assert said["content-type"] == "application/vnd.acme+json"


def test_a_secret_url_is_sent_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "migrator")
    with serving(answers()) as server, wired() as wire:
        request = Request("GET", Secret(f"{server.url}/t%2Fok?x=hush"), NOBODY)
        answer = wire.send(request)
        assert server.seen[0].line == "GET /t%2Fok?x=hush HTTP/1.1"
    lost = Request("GET", Secret(f"http://127.0.0.1:{server.port}/t%2Fok"), NOBODY)
    with wired() as wire:
        nobody = wire.send(lost)
    for shown in (repr(request), repr(answer), repr(nobody), caplog.text):
        assert "hush" not in shown
        assert "t%2Fok" not in shown


# --- signatures --------------------------------------------------------------------------------------------


def parameters_of(seen: Seen) -> list[tuple[str, str]]:
    """All that a signature covers."""
    header = seen.headers.get("authorization", "")
    is_form = seen.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return [
        *form_parameters(urlsplit(seen.line.split()[1]).query),
        *(header_parameters(header) if header else []),
        *(form_parameters(seen.body.decode()) if is_form else []),
    ]


def signed_text(seen: Seen) -> str:
    method, target, _ = seen.line.split()
    return base_string(method, f"http://{seen.headers['host']}{target}", parameters_of(seen))


METHODS: Mapping[str, object] = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
HOSTILE = {"a b": "ü&=+%", "empty": "", "z": "1"}


@pytest.mark.parametrize("in_query", [False, True])
@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256", "PLAINTEXT"])
@pytest.mark.parametrize("body", ["none", "form", "json"])
def test_a_signature_covers_what_is_sent_wherever_it_stands(method: str, body: str, in_query: bool) -> None:
    signed = Signed(
        LEGACY,
        replace(CREDENTIALS, signature_method=method),
        {"oauth_session_handle": Secret("h/1")},
        in_query=in_query,
    )
    form = HOSTILE if body == "form" else None
    document = HOSTILE if body == "json" else None
    seen = sent(lambda url: Request("POST", f"{url}/x?q=a%2Fb&q=2", signed, form=form, json=document))
    said = dict(parameters_of(seen))
    assert ("authorization" in seen.headers) is not in_query
    assert ("oauth_signature" in dict(parse_qsl(urlsplit(seen.line.split()[1]).query))) is in_query
    assert (said["oauth_token"], said["oauth_session_handle"]) == ("tok", "h/1")
    assert int(seen.headers.get("content-length", "0")) == len(seen.body)
    if body == "form":
        assert dict(parse_qsl(seen.body.decode(), keep_blank_values=True)) == HOSTILE
    if method == "PLAINTEXT":
        assert said["oauth_signature"] == f"{encoded('cs')}&{encoded('ts')}"
    else:
        made = hmac.digest(KEY.encode(), signed_text(seen).encode(), METHODS[method])  # type: ignore[arg-type]
        assert said["oauth_signature"] == base64.b64encode(made).decode()


def test_a_document_and_a_body_of_another_kind_are_not_signed() -> None:
    signed = Signed(LEGACY, CREDENTIALS)
    seen = sent(lambda url: Request("PUT", url, signed, body="a=b", headers={"Content-Type": "text/x-token"}))
    made = hmac.digest(KEY.encode(), signed_text(seen).encode(), "sha1")
    assert dict(parameters_of(seen))["oauth_signature"] == base64.b64encode(made).decode()
    assert seen.body == b"a=b"


# --- what cannot be sent -----------------------------------------------------------------------------------

HALF = "\ud800"


@pytest.mark.parametrize("evil", ["a\r\nX-Evil: 1", "a\nb", "\rhush", " hush", f"hush{HALF}"])
def test_a_header_cannot_be_broken_out_of(evil: str) -> None:
    with serving(answers()) as server, wired() as wire:
        for value in (evil, Secret(evil)):
            answer = wire.send(Request("GET", server.url, BEARER, headers={"X-Name": value}))
            assert answer == NoAnswer(sent=False, problem=UNSENDABLE)
        assert (server.connections, server.seen) == (0, [])


@pytest.mark.parametrize("evil", ["a\r\nX-Evil: 1", "a\n", f"hush{HALF}"])
def test_nor_with_an_access_token_or_the_name_of_a_header(evil: str) -> None:
    with serving(answers()) as server, wired() as wire:
        for request in (
            Request("GET", server.url, Bearer(Secret(evil))),
            Request("GET", server.url, BEARER, headers={evil: "x"}),
        ):
            assert wire.send(request) == NoAnswer(sent=False, problem=UNSENDABLE)
        assert (server.connections, server.seen) == (0, [])


def test_half_a_character_cannot_be_sent() -> None:
    with wired() as wire:
        for request in (
            Request("POST", "http://127.0.0.1:1/", BEARER, form={"a": HALF}),
            Request("POST", "http://127.0.0.1:1/", BEARER, body=HALF),
        ):
            assert wire.send(request) == NoAnswer(sent=False, problem=UNSENDABLE)


@pytest.mark.parametrize(
    "url", ["https://", "nowhere", "https://*.acme.example/", "http://[::1/", "ftp://x/"]
)
def test_a_url_that_is_none_is_not_sent(url: str) -> None:
    with wired() as wire:
        for written in (url, Secret(url)):
            answer = wire.send(Request("GET", written, BEARER))
            assert isinstance(answer, NoAnswer)
            assert not answer.sent, answer.problem


@pytest.mark.parametrize("host", ["a..b.example", f"{'x' * 64}.example"])
def test_a_host_that_can_be_none_is_a_name_that_is_not_found(host: str) -> None:
    with wired() as wire:
        answer = wire.send(Request("GET", f"http://{host}/", BEARER))
    assert isinstance(answer, NoAnswer)
    assert (answer.sent, answer.problem in ("name_not_found", UNSENDABLE)) == (False, True)


def test_a_line_break_in_a_form_is_a_value_like_any_other() -> None:
    seen = sent(lambda url: Request("POST", url, NOBODY, form={"name": "a\r\nb"}))
    assert seen.body == b"name=a%0D%0Ab"


def test_a_call_without_the_applications_token_is_never_sent() -> None:
    with wired() as wire, pytest.raises(ValueError, match="was not fetched"):
        wire.send(Request("GET", "http://127.0.0.1:1/", ApplicationBearer()))
