"""The witness."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from migrator.sandbox import issue_tokens, stats
from migrator.sandbox.http.faults import Faults
from migrator.sandbox.http.late_calls import LateCalls
from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.http.middleware import Middleware
from migrator.sandbox.provider import Options
from migrator.sandbox.state.clock import Clock
from migrator.sandbox.state.state_file import State
from migrator.sandbox.xero.service import create_service
from tests.sandbox.application import Row
from tests.sandbox.conftest import Start
from tests.sandbox.support import Client, digest, in_threads, renewed

KINDS = ("oauth", "access", "refresh")


def test_connection_by_connection(start: Start, state: Path) -> None:
    client = start("repeat=keep")
    rows = list(issue_tokens(state, 3, "partner=1", expired=0))
    first = client.swap(rows[0]).json()
    second = client.swap(rows[0]).json()
    refreshed = client.refresh(first["refresh_token"]).json()
    fresh = renewed(rows[1], client.renew(rows[1]))
    third = client.swap(fresh).json()
    facts = client.stats()
    users = [entry.pop("user_id") for entry in facts["tokens"]]
    assert all(users)
    for entry in facts["tokens"]:  # which are in order of the tokens themselves
        entry["oauth_tokens_ever_sha256"].sort()
    assert facts["tokens"] == [
        {
            "tenant_id": rows[0]["tenant_id"],
            "app_type": "partner",
            "oauth_tokens_sha256": [digest(rows[0]["oauth_token"])],
            "oauth_tokens_ever_sha256": [digest(rows[0]["oauth_token"])],
            "renewals": 0,
            "swaps": 2,
            "consents": 0,
            "refreshes": 1,
            "pairs_working": 2,
            "pairs_revoked": 0,
            "connected": True,
            "disconnections": 0,
            "refresh_tokens_sha256": [digest(second["refresh_token"]), digest(refreshed["refresh_token"])],
            "access_tokens_sha256": [digest(won["access_token"]) for won in (first, second, refreshed)],
        },
        {
            "tenant_id": rows[1]["tenant_id"],
            "app_type": "partner",
            "oauth_tokens_sha256": [digest(fresh["oauth_token"])],
            "oauth_tokens_ever_sha256": sorted(
                [digest(rows[1]["oauth_token"]), digest(fresh["oauth_token"])]
            ),
            "renewals": 1,
            "swaps": 1,
            "consents": 0,
            "refreshes": 0,
            "pairs_working": 1,
            "pairs_revoked": 0,
            "connected": True,
            "disconnections": 0,
            "refresh_tokens_sha256": [digest(third["refresh_token"])],
            "access_tokens_sha256": [digest(third["access_token"])],
        },
        {
            "tenant_id": rows[2]["tenant_id"],
            "app_type": "partner",
            "oauth_tokens_sha256": [digest(rows[2]["oauth_token"])],
            "oauth_tokens_ever_sha256": [digest(rows[2]["oauth_token"])],
            "renewals": 0,
            "swaps": 0,
            "consents": 0,
            "refreshes": 0,
            "pairs_working": 0,
            "pairs_revoked": 0,
            "connected": False,
            "disconnections": 0,
            "refresh_tokens_sha256": [],
            "access_tokens_sha256": [],
        },
    ]
    del facts["tokens"]
    assert facts == {
        "provider": "xero",
        "issued": {"partner": 3, "public": 0, "private": 0},
        "swaps_issued": 3,
        "swapped_twice": 1,
        "renewals": 1,
        "authorisations": 0,
        "consents": 0,
        "refreshes_issued": 1,
        "pairs_working": 3,
        "pairs_dead": 1,
        "pairs_revoked": 0,
        "tenants_connected": 2,
        "disconnections": 0,
        "reads_billed": 0,
        "requests": {"200": 5},
        "requests_refused_429": 0,
        "max_concurrent": 1,
        "nonce_reuse": 0,
        "clock_advanced_seconds": 0.0,
        "faults": {},
    }


def test_the_file_says_what_the_server_says(client: Client, state: Path) -> None:
    client.swap(next(issue_tokens(state, 1, "partner=1", expired=0)))
    assert stats(state) == client.stats()


def test_what_works_follows_the_clock(client: Client, state: Path) -> None:
    partner, private = issue_tokens(state, 2, "partner=1,private=1", expired=0)
    if partner["app_type"] == "private":
        partner, private = private, partner
    client.swap(partner)
    entries = {entry["app_type"]: entry for entry in client.stats()["tokens"]}
    assert [len(entries["partner"][f"{kind}_tokens_sha256"]) for kind in KINDS] == [1, 1, 1]
    client.advance(1801)
    entries = {entry["app_type"]: entry for entry in client.stats()["tokens"]}
    assert [len(entries["partner"][f"{kind}_tokens_sha256"]) for kind in KINDS] == [0, 0, 1]
    assert entries["private"]["oauth_tokens_sha256"] == [digest(private["oauth_token"])]
    client.advance(30 * 86400)
    entries = {entry["app_type"]: entry for entry in client.stats()["tokens"]}
    assert [len(entries["partner"][f"{kind}_tokens_sha256"]) for kind in KINDS] == [0, 0, 0]


def test_a_legacy_token_that_its_swap_killed_is_not_live(start: Start, partner: Row) -> None:
    client = start("repeat=never")
    client.swap(partner)
    entry = client.stats()["tokens"][0]
    assert entry["oauth_tokens_sha256"] == []
    assert entry["oauth_tokens_ever_sha256"] == [digest(partner["oauth_token"])]


def test_the_list_can_be_left_out(client: Client, state: Path) -> None:
    list(issue_tokens(state, 5))
    answer = client.session.get(f"{client.base_url}/_sandbox/stats?tokens=0").json()
    assert "tokens" not in answer
    assert sum(answer["issued"].values()) == 5


def test_no_token_or_secret_is_in_the_clear(client: Client, state: Path) -> None:
    row = next(issue_tokens(state, 1, "partner=1", expired=1))
    fresh = renewed(row, client.renew(row))
    pair = client.swap(fresh).json()
    secrets = [pair["access_token"], pair["refresh_token"]]
    secrets += [known[name] for known in (row, fresh) for name in known if name.startswith("oauth_t")]
    secrets += [known["oauth_session_handle"] for known in (row, fresh)]
    secrets += [client.known[name] for name in ("consumer_secret", "client_secret")]
    text = json.dumps(client.stats())
    assert len(set(secrets)) == 10
    assert not [secret for secret in secrets if secret in text]


def test_most_calls_at_once(state: Path) -> None:
    opened = State(state)
    service = create_service(opened, Clock(opened), Options())
    late_calls = LateCalls()
    middleware = Middleware(service, opened, Faults(), late_calls, None)
    together = threading.Barrier(3)

    def meet(_call: Call) -> Answer:
        together.wait(timeout=30)
        return Answer.of_json(200, {})

    def handle() -> None:
        middleware.handle(meet, Call("GET", b"/", "localhost", {}))

    for _ in range(2):
        in_threads(handle, handle, handle)
    late_calls.close()
    opened.close()
    assert stats(state)["max_concurrent"] == 3
    assert stats(state)["requests"] == {"200": 6}
