"""How many could still go back: those whose legacy token is still the application's own, and lives."""

from __future__ import annotations

from datetime import timedelta

import pytest

from migrator.ledger.going_back import could_go_back
from migrator.ledger.reading import open_to_read
from migrator.models import utc_now
from migrator.rules.going_back import Back, Nobody, NobodyKnows, SwappedSince
from tests.conftest import SetScene
from tests.support import Scene


def counted(scene: Scene, who: Back) -> int | None:
    with open_to_read(scene.ledger) as ledger:
        return could_go_back(ledger, who)


def test_where_legacy_tokens_live_status_says_how_many(set_scene: SetScene) -> None:
    scene = set_scene(6, provider="x")
    assert scene.migrator("run", "tokens.csv", "--limit", "4").returncode == 0
    assert scene.status()["could_go_back"] == 4
    assert "4 connections could still go back: the legacy token lives" in scene.migrator("status").stdout


def test_where_they_die_nobody_can(set_scene: SetScene) -> None:
    scene = set_scene(3, provider="tumblr")
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    assert scene.status()["could_go_back"] == 0
    assert "go back" not in scene.migrator("status").stdout


@pytest.mark.parametrize(("expired", "number"), [(0.0, 6), (1.0, 0)])
def test_who_was_renewed_cannot_for_the_applications_own_token_is_dead(
    set_scene: SetScene, expired: float, number: int
) -> None:
    scene = set_scene(6, mix="partner=1", expired=expired)
    assert scene.migrator("run", "tokens.csv").returncode == 0
    assert counted(scene, SwappedSince(None)) == number
    assert counted(scene, Nobody()) == 0
    assert counted(scene, NobodyKnows()) is None
    scene.alter("UPDATE connections SET disabled_at = updated_at WHERE id <= 2")
    scene.alter(
        "INSERT INTO attempts (connection_id, run_id, action, started_at, outcome)"
        " SELECT id, 1, 'disable', '', 'done' FROM connections WHERE id <= 3"
    )
    assert counted(scene, SwappedSince(None)) == max(0, number - 2), "nor can whose token was disabled"


def test_after_some_days_nobody_can(set_scene: SetScene) -> None:
    scene = set_scene(4, provider="x")
    assert scene.migrator("run", "tokens.csv").returncode == 0
    since = SwappedSince(utc_now() - timedelta(days=30))
    assert counted(scene, since) == 4
    scene.alter("UPDATE attempts SET finished_at = '2026-01-01T00:00:00.000000Z' WHERE connection_id = 1")
    assert counted(scene, since) == 3
