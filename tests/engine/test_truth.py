"""The comparison of ledger and witness finds every lie: what it passes can be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from migrator.models import Action
from tests.conftest import SetScene
from tests.support import Scene
from tests.truth import Held, contradiction


def held(
    state: str, reason: str = "", *, renewals: int = 0, swaps: int = 0, standing: str = "", pairs: str = ""
) -> Held:
    return Held("k", "t", state, reason, renewals, swaps, standing or None, frozenset(pairs))


def said(*, renewals: int = 0, swaps: int = 0, working: str = "", access: str = "") -> dict[str, Any]:
    return {
        "renewals": renewals,
        "swaps": swaps,
        "refresh_tokens_sha256": list(working),
        "access_tokens_sha256": list(access),
    }


@pytest.mark.parametrize(
    ("of_ledger", "of_witness", "against"),
    [
        (held("migrated", swaps=1, standing="a", pairs="a"), said(swaps=1, working="a"), ""),
        (held("migrated", swaps=1, standing="a", pairs="a"), said(swaps=2, working="b"), "does not work"),
        (held("migrated"), said(), "does not work"),
        (held("migrated", swaps=1, standing="a", pairs="a"), said(swaps=1, access="a"), ""),
        (
            held("needs_consent", "response_lost", swaps=1, pairs="a"),
            said(swaps=2, access="a"),
            "pair works",
        ),
        (held("pending"), said(), ""),
        (held("pending", swaps=1, pairs="a"), said(swaps=1), ""),
        (held("pending", swaps=1, pairs="a"), said(swaps=2, working="b"), "swapped"),
        (held("pending", swaps=1, pairs="a"), said(swaps=1, working="a"), "pair works"),
        (held("pending", renewals=1), said(renewals=1), ""),
        (held("pending"), said(swaps=1), "swapped"),
        (held("pending"), said(renewals=1), "legacy token is dead"),
        (held("failed", "signature_invalid"), said(), ""),
        (held("failed", "signature_invalid"), said(swaps=1), "swapped"),
        (held("failed", "provider_unavailable", renewals=1), said(renewals=2), "legacy token is dead"),
        (held("needs_consent", "public_app"), said(), ""),
        (held("needs_consent", "grant_revoked"), said(swaps=1), "swapped"),
        (held("needs_consent", "grant_revoked"), said(renewals=1), "legacy token is dead"),
        (held("needs_consent", "response_lost"), said(swaps=1, working="a"), ""),
        (held("needs_consent", "response_lost"), said(renewals=1), ""),
        (held("needs_consent", "response_lost", swaps=1, pairs="a"), said(swaps=1, working="b"), ""),
        (held("needs_consent", "response_lost"), said(), "no answer was lost"),
        (held("needs_consent", "response_lost", renewals=1), said(renewals=1), "no answer was lost"),
        (
            held("needs_consent", "response_lost", swaps=1, pairs="a"),
            said(swaps=2, working="a"),
            "pair works",
        ),
        (held("needs_consent", "revoked_by_operator", swaps=1, pairs="a"), said(swaps=1), ""),
        (
            held("needs_consent", "revoked_by_operator", swaps=1, pairs="a"),
            said(swaps=1, working="a"),
            "pair works",
        ),
        (held("needs_consent", "already_exchanged"), said(swaps=1, working="a"), ""),
        (held("needs_consent", "already_exchanged"), said(), "nobody exchanged it"),
        (held("uncertain", "response_lost"), said(swaps=1), ""),
        (held("in_flight"), said(swaps=1, renewals=1), ""),
    ],
)
def test_what_the_witness_has_against_the_ledger(
    of_ledger: Held, of_witness: dict[str, Any], against: str
) -> None:
    found = contradiction(of_ledger, of_witness)
    assert against in found
    assert bool(found) is bool(against)


@pytest.mark.parametrize(("unanswered", "passes"), [(0, False), (1, True), (2, False)])
def test_who_must_not_be_asked_twice_is_lost_with_one_answer(unanswered: int, passes: bool) -> None:
    lost = replace(held("needs_consent", "response_lost"), unanswered=unanswered)
    assert contradiction(lost, said())
    assert bool(contradiction(lost, said(), asked_once=True)) is not passes
    with_pair = replace(lost, swaps=1, pairs=frozenset("a"))
    assert contradiction(with_pair, said(swaps=1, working="a"), asked_once=True)


LIES = (
    "UPDATE connections SET state = 'pending' WHERE id = 1",
    "UPDATE connections SET state = 'failed', reason = 'http_400' WHERE id = 1",
    "UPDATE connections SET state = 'needs_consent', reason = 'grant_revoked' WHERE id = 1",
    "UPDATE connections SET state = 'needs_consent', reason = 'response_lost' WHERE id = 1",
    "UPDATE token_pairs SET replaced_at = obtained_at WHERE connection_id = 1",
    "DELETE FROM token_pairs WHERE connection_id = 1",
    "UPDATE connections SET state = 'migrated' WHERE id = 4",
    "UPDATE connections SET state = 'needs_consent', reason = 'response_lost' WHERE id = 4",
)


@pytest.fixture
def half_done(set_scene: SetScene) -> Scene:
    """Of four connections three are migrated, all of them by a renewal first."""
    scene = set_scene(4, mix="partner=1", expired=1.0)
    assert scene.migrator("run", "tokens.csv", "--limit", "3").returncode == 0
    assert scene.states() == {"migrated": 3, "pending": 1}
    assert scene.untrue() == []
    return scene


def test_a_ledger_that_lies_is_found_out(half_done: Scene) -> None:
    whole = half_done.ledger.read_bytes()
    missed = []
    for lie in LIES:
        assert half_done.alter(lie) == 1
        if len(half_done.untrue()) != 1:
            missed.append(lie)
        half_done.ledger.write_bytes(whole)
        assert half_done.untrue() == []
    assert missed == []


def test_a_renewal_that_the_ledger_does_not_know_is_found_out(set_scene: SetScene) -> None:
    scene = set_scene(2, mix="partner=1", expired=1.0)
    scene.kill_at("after answer", Action.RENEW, 1, "run", "tokens.csv", "--concurrency", "1")
    assert scene.untrue() == []
    for lie in ("state = 'pending'", "state = 'failed'", "state = 'needs_consent', reason = 'grant_revoked'"):
        assert scene.alter(f"UPDATE connections SET {lie} WHERE id = 1") == 1
        (found,) = scene.untrue()
        assert "legacy token is dead" in found
    assert scene.alter("UPDATE connections SET reason = 'response_lost' WHERE id = 1") == 1
    assert scene.untrue() == []
