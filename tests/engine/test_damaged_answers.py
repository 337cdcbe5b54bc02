"""Damaged answers that fuzzing found: what is stored or said because of them must be what was meant."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from migrator.models import Action, Credentials, LegacyToken, Secret, utc_now
from migrator.providers import Answer, Given, Renewed, Unknown, find_profile
from migrator.wire.http import HttpWire

CREDENTIALS = Credentials("key", "HMAC-SHA1", Secret("s"), Secret(""), "id", Secret("s"), ("offline_access",))
LEGACY = LegacyToken(Secret("t"), Secret("s"), Secret("h"))


def answer(body: bytes) -> Answer:
    """A good answer by its status."""
    return Answer(200, {"Content-Length": str(len(body))}, body, utc_now())


@pytest.mark.parametrize("name", ["oauth_token", "oauth_token_secret"])
@pytest.mark.parametrize("value", ["%FF", "%C3%BC", "x%0Ay", "%00"])
def test_a_renewed_token_that_could_not_be_sent_back_is_none(name: str, value: str) -> None:
    fields = {"oauth_token": "T", "oauth_token_secret": "S", "oauth_session_handle": "H", name: value}
    body = "&".join(f"{field}={text}" for field, text in fields.items()).encode()
    assert isinstance(find_profile("xero").read(Action.RENEW, answer(body)), Unknown)


@pytest.mark.parametrize("value", ["%FF", "%C3%BC", "x%0Ay", "%00", ""])
def test_a_handle_that_could_not_be_sent_back_does_not_cost_the_token(value: str) -> None:
    body = f"oauth_token=T&oauth_token_secret=S&oauth_session_handle={value}".encode()
    renewed = find_profile("xero").read(Action.RENEW, answer(body))
    assert renewed == Renewed(LegacyToken(Secret("T"), Secret("S")))


@pytest.mark.parametrize(
    "body",
    [
        b'{"oauth_token": "T", "oauth_token_secret": "S", "oauth_session_handle": "H"}',
        b"OAuth_Token=T&OAUTH_TOKEN_SECRET=S&oauth_session_handle=H",
    ],
)
def test_a_renewed_token_may_come_in_another_form(body: bytes) -> None:
    renewed = find_profile("xero").read(Action.RENEW, answer(body))
    assert renewed == Renewed(LegacyToken(Secret("T"), Secret("S"), Secret("H")))


@pytest.mark.parametrize("tenant", ["true", "[]", "{}", '""'], ids=str)
def test_a_tenant_that_is_not_named_is_not_a_wrong_tenant(tenant: str) -> None:
    body = f'[{{"id": "e", "tenantId": {tenant}}}]'.encode()
    assert isinstance(find_profile("xero").read(Action.VERIFY, answer(body)), Unknown)


@contextmanager
def answering(content: bytes) -> Iterator[int]:
    """Serves one connection with these bytes, and closes it; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(content)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join()


@pytest.mark.parametrize(
    "head", ["X\r\nContent-Length: 200\r\n", "X-Other: 1\r\n"], ids=["hidden length", "no length"]
)
def test_a_renewal_that_ends_with_its_connection_may_lack_its_end(head: str) -> None:
    # A form shows no end of its own: half a secret looks like one. A line that is no header hides all behind
    # it, and with them the length that would have told.
    cut = f"HTTP/1.1 200 OK\r\n{head}\r\noauth_token=TTTT&oauth_token_secret=SS".encode()
    with answering(cut) as port:
        profile = find_profile("xero", base_url=f"http://127.0.0.1:{port}")
        wire = HttpWire(timeout=2, clock=utc_now)
        outcome = profile.read(
            Action.RENEW, wire.send(profile.request(Action.RENEW, Given(CREDENTIALS, LEGACY)))
        )
        wire.close()
    assert outcome == Renewed(LegacyToken(Secret("TTTT"), Secret("SS")), whole=False)
