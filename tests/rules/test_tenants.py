"""Which of a user's tenants is the one that was asked for."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import LegacyToken, Secret, Standing, State, Tenant
from migrator.providers import Reached
from migrator.rules.tenants import (
    NO_TENANT,
    OTHER_ACCOUNT,
    OTHER_NAME,
    OTHER_TENANT,
    SEVERAL_TENANTS,
    TENANT_MISMATCH,
    TENANT_TYPE_MISMATCH,
    Choice,
    choice,
    finding,
)
from migrator.rules.terms import Terms
from tests.rules.strategies import TYPED

ASKED = Standing(
    1,
    "key",
    "public",
    State.UNCERTAIN,
    "",
    "",
    "ORGANISATION",
    LegacyToken(Secret("t")),
    consented=True,
)
BREAD = Tenant("b", name="Bread Ltd")
SMITH = Tenant("s", name="Smith & Sons Ltd")

some = st.lists(st.builds(Tenant, st.sampled_from("abc"), name=st.text(max_size=3)), max_size=3, unique=True)


@pytest.mark.parametrize("name", ["Smith & Sons Ltd", "smith & sons", "SMITH&SONS ltd."])
def test_a_name_is_known_again_however_it_is_written(name: str) -> None:
    asked = replace(ASKED, organisation=name)
    assert choice(asked, Reached((BREAD, SMITH)), TYPED) == Choice("", counts=True, adopted=SMITH)
    assert choice(asked, Reached((BREAD,)), TYPED) == Choice(OTHER_TENANT, counts=False, problem=OTHER_NAME)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("Smith Bakery", "S"), ("Smith Bakery", "Bakery & Cafe of the North"), ("Smith", "Blacksmith"),
        ("Smith & Sons Ltd", "Ltd"), ("किरण", "करण"), ("Smith", ""), ("Smith", "—"),
    ],
)  # fmt: skip
def test_another_name_is_asked_about(asked: str, name: str) -> None:
    tenant = Tenant("x", name=name)
    assert choice(replace(ASKED, organisation=asked), Reached((tenant,)), TYPED).problem == OTHER_NAME


def test_a_name_is_the_same_however_its_letters_are_put_together() -> None:
    asked = replace(ASKED, organisation=unicodedata.normalize("NFD", "Café Nord"))
    assert choice(asked, Reached((Tenant("x", name="CAFÉ NORD"),)), TYPED).counts


def test_one_that_was_chosen_twice_is_the_one_whatever_it_is_called() -> None:
    asked = replace(ASKED, organisation="Smith", confirmed=("b",))
    assert choice(asked, Reached((BREAD,)), TYPED) == Choice("", counts=True, adopted=BREAD)
    other = Tenant("o", name="Other")
    assert not choice(asked, Reached((other,)), TYPED).counts
    assert not choice(asked, Reached((BREAD, other)), TYPED).counts, "nobody knows which of them it is"


def test_what_was_connected_now_goes_before_what_is_reached_too() -> None:
    assert choice(ASKED, Reached((SMITH, BREAD), chosen=(BREAD,)), TYPED).adopted == BREAD
    assert choice(ASKED, Reached((SMITH, BREAD)), TYPED) == Choice(SEVERAL_TENANTS, counts=True)


def test_a_tenant_that_is_known_by_its_id_needs_no_name() -> None:
    asked = replace(ASKED, tenant_id="S", organisation="Something else")
    assert choice(asked, Reached((BREAD, SMITH), chosen=(BREAD,)), TYPED) == Choice("", counts=True)
    assert choice(asked, Reached((BREAD,)), TYPED) == Choice(OTHER_TENANT, counts=False)


@given(st.text(max_size=3), st.sampled_from(["", "a", "z"]), some.map(tuple), st.data())
def test_a_choice_counts_only_for_something_that_is_reached(
    organisation: str, tenant_id: str, reached: tuple[Tenant, ...], data: st.DataObject
) -> None:
    chosen = data.draw(st.just(()) | st.lists(st.sampled_from(reached)).map(tuple)) if reached else ()
    asked = replace(ASKED, organisation=organisation, tenant_id=tenant_id)
    made = choice(asked, Reached(reached, chosen), TYPED)
    if not reached:
        assert made == Choice(NO_TENANT, counts=False)
    if made.adopted is not None:
        assert made.counts
        assert not tenant_id
        assert made.adopted in (chosen or reached)
    if tenant_id:
        assert made.counts is (tenant_id in {tenant.id for tenant in reached})


ACCOUNT = Terms(of_account=True, lists_tenants=False)
NAMELESS = Terms(lists_tenants=False)


@pytest.mark.parametrize(
    ("known", "reached", "found"),
    [
        ("u-1", (Tenant("u-1"),), ""),
        ("u-1", (Tenant("u-2"),), OTHER_ACCOUNT),
        ("", (Tenant("u-2"),), ""),
        ("u-1", (), ""),
    ],
)
def test_a_token_of_an_account_is_of_its_legacy_tokens_account(
    known: str, reached: tuple[Tenant, ...], found: str
) -> None:
    standing = replace(ASKED, user_id=known, tenant_id="T1")
    assert finding(standing, reached, ACCOUNT) == found, "tenants have nothing to do with it"
    assert choice(standing, Reached(reached), ACCOUNT) == Choice(found, counts=not found)


def test_where_a_verification_names_nothing_a_good_answer_is_enough() -> None:
    standing = replace(ASKED, tenant_id="T1", user_id="u-1", organisation="Smith")
    for reached in ((), (BREAD,)):
        assert finding(standing, reached, NAMELESS) == ""
        assert choice(standing, Reached(reached), NAMELESS) == Choice("", counts=True)


@pytest.mark.parametrize(
    ("tenant_id", "reached", "consented", "found"),
    [
        ("", (), False, TENANT_MISMATCH),
        ("", (BREAD,), False, ""),
        ("", (BREAD, SMITH), False, ""),
        ("", (BREAD, SMITH), True, SEVERAL_TENANTS),
        ("", (BREAD,), True, ""),
        ("B", (BREAD, SMITH), True, ""),
        ("B", (SMITH,), False, TENANT_MISMATCH),
        ("b", (Tenant("b", "ORGANISATION"),), False, ""),
        ("b", (Tenant("b", "practice"),), False, TENANT_TYPE_MISMATCH),
        ("b", (Tenant("b", "practice"), Tenant("B", "organisation")), False, ""),
    ],
)
def test_a_token_that_reaches_tenants_reaches_the_one_of_its_row(
    tenant_id: str, reached: tuple[Tenant, ...], consented: bool, found: str
) -> None:
    assert finding(replace(ASKED, tenant_id=tenant_id, consented=consented), reached, TYPED) == found
