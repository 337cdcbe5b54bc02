"""What a won pair and a renewed token make of a connection, with a provider's terms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.models import (
    LIFETIME_ASSUMED,
    NO_REFRESH_TOKEN,
    SCOPE_MISSING,
    UNVERIFIED,
    Action,
    LegacyToken,
    Secret,
    Standing,
    State,
    StoredPair,
    Tenant,
    TokenPair,
)
from migrator.providers import Disabled, Identified, NoRefreshToken, Reached, Renewed, Won
from migrator.providers.facts import Repeat
from migrator.rules.tenants import OTHER_ACCOUNT, TENANT_MISMATCH
from migrator.rules.terms import Terms
from tests.rules.strategies import FRESH, MINUTE, NOW, POLICY, settled

LAST = POLICY.max_attempts - 1
PAIR = TokenPair(Secret("a"), Secret("r"), NOW + 30 * MINUTE)
STORED = StoredPair(1, PAIR)
MIGRATED = replace(FRESH, state=State.MIGRATED, pair=STORED)
UNSHOWN = Terms(verifies=False)
NEEDY = Terms(scope=("read", "write"))
ACCOUNT = Terms(of_account=True, lists_tenants=False)


def waiting(doubt: Action, reason: str = UNVERIFIED) -> Standing:
    return replace(MIGRATED, state=State.UNCERTAIN, reason=reason, doubt=doubt)


# --- scope ---


@pytest.mark.parametrize(
    ("granted", "reason"),
    [("read write", ""), ("write other read", ""), ("read", SCOPE_MISSING), ("", "")],
)
def test_a_pair_that_was_granted_less_counts_and_that_is_said(granted: str, reason: str) -> None:
    pair = replace(PAIR, scope=granted)
    won = settled((FRESH, Action.SWAP, Won(pair)), NEEDY)
    assert (won.state, won.reason) == (State.MIGRATED, reason)
    seen = settled(
        (replace(waiting(Action.SWAP), pair=StoredPair(1, pair)), Action.VERIFY, Reached((Tenant("T"),))),
        NEEDY,
    )
    assert (seen.state, seen.reason) == (State.MIGRATED, reason)


def test_a_refresh_leaves_the_scope_as_it_was_unless_it_says_otherwise() -> None:
    narrow = replace(MIGRATED, pair=StoredPair(1, replace(PAIR, scope="read")))
    for said, kept, reason in (("", "read", SCOPE_MISSING), ("read write", "read write", "")):
        verdict = settled((narrow, Action.REFRESH, Won(replace(PAIR, scope=said))), NEEDY)
        assert verdict.new_pair is not None
        assert (verdict.new_pair.scope, verdict.reason) == (kept, reason)
    swapped = settled(
        (replace(narrow, state=State.UNCERTAIN, doubt=Action.SWAP), Action.SWAP, Won(PAIR)), NEEDY
    )
    assert swapped.new_pair == PAIR, "a swap grants anew"


def test_a_missing_scope_is_not_forgotten_over_a_lost_refresh() -> None:
    lost = replace(waiting(Action.REFRESH, "response_lost"), pair=StoredPair(1, replace(PAIR, scope="read")))
    won = settled((lost, Action.REFRESH, Won(PAIR)), NEEDY).new_pair
    assert won is not None
    after = replace(waiting(Action.REFRESH), pair=StoredPair(2, won))
    assert settled((after, Action.VERIFY, Reached((Tenant("T"),))), NEEDY).reason == SCOPE_MISSING


def test_another_tenant_is_worse_than_a_missing_scope_and_that_than_a_lifetime() -> None:
    pair = replace(PAIR, scope="read", lifetime_assumed=True, tenant_id="T2")
    standing = replace(waiting(Action.SWAP), tenant_id="T1", pair=StoredPair(1, pair))
    for reached, reason in (("T2", TENANT_MISMATCH), ("T1", SCOPE_MISSING)):
        assert settled((standing, Action.VERIFY, Reached((Tenant(reached),))), NEEDY).reason == reason
    whole = replace(pair, lifetime_assumed=False)
    assert settled((replace(FRESH, tenant_id="T1"), Action.SWAP, Won(whole)), NEEDY).reason == TENANT_MISMATCH


# --- whose it is ---


def test_a_pair_is_its_connections_users_unless_it_says_otherwise() -> None:
    known = replace(FRESH, user_id="u-1")
    for said, kept, reason in (("", "u-1", ""), ("u-1", "u-1", ""), ("u-2", "u-2", OTHER_ACCOUNT)):
        verdict = settled((known, Action.SWAP, Won(replace(PAIR, user_id=said))), ACCOUNT)
        assert verdict.new_pair is not None
        assert (verdict.new_pair.user_id, verdict.state, verdict.reason) == (kept, State.MIGRATED, reason)
    assert settled((FRESH, Action.SWAP, Won(replace(PAIR, user_id="u-2"))), ACCOUNT).reason == ""


def test_that_a_pair_is_another_accounts_stays_said_after_a_refresh() -> None:
    other = replace(MIGRATED, reason=OTHER_ACCOUNT, user_id="u-1")
    assert settled((other, Action.REFRESH, Won(PAIR)), ACCOUNT).reason == OTHER_ACCOUNT


@pytest.mark.parametrize(
    ("known", "terms", "user_id"), [("", ACCOUNT, "A"), ("u-1", ACCOUNT, "u-1"), ("", Terms(), "")]
)
def test_a_verification_tells_whose_a_connection_is_where_nobody_knew(
    known: str, terms: Terms, user_id: str
) -> None:
    standing = replace(waiting(Action.SWAP), user_id=known)
    assert settled((standing, Action.VERIFY, Reached((Tenant("A"),))), terms).user_id == user_id
    assert settled((standing, Action.VERIFY, Reached(())), terms).user_id == known


def test_who_was_asked_for_is_kept_and_the_connection_stands() -> None:
    tried = replace(FRESH, tries=3)
    verdict = settled((tried, Action.IDENTIFY, Identified("u-1")))
    assert (verdict.state, verdict.user_id, verdict.tries) == (State.PENDING, "u-1", 3)
    renewing = replace(FRESH, state=State.UNCERTAIN, reason="response_lost", doubt=Action.RENEW)
    verdict = settled((renewing, Action.IDENTIFY, Identified("u-1")))
    assert (verdict.state, verdict.doubt, verdict.user_id) == (State.UNCERTAIN, Action.RENEW, "u-1")


def test_a_legacy_token_that_was_ended_leaves_the_pair_alone() -> None:
    verdict = settled((replace(MIGRATED, reason=SCOPE_MISSING, tries=2), Action.DISABLE, Disabled()))
    assert (verdict.state, verdict.reason, verdict.disabled, verdict.tries) == (
        State.MIGRATED,
        SCOPE_MISSING,
        True,
        0,
    )
    assert not verdict.ends_pair


# --- where nobody can be asked whether a pair works ---


@pytest.mark.parametrize("assumed", [True, False])
def test_the_answer_of_the_only_call_counts_where_nothing_else_can_show_more(assumed: bool) -> None:
    pair = replace(PAIR, lifetime_assumed=assumed)
    for standing, action in ((FRESH, Action.SWAP), (MIGRATED, Action.REFRESH)):
        verdict = settled((standing, action, Won(pair)), UNSHOWN)
        assert (verdict.state, verdict.reason) == (State.MIGRATED, LIFETIME_ASSUMED if assumed else "")
        asked = settled((standing, action, Won(pair)), Terms())
        assert asked.state is (State.UNCERTAIN if assumed else State.MIGRATED)


@pytest.mark.parametrize(
    ("doubt", "reason", "counts"),
    [
        (Action.SWAP, UNVERIFIED, True),
        (Action.REFRESH, "response_lost", False),  # two were sent, and nobody knows which of them ended what
        (Action.REFRESH, UNVERIFIED, True),
        (Action.EXCHANGE_CODE, UNVERIFIED, True),
    ],
)
def test_a_refresh_shows_what_nothing_else_can(doubt: Action, reason: str, counts: bool) -> None:
    standing = waiting(doubt, reason)
    verdict = settled((standing, Action.REFRESH, Won(PAIR)), UNSHOWN)
    assert verdict.state is (State.MIGRATED if counts else State.UNCERTAIN)
    asked = settled((standing, Action.REFRESH, Won(PAIR)), Terms())
    assert asked.state is (State.MIGRATED if doubt is Action.SWAP else State.UNCERTAIN)


def test_refreshes_whose_answers_are_never_whole_do_not_go_on_for_ever() -> None:
    tried = replace(waiting(Action.SWAP), tries=2)
    for terms, tries in ((UNSHOWN, 3), (Terms(), 2)):
        verdict = settled((tried, Action.REFRESH, Won(PAIR, whole=False)), terms)
        assert (verdict.state, verdict.tries) == (State.UNCERTAIN, tries)
    assert settled((replace(FRESH, tries=2), Action.SWAP, Won(PAIR, whole=False)), UNSHOWN).tries == 2


@pytest.mark.parametrize("repeat", Repeat)
def test_an_access_token_alone_needs_consent_where_nobody_may_ask_again(repeat: Repeat) -> None:
    alone = NoRefreshToken(replace(PAIR, refresh_token=Secret("")), "hint")
    verdict = settled((FRESH, Action.SWAP, alone), Terms(repeat=repeat))
    spent = repeat in (Repeat.NEVER, Repeat.ONCE_PER_USER)
    assert verdict.state is (State.NEEDS_CONSENT if spent else State.FAILED)
    assert (verdict.reason, verdict.new_pair_set_aside) == (NO_REFRESH_TOKEN, True)


# --- renewals ---


@pytest.mark.parametrize(
    ("ends", "tries", "expected"),
    [
        (None, LAST, (State.PENDING, "", LAST)),
        (NOW + MINUTE, LAST, (State.PENDING, "", LAST)),
        (NOW, LAST - 1, (State.PENDING, "", LAST)),
        (NOW, LAST, (State.FAILED, "token_expired", LAST + 1)),
    ],
)
def test_renewals_that_lead_to_renewals_do_not_go_on_for_ever(
    ends: object, tries: int, expected: tuple[State, str, int]
) -> None:
    new = LegacyToken(Secret("t2"), Secret("s2"), expires_at=ends)  # type: ignore[arg-type]
    verdict = settled((replace(FRESH, tries=tries), Action.RENEW, Renewed(new)))
    assert (verdict.state, verdict.reason, verdict.tries) == expected
    assert verdict.new_legacy == new
    uncertain = replace(FRESH, state=State.UNCERTAIN, doubt=Action.SWAP, tries=LAST)
    assert settled((uncertain, Action.RENEW, Renewed(new))).state is State.UNCERTAIN
