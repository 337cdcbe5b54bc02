"""When a token ends: every notation is read as what it says, or not at all."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from migrator.sources.expiry_time import EARLIEST, LATEST, instant
from migrator.sources.unreadable_row import UnusableError

moments = st.datetimes(datetime(2009, 6, 26), datetime(2045, 12, 29))  # noqa: DTZ001 - a zone comes by itself

DATES = ["%Y-%m-%d", "%Y%m%d", "%G-W%V-%u", "%GW%V%u"]
TIMES = {
    "%H": timedelta(hours=1),
    "%H:%M": timedelta(minutes=1),
    "%H%M": timedelta(minutes=1),
    "%H:%M:%S": timedelta(seconds=1),
    "%H%M%S": timedelta(seconds=1),
    "%H:%M:%S.%f": timedelta(microseconds=1),
    "%H%M%S,%f": timedelta(microseconds=1),
    "%H:%M:%S.%f000": timedelta(microseconds=1),
}
"""Each form of a time, and how exact it is."""
ZONES = ["", "Z", "z", " UTC", "{h}", "{h}:{m}", "{h}{m}", " {h}{m}", " {h}:{m}"]


def cut(moment: datetime, unit: timedelta) -> datetime:
    return moment - (moment - datetime(2000, 1, 1)) % unit  # noqa: DTZ001


def zoned(form: str, offset: int) -> str:
    sign, (hours, minutes) = "-" if offset < 0 else "+", divmod(abs(offset), 60)
    return form.format(h=f"{sign}{hours:02}", m=f"{minutes:02}")


def meant(local: datetime, form: str, offset: int) -> datetime:
    if "{h}" not in form:
        offset = 0
    elif "{m}" not in form:
        assume(offset % 60 == 0)
    return local.replace(tzinfo=timezone(timedelta(minutes=offset))).astimezone(UTC)


offsets = st.integers(-23 * 60, 23 * 60) | st.integers(-23, 23).map(lambda hours: hours * 60)


@given(moments, st.sampled_from(DATES), st.sampled_from("Tt "), st.sampled_from(list(TIMES)),
       st.sampled_from(ZONES), offsets)  # fmt: skip
def test_every_form_of_iso_8601_with_every_zone_is_its_moment(
    moment: datetime, date: str, between: str, time: str, zone: str, offset: int
) -> None:
    local = cut(moment, TIMES[time])
    text = local.strftime(date) + between + local.strftime(time) + zoned(zone, offset)
    assert instant(text) == meant(local, zone, offset)


@given(moments, st.sampled_from(["%H%M", "%H%M%S", "%H%M%S.%f", "%H%M%S,%f", "%H%M%S.0"]),
       st.sampled_from(ZONES), offsets)  # fmt: skip
def test_every_compact_time_with_every_zone_is_its_moment(
    moment: datetime, time: str, zone: str, offset: int
) -> None:
    unit = {"M": timedelta(minutes=1), "f": timedelta(microseconds=1)}.get(time[-1], timedelta(seconds=1))
    local = cut(moment, unit)
    text = local.strftime("%Y%m%d" + time) + zoned(zone, offset)
    assert instant(text) == meant(local, zone, offset)


@pytest.mark.parametrize(
    "text",
    ["20261127100000Z", "20261127100000z", "20261127100000+0000", "20261127100000.0Z", "202611271000Z",
     "20261127100000+00:00", "20261127100000+00", "20261127230000+1300", "20261127050000-05", "20261127T10Z",
     "20261127100000.000000", "2026-11-27 10:00:00 +0000"],
)  # fmt: skip
def test_a_compact_date_is_read_in_its_zone(text: str) -> None:
    assert instant(text) == datetime(2026, 11, 27, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["20261127-0500",  # the hour five, or a zone?
     "20261127+0500", "20261127Z", "2026-11-27Z", "2026-11-27+13:00", "2026-11-27-05:00", "2026112710Z",
     "2026-11-27110:00", "2026-11-27x10:00", "2026-11-27_10:00", "2026-11-27T", "2026-11-27T10:00Q",
     "2026-11-27T10:00+5", "2026-11-27T10:00+24:00", "202611271030Z0", "2026112710300", "20261127103000Z+01",
     "20261127106000Z", "20261327100000Z", "2026-11-27 10:00 CET", "27-11-2026", "2026-11-27T10:00:00.Z"],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_or_none_is_a_bad_date(text: str) -> None:
    with pytest.raises(UnusableError) as caught:
        instant(text)
    assert caught.value.reason in ("bad_date", "impossible_date")
    assert text not in caught.value.detail


@given(moments, st.sampled_from(["%Y-%m-%d", "%Y%m%d"]), st.characters(exclude_characters="Tt 0123456789"))
def test_nothing_else_parts_date_and_time(moment: datetime, date: str, between: str) -> None:
    with pytest.raises(UnusableError):
        instant(moment.strftime(date) + between + moment.strftime("%H:%M"))


@given(st.text("0123456789TZWU+-:., UTC", max_size=30))
def test_any_text_is_a_possible_time_or_a_reason(text: str) -> None:
    moment = None
    with suppress(UnusableError):
        moment = instant(text)
    assert moment is None or EARLIEST <= moment < LATEST


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [("-infinity", "impossible_date", "before all time"), ("nan", "bad_date", "no finite number"),
     ("-5", "bad_date", "negative"), ("2059-12-31", "impossible_date", "2046 or later")],
)  # fmt: skip
def test_each_is_told_what_is_true_of_it(text: str, reason: str, said: str) -> None:
    with pytest.raises(UnusableError) as caught:
        instant(text)
    assert caught.value.reason == reason
    assert said in caught.value.detail
