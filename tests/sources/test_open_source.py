"""Which file is what, and what to do with one that is of no use."""

from __future__ import annotations

import gc
import gzip
import io
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.errors import ExitCode, InputError
from migrator.sources import open_source
from tests.sources.helpers import SECRET, XERO, open_bytes, outline, read, refusal, values, whole_text

CSV = "app_type,oauth_token\npartner,T\n"
ARRAY = '[{"app_type": "partner", "oauth_token": "T"}]'
LINES = '{"app_type": "partner", "oauth_token": "T"}\n'
ROW = {"app_type": "partner", "oauth_token": "T"}


def refused(spec: str | Path) -> InputError:
    with pytest.raises(InputError) as caught:
        open_source(str(spec), stdin=io.BytesIO(), rules=XERO)
    assert caught.value.message.startswith(str(spec))
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("content", [CSV, ARRAY, LINES])
@pytest.mark.parametrize("name", ["tokens.csv", "tokens.json", "tokens.db", "tokens"])
def test_the_content_tells_the_format_and_the_name_does_not(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    source = open_source(str(path), stdin=io.BytesIO(), rules=XERO)
    assert source.name == str(path)
    assert values(list(source.rows())) == [ROW]


@pytest.mark.parametrize("content", [CSV, ARRAY, LINES])
def test_a_row_shows_no_value_of_its_own_accord(content: str) -> None:
    [row] = open_bytes(content.replace('"T"', f'"{SECRET}"').replace(",T", f",{SECRET}")).rows()
    assert SECRET in str(getattr(row, "values", None))
    for shown in (repr(row), str(row), f"{row}", f"{[row]}"):
        assert SECRET not in shown


@pytest.mark.parametrize("content", [CSV, ARRAY, LINES])
def test_standard_input_is_recognised_too_and_left_open(content: str) -> None:
    stdin = io.BytesIO(content.encode())
    source = open_source("-", stdin=stdin, rules=XERO)
    assert source.name == "-"
    assert values(list(source.rows())) == [ROW]
    assert not stdin.closed


def test_standard_input_is_read_beyond_its_head() -> None:
    assert len(read(CSV + "partner,T\n" * 50_000)) == 50_001


@pytest.mark.parametrize("content", [CSV, ARRAY, LINES])
def test_a_file_is_closed_when_its_reader_stops_half_way(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(content)
    rows = open_source(str(path), stdin=io.BytesIO(), rules=XERO).rows()
    assert isinstance(rows, Generator)
    next(rows)
    rows.close()
    # A file that is still open would be a ResourceWarning, which is an error here.
    del rows
    gc.collect()


def test_a_path_with_a_colon_that_exists_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(CSV)
    path = tmp_path / "tokens:2026"
    path.write_text(LINES)
    assert values(list(open_source(str(path), stdin=io.BytesIO(), rules=XERO).rows())) == [ROW]


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(CSV + "partner,T\n" * 50_000,))
    writer.start()
    rows = list(open_source(str(path), stdin=io.BytesIO(), rules=XERO).rows())
    writer.join()
    assert len(rows) == 50_001


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("missing.csv", "missing.db:tokens", "dangling", "missing/tokens.csv", "x" * 300):
        assert refused(tmp_path / name).exit_code == ExitCode.USAGE
    assert "no such file" in refused(tmp_path / "missing.csv").message
    assert "legacy.db:table" in refused(tmp_path / "missing.csv").hint


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "is a directory" in refused(tmp_path).message
    assert "is a directory" in refused(f"{tmp_path}:tokens").message


def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.csv"
    path.write_text(CSV)
    path.chmod(0)
    code = """
import io, os, sys
from migrator.errors import InputError
from migrator.row_rules import RowRules
from migrator.sources import open_source
if os.geteuid() == 0:
    os.setuid(65534)
try:
    open_source(sys.argv[1], stdin=io.BytesIO(), rules=RowRules())
except InputError as error:
    print(error.message)
"""
    # Nobody may not even look into pytest's directories: be let in by an open descriptor.
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        result = subprocess.run(
            [sys.executable, "-c", code, f"/proc/self/fd/{descriptor}/tokens.csv"],
            capture_output=True,
            text=True,
            check=True,
            pass_fds=[descriptor],
            cwd=Path(__file__).parents[2],
        )
    finally:
        os.close(descriptor)
    assert "cannot be read (Permission denied)" in result.stdout


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", CSV)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"", "is empty", "written|done"),
        (b" \r\n\t", "is empty", "done"),
        (b"\xef\xbb\xbf", "is empty", "done"),
        (_zip(), "spreadsheet", "CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet", "CSV UTF-8"),
        (gzip.compress(CSV.encode(), mtime=0), "gzip", "Unpack"),
        (b"BZh91AY&SY", "bzip2", "Unpack"),
        (b"\xfd7zXZ\x00\x00", "xz", "Unpack"),
        (b"\x28\xb5\x2f\xfd\x04", "zstd", "Unpack"),
        (b"7z\xbc\xaf\x27\x1c\x00", "7-Zip", "Unpack"),
        (b"%PDF-1.7\n", "PDF", "CSV"),
        (b"-----BEGIN PGP MESSAGE-----\n", "PGP", "gpg -d"),
        (b"SQLite format 3\x00", "SQLite", "legacy.db:table"),
        (CSV.encode("utf-16"), "UTF-16", "UTF-8"),
        (CSV.encode("utf-16-le"), "UTF-16", "UTF-8"),
        (ARRAY.encode("utf-16-be"), "UTF-16", "UTF-8"),
        (CSV.encode("utf-32"), "UTF-32", "UTF-8"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "binary", "UTF-8"),
        (b"just some text\n", "no header", "connection_id"),
    ],
)
def test_what_is_no_list_of_tokens_is_refused_with_what_to_do(
    content: bytes, message: str, hint: str
) -> None:
    error = refusal(content)
    assert error.message.startswith("-: ")
    assert message in error.message
    assert hint.rsplit("|", maxsplit=1)[-1] in error.hint


def test_a_nul_further_down_costs_its_row_only() -> None:
    assert outline(read(CSV + "partner,\0\npartner,T\n")) == [(2, "row"), (3, "bad_row"), (4, "row")]


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", CSV.encode(), ARRAY[:-1].encode() + b",", LINES.encode(), b"[", b'{"']),
)
def test_nothing_but_input_error_is_ever_raised(data: bytes, start: bytes) -> None:
    try:
        lines = [row.line for row in open_bytes(start + data).rows()]
    except InputError as error:
        refused = error
    else:
        assert lines == sorted(set(lines))
        return
    assert refused.message.startswith("-: ")
    assert refused.hint


@given(
    st.binary(max_size=60),
    st.sampled_from([CSV.encode(), ARRAY[:-1].encode() + b",", LINES.encode()]),
    st.integers(0, 60),
)
def test_no_secret_comes_out_of_what_is_refused(data: bytes, start: bytes, place: int) -> None:
    content = start + data[:place] + SECRET.encode() + data[place:]
    shown = ""
    try:
        shown = "".join(repr(row) for row in open_bytes(content).rows())
    except InputError as error:
        shown += whole_text(error)
    assert SECRET not in shown


def test_a_file_that_goes_away_between_opening_and_reading_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens.csv"
    path.write_text(CSV)
    source = open_source(str(path), stdin=io.BytesIO(), rules=XERO)
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        list(source.rows())
