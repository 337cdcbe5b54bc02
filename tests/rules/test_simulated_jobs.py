"""Whole jobs against simulated providers: whatever gets lost, migrated means a pair that works."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.models import (
    RESPONSE_LOST,
    Action,
    LegacyToken,
    Secret,
    Standing,
    State,
    StoredPair,
    Tenant,
    TokenPair,
)
from migrator.providers import (
    Later,
    Outcome,
    Over,
    Reached,
    Renewed,
    Unknown,
    Won,
)
from migrator.rules.agenda import Agenda, Work
from migrator.rules.breaker import Breaker
from migrator.rules.judgement import JudgedAt, judge
from migrator.rules.next_step import Call, Rest, Wait
from migrator.rules.verdict import Verdict
from tests.rules.strategies import FRESH, NOW, POLICY, TYPED

Repeat = Literal["newest-wins", "keep", "never"]
Fate = Literal[
    "answered",
    "never arrived",
    "answer lost",
    "late",
    "unavailable",
    "undelimited",
    "cut off",
    "unusual",
    "half a pair",
    "guessed",
    "guessed wrong",
]
FATES: tuple[Fate, ...] = (
    "answered", "never arrived", "answer lost", "late", "unavailable", "undelimited", "cut off",
    "unusual", "half a pair", "guessed", "guessed wrong",
)  # fmt: skip
GONE = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)


@dataclass
class Provider:
    """Mints pairs by name, and knows which legacy token and which pairs are alive."""

    repeat: Repeat
    legacy: str | None = "L0"
    alive: set[str] = field(default_factory=set)
    """Refresh tokens that work, by the name of their pair."""
    open: set[str] = field(default_factory=set)
    """Access tokens that work: a refresh lets the one before it live on."""
    minted: int = 0
    late: list[tuple[datetime, Action, Standing]] = field(default_factory=list)

    def carry_out(self, action: Action, standing: Standing, now: datetime) -> Outcome:
        token = standing.legacy.token.reveal()
        pair = standing.pair.pair.access_token.reveal() if standing.pair else ""
        refresh = standing.pair.pair.refresh_token.reveal() if standing.pair else ""
        match action:
            case Action.VERIFY:
                dead = Over(State.FAILED, "pair_dead", "http_401", refused=True)
                return Reached((Tenant("T1"),)) if pair in self.open else dead
            case Action.REFRESH if refresh in self.alive:
                self.alive.discard(refresh)
                return Won(self._mint(now))
            case Action.RENEW if token == self.legacy:
                self.minted += 1
                self.legacy = f"L{self.minted}"
                ends = now + timedelta(minutes=30)
                return Renewed(LegacyToken(Secret(self.legacy), Secret("s"), None, ends))
            case Action.SWAP if token == self.legacy:
                if self.repeat == "newest-wins":
                    self.alive.clear()
                    self.open.clear()
                if self.repeat == "never":
                    self.legacy = None
                return Won(self._mint(now))
        return GONE

    def call(self, action: Action, standing: Standing, fate: Fate, now: datetime) -> Outcome:
        for due, late_action, late_standing in [*self.late]:
            if due <= now:
                self.late.remove((due, late_action, late_standing))
                self.carry_out(late_action, late_standing, due)
        match fate:
            case "guessed wrong" if action is not Action.SWAP:  # a provider has one form for all refreshes
                return self.carry_out(action, standing, now)
            case (
                "answered" | "undelimited" | "cut off" | "unusual" | "half a pair"
                | "guessed" | "guessed wrong"
            ):  # fmt: skip
                return _as_it_arrives(self.carry_out(action, standing, now), fate, now)
            case "unavailable":
                return Later("http_503")
            case "answer lost":
                self.carry_out(action, standing, now)
            case "late":
                self.late.append((now + POLICY.settle - timedelta(seconds=1), action, standing))
            case "never arrived":
                pass
        return Unknown("timeout")

    def _mint(self, now: datetime) -> TokenPair:
        self.minted += 1
        self.alive.add(f"P{self.minted}")
        self.open.add(f"P{self.minted}")
        ends = now + timedelta(minutes=30 if self.minted % 2 else 1)
        refresh_ends = NOW + timedelta(days=30)
        name = Secret(f"P{self.minted}")
        return TokenPair(name, name, ends, refresh_expires_at=refresh_ends)


def _as_it_arrives(outcome: Outcome, fate: Fate, now: datetime) -> Outcome:
    if fate in ("undelimited", "cut off"):
        return _undelimited(outcome, cut=fate == "cut off")
    if not isinstance(outcome, Won) or fate == "answered":
        return outcome
    if fate == "unusual":
        return replace(outcome, whole=False)
    if fate in ("guessed", "guessed wrong"):
        # Under a name that is only like a refresh token's: only a refresh shows whether it is one.
        refresh = outcome.pair.refresh_token if fate == "guessed" else Secret("2026-12-01T00:00:00Z")
        pair = replace(outcome.pair, refresh_token=refresh, expires_at=now)
        return Won(pair, whole=False, ends=outcome.pair.expires_at)
    # A pair that arrived without its access token: only a refresh brings one.
    return Won(replace(outcome.pair, access_token=Secret(""), expires_at=now), whole=False)


def _undelimited(outcome: Outcome, *, cut: bool) -> Outcome:
    """An answer whose end nobody announced: of a renewal's, nobody can tell whether it was cut off."""
    match outcome:
        case Renewed(legacy):
            token = Secret(legacy.token.reveal() + "…") if cut else legacy.token
            return Renewed(replace(legacy, token=token), whole=False)
        case Won() if cut:
            return Unknown("unreadable_pair")
    return outcome


