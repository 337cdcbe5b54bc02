"""Signatures of each kind, their parameters in the header or the query, as oauthlib's server takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shapes.journey import journey
from tests.shapes.server import PROFILES, Arrived, Provider, Reply, of_json
from tests.shapes.signatures import SignedCalls

ORGANISATION = "Müller & Söhne +1"


class Quill(Provider):
    """Takes one method alone, and its parameters in one place alone."""

    name = "quill"

    def __init__(self, method: str, place: str) -> None:
        super().__init__()
        self.method = method
        self.place = place
        self.signed = SignedCalls(self, method)

    def answer(self, call: Arrived) -> Reply | None:
        in_query = "oauth_signature" in call.query
        further = call.query.get("oauth_quill_version") or "oauth_quill_version" in call.authorization
        fields = {"want": "pair & all", "of": ORGANISATION}
        known = (call.path, call.query.get("region")) == ("/upgrade", "us") and call.form() == fields
        token = self.signed.token_of(call)
        if not (known and further and token) or in_query is (self.place == "header"):
            form = b"oauth_problem=signature_invalid"
            return self.refuse(call, Reply(401, form, {"Content-Type": "text/plain"}))
        user = self.exchanged(token)
        ends = int(self.now() + 7200) * 1000
        return of_json(200, {"access_token": self.new("access", user), "token_type": "Bearer", "ends": ends})


@pytest.mark.parametrize("place", ["header", "query"])
@pytest.mark.parametrize("method", ["PLAINTEXT", "HMAC-SHA256", "HMAC-SHA1"])
def test_a_signed_call_is_taken(tmp_path: Path, method: str, place: str) -> None:
    quill = Quill(method, place)
    text = (PROFILES / "quill.toml").read_text("utf-8")
    profile = text.replace('parameters = "header"', f'parameters = "{place}"')
    with journey(tmp_path / "way", quill, profile=profile) as way:
        settings = way.folder / "migrator.toml"
        configured = settings.read_text("utf-8")
        settings.write_text(
            configured.replace("[oauth2]", f'signature_method = "{method}"\n[oauth2]'), "utf-8"
        )
        way.write(
            [{**quill.issue(user), "region": "US", "organisation": ORGANISATION} for user in ("ada", "bo")]
        )
        way.done("providers", "check", "profiles/quill.toml")
        way.done("run", "tokens.csv")
        assert quill.unexpected == []
        assert set(way.standing().values()) == {("migrated", "")}
        for user, row in way.exported().items():
            assert quill.access[row["access_token"]] == user
        way.assert_no_secret_on_disk()
