"""The whole way of each shape: check, plan, swap, verify, refresh, export; a dead token and a lost answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.shapes.journey import Journey, journey
from tests.shapes.providers import PROVIDERS
from tests.shapes.server import PROFILES

USERS = ("ada", "bo", "cy", "di")


@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.name)
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journey]:
    """A journey from each provider in turn, with four users."""
    text = (PROFILES / f"{request.param.name}.toml").read_text("utf-8")
    with journey(tmp_path / "way", request.param(), profile=without_limits(text)) as made:
        made.write([made.provider.issue(user) for user in USERS])
        yield made


def without_limits(text: str) -> str:
    """A profile with no limit: a hundred calls an hour are one in 36 seconds, and four users would wait."""
    return re.sub(r"(?m)^\[\[limits\]\]\n(?:.+\n)*", "", text)


def has(way: Journey, call: str) -> bool:
    return f"\n[{call}]\n" in (PROFILES / f"{way.provider.name}.toml").read_text("utf-8")


def assert_all_work(way: Journey) -> None:
    """What an export hands over is each user's newest pair, and works; nothing shows a secret."""
    provider = way.provider
    exported = way.exported()
    assert set(exported) == {user for user, (state, _) in way.standing().items() if state == "migrated"}
    for user, row in exported.items():
        assert provider.access.get(row["access_token"]) == user
        assert provider.refresh.get(row["refresh_token"]) == user
        newest = [token for token in provider.given if token.startswith(f"access.{user}.")][-1]
        assert row["access_token"] == newest
        ends = datetime.fromisoformat(row["expires_at"]).timestamp()
        assert provider.lifetime is not None
        assert abs(ends - provider.now() - provider.lifetime) < timedelta(minutes=10).total_seconds()
    way.assert_no_secret_on_disk()


def test_the_profile_is_right(way: Journey) -> None:
    checked = way.done("providers", "check", str(PROFILES / f"{way.provider.name}.toml"))
    assert ".toml: no problem found" in checked.stdout
    assert "\nswap: POST https://" in checked.stdout


def test_a_dry_run_sends_nothing(way: Journey) -> None:
    planned = way.done("run", "tokens.csv", "--dry-run")
    assert "4" in planned.stdout
    assert way.provider.arrived == []
    assert not way.ledger.exists()


def test_all_go_over_and_stay_over(way: Journey) -> None:
    provider = way.provider
    way.done("run", "tokens.csv", "--canary", "1")
    assert way.standing() == dict.fromkeys(USERS, ("migrated", ""))
    assert_all_work(way)
    before = len(provider.arrived)
    way.done("run", "tokens.csv")
    for name in ("report.html", "report.md", "report.json", "report.csv"):
        way.done("report", "-o", name)
        way.assert_no_secret_in((way.folder / name).read_text("utf-8"))
    assert '"migrated": 4' in way.done("status", "--json").stdout
    way.done("purge", "--yes")
    assert len(provider.arrived) == before, "nothing of that asks the provider again"
    assert provider.unexpected == []


def test_what_was_won_is_verified_and_refreshed(way: Journey) -> None:
    provider = way.provider
    way.done("run", "tokens.csv")
    first = dict(provider.access)
    if has(way, "verify"):
        assert "4" in way.done("verify").stdout
    way.done("refresh", "--all")
    assert way.standing() == dict.fromkeys(USERS, ("migrated", ""))
    new = set(provider.access) - set(first)
    assert sorted(provider.access[token] for token in new) == sorted(USERS), "each is refreshed once"
    if has(way, "verify"):
        way.done("verify", "--all")
    assert way.standing() == dict.fromkeys(USERS, ("migrated", ""))
    assert_all_work(way)
    assert provider.unexpected == []


def test_a_dead_token_is_its_users_matter_and_nobody_elses(way: Journey) -> None:
    provider = way.provider
    provider.dead.add(provider.token_of("bo"))
    way.done("run", "tokens.csv")
    others = dict.fromkeys(USERS, ("migrated", ""))
    assert way.standing() == {**others, "bo": ("needs_consent", "grant_revoked")}
    assert_all_work(way)
    assert provider.unexpected == []


def test_a_lost_answer_is_what_the_repeat_rule_makes_of_it(way: Journey) -> None:
    provider = way.provider
    provider.losing.add(provider.token_of("cy"))
    way.done("run", "tokens.csv")
    assert way.standing() == {**dict.fromkeys(USERS, ("migrated", "")), "cy": provider.lost}
    assert provider.asked["cy"] == provider.exchanges_of_lost
    assert_all_work(way)
    assert provider.unexpected == []


def test_an_access_token_that_is_refused_is_replaced_by_a_refresh(way: Journey) -> None:
    provider = way.provider
    if not has(way, "verify"):
        way.write([provider.issue("ed")], "more.csv")  # nothing to be refused with: a pair counts as it comes
        way.done("run", "more.csv", "--canary", "1")
        assert way.standing() == {"ed": ("migrated", "")}
        return
    way.done("run", "tokens.csv")
    (ended,) = [token for token, user in provider.access.items() if user == "bo"]
    del provider.access[ended]
    way.done("verify", "--all")
    assert way.standing() == dict.fromkeys(USERS, ("migrated", ""))
    assert [action for action, _, _ in way.attempts("bo")][-2:] == ["refresh", "verify"]
    assert_all_work(way)
    assert provider.unexpected == []


def test_a_pair_that_was_ended_is_its_users_matter_unless_another_exchange_cures_it(way: Journey) -> None:
    provider = way.provider
    way.done("run", "tokens.csv")
    provider.end_pairs_of("bo")
    way.done("refresh", "--all", code=0 if provider.cured else 1)
    theirs = ("migrated", "") if provider.cured else ("needs_consent", "grant_revoked")
    assert way.standing() == {**dict.fromkeys(USERS, ("migrated", "")), "bo": theirs}
    assert provider.asked["bo"] == (2 if provider.cured else 1)
    assert_all_work(way)
    assert provider.unexpected == []
