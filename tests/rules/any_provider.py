"""Providers with whatever terms, and one connection that is taken through jobs against them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import pytest
from hypothesis import strategies as st

from migrator.models import Action, LegacyToken, Secret, Standing, State, StoredPair, Tenant, TokenPair
from migrator.providers import (
    Disabled,
    Identified,
    Later,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    Unknown,
    Won,
)
from migrator.providers.facts import LegacyFate, Renewal, RenewalRule, Repeat
from migrator.rules.agenda import Agenda, Work
from migrator.rules.breaker import Breaker
from migrator.rules.judgement import JudgedAt, judge
from migrator.rules.next_step import Call, Rest, Wait
from migrator.rules.recovery import died
from migrator.rules.terms import Terms
from migrator.rules.verdict import Policy, Verdict
from tests.rules.strategies import NOW, POLICY

SECOND = timedelta(seconds=1)
USER, SCOPE = "u-1", "read write"
MOST_CALLS = 60
"""Of one connection in one job: many times what the patience below can explain."""
MAX_ATTEMPTS = 12
GONE = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)
AGAIN = Over(State.NEEDS_CONSENT, "already_exchanged", "already_exchanged", refused=True)
NO_ACCESS = Over(State.FAILED, "access_token_refused", "http_401", refused=True)

Fate = Literal[
    "answered", "never arrived", "answer lost", "late", "unavailable", "unusual", "revoked", "killed before",
    "killed behind",
]  # fmt: skip
FATES: tuple[Fate, ...] = (
    "answered", "never arrived", "answer lost", "late", "unavailable", "unusual", "revoked", "killed before",
    "killed behind",
)  # fmt: skip

renewals = st.sampled_from(
    [
        Renewal(),
        Renewal(RenewalRule.EXPIRED),
        Renewal(RenewalRule.EXPIRED, ahead=timedelta(hours=3)),  # more than a new token has
        Renewal(RenewalRule.WINDOW, window=timedelta(days=30), ahead=timedelta(days=2)),
        Renewal(RenewalRule.REFUSED),
        Renewal(RenewalRule.REFUSED, needs_handle=True),
    ]
)
_AFTER = {
    Repeat.NEVER: [LegacyFate.DIES, LegacyFate.UNKNOWN],
    Repeat.ONCE_PER_USER: [LegacyFate.LIVES, LegacyFate.UNKNOWN],
}
_LIVING = [LegacyFate.LIVES, LegacyFate.MUST_BE_DISABLED, LegacyFate.DIES_AFTER, LegacyFate.UNKNOWN]


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    """Terms that a profile may have."""
    repeat = draw(st.sampled_from(Repeat))
    fate = draw(st.sampled_from(_AFTER.get(repeat, _LIVING)))
    return Terms(
        repeat=repeat,
        legacy_fate=fate,
        renewal=draw(renewals),
        refreshes=draw(st.booleans()),
        verifies=draw(st.booleans()),
        identifies=draw(st.booleans()),
        disables=fate is LegacyFate.MUST_BE_DISABLED,
        of_account=draw(st.booleans()),
        lists_tenants=False,
        scope=draw(st.sampled_from([(), ("read",), ("read", "admin")])),
    )


@dataclass
class Provider:
    """Mints pairs by name, and knows which legacy token and which pairs are alive."""

    terms: Terms
    repeat: Repeat
    """What it really does, where its terms say that nobody knows."""
    ends: datetime | None
    """When its legacy token really ends."""
    says: str = SCOPE
    """What its answers say of the scope."""
    assumed: bool = False
    """Whether they leave out how long a token lives."""
    legacy: str | None = "L0"
    revoked: bool = False
    swapped: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    """Refresh tokens that work, by the name of their pair."""
    open: set[str] = field(default_factory=set)
    """Access tokens that work."""
    minted: int = 0
    sent: list[tuple[Action, Fate]] = field(default_factory=list)
    spent: bool = False
    """Whether a swap was sent that may have taken effect, for all that its sender knows."""
    late: list[tuple[datetime, Action, Standing]] = field(default_factory=list)

    def carry_out(self, action: Action, standing: Standing, now: datetime) -> Outcome:
        if action in (Action.VERIFY, Action.REFRESH):
            return self._of_pair(action, standing.pair, now)
        if standing.legacy.token.reveal() != self.legacy:
            return GONE
        ended = self.ends is not None and self.ends <= now
        if action is Action.RENEW:
            return self._renew(now, ended=ended)
        if action is Action.DISABLE and not ended:
            self.legacy = None
            return Disabled()
        if ended:
            return RenewFirst("token_expired")
        return Identified(USER) if action is Action.IDENTIFY else self._swap(now)

    def _of_pair(self, action: Action, stored: StoredPair | None, now: datetime) -> Outcome:
        assert stored is not None
        if action is Action.VERIFY:
            return Reached((Tenant(USER),)) if stored.pair.access_token.reveal() in self.open else NO_ACCESS
        refresh = stored.pair.refresh_token.reveal()
        if refresh not in self.alive:
            return GONE
        self.alive.discard(refresh)
        return self._pair(now, "")

    def _renew(self, now: datetime, *, ended: bool) -> Outcome:
        if self.terms.renewal.rule is RenewalRule.WINDOW:
            if ended or self.ends is None or self.ends - self.terms.renewal.window > now:
                return GONE
        elif self.terms.renewal.rule is RenewalRule.REFUSED:
            assert ended, "it is renewed only once it has ended"
        self.minted += 1
        self.legacy, self.ends = f"L{self.minted}", now + timedelta(hours=1)
        return Renewed(LegacyToken(Secret(self.legacy), Secret("s"), Secret("h"), self.ends))

    def _swap(self, now: datetime) -> Outcome:
        assert self.legacy is not None
        if self.repeat is Repeat.ONCE_PER_USER and self.swapped:
            return AGAIN
        self.swapped.add(self.legacy)
        if self.repeat is Repeat.NEWEST_WINS:
            self.alive.clear()
            self.open.clear()
        if self.repeat is Repeat.NEVER:
            self.legacy = None
        return self._pair(now, self.says)

    def _pair(self, now: datetime, scope: str) -> Won:
        self.minted += 1
        name = f"P{self.minted}"
        self.open.add(name)
        if self.terms.refreshes:
            self.alive.add(name)
        refresh = Secret(name if self.terms.refreshes else "")
        ends = now + timedelta(minutes=30) if self.terms.refreshes else None
        return Won(TokenPair(Secret(name), refresh, ends, scope, lifetime_assumed=self.assumed))

    def revoke(self) -> None:
        """Its user ends the grant: nothing works any more."""
        self.legacy, self.revoked = None, True
        self.alive.clear()
        self.open.clear()

    def catch_up(self, now: datetime | None = None) -> None:
        """Carry out what is late, up to now, or all of it."""
        for due, action, standing in [*self.late]:
            if now is None or due <= now:
                self.late.remove((due, action, standing))
                self.carry_out(action, standing, due)

    def call(self, action: Action, standing: Standing, fate: Fate, now: datetime) -> Outcome | None:
        """The answer; None if the process died of waiting for it."""
        self.catch_up(now)
        self.sent.append((action, fate))
        assert action is not Action.SWAP or self.terms.asks_again or not self.spent, "it is asked but once"
        outcome = self._answer(action, standing, fate, now)
        self.spent |= action is Action.SWAP and isinstance(outcome, Won | Unknown | None)
        return outcome

    def _answer(self, action: Action, standing: Standing, fate: Fate, now: datetime) -> Outcome | None:
        if fate == "revoked":
            self.revoke()
        match fate:
            case "answered" | "revoked":
                return self.carry_out(action, standing, now)
            case "unusual":
                outcome = self.carry_out(action, standing, now)
                return replace(outcome, whole=False) if isinstance(outcome, Won | Renewed) else outcome
            case "unavailable":
                return Later("http_503")
            case "answer lost" | "killed behind":
                self.carry_out(action, standing, now)
            case "late":
                self.late.append((now + POLICY.settle - SECOND, action, standing))
        return None if fate.startswith("killed") else Unknown("timeout")


@dataclass
class Job:
    """What works on one connection: as the engine does, with a ledger that is a standing."""

    provider: Provider
    fates: list[Fate]
    now: datetime = NOW
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def policy(self) -> Policy:
        return replace(POLICY, max_attempts=MAX_ATTEMPTS, terms=self.provider.terms)

    def work(self, standing: Standing, kind: Work) -> Standing:
        """Take a connection as far as it goes in one run; once the fates are used up, all is answered."""
        agenda = Agenda(kind, 1, MAX_ATTEMPTS, moment=self.now, begun=self.now)
        standing = replace(standing, tries=0)
        for _ in range(MOST_CALLS):
            if standing.tries >= MAX_ATTEMPTS:
                return standing
            match agenda.step(standing, self.provider.terms, self.now):
                case Wait(until):
                    self.now = until
                case Rest(state, reason):
                    return replace(standing, state=state, reason=reason)
                case Call(action):
                    standing = self._call(standing, action)
        pytest.fail("the connection comes to no end")

    def _call(self, standing: Standing, action: Action) -> Standing:
        self.now += SECOND
        outcome = self.provider.call(
            action, standing, self.fates.pop(0) if self.fates else "answered", self.now
        )
        if outcome is None:
            return self._after_death(standing, action)
        moment = JudgedAt(self.now, (self.now - NOW).total_seconds(), 0.5, alone=True)
        judgement = judge(standing, action, outcome, self.breaker, moment, self.policy)
        self.breaker = judgement.breaker
        return self._after(standing, judgement.verdict)

    def _after_death(self, standing: Standing, action: Action) -> Standing:
        self.breaker = Breaker()
        if action in (Action.VERIFY, Action.IDENTIFY, Action.DISABLE):
            return replace(standing, tries=0)
        return replace(
            self._after(standing, died(action, standing.tries, self.now, self.policy, standing.doubt)),
            tries=0,
        )

    def _after(self, standing: Standing, verdict: Verdict) -> Standing:
        """What the ledger makes of a verdict."""
        pair, legacy = None if verdict.pair_dead else standing.pair, standing.legacy
        if pair is not None and verdict.pair_verified:
            pair = replace(pair, verified_at=self.now)
        if pair is not None and verdict.pair_expired:
            pair = replace(pair, pair=replace(pair.pair, expires_at=self.now))
        if verdict.new_pair is not None and not verdict.new_pair_set_aside:
            pair = StoredPair(self.provider.minted, verdict.new_pair, obtained_at=self.now)
        if verdict.new_legacy is not None:
            legacy = replace(verdict.new_legacy, renewed=True)
        if verdict.token_expired:
            legacy = replace(legacy, expires_at=self.now)
        return replace(
            standing,
            state=verdict.state,
            reason=verdict.reason,
            doubt=verdict.doubt,
            not_before=verdict.not_before,
            tries=verdict.tries,
            pair=pair,
            legacy=legacy,
            user_id=verdict.user_id or standing.user_id,
            disabled=verdict.disabled or standing.disabled,
        )


@st.composite
def jobs(draw: st.DrawFn) -> tuple[Job, Standing]:
    """A job, and a connection that it begins with."""
    terms = draw(any_terms())
    known = terms.repeat is not Repeat.UNKNOWN
    real = terms.repeat if known else draw(st.sampled_from([r for r in Repeat if r is not Repeat.UNKNOWN]))
    if real is Repeat.NEVER and terms.legacy_fate in (LegacyFate.LIVES, LegacyFate.MUST_BE_DISABLED):
        real = Repeat.BOTH_LIVE
    lives = draw(st.sampled_from([None, timedelta(hours=-1), timedelta(hours=2), timedelta(days=10)]))
    ends = NOW + lives if lives is not None else None
    provider = Provider(terms, real, ends, draw(st.sampled_from(["", "read", SCOPE])), draw(st.booleans()))
    told = ends if draw(st.booleans()) else None
    legacy = LegacyToken(Secret("L0"), Secret("s"), draw(st.none() | st.just(Secret("h"))), told)
    standing = Standing(1, "key", "", State.PENDING, "", "", "", legacy)
    return Job(provider, draw(st.lists(st.sampled_from(FATES), max_size=8))), standing
