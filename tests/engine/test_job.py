"""The job by itself: what it tells the gate, what it keeps between answers, and what ends it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from random import Random

import pytest
from gevent.local import local

from migrator import waiting
from migrator.engine.application_token import ApplicationTokens
from migrator.engine.delivery import NOBODY_TAKES
from migrator.engine.gate import Gate
from migrator.engine.job import Job, Tools
from migrator.errors import StoppedError
from migrator.ledger.job_ledger import Ledger
from migrator.models import Action, Credentials, Secret, State, utc_now
from migrator.providers import Answer, NoAnswer, Request, Signed, find_profile
from migrator.providers.facts import Limit
from migrator.rules.agenda import Work
from migrator.rules.breaker import Pause
from migrator.rules.pacing import Pacer
from migrator.terminal.progress import NoProgress
from migrator.wire.http import Wire
from tests import xero
from tests.engine.conftest import POLICY
from tests.engine.taken_in import take_in

CREDENTIALS = Credentials("key", "HMAC-SHA1", Secret("s"), Secret(""), "id", Secret("s"), ("offline_access",))
PAIR = {"access_token": "A" * 40, "refresh_token": "R" * 40, "expires_in": 1800, "token_type": "Bearer"}
RENEWED = b"oauth_token=T2&oauth_token_secret=S2&oauth_session_handle=H2&oauth_expires_in=1800"
PAST = "2020-01-01T00:00:00Z"


class SpyGate(Gate):
    """Lets everybody through at once, and remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(Pacer([]))
        self.priorities: list[bool] = []
        self.applied: list[tuple[Pause | None, bool]] = []
        self.remaining: list[Mapping[int, int]] = []
        self.stopped_when_leaving: list[bool] = []
        self.stop = threading.Event()

    def admit(
        self,
        stop: threading.Event,
        action: Action,  # noqa: ARG002 - as the gate's
        consumer_key: str = "",  # noqa: ARG002
        *,
        priority: bool = False,
    ) -> bool:
        self.stop = stop
        self.priorities.append(priority)
        return not stop.is_set()

    def apply(self, pause: Pause | None, *, cautious: bool) -> None:
        self.applied.append((pause, cautious))

    def note_remaining(self, remaining: Mapping[int, int], consumer_key: str = "") -> None:  # noqa: ARG002
        self.remaining.append(remaining)

    def leave(self, action: Action, consumer_key: str = "") -> None:  # noqa: ARG002 - as the gate's
        self.stopped_when_leaving.append(self.stop.is_set())


class ScriptedWire:
    """Answers from a script, and remembers what was asked."""

    def __init__(self, *answers: Answer | NoAnswer) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def send(self, request: Request) -> Answer | NoAnswer:
        self.asked.append(str(request.url).rpartition("/")[2].partition("?")[0])
        return self.answers.pop(0)

    def close(self) -> None:
        pass


class NoJitter(Random):
    def random(self) -> float:
        return 0.0


def answer(status: int, body: bytes | dict[str, object] = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, content, utc_now())


def work(
    ledger: Ledger, gate: Gate, wire: Wire, running: Iterator[float] | None = None, *, concurrency: int = 1
) -> None:
    tools = Tools(
        profile=find_profile("xero", base_url="http://127.0.0.1:9"),
        credentials=CREDENTIALS,
        gate=gate,
        new_wire=lambda: wire,
        clock=utc_now,
        due=utc_now,
        running=running.__next__ if running is not None else lambda: 0.0,
        random=NoJitter(),
        progress=NoProgress(),
        application_tokens=ApplicationTokens(xero.PROFILE, utc_now),
        delivering=NOBODY_TAKES,
    )
    job = Job(ledger, tools, POLICY, concurrency=concurrency, stop=threading.Event())
    job.work(ledger.agenda(Work.SWAP, POLICY.max_attempts))


def test_what_answers_have_shown_is_kept_between_them(ledger: Ledger) -> None:
    take_in(ledger, 1)
    gate, wire = SpyGate(), ScriptedWire(*[answer(503)] * 3, answer(200, PAIR))
    work(ledger, gate, wire)
    assert gate.applied == [(Pause(0.5), True), (Pause(1.0), True), (Pause(2.0), True), (None, False)]
    assert ledger.status().states[State.MIGRATED] == 1


def test_a_connection_that_was_begun_goes_first(ledger: Ledger) -> None:
    take_in(ledger, 2, PAST)
    gate = SpyGate()
    wire = ScriptedWire(*[answer(200, RENEWED), answer(200, PAIR)] * 2)
    work(ledger, gate, wire)
    assert wire.asked == ["AccessToken", "migrate"] * 2
    assert gate.priorities == [False, True] * 2


