"""A provider that repeats tokens in its headers, names and scopes: none of them is kept or shown."""

from __future__ import annotations

from pathlib import Path

from tests.shapes.journey import journey
from tests.shapes.providers import Pipedrive
from tests.shapes.server import PROFILES, Arrived, Reply, of_json


class Talkative(Pipedrive):
    """Says whatever it was given, and what it gives, once more where people look."""

    def answer(self, call: Arrived) -> Reply | None:
        reply = super().answer(call)
        if reply is None:
            return None
        came = call.bearer or call.form().get("api_token") or call.form().get("refresh_token") or ""
        if call.path == "/v1/users/me" and reply.status == 200:
            reply = of_json(200, {"data": {"id": self.access[call.bearer], "name": f"token {came}"}})
        body = reply.body.replace(b"base deals:full", f"base {(self.given or ['-'])[-1]}".encode())
        return Reply(reply.status, body, {**reply.headers, "X-Trace": f"trace/{came}"})


def test_nothing_that_is_kept_or_shown_repeats_a_token(tmp_path: Path) -> None:
    profile = (PROFILES / "pipedrive.toml").read_text("utf-8")
    profile = profile.replace("\n[client]", 'support_id = { header = "X-Trace" }\n\n[client]', 1)
    with journey(tmp_path / "way", Talkative(), profile=profile) as way:
        way.write([way.provider.issue(f"u{number}") for number in range(3)])
        way.done("run", "tokens.csv", "--canary", "1")
        way.done("verify", "--all")
        way.done("report", "-o", "report.html")
        way.done("status")
        assert way.standing()["u0"] == ("migrated", "")
        assert way.query("SELECT count(*) FROM attempts WHERE support_id <> ''") == [(0,)]
        way.assert_no_secret_in((way.folder / "report.html").read_text("utf-8"))
        way.assert_no_secret_on_disk()
