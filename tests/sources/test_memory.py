"""Rows are streamed: many need no more memory than few."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from migrator.sources import open_source
from tests.sources.helpers import XERO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FEW, MANY = 1_000, 50_000
ALLOWANCE = 1024 * 1024


def csv_text(count: int) -> Iterator[str]:
    yield "connection_id,app_type,oauth_token,oauth_token_secret\n"
    for number in range(count):
        yield f"key-{number},partner,TOKEN{number},SECRET\n"


def json_text(count: int) -> Iterator[str]:
    yield "["
    for number in range(count):
        yield "," if number else ""
        yield f'{{"app_type": "partner", "oauth_token": "TOKEN{number}", "n": [{number}]}}\n'
    yield "\n]\n"


def peak_memory(path: Path, count: int) -> int:
    """Bytes at the highest point while all rows are read."""
    tracemalloc.start()
    try:
        assert sum(1 for _ in open_source(str(path), stdin=io.BytesIO(), rules=XERO).rows()) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", [csv_text, json_text])
def test_many_rows_need_no_more_memory_than_few(tmp_path: Path, text: Callable[[int], Iterator[str]]) -> None:
    peaks = {}
    for count in (FEW, MANY):
        path = tmp_path / str(count)
        with path.open("w") as file:
            file.writelines(text(count))
        peaks[count] = peak_memory(path, count)
    assert peaks[MANY] < 2 * peaks[FEW] + ALLOWANCE, peaks
