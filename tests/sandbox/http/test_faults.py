"""Faults as they are ordered: what is read, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.sandbox import FaultError, SandboxError
from migrator.sandbox.http.faults import Faults, parse_faults
from migrator.sandbox.http.limits import Limit
from migrator.sandbox.state.swaps import Repeat


def test_specs_of_the_contract() -> None:
    assert parse_faults([]) == Faults()
    assert parse_faults(
        [
            "latency=150ms",
            "drop-response=0.02",
            "http-503=0.05",
            "garbage=0.01",
            "late=0.01",
            "limit=10000/min",
            "clock-skew=600s",
            "repeat=keep",
            "exchange=closed",
        ]
    ) == Faults(
        latency=0.15,
        drop_response=0.02,
        http_503=0.05,
        garbage=0.01,
        late=0.01,
        late_delay=2.0,
        limit=Limit(10000, 60.0),
        clock_skew=600.0,
        repeat=Repeat.KEEP,
        exchange_closed=True,
    )


@pytest.mark.parametrize(
    ("spec", "faults"),
    [
        ("late=1:3s", Faults(late=1.0, late_delay=3.0)),
        ("latency=1.5s", Faults(latency=1.5)),
        ("clock-skew=-10min", Faults(clock_skew=-600.0)),
        ("limit=5/s", Faults(limit=Limit(5, 1.0))),
        ("limit=1000/hour", Faults(limit=Limit(1000, 3600.0))),
        ("limit=5000/day", Faults(limit=Limit(5000, 86400.0))),
        ("limit=10000/15min", Faults(limit=Limit(10000, 900.0))),
        ("repeat=never", Faults(repeat=Repeat.NEVER)),
        ("repeat=once", Faults(repeat=Repeat.ONCE)),
        (" garbage=1 ", Faults(garbage=1.0)),
    ],
)
def test_further_specs(spec: str, faults: Faults) -> None:
    assert parse_faults([spec]) == faults


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "nonsense",
        "latency",
        "latency=",
        "latency=150",
        "latency=-1s",
        "latency=1e400s",
        "latency=999999day",
        "drop-response=2",
        "drop-response=-0.1",
        "drop-response=nan",
        "http-503=5%",
        "late=0.1:",
        "late=0.1:soon",
        "limit=0/min",
        "limit=10",
        "limit=10/week",
        "limit=10/0min",
        "limit=10/00min",
        "limit=10/15",
        "limit=1.5/min",
        "repeat=sometimes",
        "exchange=open",
        "clock-skew=--1s",
        "Latency=1s",
    ],
)
def test_what_cannot_be_understood_is_said(spec: str) -> None:
    with pytest.raises(FaultError) as error:
        parse_faults([spec])
    assert isinstance(error.value, SandboxError)
    assert isinstance(error.value, ValueError)
    assert repr(spec) in str(error.value) or repr(spec.partition("=")[0]) in str(error.value)


def test_a_fault_given_twice_is_refused() -> None:
    with pytest.raises(FaultError, match="twice"):
        parse_faults(["latency=1s", "latency=2s"])


@given(st.text() | st.sampled_from(["latency", "late", "limit", "repeat", "garbage"]).flatmap(
    lambda name: st.text().map(lambda value: f"{name}={value}")
))  # fmt: skip
def test_any_text_is_read_or_refused(spec: str) -> None:
    try:
        faults = parse_faults([spec])
    except FaultError:
        return
    assert parse_faults([spec.strip()]) == faults
    assert 0 <= faults.late <= 1
    assert 0 <= faults.garbage <= 1


@given(st.floats(0, 1).map(lambda share: f"{share:.9f}"), st.integers(0, 10**6))
def test_what_is_right_is_read(share: str, milliseconds: int) -> None:
    faults = parse_faults([f"late={share}:{milliseconds}ms", f"latency={milliseconds}ms"])
    assert faults.late == float(share)
    assert faults.latency == faults.late_delay == pytest.approx(milliseconds / 1000)