def after_verdict(standing: Standing, verdict: Verdict, now: datetime, action: Action) -> Standing:
    """What the ledger makes of a verdict."""
    pair = None if verdict.pair_dead else standing.pair
    if pair is not None and verdict.pair_verified:
        pair = replace(pair, verified_at=NOW)
    if verdict.new_pair is not None:
        pair = StoredPair(
            1,
            verdict.new_pair,
            obtained_at=now,
            first_of_refresh=action in (Action.REFRESH, Action.EXCHANGE_CODE),
        )
    legacy = verdict.new_legacy or standing.legacy
    if verdict.token_expired:
        legacy = replace(legacy, expires_at=now)
    return replace(
        standing,
        state=verdict.state,
        reason=verdict.reason,
        doubt=verdict.doubt,
        not_before=verdict.not_before,
        tries=verdict.tries,
        pair=pair,
        legacy=legacy,
    )


def agenda(work: Work, moment: datetime = NOW) -> Agenda:
    return Agenda(work, upto=1, max_attempts=100, moment=moment, begun=NOW)


SWAP = agenda(Work.SWAP)


def work(provider: Provider, standing: Standing, fates: list[Fate], todo: Agenda = SWAP) -> Standing:
    """Take a connection to its end; once the fates are used up, every call is answered."""
    policy = replace(POLICY, max_attempts=100)
    breaker, now = Breaker(), NOW
    for _ in range(200):
        match todo.step(standing, TYPED, now):
            case Wait(until):
                now = until
            case Rest(state, reason):
                return replace(standing, state=state, reason=reason)
            case Call(action):
                outcome = provider.call(action, standing, fates.pop(0) if fates else "answered", now)
                moment = JudgedAt(now, (now - NOW).total_seconds(), 0.5, alone=True)
                judgement = judge(standing, action, outcome, breaker, moment, policy)
                breaker = judgement.breaker
                standing = after_verdict(standing, judgement.verdict, now, action)
                now += timedelta(seconds=1)
    pytest.fail("the connection comes to no end")


