"""A secret that an answer repeats where ids, names and scopes stand is kept nowhere in the clear."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import Action, Secret, Tenant
from migrator.providers import Identified, NoAnswer, Reached, Unknown, Won, find_profile, profile_names
from migrator.providers.echoes import repeats, repeats_part, tokens_of
from tests.providers.support import GIVEN, LEGACY, PAIR, SECRETS, acme, answer

PROFILES = {name: find_profile(name) for name in profile_names()}
ACCESS, REFRESH = "new-access-token-0123456789", "new-refresh-token-0123456789"
NEW = {"access_token": ACCESS, "refresh_token": REFRESH, "oauth2_token": ACCESS, "token_type": "Bearer"}


@given(
    name=st.sampled_from(sorted(PROFILES)),
    action=st.sampled_from(sorted(Action)),
    status=st.sampled_from([200, 201, 400, 401, 409, 429, 500, 503]),
    secret=st.sampled_from([*SECRETS, ACCESS, REFRESH, f"Bearer {ACCESS}"]),
    won=st.booleans(),
    broken_off=st.integers(0, 30),
)
def test_no_field_that_is_kept_in_the_clear_holds_a_secret(
    name: str, action: Action, status: int, secret: str, won: bool, broken_off: int
) -> None:
    fields = ("scope", "userId", "realmId", "xero_tenant_id", "errorId", "error", "error_description")
    document: dict[str, object] = {**(NEW if won else {}), **dict.fromkeys(fields, secret)}
    document |= {"user": {"uri": secret}, "data": {"id": secret, "username": secret}, "name": secret}
    document |= {"response": {"user": {"name": secret}}, "account_id": secret}
    whole = json.dumps(document).encode()
    reply = answer(status, whole[: len(whole) - broken_off], {"intuit_tid": secret})
    profile, own = PROFILES[name], secret in SECRETS
    arrived = NoAnswer(sent=True, problem="answer_broken", part=reply) if broken_off else reply
    outcome = profile.read(action, arrived, GIVEN.secrets)
    if own or isinstance(outcome, Won):
        assert secret not in repr(outcome)
    if own or won:
        assert secret not in profile.support_id(action, arrived, GIVEN.secrets)


def test_what_a_call_was_made_with_is_all_known() -> None:
    assert {secret.reveal() for secret in GIVEN.secrets} == set(SECRETS)
    assert tokens_of(None, PAIR) == (PAIR.access_token, PAIR.refresh_token)
    assert tokens_of(LEGACY)[0] == LEGACY.token


def test_what_support_asks_for_is_no_piece_of_a_token_either() -> None:
    token = "t" * 100 + "u" * 300
    reply = answer(200, {**NEW, "access_token": token}, {"intuit_tid": token})
    assert PROFILES["intuit"].support_id(Action.SWAP, reply) == ""
    assert PROFILES["intuit"].support_id(Action.REVOKE, reply, (Secret(token),)) == ""


def test_a_user_that_a_token_begins_with_is_no_secret() -> None:
    user = "12345678901234567890"
    outcome = acme(("[answer]\n", '[answer]\nuser_id = "id"\n')).read(
        Action.SWAP, answer(200, {**NEW, "id": user, "expires_in": 1}), [Secret(f"{user}-abcdefgh")]
    )
    assert isinstance(outcome, Won)
    assert outcome.pair.user_id == user


def test_a_token_in_the_place_of_an_account_names_none() -> None:
    x, garmin = PROFILES["x"], PROFILES["garmin"]
    named = {"data": {"id": "ACCESS-TOKEN", "username": "ada"}}
    assert x.read(Action.VERIFY, answer(200, named), GIVEN.secrets) == Unknown("unreadable_account")
    called = {"data": {"id": "7", "username": "ACCESS-TOKEN"}}
    assert x.read(Action.VERIFY, answer(200, called), GIVEN.secrets) == Reached((Tenant("7"),))
    whose = garmin.read(Action.IDENTIFY, answer(200, {"userId": "LEGACY-TOKEN"}), GIVEN.secrets)
    assert whose == Unknown("unreadable_user")
    assert garmin.read(Action.IDENTIFY, answer(200, {"userId": "LEGACY"}), GIVEN.secrets) == Identified(
        "LEGACY"
    )


@pytest.mark.parametrize(
    ("text", "secret", "whole", "part"),
    [
        ("abc", "abc", True, True),
        ("abcd", "abc", False, False),
        ("x-12345678", "12345678", True, True),
        ("1234567890123456", "1234567890123456-rest", False, True),
        ("123456789012345", "123456789012345-rest", False, False),
        ("", "abc", False, False),
        ("abc", "", False, False),
    ],
)
def test_a_short_piece_is_an_accident(text: str, secret: str, whole: bool, part: bool) -> None:
    assert repeats(text, [Secret(secret)]) is whole
    assert repeats_part(text, [Secret(secret)]) is part
