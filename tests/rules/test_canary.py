"""Whether the first few of a run show that the others may follow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrator.models import LIFETIME_ASSUMED, SCOPE_MISSING, Standing, State, StoredPair, utc_now
from migrator.rules.canary import judge_canary
from migrator.rules.tenants import TENANT_MISMATCH
from tests.rules.test_judgement import MIGRATED, PAIR

GOOD = replace(MIGRATED, pair=StoredPair(1, PAIR, verified_at=utc_now()))
CONSENT = replace(MIGRATED, state=State.NEEDS_CONSENT, pair=None)


@pytest.mark.parametrize("reason", ["", LIFETIME_ASSUMED])
def test_the_others_follow_where_each_reaches_its_tenant_or_needs_consent(reason: str) -> None:
    judged = judge_canary([replace(GOOD, reason=reason), GOOD, CONSENT])
    assert (judged.reached, judged.wrong, judged.passed) == (2, (), True)


@pytest.mark.parametrize(
    "other",
    [
        MIGRATED,  # its pair was not seen to work
        replace(GOOD, pair=None),
        replace(GOOD, reason=TENANT_MISMATCH),
        replace(GOOD, reason=SCOPE_MISSING),
        replace(GOOD, state=State.UNCERTAIN),
        replace(GOOD, state=State.FAILED),
    ],
    ids=["not verified", "no pair", "misses its tenant", "granted less", "uncertain", "failed"],
)
def test_one_that_went_wrong_is_named_and_holds_up_the_others(other: Standing) -> None:
    judged = judge_canary([GOOD, other])
    assert (judged.reached, judged.wrong, judged.passed) == (1, (other,), False)


def test_nothing_that_is_merely_not_wrong_shows_that_all_is_right() -> None:
    assert not judge_canary([CONSENT, CONSENT]).passed
    assert not judge_canary([]).passed


def test_where_nobody_can_be_asked_a_stored_pair_shows_all_that_can_be_shown() -> None:
    assert judge_canary([MIGRATED], verifies=False).passed
    for wrong in (
        replace(MIGRATED, pair=None),
        replace(MIGRATED, state=State.UNCERTAIN),
        replace(MIGRATED, reason=SCOPE_MISSING),
    ):
        judged = judge_canary([MIGRATED, wrong], verifies=False)
        assert (judged.reached, judged.wrong) == (1, (wrong,))
