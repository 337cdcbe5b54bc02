"""Vimeo: the exchange in both its forms, what it refuses, verification and revocation."""

from __future__ import annotations

import csv
import tomllib
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from migrator.commands.sandbox import sandbox
from migrator.sandbox import adopt_tokens, issue_tokens
from tests.sandbox.application import Row
from tests.sandbox.support import digest
from tests.sandbox.vimeo.conftest import Start
from tests.sandbox.vimeo.support import EXCHANGE, VENDORS_JSON, VimeoClient, error

DAY = 86400


def _pair(client: VimeoClient, state: Path, *, ending: bool) -> dict[str, str]:
    """What was answered for a user whose token ends, or does not."""
    rows = issue_tokens(state, 60)
    pairs: list[dict[str, str]] = [client.exchange(row).json() for row in rows]
    return next(pair for pair in pairs if ("expires_on" in pair) is ending)


@pytest.mark.parametrize("json_type", ["", VENDORS_JSON, f"{VENDORS_JSON}; charset=utf-8"])
def test_an_access_token_and_whose_it_is(client: VimeoClient, row: Row, json_type: str) -> None:
    answer = client.exchange(row, json_type=json_type)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    pair = answer.json()
    assert pair.keys() - {"refresh_token", "expires_on"} == {
        "access_token",
        "token_type",
        "scope",
        "app",
        "user",
    }
    assert pair["token_type"] == "bearer"
    assert pair["user"]["name"] == row["organisation"]
    prefix, _, number = pair["user"]["uri"].rpartition("/")
    assert prefix == "/users"
    assert number.isdecimal()


def test_some_users_get_a_refresh_token_and_an_end(client: VimeoClient, state: Path) -> None:
    lasting, ending = (_pair(client, state, ending=ending) for ending in (False, True))
    assert "refresh_token" not in lasting
    assert ending["refresh_token"]
    client.advance(DAY - 60)
    assert client.verify(ending["access_token"]).status_code == 200
    client.advance(120)
    assert client.verify(ending["access_token"]).status_code == 401
    assert client.verify(lasting["access_token"]).status_code == 200


def test_the_end_is_a_moment_in_text(client: VimeoClient, state: Path) -> None:
    client.advance(10 * DAY)
    now = client.call("GET", "/_sandbox/stats").headers["Date"]
    expires_on = _pair(client, state, ending=True)["expires_on"]
    assert expires_on.isdecimal()
    assert 0 <= int(expires_on) - parsedate_to_datetime(now).timestamp() - DAY < DAY


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"token": ""}, "invalid_request"),
        ({"token_secret": ""}, "invalid_request"),
        ({"token": "unknown"}, "invalid_grant"),
        ({"token_secret": "wrong"}, "invalid_grant"),
    ],
)
def test_what_is_refused_has_no_effect(
    client: VimeoClient, row: Row, fields: dict[str, object], word: str
) -> None:
    pair = client.exchange(row).json()
    for json_type in ("", VENDORS_JSON):
        assert error(client.exchange(row, fields, json_type=json_type)) == (400, word)
    assert client.verify(pair["access_token"]).status_code == 200
    assert client.stats()["swaps_issued"] == 1


def test_json_of_another_type_or_shape_is_refused(client: VimeoClient, row: Row) -> None:
    assert error(client.exchange(row, json_type="application/json")) == (400, "invalid_request")
    for field in ("token", "token_secret"):
        answer = client.exchange(row, {field: 7}, json_type=VENDORS_JSON)
        assert error(answer) == (400, "invalid_request")
    assert error(client.exchange(row, {"scope": ["public"]}, json_type=VENDORS_JSON))[1] == "invalid_scope"
    for body in (b"{", b"[]", b"\xff", b"[" * 100_000):
        headers = {"Content-Type": VENDORS_JSON}
        answer = client.call("POST", EXCHANGE, data=body, headers=headers, auth=client.basic)
        assert error(answer) == (400, "invalid_request")


def test_the_client_authenticates_in_a_header(client: VimeoClient, row: Row) -> None:
    known = client.known
    in_body = {"client_id": known["client_id"], "client_secret": known["client_secret"]}
    for auth in (None, (known["client_id"], known["consumer_secret"]), (known["consumer_key"], "x")):
        assert error(client.exchange(row, auth=auth)) == (400, "invalid_client")
    assert error(client.exchange(row, in_body, auth=None)) == (400, "invalid_client")


