"""A result file is there wholly or not at all, and its owner's alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrator.errors import ExitCode, OutputError
from migrator.output_files import write_file, write_new_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_holds_what_was_written_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_file(path, ["ü\n", "a\r\n", "漢"])
    assert path.read_bytes() == "ü\na\r\n漢".encode()
    assert names(tmp_path) == ["report.md"]


def test_a_file_is_its_owners_whatever_the_umask_and_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        write_file(path, ["new"])
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "new"


def broken(error: BaseException) -> Iterator[str]:
    yield "half"
    raise error


@pytest.mark.parametrize("error", [KeyError(), KeyboardInterrupt(), UnicodeDecodeError("x", b"", 0, 1, "")])
def test_what_cannot_be_finished_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    with pytest.raises(type(error)):
        write_file(path, broken(error))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["report.md"]


def test_until_it_is_whole_there_is_no_file_of_that_name(tmp_path: Path) -> None:
    path = tmp_path / "report.md"

    def chunks() -> Iterator[str]:
        yield "half"
        assert not path.exists()
        (unfinished,) = tmp_path.iterdir()
        assert stat.S_IMODE(unfinished.stat().st_mode) == 0o600
        yield "whole"

    write_file(path, chunks())
    assert path.read_text() == "halfwhole"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder") as caught:
        write_file(tmp_path, ["x"])
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_folder_that_is_missing_is_told_with_the_files_name(tmp_path: Path) -> None:
    path = tmp_path / "none" / "report.md"
    with pytest.raises(OutputError) as caught:
        write_file(path, ["x"])
    assert str(path) in caught.value.message


def test_a_full_disk_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    program = """
import resource, signal, sys
from pathlib import Path
from migrator.errors import OutputError
from migrator.output_files import write_file, write_new_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_file(Path(sys.argv[1]), ["x" * 100_000])
except OutputError as error:
    print(error.message)
"""
    path = tmp_path / "report.md"
    done = subprocess.run(
        [sys.executable, "-B", "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    assert str(path) in done.stdout
    assert "cannot be written" in done.stdout
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", [".", "..", "/", "", "there", "link", "there/x", "n" * 300, "no/x"])
def test_what_can_be_no_new_file_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(OutputError) as caught:
        write_new_file(Path(os.path.relpath(tmp_path / name)) if name != "" else Path(), ["x"])
    assert caught.value.hint
    assert names(tmp_path) == ["link", "there"]
    assert (tmp_path / "there").read_text() == "mine"


def test_a_new_file_may_have_as_long_a_name_as_there_is(tmp_path: Path) -> None:
    write_new_file(tmp_path / ("n" * 255), ["x"])
    assert names(tmp_path) == ["n" * 255]
