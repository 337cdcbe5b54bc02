"""Requests that are too large, none at all, or want to lead elsewhere; and our own faults."""

from __future__ import annotations

import socket

import pytest

from tests.consent.support import Browser, Campaign, heading, with_code

TENANT_1 = {"tenant-1": "Organisation 1"}


def test_no_request_can_lead_elsewhere(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    with campaign.serving():
        browser = Browser()
        for path in (
            "//evil.example",
            "//evil.example/c/x",
            "/c//evil.example",
            "/%2F%2Fevil.example/",
            "/callback/",
        ):
            answer = Browser().get(campaign.url + path, **evil)
            assert answer.status_code in (400, 404), path
            assert "evil" not in str(answer.headers)
            assert "evil" not in answer.text
        callback = browser.allow(browser.press(link), TENANT_1)
        ((name, value),) = browser.session.cookies.get_dict(path="/callback").items()
        target = Browser().get(
            f"{callback}&next=//evil.example&redirect_uri=https://evil.example/",
            **evil,
            Cookie=f"{name}={value}",
        )
        assert target.headers["Location"] == f"{link}/done"
        landing = browser.get(f"{link}?next=//evil.example", **evil)
        assert "evil" not in landing.text
    assert campaign.provider.questions[0]["redirect_uri"] == f"{campaign.url}/callback"


def test_what_is_too_large_is_refused(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        session = Browser().session
        large = session.post(f"{link}/start", data=b"x" * 70_000, timeout=10)
        assert large.status_code == 413
        chunked = session.post(f"{link}/start", data=iter([b"x" * 10]), timeout=10)
        assert chunked.status_code == 413
        assert session.get(link, headers={"X-Filler": "x" * 70_000}, timeout=10).status_code == 413
        for query in (f"state={'x' * 20_000}", f"state=x&code={'x' * 20_000}", "state=%00%FF&code=%0d%0a"):
            answer = session.get(f"{campaign.url}/callback?{query}", timeout=10, allow_redirects=False)
            assert answer.status_code == 400
        browser = Browser()
        callback = browser.allow(browser.press(link), TENANT_1)
        page = browser.follow(with_code(callback, "x" * 20_000))
        assert heading(page) == "You came back without an answer"
        assert campaign.provider.token_calls == 0
        callback = browser.allow(browser.press(link), TENANT_1)
        page = browser.follow(with_code(callback, "x\r\nSet-Cookie: a=b\r\n\r\n"))
        assert heading(page) == "That took too long, or happened twice"
        assert {cookie.name for cookie in browser.session.cookies} & {"a"} == set()
    assert campaign.provider.token_calls == 1, "it is a code like any other"


@pytest.mark.parametrize(
    ("request_", "status", "language"),
    [
        (b"no xxxx at all\r\n\r\n", 400, b"en"),
        (b"GET /c/x HTTP/1.1\r\nHost: h\r\nAccept-Language: fr-CH\r\nbroken xxxx\r\n\r\n", 400, b"fr"),
        (b"GET c/xxxx HTTP/1.1\r\nHost: h\r\nAccept-Language: \xff,;\r\n\r\n", 400, b"en"),
        (
            b"POST /c/xxxx HTTP/1.1\r\nAccept-Language: de\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n",
            413,
            b"de",
        ),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, b"en"),
    ],
)
def test_what_is_no_request_is_answered_as_all_others_are(
    campaign: Campaign, request_: bytes, status: int, language: bytes
) -> None:
    with campaign.serving(), socket.create_connection(("127.0.0.1", campaign.port), timeout=10) as raw:
        raw.sendall(request_)
        head, _, body = b"".join(iter(lambda: raw.recv(4096), b"")).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nConnection: close\r\n" in head
    assert b"\r\nCache-Control: no-store" in head
    assert b"\r\nContent-Security-Policy: default-src 'none';" in head
    assert b"\r\nContent-Language: " + language + b"\r\n" in head
    assert b"\r\nContent-Length: %d\r\n" % len(body) in head
    assert b'<html lang="' + language in body
    assert b"<h1>" in body
    assert b"xxxx" not in body, "it quotes nothing"


def test_a_fault_of_ours_shows_no_trace(campaign: Campaign) -> None:
    link = campaign.links()["c1"]
    with campaign.serving():
        assert Browser().get(link).status_code == 200
        campaign.alter("ALTER TABLE invitations RENAME TO elsewhere")
        page = Browser().get(link)
        campaign.alter("ALTER TABLE elsewhere RENAME TO invitations")
        assert (page.status_code, heading(page)) == (500, "Something went wrong on our side")
        for word in ("Traceback", "sqlite", "OperationalError", ".py"):
            assert word not in page.text
        assert Browser().get(link).status_code == 200
    assert "a page failed: OperationalError at " in campaign.log()
    assert link.rpartition("/")[2] not in campaign.log()
