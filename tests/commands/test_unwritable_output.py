"""Output and log that cannot be written: said once, without a traceback, and the job goes on."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SetScene
from tests.support import PATIENCE

ROOT = str(Path(__file__).parents[2])


def test_a_log_file_that_is_full_is_told_once_and_the_job_goes_on(set_scene: SetScene) -> None:
    scene = set_scene(20, mix="partner=1")
    finished = scene.migrator("-v", "--log-file", "/dev/full", "run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 20}
    assert finished.stderr.count("/dev/full cannot be written: No space left on device") == 1
    assert "Traceback" not in finished.stderr
    assert "OSError" not in finished.stderr
    assert finished.stderr.count("DEBUG: connection") >= 20, "the console lost its log too"


def test_it_is_told_to_who_wants_to_know_only_what_went_wrong(set_scene: SetScene) -> None:
    finished = set_scene(3, mix="partner=1").migrator("-q", "--log-file", "/dev/full", "run", "tokens.csv")
    assert finished.returncode == 0
    assert finished.stderr.splitlines() == [
        "ERROR: the log file /dev/full cannot be written: No space left on device; going on without it"
    ]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_output_that_cannot_be_written_is_told(tmp_path: Path, number: int) -> None:
    program = f"""
import os
from migrator import cli
def fail(**_):
    print("half")
    raise OSError({number}, os.strerror({number}))
cli.cli.main = fail
cli.main()
"""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ROOT},
        text=True,
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 2
    assert f"error: the output could not be written: {os.strerror(number)}\nhint: " in finished.stderr
    assert "Traceback" not in finished.stderr


def test_output_into_a_file_that_may_not_grow_is_told(tmp_path: Path) -> None:
    finished = subprocess.run(
        [
            "sh",
            "-c",
            'ulimit -f 0 && exec "$@" > out',
            "sh",
            sys.executable,
            "-B",
            "-m",
            "migrator",
            "--help",
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ROOT},
        text=True,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == 2
    assert "error: the output could not be written: File too large" in finished.stderr
    assert "Traceback" not in finished.stderr
