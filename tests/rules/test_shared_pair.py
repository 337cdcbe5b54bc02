"""Where those stand that are served by another connection's pair."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.models import LIFETIME_ASSUMED, RESPONSE_LOST, SCOPE_MISSING, UNVERIFIED, Action, State
from migrator.rules.shared_pair import Served, followed
from migrator.rules.tenants import TENANT_MISMATCH, TENANT_TYPE_MISMATCH
from migrator.rules.verdict import Verdict
from tests.rules.test_judgement import PAIR

SEEN = Verdict("done", "", State.MIGRATED, "", pair_verified=True, reached=("T1", "t2"))
REFRESHED = Verdict("done", "", State.MIGRATED, "", new_pair=PAIR)
DEAD = Verdict("over", "invalid_grant", State.UNCERTAIN, RESPONSE_LOST, Action.REFRESH, pair_dead=True)


@pytest.mark.parametrize(
    ("verdict", "tenant", "before", "reason"),
    [
        (SEEN, "t1", "", ""),
        (SEEN, "T2", TENANT_MISMATCH, ""),
        (SEEN, "T3", "", TENANT_MISMATCH),
        (SEEN, "T1", TENANT_TYPE_MISMATCH, TENANT_TYPE_MISMATCH),
        (replace(SEEN, reason=LIFETIME_ASSUMED), "T1", "", LIFETIME_ASSUMED),
        (replace(SEEN, reason=LIFETIME_ASSUMED), "T3", "", TENANT_MISMATCH),
        (replace(SEEN, reason=SCOPE_MISSING), "T1", "", SCOPE_MISSING),
        (replace(SEEN, reason=TENANT_MISMATCH), "T1", "", ""),  # which is the owner's
        (REFRESHED, "T3", "", ""),  # a refresh says nothing of tenants
        (REFRESHED, "T1", TENANT_MISMATCH, TENANT_MISMATCH),
        (REFRESHED, "T1", TENANT_TYPE_MISMATCH, TENANT_TYPE_MISMATCH),
        (REFRESHED, "T1", "other", ""),
        (replace(REFRESHED, reason=LIFETIME_ASSUMED), "T1", "", LIFETIME_ASSUMED),
    ],
)
def test_which_tenant_it_should_reach_is_its_own(
    verdict: Verdict, tenant: str, before: str, reason: str
) -> None:
    assert followed(verdict, tenant, before) == Served(State.MIGRATED, reason)


@pytest.mark.parametrize("state", [State.UNCERTAIN, State.IN_FLIGHT])
def test_a_doubt_about_the_pair_is_a_doubt_about_each(state: State) -> None:
    verdict = Verdict("unknown", "timeout", state, UNVERIFIED, Action.REFRESH)
    assert followed(verdict, "T1", TENANT_MISMATCH) == Served(state, UNVERIFIED, Action.REFRESH)


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (DEAD, RESPONSE_LOST),
        (Verdict("over", "p", State.NEEDS_CONSENT, "grant_revoked", pair_dead=True), "grant_revoked"),
        (Verdict("over", "p", State.NEEDS_CONSENT, "grant_revoked"), "grant_revoked"),
        (Verdict("over", "p", State.FAILED, "broken"), RESPONSE_LOST),
        (replace(SEEN, pair_set_aside=True), RESPONSE_LOST),
    ],
)
def test_whom_no_pair_serves_any_more_needs_consent(verdict: Verdict, reason: str) -> None:
    assert followed(verdict, "T1", "") == Served(State.NEEDS_CONSENT, reason, served=False)


def test_another_pair_in_the_place_of_the_dead_one_serves_on() -> None:
    for verdict in (replace(DEAD, new_pair=PAIR), replace(DEAD, pair_restored=7)):
        assert followed(verdict, "T1", "") == Served(State.UNCERTAIN, RESPONSE_LOST, Action.REFRESH)
