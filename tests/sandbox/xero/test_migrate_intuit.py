"""The same swap at Intuit's address."""

from __future__ import annotations

from tests.sandbox.application import Row
from tests.sandbox.support import Client, digest, problem

PATH = "/v2/oauth2/tokens/migrate"
SCOPE = "com.intuit.quickbooks.accounting"


def test_a_pair_is_answered_in_intuits_words(client: Client, partner: Row) -> None:
    answer = client.swap(partner, {"scope": SCOPE, "redirect_uri": "https://app.example/"}, path=PATH)
    pair = answer.json()
    assert answer.status_code == 200
    assert pair.keys() == {
        "token_type",
        "access_token",
        "refresh_token",
        "expires_in",
        "x_refresh_token_expires_in",
        "realmId",
    }
    assert (pair["expires_in"], pair["x_refresh_token_expires_in"]) == (1800, 30 * 86400)
    assert (pair["token_type"], pair["realmId"]) == ("bearer", partner["tenant_id"])
    assert answer.headers["intuit_tid"]
    fresh = client.refresh(pair["refresh_token"]).json()
    (entry,) = client.stats()["tokens"]
    assert (entry["swaps"], entry["refresh_tokens_sha256"]) == (1, [digest(fresh["refresh_token"])])


def test_what_it_refuses(client: Client, partner: Row, expired: Row) -> None:
    wrong = client.swap(partner, {"scope": SCOPE, "client_secret": "wrong"}, path=PATH)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    assert client.swap(partner, {"scope": ""}, path=PATH).json()["error"] == "invalid_scope"
    assert client.swap(expired, {"scope": SCOPE}, path=PATH).status_code == 401
    assert problem(client.swap(partner, client_secret="wrong", path=PATH)) == "signature_invalid"
