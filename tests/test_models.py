"""A secret shows itself when asked by name, and in no other way; neither does what holds one."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields, replace
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.models import (
    Action,
    Connection,
    Credentials,
    LegacyToken,
    Secret,
    Standing,
    State,
    StoredPair,
    TokenPair,
    utc_now,
)
from migrator.providers import Answer, Basic, Bearer, Renewed, Request, Signed, Won

HUSH = "HUSH7HUSH"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = Secret(HUSH)
LEGACY = LegacyToken(SECRET, SECRET, SECRET, NOW)
PAIR = TokenPair(SECRET, SECRET, NOW)
CREDENTIALS = Credentials("key", "HMAC-SHA1", SECRET, SECRET, "client", SECRET, ("offline_access",))

HOLDERS = [
    SECRET,
    LEGACY,
    PAIR,
    CREDENTIALS,
    StoredPair(1, PAIR),
    Connection("key", "partner", LEGACY, further={"password": HUSH}),
    Standing(
        1, "key", "partner", State.UNCERTAIN, "", "", "ORGANISATION", LEGACY,
        StoredPair(1, PAIR, NOW), Action.SWAP,
    ),
    Signed(LEGACY, CREDENTIALS, {"oauth_session_handle": SECRET}),
    Bearer(SECRET),
    Basic(CREDENTIALS),
    Request("POST", "https://x.example", Bearer(SECRET), json={"client_secret": SECRET}),
    Request("POST", "https://x.example", Signed(LEGACY, CREDENTIALS), form={"refresh_token": SECRET}),
    Answer(200, {}, HUSH.encode(), NOW),
    Won(PAIR),
    Renewed(LEGACY),
]  # fmt: skip


def _percent(value: object) -> str:
    return "%s %r %10s" % (value, value, value)  # noqa: UP031 - that is what is tested


def _joined(value: object) -> str:
    return f"{value} {value!r} {value!s} {value!a} {[value]} {({'k': value},)}"


def _raise(value: object) -> None:
    raise ValueError(value)


def _trace(value: object) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - it is ours
        _raise(value)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    return "".join(told.format()) + repr(caught.value)


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
@pytest.mark.parametrize("show", [str, repr, ascii, _percent, _joined, _trace])
def test_nothing_that_holds_a_secret_shows_it(holder: object, show: Callable[[object], str]) -> None:
    text = show(holder)
    assert HUSH not in text
    assert text


@given(st.text(min_size=1), st.sampled_from(["", ">20", "s", "^3", ".5"]))
def test_a_secret_is_formatted_the_same_whatever_it_holds(value: str, spec: str) -> None:
    assert format(Secret(value), spec) == format(SECRET, spec) == str(Secret(value)) == repr(SECRET)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_is_not_picklable(protocol: int) -> None:
    with pytest.raises(TypeError) as caught:
        pickle.dumps(SECRET, protocol)
    assert HUSH not in str(caught.value)


@pytest.mark.parametrize("dump", [json.dumps, partial(json.dumps, default=str)])
def test_a_secret_does_not_get_into_json(dump: Callable[[object], str]) -> None:
    try:
        text = dump({"secret": SECRET})
    except TypeError as error:
        text = str(error)
    assert HUSH not in text
    assert text


def test_a_secret_has_no_attributes_to_dump() -> None:
    with pytest.raises(TypeError):
        vars(SECRET)


@given(st.text())
def test_reveal_is_the_value_and_truth_is_whether_there_is_one(value: str) -> None:
    assert Secret(value).reveal() == value
    assert bool(Secret(value)) is (value != "")


@given(st.text(), st.text())
def test_secrets_are_equal_as_their_values_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) == Secret(one)
    assert hash(Secret(one)) == hash(Secret(one))


def test_any_two_secrets_can_be_compared() -> None:
    # An environment variable that is not UTF-8 comes in with surrogates.
    assert Secret("\udcff") != Secret("a")


@given(st.text())
def test_a_secret_equals_no_plain_text(value: str) -> None:
    assert Secret(value) != value


ROWS: list[tuple[type[LegacyToken | Connection], tuple[object, ...]]] = [
    (LegacyToken, (Secret("t"), Secret("s"), Secret("h"), NOW, True)),
    (Connection, ("k", "partner", LEGACY, "Org", "id", "ORGANISATION", "a@b.example", "key", {"note": 1})),
]


@pytest.mark.parametrize(("kind", "values"), ROWS)
def test_what_there_are_millions_of_holds_every_field_and_does_not_change(
    kind: type[LegacyToken | Connection], values: tuple[object, ...]
) -> None:
    names = [each.name for each in fields(kind)]
    made = kind(*values)  # type: ignore[arg-type]
    assert [getattr(made, name) for name in names] == list(values)
    assert made == kind(**dict(zip(names, values, strict=True)))  # type: ignore[arg-type]
    assert replace(made) == made
    for each in fields(kind):
        assert replace(made, **{each.name: "another"}) != made  # type: ignore[arg-type]
        with pytest.raises(FrozenInstanceError):
            setattr(made, each.name, "another")
        with pytest.raises(FrozenInstanceError):
            delattr(made, each.name)
    needed = [value for each, value in zip(fields(kind), values, strict=True) if _default(each) is MISSING]
    least = kind(*needed)  # type: ignore[arg-type]
    assert [getattr(least, each.name) for each in fields(kind)[len(needed) :]] == [
        _default(each) for each in fields(kind)[len(needed) :]
    ]


def _default(each: Field[object]) -> object:
    return each.default if each.default_factory is MISSING else each.default_factory()


def test_the_real_clock_tells_utc() -> None:
    assert utc_now().tzinfo is UTC
