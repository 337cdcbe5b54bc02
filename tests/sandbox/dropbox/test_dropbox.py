"""Dropbox: the exchange, what it refuses, the account behind an access token, and revocation."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from migrator.sandbox import adopt_tokens, credentials, issue_tokens
from migrator.sandbox.issuing.client_files import write_settings
from tests.sandbox.application import Row
from tests.sandbox.dropbox.conftest import Start
from tests.sandbox.dropbox.support import ACCOUNT, EXCHANGE, REVOKE, DropboxClient, tag
from tests.sandbox.support import digest

YEAR = 365 * 86400


def test_an_access_token_and_no_more(client: DropboxClient, row: Row) -> None:
    answer = client.exchange(row)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"  # the SDK takes no other
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"oauth2_token"}


def test_it_does_not_end(client: DropboxClient, row: Row) -> None:
    token = client.access_token(row)
    client.advance(5 * YEAR)
    assert client.null(ACCOUNT, token).status_code == 200
    facts = client.stats()
    assert (facts["pairs_working"], facts["tokens"][0]["access_tokens_sha256"]) == (1, [digest(token)])


def test_the_account(client: DropboxClient, state: Path, row: Row) -> None:
    account = client.null(ACCOUNT, client.access_token(row)).json()
    assert len(account["account_id"]) == 40
    assert account["account_id"].startswith("dbid:")
    assert (account["email"], account["name"]["display_name"]) == (row["contact_email"], row["organisation"])
    assert account["root_info"][".tag"] == "user"
    other = next(issue_tokens(state, 1))
    assert client.null(ACCOUNT, client.access_token(other)).json()["account_id"] != account["account_id"]


@pytest.mark.parametrize(
    "fields", [{"oauth1_token": "unknown"}, {"oauth1_token_secret": "wrong"}, {"oauth1_token": "\udcff"}]
)
def test_wrong_tokens(client: DropboxClient, row: Row, fields: dict[str, object]) -> None:
    assert tag(client.exchange(row, fields)) == (409, "invalid_oauth1_token_info")
    assert client.stats()["swaps_issued"] == 0


def test_another_apps_token(client: DropboxClient, state: Path, row: Row) -> None:
    other = {**row, "oauth_token": "of-another", "consumer_key": "another"}
    adopt_tokens(state, [other])
    assert tag(client.exchange(other)) == (409, "app_id_mismatch")
    wrong = {"oauth1_token_secret": "wrong"}
    assert tag(client.exchange(other, wrong)) == (409, "invalid_oauth1_token_info")


@pytest.mark.parametrize(
    "fields", [{"oauth1_token": ""}, {"oauth1_token_secret": 7}, {"oauth1_token": None}, {"further": "field"}]
)
def test_a_body_that_does_not_follow_the_description(
    client: DropboxClient, row: Row, fields: dict[str, object]
) -> None:
    answer = client.exchange(row, fields)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert "auth/token/from_oauth1" in answer.text


def test_bodies_that_are_no_json_object(client: DropboxClient, row: Row) -> None:
    form = {"oauth1_token": row["oauth_token"], "oauth1_token_secret": row["oauth_token_secret"]}
    assert client.call("POST", EXCHANGE, data=form, auth=client.basic).status_code == 400
    for body in (b"", b"null", b"[]", b"{"):
        headers = {"Content-Type": "application/json"}
        answer = client.call("POST", EXCHANGE, data=body, headers=headers, auth=client.basic)
        assert answer.status_code == 400, body


def test_the_app_authenticates_in_a_header(client: DropboxClient, row: Row) -> None:
    known = client.known
    assert (known["client_id"], known["client_secret"]) == (known["consumer_key"], known["consumer_secret"])
    for auth in (None, (known["client_id"], "wrong"), ("wrong", known["client_secret"])):
        assert client.exchange(row, auth=auth).status_code == 400
    token = client.access_token(row)
    assert client.exchange(row, auth=None, bearer=token).status_code == 400


def test_both_tokens_of_two_exchanges_live(client: DropboxClient, row: Row) -> None:
    tokens = [client.access_token(row) for _ in range(2)]
    assert [client.null(ACCOUNT, token).status_code for token in tokens] == [200, 200]
    facts = client.stats()
    assert (facts["swapped_twice"], facts["pairs_working"]) == (1, 2)


@pytest.mark.parametrize(
    ("rule", "second", "first_lives"),
    [("newest-wins", 200, False), ("keep", 200, True), ("never", 409, True), ("once", 409, True)],
)
def test_another_rule_can_be_ordered(
    start: Start, row: Row, rule: str, second: int, first_lives: bool
) -> None:
    client = start(f"repeat={rule}")
    first = client.access_token(row)
    again = client.exchange(row)
    assert again.status_code == second
    if second != 200:
        assert tag(again) == (409, "invalid_oauth1_token_info")
    assert (client.null(ACCOUNT, first).status_code == 200) is first_lives


def test_a_revoked_token_is_dead_and_the_other_lives(client: DropboxClient, row: Row) -> None:
    first, second = client.access_token(row), client.access_token(row)
    answer = client.null(REVOKE, first)
    assert (answer.status_code, answer.content) == (200, b"null")
    assert tag(client.null(ACCOUNT, first)) == (401, "invalid_access_token")
    assert tag(client.null(REVOKE, first)) == (401, "invalid_access_token")
    assert client.null(ACCOUNT, second).status_code == 200
    assert client.stats()["pairs_revoked"] == 1


def test_the_argument_must_be_null(client: DropboxClient, row: Row) -> None:
    token = client.access_token(row)
    for path in (ACCOUNT, REVOKE):
        for body in (b"", b"{}", b"nul"):
            assert client.null(path, token, body).status_code == 400
        assert client.null(path, token, headers={"Content-Type": "text/plain"}).status_code == 400
        assert tag(client.null(path, "unknown")) == (401, "invalid_access_token")
    assert client.null(ACCOUNT, token).status_code == 200


def test_a_limit_says_in_the_body_when_to_come_again(start: Start, row: Row) -> None:
    client = start("limit=1/min")
    assert client.exchange(row).status_code == 200
    answer = client.exchange(row)
    assert answer.status_code == 429
    assert answer.headers["Content-Type"] == "application/json"
    assert "Retry-After" not in answer.headers
    error = answer.json()["error"]
    assert error["reason"] == {".tag": "too_many_requests"}
    assert 0 < error["retry_after"] <= 60
    client.advance(error["retry_after"])
    assert client.exchange(row).status_code == 200


def test_a_closed_endpoint_says_so(start: Start, row: Row) -> None:
    token = start().access_token(row)
    closed = start("exchange=closed")
    answer = closed.exchange(row)
    assert (answer.status_code, answer.json()) == (400, {"error": "v1_retired"})
    assert closed.null(ACCOUNT, token).status_code == 200
    assert closed.stats()["swaps_issued"] == 1


def test_unavailability_is_told_in_plain_text(start: Start, row: Row) -> None:
    answer = start("http-503=1").exchange(row)
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/plain; charset=utf-8")


def test_settings_say_only_what_calls_use(state: Path, tmp_path: Path) -> None:
    path = write_settings(tmp_path, credentials(state), "http://127.0.0.1:1", "dropbox")
    settings = tomllib.loads(path.read_text("utf-8"))
    assert settings.keys() == {"provider", "base_url", "oauth2", "job"}
    assert settings["oauth2"].keys() == {"client_id", "client_secret_file"}
    assert not (tmp_path / "consumer_secret").exists()
