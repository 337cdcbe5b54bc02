"""Random bytes that are asked for many at a time: each is given once, whoever asks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from migrator.random_bytes import RandomBytes


def test_no_value_is_given_twice() -> None:
    values = RandomBytes(12)
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: values.next(), range(5_000)))
    assert len(set(given)) == len(given)
    assert {len(value) for value in given} == {12}


def test_two_sources_have_nothing_in_common() -> None:
    one, other = RandomBytes(16), RandomBytes(16)
    assert not {one.next() for _ in range(300)} & {other.next() for _ in range(300)}
