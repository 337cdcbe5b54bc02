"""The torture's witness of damaged files must notice what it is there to notice."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from migrator.models import Connection, Misnamed, Reject
from migrator.sources import Row, Source, open_source, row_shape
from migrator.sources.screening import Accepted, read_row, screen
from tests import xero
from tests.sources.helpers import DictSeen
from tests.torture import fuzz
from tests.torture.witness import Originals, Outcome, in_the_clear

RULES = xero.PROFILE.row_rules()
PARTNERS = (fuzz.SAMPLES / "partners.csv").read_bytes()
PRACTICES = (fuzz.SAMPLES / "practices.json").read_bytes()
ORIGINALS = Originals.of([PARTNERS, PRACTICES])


def opened(content: bytes) -> Source:
    return open_source("-", stdin=io.BytesIO(content), rules=RULES)


def lost(content: bytes, outcomes: Sequence[Outcome]) -> int:
    return ORIGINALS.rows_lost(content, opened(content), outcomes)


def screened(content: bytes) -> list[Outcome]:
    return [row for row in screen([opened(content)], DictSeen(), RULES) if not isinstance(row, Misnamed)]


def as_cells(content: bytes) -> list[Outcome]:
    """What a reader accepts that takes every record with enough cells for a row."""
    reader = csv.reader(io.StringIO(content.decode(), newline=""))
    header = next(reader)
    accepted: list[Outcome] = []
    begins = reader.line_num + 1
    for cells in reader:
        connection = read_row("-", Row(begins, dict(zip(header, cells, strict=True))), RULES)
        assert isinstance(connection, Connection)
        accepted.append(Accepted("-", begins, connection))
        begins = reader.line_num + 1
    return accepted


def enclosed(first: int, last: int) -> bytes:
    """The partners with a quotation mark before the name on one line, and one behind it on another."""
    lines = PARTNERS.split(b"\n")
    for number, before, after in ((first, b'"', b""), (last, b"", b'"')):
        cells = lines[number - 1].split(b",")
        cells[2] = before + cells[2] + after
        lines[number - 1] = b",".join(cells)
    return b"\n".join(lines)


def test_nothing_of_the_undamaged_files_is_lost() -> None:
    for content, number in ((PARTNERS, 60), (PRACTICES, 8)):
        outcomes = screened(content)
        assert len(outcomes) == number
        assert lost(content, outcomes) == 0
        assert lost(content, []) == number


@pytest.mark.parametrize("last", [3, 6])
def test_rows_that_were_accepted_as_one_are_lost_but_for_one(last: int) -> None:
    content = enclosed(2, last)
    outcomes = as_cells(content)
    assert len(outcomes) == 60 - (last - 2)
    assert lost(content, outcomes) == last - 2
    assert lost(content, screened(content)) == 0


def test_a_reject_answers_for_the_lines_that_it_names_or_for_one_row() -> None:
    content = enclosed(2, 6)
    others = as_cells(content)[1:]
    assert lost(content, [Reject("-", 2, "bad_row", "The row of lines 2 to 6 is odd."), *others]) == 0
    assert lost(content, [Reject("-", 2, "bad_row", "The row of lines 2 to 4 is odd."), *others]) == 2
    assert lost(content, [Reject("-", 2, "bad_row", "The row is odd."), *others]) == 4
    assert lost(content, others) == 5


def test_an_element_is_lost_unless_a_reject_stands_in_its_place() -> None:
    outcomes = screened(PRACTICES)
    reject = Reject("-", 3, "bad_json", "")
    assert lost(PRACTICES, outcomes[:2] + outcomes[3:]) == 1
    assert lost(PRACTICES, [*outcomes[:2], reject, *outcomes[3:]]) == 0
    assert lost(PRACTICES, [*outcomes[:2], *outcomes[3:], reject]) == 1


def naive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reader take stray quotation marks for true, as it did."""
    monkeypatch.setattr(row_shape.RowShape, "is_row", lambda *_: False)
    monkeypatch.setattr(row_shape.RowShape, "holds_row", lambda *_: False)


def test_fuzzing_finds_a_reader_out_that_takes_stray_quotation_marks_for_true(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    naive(monkeypatch)
    assert fuzz.files(200, seed=11)["rows lost"] > 10


def test_fuzzing_finds_in_the_ledger_what_such_a_reader_takes_for_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fuzz, "TAKEN_IN", 1)
    monkeypatch.setattr(fuzz, "TEXTS", ("partners.csv",))
    monkeypatch.setattr(fuzz, "DAMAGES", (lambda *_: enclosed(2, 4),))
    assert not fuzz.files(1, seed=11)["secrets in the clear"]
    naive(monkeypatch)
    assert fuzz.files(1, seed=11)["secrets in the clear"] == 2


def test_secrets_are_found_in_a_ledger_and_in_what_is_said_of_it(tmp_path: Path) -> None:
    words = ORIGINALS.open_words(PARTNERS)
    assert len(words) > 100
    assert not ORIGINALS.open_words(PARTNERS.replace(b"cust-", b"kust-"))
    one, other, *_ = words
    ledger = tmp_path / "migration.db"
    ledger.write_bytes(b"..")
    assert in_the_clear(words, ledger, "nothing") == 0
    (tmp_path / "migration.db-wal").write_bytes(b".." + one)
    assert in_the_clear(words, ledger, other.decode()) == 2
