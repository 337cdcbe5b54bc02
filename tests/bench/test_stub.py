"""The stub answers as the sandbox does, so that what is measured on it is measured on Xero's answers."""

from __future__ import annotations

import json
import math
import socket
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests_oauthlib import OAuth1

from migrator import sandbox
from tests.bench.bucket import Bucket
from tests.bench.capacity import REQUEST, capacity
from tests.bench.serving import serving

PATH = "/oauth/migrate?tenantType=ORGANISATION"
TOKEN = "T00000000000000000000000000042"


def swap(url: str, verify: bool | str = True) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url + PATH, json={}, auth=OAuth1("k", "s", TOKEN, "t"), timeout=60, verify=verify)


def sandbox_swaps(folder: Path, *faults: str, times: int = 1) -> list[requests.Response]:
    """What the sandbox answers to swaps of one token."""
    state = folder / "sandbox.db"
    (row,) = sandbox.issue_tokens(state, 1, "partner=1", expired=0.0, seed=7, provider="xero")
    known = sandbox.credentials(state)
    auth = OAuth1(
        known["consumer_key"], known["consumer_secret"], row["oauth_token"], row["oauth_token_secret"]
    )
    body = {name: known[name] for name in ("client_id", "client_secret")} | {"scope": "offline_access"}
    query = {"tenantType": row["tenant_type"]}
    with sandbox.running(state, faults, seed=7) as running, requests.Session() as session:
        session.trust_env = False
        url = f"{running.base_url}/oauth/migrate"
        return [session.post(url, params=query, json=body, auth=auth, timeout=60) for _ in range(times)]


def claims(pair: dict[str, Any]) -> dict[str, Any]:
    middle = pair["access_token"].split(".")[1]
    document: dict[str, Any] = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return document


def test_a_pair_has_the_fields_and_headers_of_the_sandboxs(tmp_path: Path) -> None:
    (theirs,) = sandbox_swaps(tmp_path)
    with serving(limit=10_000) as stub:
        ours = swap(stub.url)
    assert ours.status_code == theirs.status_code == 200
    one, other = ours.json(), theirs.json()
    assert one.keys() == other.keys()
    assert {name: type(value) for name, value in one.items()} == {
        name: type(value) for name, value in other.items()
    }
    assert one["token_type"] == other["token_type"]
    assert claims(one).keys() == claims(other).keys()
    assert len(one["access_token"]) > 1_000, "Xero's have a thousand characters or more"
    assert ours.headers["Content-Type"] == theirs.headers["Content-Type"]
    assert ours.headers["X-AppMinLimit-Remaining"] == theirs.headers["X-AppMinLimit-Remaining"] == "9999"


def test_no_two_pairs_are_alike_and_each_is_of_its_tokens_tenant() -> None:
    with serving() as stub:
        pairs = [swap(stub.url).json() for _ in range(3)]
    for field in ("access_token", "refresh_token"):
        assert len({pair[field] for pair in pairs}) == 3
    assert {pair["xero_tenant_id"] for pair in pairs} == {"00000000-0000-4000-8000-000000000042"}
    assert all(pair["refresh_token"].startswith(TOKEN) for pair in pairs)


def test_a_call_over_the_limit_is_refused_as_the_sandbox_does(tmp_path: Path) -> None:
    _, theirs = sandbox_swaps(tmp_path, "limit=1/min", times=2)
    with serving(limit=1) as stub:
        assert swap(stub.url).status_code == 200
        ours = swap(stub.url)
        seen = stub.witnessed()
    assert ours.status_code == theirs.status_code == 429
    assert ours.json() == theirs.json()
    for name in ("X-Rate-Limit-Problem", "X-AppMinLimit-Remaining"):
        assert ours.headers[name] == theirs.headers[name]
    assert 1 <= int(ours.headers["Retry-After"]) <= 60
    assert (seen.pairs, seen.refused) == (1, 1)


def test_a_bucket_lets_its_size_pass_at_once_and_is_refilled_evenly() -> None:
    bucket = Bucket(2, 0.5)
    assert [bucket.acquire(10.0).remaining for _ in range(2)] == [1, 0]
    refused = bucket.acquire(10.0)
    assert (refused.granted, refused.retry_after) == (False, 2)
    assert not bucket.acquire(11.9).granted
    assert bucket.acquire(12.0).granted, "what was refused took no token"
    assert not bucket.acquire(12.0).granted
    assert [bucket.acquire(math.floor(1e6)).granted for _ in range(3)] == [True, True, False]


def test_requests_may_come_in_pieces_or_several_at_once() -> None:
    with serving() as stub:
        address = urlsplit(stub.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=60) as own:
            both = REQUEST % 1 + REQUEST % 2
            for cut in (both[:40], both[40:-1], both[-1:]):
                own.sendall(cut)
            arrived = b""
            while arrived.count(b"}") < 2:
                received = own.recv(1 << 16)
                assert received, arrived
                arrived += received
        assert arrived.count(b"200 OK") == 2
        assert b"T00000000000000000000000000001-1" in arrived
        assert stub.witnessed().pairs == 2


def test_it_counts_anew_when_it_is_asked_to() -> None:
    with serving() as stub:
        swap(stub.url)
        assert stub.witnessed(anew=True).pairs == 1
        assert stub.witnessed().pairs == 0


def test_latency_lets_calls_be_under_way_together() -> None:
    with serving(latency=0.2) as stub:
        can = capacity(stub, 8, at_once=4)
        assert stub.witnessed().at_once == 4
    assert can.per_second > 0


def test_it_speaks_tls_to_whoever_trusts_its_authority(tmp_path: Path) -> None:
    with serving(tls_in=tmp_path) as stub:
        assert swap(stub.url, verify=str(stub.authority)).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            swap(stub.url)
