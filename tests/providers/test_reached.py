"""Which account or which tenants an access token reaches."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from migrator.models import Secret, Tenant
from migrator.providers import Outcome, Reached, Unknown
from migrator.providers.facts import AccountAnswer, Facts, TenantsAnswer
from migrator.providers.reached import chosen, read
from tests.providers.support import acme, answer

BARE = acme().facts
ACCOUNT = replace(BARE, account=AccountAnswer("data.id", "data.name"))
NAMELESS = replace(BARE, account=AccountAnswer("userId"))
TENANTS = replace(
    BARE, tenants=TenantsAnswer("id", "result.items", "kind", "about.name", "consent", "consent_id")
)
TOP = replace(BARE, tenants=TenantsAnswer("id"))

NO_ACCOUNT, NO_TENANTS = Unknown("unreadable_account"), Unknown("unreadable_connections")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"id": 1}'])
def test_where_nothing_is_documented_a_good_answer_is_enough(body: bytes) -> None:
    assert read(answer(200, body), BARE) == Reached(())


@pytest.mark.parametrize(
    ("facts", "document", "expected"),
    [
        (ACCOUNT, {"data": {"id": "7", "name": "Ann\x00"}}, Reached((Tenant("7", name="Ann"),))),
        (ACCOUNT, {"data": {"id": 7}}, Reached((Tenant("7"),))),
        (ACCOUNT, {"data": {"id": "7", "name": ["x"]}}, Reached((Tenant("7"),))),
        (ACCOUNT, {"data": {"id": ""}}, NO_ACCOUNT),
        (ACCOUNT, {"data": {"id": None}}, NO_ACCOUNT),
        (ACCOUNT, {"data": {"id": True}}, NO_ACCOUNT),
        (ACCOUNT, {"data": {"id": 0}}, NO_ACCOUNT),
        (ACCOUNT, {"data": {"id": -1}}, NO_ACCOUNT),
        (ACCOUNT, {"data": [{"id": "7"}]}, NO_ACCOUNT),
        (ACCOUNT, {"id": "7"}, NO_ACCOUNT),
        (ACCOUNT, [], NO_ACCOUNT),
        (NAMELESS, {"userId": "u", "name": "x"}, Reached((Tenant("u"),))),
    ],
)
def test_an_account_is_named_by_its_id(facts: Facts, document: object, expected: Outcome) -> None:
    assert read(answer(200, document), facts) == expected


def test_what_is_no_document_names_no_account() -> None:
    assert read(answer(200, b"<html>"), ACCOUNT) == NO_ACCOUNT


ONE = {"id": "t1", "kind": "ORG", "about": {"name": "Org 1"}, "consent": "c1"}


@pytest.mark.parametrize(
    ("facts", "document", "expected"),
    [
        (TENANTS, {"result": {"items": [ONE]}}, Reached((Tenant("t1", "ORG", "Org 1", "c1"),))),
        (TENANTS, {"result": {"items": [{"id": 5, "kind": 1, "consent": None}]}}, Reached((Tenant("5"),))),
        (TENANTS, {"result": {"items": []}}, Reached(())),
        (TENANTS, {"result": {"items": [{"other": 1}, ONE]}}, Reached((Tenant("t1", "ORG", "Org 1", "c1"),))),
        (TENANTS, {"result": {"items": [ONE, {"id": {}}]}}, NO_TENANTS),
        (TENANTS, {"result": {"items": [ONE, {"id": 0}]}}, NO_TENANTS),
        (TENANTS, {"result": {"items": [{"id": -1}]}}, NO_TENANTS),
        (TENANTS, {"result": {"items": [ONE, "x"]}}, NO_TENANTS),
        (TENANTS, {"result": {"items": ONE}}, NO_TENANTS),
        (TENANTS, {"result": [ONE]}, NO_TENANTS),
        (TENANTS, [ONE], NO_TENANTS),
        (TOP, [{"id": "a"}, {"id": "b"}], Reached((Tenant("a"), Tenant("b")))),
        (TOP, {"id": "a"}, NO_TENANTS),
    ],
)
def test_tenants_are_listed(facts: Facts, document: object, expected: Outcome) -> None:
    assert read(answer(200, document), facts) == expected


def token(claims: object) -> Secret:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret(f"h.{payload}.s")


def test_a_consent_is_known_by_the_claim_that_names_it() -> None:
    here, there = Tenant("1", consent="c1"), Tenant("2", consent="c2")
    both = Reached((here, there))
    assert chosen(both, token({"consent_id": "c2"}), TENANTS) == Reached((here, there), (there,))
    for nothing in ({"consent_id": ""}, {"consent_id": 2}, {}, {"other": "c2"}):
        assert chosen(both, token(nothing), TENANTS) == both
    of_nobodys = Reached((Tenant("3"),))
    assert chosen(of_nobodys, token({"consent_id": ""}), TENANTS) == of_nobodys
    assert chosen(both, token({"consent_id": "c2"}), TOP) == both
    assert chosen(both, token({"consent_id": "c2"}), ACCOUNT) == both
    assert chosen(both, Secret("opaque"), TENANTS) == both
