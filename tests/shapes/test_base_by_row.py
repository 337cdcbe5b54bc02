"""A base URL by row: each user is looked after where the user is. Further: the token in the path, an id in
a JSON text, a support id in the body.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.shapes.journey import Journey, journey
from tests.shapes.server import CLIENT_ID, CLIENT_SECRET, Arrived, Provider, Reply, of_json, serving

_CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class Harbour(Provider):
    """One of several; what another has given is worth nothing here."""

    name = "harbour"
    has_secrets = False

    def answer(self, call: Arrived) -> Reply | None:
        parts = call.path.split("/")
        if call.path == "/me":
            user = self.access.get(call.bearer)
            return of_json(200, {"id": f"id-{user}"}) if user else self.refuse(call, self._refusal(401))
        said = call.json()
        if parts[1] == "legacy" and parts[3] == "exchange" and said == {**_CLIENT, "kind": "upgrade"}:
            return self._pair(self.exchanged(unquote(parts[2])))
        if call.path == "/refresh" and said == {**_CLIENT, "refresh_token": said["refresh_token"]}:
            return self._pair(self.refresh.pop(said["refresh_token"], ""))
        return self.refuse(call, self._refusal(404))

    def issue(self, user: str) -> dict[str, str]:
        row = super().issue(user)
        odd = f"{row['oauth_token']}/?#&é%2F"  # in a path, each of these must be encoded
        self.users[odd] = self.users.pop(row["oauth_token"])
        return {**row, "oauth_token": odd, "base": self.base_url}

    def _pair(self, user: str) -> Reply:
        if not user:
            return self._refusal(410)
        data = {
            "access": self.new("access", user),
            "refresh": self.new("refresh", user),
            "ends": int(self.now() + 3600) * 1000,
            "profile": json.dumps({"user": {"id": f"id-{user}"}}),
        }
        return of_json(200, {"data": data, "meta": {"trace": f"trace-{user}"}})

    def _refusal(self, status: int) -> Reply:
        return of_json(status, {"data": None, "meta": {"code": "DEAD", "trace": "trace-of-refusal"}})


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Journey, Harbour, Harbour]]:
    """Two servers, and settings without a base URL for all."""
    with ExitStack() as stack:
        here, there = Harbour(), Harbour()
        way = stack.enter_context(journey(tmp_path / "way", here))
        stack.enter_context(serving(there))
        settings = way.folder / "migrator.toml"
        settings.write_text(settings.read_text("utf-8").replace(f'base_url = "{here.base_url}"', ""), "utf-8")
        yield way, here, there


def test_each_row_is_taken_to_its_own_server_and_stays_with_it(two: tuple[Journey, Harbour, Harbour]) -> None:
    way, here, there = two
    way.write([here.issue("ada"), there.issue("bo"), there.issue("cy")])
    way.done("run", "tokens.csv", "--canary", "2")
    way.done("verify")
    way.done("refresh", "--all")
    assert set(way.standing().values()) == {("migrated", "")}
    assert (here.unexpected, there.unexpected) == ([], [])
    assert (dict(here.asked), dict(there.asked)) == ({"ada": 1}, {"bo": 1, "cy": 1})
    exported = way.exported()
    assert exported["ada"]["access_token"] in here.access
    assert exported["bo"]["access_token"] in there.access
    assert {user: row["user_id"] for user, row in exported.items()} == {
        "ada": "id-ada",
        "bo": "id-bo",
        "cy": "id-cy",
    }
    traces = way.query("SELECT DISTINCT support_id FROM attempts WHERE action = 'swap' ORDER BY 1")
    assert traces == [("trace-ada",), ("trace-bo",), ("trace-cy",)]
    way.assert_no_secret_on_disk()


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        ("", "missing_base"),
        ("http://example.com", "bad_url"),
        ("ftp://localhost", "bad_url"),
        ("https://u:p@example.com", "bad_url"),
        ("no url", "bad_url"),
    ],
)
def test_a_row_whose_base_secrets_may_not_be_sent_to_is_rejected(
    two: tuple[Journey, Harbour, Harbour], base: str, reason: str
) -> None:
    way, here, _ = two
    way.write([here.issue("ada"), {**here.issue("bo"), "base": base}])
    way.done("run", "tokens.csv")
    assert way.standing() == {"ada": ("migrated", "")}
    assert way.query("SELECT line, reason FROM rejects") == [(3, reason)]
    assert dict(here.asked) == {"ada": 1}
