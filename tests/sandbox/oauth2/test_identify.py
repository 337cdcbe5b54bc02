"""Who calls, and how it says so, where a provider words its refusals itself."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from migrator.sandbox.http.messages import Call
from migrator.sandbox.oauth2.clients import Manner, identify
from migrator.sandbox.state.portal import Credentials

CREDENTIALS = Credentials(
    consumer_key="key",
    consumer_secret="hush",
    client_id="id",
    client_secret="s+ecret",
    public_client_id="public",
)


def basic(text: str) -> str:
    """A Basic header."""
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("authorization", "fields", "identified"),
    [
        (basic("id:s%2Becret"), {}, ("id", Manner.BASIC)),
        (basic("id:s%2Becret"), {"client_id": "id"}, ("id", Manner.BASIC)),
        (basic("id:s%2Becret"), {"client_id": "other"}, None),
        (basic("id:s%2Becret"), {"client_id": "id", "client_secret": "s+ecret"}, None),
        (basic("id:wrong"), {}, None),
        (basic("key:hush"), {}, None),
        (basic("public:"), {}, None),
        ("Bearer x", {"client_id": "public"}, None),
        (None, {"client_id": "id", "client_secret": "s+ecret"}, ("id", Manner.BODY)),
        (None, {"client_id": "id", "client_secret": "wrong"}, None),
        (None, {"client_id": "id", "client_secret": 5}, None),
        (None, {"client_id": "public", "client_secret": ""}, None),
        (None, {"client_id": "public"}, ("public", Manner.NAMED)),
        (None, {"client_id": "id"}, ("id", Manner.NAMED)),
        (None, {"client_id": "other"}, None),
        (None, {"client_id": ["id"]}, None),
        (None, {}, None),
    ],
)
def test_who_calls(
    authorization: str | None, fields: dict[str, object], identified: tuple[str, Manner] | None
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    assert identify(CREDENTIALS, Call("POST", b"/", "h", headers), fields) == identified


def test_nobody_is_the_public_client_where_there_is_none() -> None:
    lone = replace(CREDENTIALS, public_client_id="")
    for fields in ({}, {"client_id": ""}, {"client_id": "public"}):
        assert identify(lone, Call("POST", b"/", "h", {}), fields) is None
