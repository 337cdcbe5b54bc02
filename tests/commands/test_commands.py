"""A process imports the command that it runs, and no other."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner

from migrator.cli import cli
from migrator.commands import NAMES

LOADED = """
import sys
from migrator.cli import cli
cli(["{command}", "--help"], standalone_mode=False)
print(*(name for name in sys.modules if name.startswith("migrator.commands.")), file=sys.stderr)
"""


def test_a_process_imports_one_command() -> None:
    command = [sys.executable, "-c", LOADED.format(command="status")]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2] for name in finished.stderr.split()}
    assert loaded & set(NAMES) == {"status"}


def test_a_command_misspelt_is_guessed_at() -> None:
    result = CliRunner().invoke(cli, ["resme"])
    assert result.exit_code == 2
    assert "resume" in result.output.partition("No such command 'resme'")[2]