def test_trouble_is_borne_by_the_running_time(ledger: Ledger) -> None:
    take_in(ledger, 1)
    gate, wire = SpyGate(), ScriptedWire(*[answer(503)] * 6)
    with pytest.raises(StoppedError, match="nothing but trouble with the provider"):
        work(ledger, gate, wire, iter([0.0, 1.0, 2.0, 3.0, 4.0, 60.0]))
    assert not wire.answers
    assert ledger.status().states[State.PENDING] == 1


def test_what_would_hit_everybody_stops_the_job_before_its_call_has_left(ledger: Ledger) -> None:
    take_in(ledger, 3)
    gate, wire = SpyGate(), ScriptedWire(answer(200, {**PAIR, "refresh_token": ""}), *[answer(500)] * 9)
    with pytest.raises(StoppedError, match="without refresh tokens") as raised:
        work(ledger, gate, wire)
    assert raised.value.hint is not None
    assert "--retry-failed" in raised.value.hint
    assert wire.asked == ["migrate"]
    assert gate.stopped_when_leaving == [True], "who waits for the call to leave must know"
    assert ledger.status().states[State.FAILED] == 1, "what it came to is on disk"


def test_the_gate_hears_what_the_provider_says_is_left(ledger: Ledger) -> None:
    take_in(ledger, 1)
    gate = SpyGate()
    work(ledger, gate, ScriptedWire(answer(200, PAIR, **{"X-AppMinLimit-Remaining": "17"})))
    assert gate.remaining == [{0: 17}]


class Held(Gate):
    """Knows when the call that was asked for again is over."""

    def __init__(self) -> None:
        super().__init__(Pacer([]))
        self.asked_again = local()
        self.over = threading.Event()

    def leave(self, action: Action, consumer_key: str = "") -> None:
        super().leave(action, consumer_key)
        if hasattr(self.asked_again, "it_is"):
            self.over.set()


class SlowForOne:
    """Takes the first token that it sees; then the application's secret is wrong, of which the answer to the
    third one tells late.
    """

    def __init__(self, gate: Held) -> None:
        self.gate = gate
        self.asked: list[str] = []

    def send(self, request: Request) -> Answer | NoAnswer:
        assert isinstance(request.auth, Signed)
        token = request.auth.legacy.token.reveal()
        self.asked.append(token)
        place = list(dict.fromkeys(self.asked)).index(token)
        if place == 1 and self.asked.count(token) > 1:
            self.gate.asked_again.it_is = True
        if place == 2:
            assert waiting.until_set(self.gate.over, 60)
        return answer(200, PAIR) if place == 0 else answer(401, b"oauth_problem=signature_invalid")

    def close(self) -> None:
        pass


def test_nobody_is_alone_in_what_others_have_yet_to_be_told(ledger: Ledger) -> None:
    take_in(ledger, 3)
    gate = Held()
    with pytest.raises(StoppedError, match="would answer everybody so"):
        work(ledger, gate, SlowForOne(gate), concurrency=2)
    states = ledger.status().states
    assert (states[State.MIGRATED], states[State.FAILED]) == (1, 0)


def test_a_limit_that_is_used_up_for_hours_ends_the_job_with_the_time_to_go_on(ledger: Ledger) -> None:
    take_in(ledger, 4)
    midday = 20_000 * 86_400.0 + 43_200.0
    a_day = Limit(2, timedelta(days=1), calendar=True)
    gate = Gate(Pacer([a_day]), utc=lambda: midday)
    wire = ScriptedWire(*[answer(200, PAIR)] * 2)
    with pytest.raises(StoppedError, match="2 calls a calendar day") as raised:
        work(ledger, gate, wire, concurrency=2)
    assert raised.value.resume_at is not None
    hours = (raised.value.resume_at - utc_now()) / timedelta(hours=1)
    assert hours == pytest.approx(12, abs=0.1)
    states = ledger.status().states
    assert (states[State.MIGRATED], states[State.PENDING]) == (2, 2)
    assert not gate.is_alone(), "who did not get through is not there any more"


def test_a_limit_that_is_used_up_for_minutes_is_waited_for(ledger: Ledger) -> None:
    take_in(ledger, 2)
    clock = iter([20_000 * 86_400.0 + 3_000.0] * 4 + [20_000 * 86_400.0 + 3_700.0] * 500)
    gate = Gate(Pacer([Limit(1, timedelta(hours=1), calendar=True)]), utc=clock.__next__)
    work(ledger, gate, ScriptedWire(*[answer(200, PAIR)] * 2))
    assert ledger.status().states[State.MIGRATED] == 2


def test_a_fault_of_a_worker_is_raised_where_the_job_was_started(ledger: Ledger) -> None:
    take_in(ledger, 1)
    with pytest.raises(IndexError):
        work(ledger, SpyGate(), ScriptedWire())
    assert ledger.status().states[State.IN_FLIGHT] == 1, (
        "its intent is on disk, and nobody knows what came of it"
    )