@settings(max_examples=400)
@given(
    st.sampled_from(["newest-wins", "keep", "never"]),
    st.lists(st.sampled_from(FATES), max_size=8),
    st.sampled_from([None, timedelta(hours=-1), timedelta(hours=1)]),
    st.booleans(),
)
def test_whatever_gets_lost_migrated_means_a_pair_that_works_and_nobody_is_asked_without_need(
    repeat: Repeat, fates: list[Fate], lifetime: timedelta | None, has_handle: bool
) -> None:
    provider = Provider(repeat)
    handle = Secret("h") if has_handle else None
    ends = NOW + lifetime if lifetime is not None else None
    end = work(
        provider, replace(FRESH, legacy=replace(FRESH.legacy, session_handle=handle, expires_at=ends)), fates
    )
    for due, action, standing in provider.late:
        provider.carry_out(action, standing, due)
    if end.state is State.MIGRATED:
        assert end.pair is not None
        assert end.pair.pair.access_token.reveal() in provider.alive
        assert end.pair.pair.refresh_token.reveal() in provider.alive
    else:
        assert end.state is State.NEEDS_CONSENT
        if end.reason == RESPONSE_LOST:
            assert provider.legacy != end.legacy.token.reveal()
        else:
            assert end.reason == "token_expired"
            assert not has_handle
            assert ends is not None
            assert ends < NOW


@settings(max_examples=400)
@given(
    st.sampled_from(["newest-wins", "keep", "never"]),
    st.lists(st.sampled_from(FATES), max_size=8),
    st.sampled_from([Work.VERIFY, Work.REFRESH_ALL, Work.REFRESH_ENDING]),
    st.sampled_from(["partner", "public", "private"]),
    st.sampled_from([timedelta(minutes=-1), timedelta(minutes=20)]),
)
def test_whatever_gets_lost_in_its_upkeep_migrated_means_a_pair_that_works(
    repeat: Repeat, fates: list[Fate], kind: Work, app_type: str, lifetime: timedelta
) -> None:
    provider = Provider(repeat)
    provider.alive.add("P0")
    provider.open.add("P0")
    something_lost = set(fates) & {"answer lost", "late", "cut off"}
    pair = TokenPair(Secret("P0"), Secret("P0"), NOW + lifetime, refresh_expires_at=NOW)
    stored = StoredPair(1, pair, obtained_at=NOW - timedelta(days=25))
    handle = Secret("h") if app_type == "partner" else None
    legacy = replace(FRESH.legacy, session_handle=handle, expires_at=NOW)
    migrated = replace(FRESH, state=State.MIGRATED, app_type=app_type, legacy=legacy, pair=stored)
    end = work(provider, migrated, fates, agenda(kind))
    for due, action, standing in provider.late:
        provider.carry_out(action, standing, due)
    if end.state is State.MIGRATED:
        assert end.pair is not None
        assert end.pair.pair.access_token.reveal() in provider.alive
        assert end.pair.pair.refresh_token.reveal() in provider.alive
        assert kind is not Work.VERIFY or end.pair.verified
        assert kind is Work.VERIFY or end.pair is not stored
    else:
        assert (end.state, end.reason) == (State.NEEDS_CONSENT, RESPONSE_LOST)
        assert something_lost


@pytest.mark.parametrize("ends", [NOW, NOW + timedelta(days=1), None])
def test_a_grant_that_somebody_ended_is_not_won_back_with_the_legacy_token(ends: datetime | None) -> None:
    pair = TokenPair(Secret("P0"), Secret("P0"), NOW, refresh_expires_at=ends)
    provider = Provider("keep")
    end = work(
        provider, replace(FRESH, state=State.MIGRATED, pair=StoredPair(1, pair)), [], agenda(Work.REFRESH_ALL)
    )
    reason = "refresh_token_expired" if ends == NOW else "grant_revoked"
    assert (end.state, end.reason) == (State.NEEDS_CONSENT, reason)
    assert provider.minted == 0


@pytest.mark.parametrize("kind", [Work.VERIFY, Work.REFRESH_ALL, Work.REFRESH_ENDING])
def test_a_pair_that_was_handed_over_is_the_applications_alone(kind: Work) -> None:
    pair = TokenPair(Secret("P0"), Secret("P0"), NOW, refresh_expires_at=NOW)
    taken = StoredPair(1, pair, taken=True, obtained_at=NOW - timedelta(days=25))
    step = agenda(kind).step(replace(FRESH, state=State.MIGRATED, pair=taken), TYPED, NOW)
    assert step == Rest(State.MIGRATED, "")