def test_another_applications_token_is_refused(client: VimeoClient, state: Path, row: Row) -> None:
    other = {**row, "oauth_token": "of-another", "consumer_key": "another"}
    own = {**row, "oauth_token": "own", "consumer_key": client.known["consumer_key"]}
    assert adopt_tokens(state, [other, own]) == 2
    assert error(client.exchange(other)) == (400, "invalid_grant")
    assert client.exchange(own).json()["user"]["uri"].removeprefix("/users/").isdecimal()


def test_no_more_than_was_allowed_is_granted(client: VimeoClient, state: Path, row: Row) -> None:
    adopted = {**row, "oauth_token": "adopted"}
    adopt_tokens(state, [adopted])
    everything = client.exchange(adopted).json()["scope"]
    assert everything == "public private create edit upload interact"
    assert client.exchange(adopted, {"scope": "public delete edit"}).json()["scope"] == "public edit"
    pair = client.exchange(adopted, {"scope": "private"}).json()
    assert pair["scope"] == client.verify(pair["access_token"]).json()["scope"] == "public private"


def test_verification_says_what_the_exchange_said(client: VimeoClient, row: Row) -> None:
    pair = client.exchange(row).json()
    told = {name: pair[name] for name in ("access_token", "token_type", "scope", "app", "user")}
    assert client.verify(pair["access_token"]).json() == told
    refused = client.verify("unknown")
    assert (refused.status_code, refused.json().keys()) == (401, {"error"})


def test_a_revoked_token_is_dead(client: VimeoClient, state: Path) -> None:
    pair = _pair(client, state, ending=True)
    answer = client.call("DELETE", "/tokens", bearer=pair["access_token"])
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.verify(pair["access_token"]).status_code == 401
    assert client.call("DELETE", "/tokens", bearer=pair["access_token"]).status_code == 401
    assert client.stats()["pairs_revoked"] == 1


def test_the_newest_pair_wins(client: VimeoClient, row: Row) -> None:
    first, second = (client.exchange(row).json() for _ in range(2))
    assert client.verify(first["access_token"]).status_code == 401
    assert client.verify(second["access_token"]).status_code == 200
    (entry,) = client.stats()["tokens"]
    assert (entry["swaps"], entry["access_tokens_sha256"]) == (2, [digest(second["access_token"])])


@pytest.mark.parametrize(
    ("rule", "second", "first_lives"),
    [("newest-wins", 200, False), ("keep", 200, True), ("never", 400, True), ("once", 400, True)],
)
def test_another_rule_can_be_ordered(
    start: Start, row: Row, rule: str, second: int, first_lives: bool
) -> None:
    client = start(f"repeat={rule}")
    first = client.exchange(row).json()
    again = client.exchange(row)
    assert again.status_code == second
    if second != 200:
        assert error(again) == (400, "invalid_grant")
    assert (client.verify(first["access_token"]).status_code == 200) is first_lives


def test_faults_in_vimeos_words(start: Start, row: Row) -> None:
    unavailable = start("http-503=1").exchange(row)
    assert (unavailable.status_code, unavailable.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    limited = start("limit=1/hour")
    assert limited.exchange(row).status_code == 200
    refused = limited.exchange(row)
    assert (refused.status_code, refused.json()) == (429, {"error": "Too many API requests."})
    limited.advance(3600)
    assert limited.exchange(row).status_code == 200


def test_a_closed_exchange_is_gone_for_good(start: Start, row: Row) -> None:
    pair = start().exchange(row).json()
    closed = start("exchange=closed")
    answer = closed.exchange(row)
    assert (answer.status_code, answer.json()["error"]) == (410, "gone")
    assert closed.verify(pair["access_token"]).status_code == 200
    assert closed.stats()["swaps_issued"] == 1


def test_the_command_writes_tokens_and_settings(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.csv"
    arguments = ["tokens", "--provider", "vimeo", "--count", "3", "--state", str(tmp_path / "v.db")]
    result = CliRunner().invoke(sandbox, [*arguments, "-o", str(tokens)], catch_exceptions=False)
    assert result.exit_code == 0
    with tokens.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [len(row["oauth_token"]) for row in rows] == [32] * 3
    settings = tomllib.loads((tmp_path / "migrator.toml").read_text("utf-8"))
    assert settings.keys() == {"provider", "base_url", "oauth2", "job"}
    assert settings["provider"] == "vimeo"
    assert (tmp_path / settings["oauth2"]["client_secret_file"]).read_text("utf-8")
