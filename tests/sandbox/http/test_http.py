"""HTTP itself: paths, methods, connections, and what the sandbox does not know."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlencode

import pytest

from tests.sandbox.application import Row
from tests.sandbox.support import Client


@pytest.mark.parametrize("path", ["/OAuth/Migrate", "/OAUTH/MIGRATE", "/oauth/migrate"])
def test_paths_match_in_any_case_and_are_signed_as_sent(client: Client, partner: Row, path: str) -> None:
    query = urlencode({"tenantType": partner["tenant_type"]})
    assert client.swap(partner, path=f"{path}?{query}").status_code == 200


def test_every_other_path_matches_in_any_case(client: Client, expired: Row) -> None:
    query = urlencode({"oauth_session_handle": expired["oauth_session_handle"]})
    assert client.send(expired, "POST", f"/oAuth/accessTOKEN?{query}").status_code == 200
    assert client.session.get(f"{client.base_url}/Connections").status_code == 401
    assert client.session.post(f"{client.base_url}/Connect/Token").status_code == 400
    assert client.session.get(f"{client.base_url}/_Sandbox/Stats").status_code == 200
    assert client.session.post(f"{client.base_url}/Connect/Revocation").status_code == 400
    assert client.session.delete(f"{client.base_url}/CONNECTIONS/X").status_code == 401
    assert client.session.get(f"{client.base_url}/OAuth/requestTOKEN").status_code == 400
    assert client.session.get(f"{client.base_url}/Identity/CONNECT/authorize").status_code == 400
    assert client.session.get(f"{client.base_url}/OAUTH/authorize").status_code == 400
    assert client.session.get(f"{client.base_url}/API.XRO/2.0/organisation").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/connections/x/y",
        "/api.xro/2.0/Invoices",
        "/identity/connect/authorize/",
        "/oauth/migrate/",
        "/oauth//migrate",
    ],
)
def test_what_it_does_not_know_is_an_honest_404(client: Client, path: str) -> None:
    answer = client.session.get(f"{client.base_url}{path}", allow_redirects=False)
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert path in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/oauth/migrate", "POST"),
        ("GET", "/connect/token", "POST"),
        ("DELETE", "/connections", "GET, HEAD"),
        ("GET", "/connections/x", "DELETE"),
        ("GET", "/connect/revocation", "POST"),
    ],
)
def test_a_wrong_method_is_a_405(client: Client, method: str, path: str, allowed: str) -> None:
    answer = client.session.request(method, f"{client.base_url}{path}")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed
    assert answer.json()["error"] == "method_not_allowed"


def _connection(client: Client) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(client.base_url.removeprefix("http://"), timeout=30)


@pytest.mark.parametrize("close", ["close", "Close", "CLOSE", "keep-alive, close"])
def test_connection_close_is_answered_in_kind(client: Client, close: str) -> None:
    connection = _connection(client)
    connection.request("GET", "/connections", headers={"Connection": close})
    with connection.getresponse() as answer:
        answer.read()
        assert answer.headers["Connection"] == "close"
    assert connection.sock is None  # http.client saw that it will be closed
    connection.close()


def test_the_server_really_closes(client: Client) -> None:
    host, port = client.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET /connections HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 401")


def test_a_connection_is_kept_alive(client: Client) -> None:
    connection = _connection(client)
    for _ in range(3):
        connection.request("GET", "/connections")
        with connection.getresponse() as answer:
            answer.read()
            assert answer.headers["Connection"] is None
        sock = connection.sock
        assert sock is not None
    assert connection.sock is sock
    connection.close()


def test_a_chunked_body_is_read(client: Client) -> None:
    chunks = iter([b"grant_type=refresh_token&", b"refresh_token=unknown"])
    answer = client.session.post(
        f"{client.base_url}/connect/token",
        data=chunks,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        auth=(client.known["client_id"], client.known["client_secret"]),
    )
    assert answer.json()["error"] == "invalid_grant"
    assert "Connection" not in answer.headers


def test_a_chunked_body_that_was_not_read_ends_the_connection(client: Client) -> None:
    answer = client.session.post(f"{client.base_url}/nowhere", data=iter([b"x"]))
    assert answer.status_code == 404
    assert answer.headers["Connection"] == "close"


def test_every_answer_is_dated(client: Client) -> None:
    for path in ("/", "/connections", "/_sandbox/stats"):
        assert "Date" in client.session.get(f"{client.base_url}{path}").headers
