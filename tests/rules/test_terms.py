"""What the rules know of a provider follows from its profile."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from migrator.models import Action, Secret, State, StoredPair, TokenPair
from migrator.providers import find_profile
from migrator.providers.facts import (
    AccountAnswer,
    CallFacts,
    Facts,
    LegacyFate,
    Renewal,
    RenewalRule,
    Repeat,
    TenantsAnswer,
)
from migrator.rules.terms import NO_RENEWAL, Terms
from tests.rules.strategies import FRESH

CALL = CallFacts("POST", "https://provider.example/swap")
FACTS = Facts("it", "It", {Action.SWAP: CALL})
ALONE = Terms(refreshes=False, verifies=False, lists_tenants=False)
RENEWAL = Renewal(RenewalRule.WINDOW, window=timedelta(days=30))


def of(**said: object) -> Terms:
    return Terms.of(replace(FACTS, **said))  # type: ignore[arg-type]


def test_a_provider_with_a_swap_alone_has_nothing_else() -> None:
    assert of() == ALONE


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.REFRESH, replace(ALONE, refreshes=True)),
        (Action.VERIFY, replace(ALONE, verifies=True)),
        (Action.IDENTIFY, replace(ALONE, identifies=True)),
        (Action.DISABLE, replace(ALONE, disables=True)),
    ],
)
def test_what_can_be_asked_follows_from_the_calls(action: Action, expected: Terms) -> None:
    assert of(calls={Action.SWAP: CALL, action: CALL}) == expected


def test_tokens_are_renewed_only_where_there_is_a_call_for_it() -> None:
    assert of(renewal=RENEWAL).renewal == NO_RENEWAL
    assert of(renewal=RENEWAL, calls={Action.SWAP: CALL, Action.RENEW: CALL}).renewal == RENEWAL


def test_what_a_verification_names_follows_from_its_answer() -> None:
    assert of(account=AccountAnswer("id")) == replace(of(), of_account=True)
    assert of(tenants=TenantsAnswer("id")) == replace(of(), lists_tenants=True)
    assert of(verify_billed=True).verify_billed


def test_every_scope_counts_once_that_is_needed_or_asked_for() -> None:
    assert Terms.of(replace(FACTS, scope_needed=("a", "b")), ("b", "c")).scope == ("a", "b", "c")


def test_the_types_that_swap_are_those_that_the_profile_says_swap() -> None:
    terms = of(app_types={"partner": True, "public": False})
    assert (terms.swaps("partner"), terms.swaps("public")) == (True, False)
    assert of().swaps("")
    assert of().swaps("public"), "where there are no types, every row swaps"


@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize("fate", LegacyFate)
def test_what_a_lost_answer_and_a_dead_pair_mean_follows_from_repeat_rule_and_fate(
    repeat: Repeat, fate: LegacyFate
) -> None:
    terms = of(repeat=repeat, legacy_fate=fate)
    assert terms.asks_again is (repeat in (Repeat.NEWEST_WINS, Repeat.BOTH_LIVE, Repeat.UNKNOWN))
    gives_more = repeat in (Repeat.NEWEST_WINS, Repeat.BOTH_LIVE)
    assert terms.cures is (gives_more and fate is LegacyFate.LIVES)


@pytest.mark.parametrize(
    ("name", "asks_again", "cures", "refreshes", "verifies"),
    [
        ("xero", True, False, True, True),
        ("x", True, True, True, True),
        ("garmin", True, False, True, True),
        ("tumblr", False, False, True, True),
        ("vimeo", True, False, False, True),
        ("dropbox", True, False, False, True),
        ("intuit", False, False, True, False),
    ],
)
def test_the_built_in_providers_are_as_they_are(
    name: str, asks_again: bool, cures: bool, refreshes: bool, verifies: bool
) -> None:
    terms = Terms.of(find_profile(name).facts)
    found = (terms.asks_again, terms.cures, terms.refreshes, terms.verifies)
    assert found == (asks_again, cures, refreshes, verifies)


@pytest.mark.parametrize(("refresh", "refreshes"), [("r", True), ("r", False), ("", True)])
def test_a_pair_is_refreshed_with_its_refresh_token_where_there_is_a_call_for_it(
    refresh: str, refreshes: bool
) -> None:
    pair = StoredPair(1, TokenPair(Secret("a"), Secret(refresh), None))
    terms = replace(of(), refreshes=refreshes)
    assert terms.refreshable(replace(FRESH, state=State.MIGRATED, pair=pair)) is bool(refresh and refreshes)
    assert not terms.refreshable(FRESH)
