"""Help, the version, a usage error and completion start at once: they import what they show, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from migrator.commands import NAMES
from migrator.commands.report import ENDINGS
from migrator.ledger import schema
from migrator.ledger.file.opening import connect, create_private
from migrator.reports import FORMATS
from tests.conftest import SetScene
from tests.support import PATIENCE, Finished

OURS = {
    "migrator",
    "migrator.__main__",
    "migrator.cli",
    "migrator.commands",
    *(f"migrator.commands.{name}" for name in NAMES),
    "migrator.commands.options",
    "migrator.commands.web_extra",
    "migrator.engine",  # its docstring
    "migrator.engine.open_files",
    "migrator.errors",
    "migrator.handover",  # its docstring
    "migrator.handover.shapes",
    "migrator.settings",  # its docstring
    "migrator.settings.limits",
    "migrator.terminal",  # its docstring
    "migrator.terminal.logs",
    "migrator.terminal.nowhere",
    "migrator.terminal.printable",
    "migrator.wording",
}
"""All of the house that may be imported before a command is called."""

OTHERS = (sys.stdlib_module_names - {"sqlite3"}) | {"click"}
"""The same of what others wrote, by top-level names."""

ROOT = str(Path(__file__).parents[2])

MIGRATOR = "from migrator.__main__ import main; main()"
NOTED = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=open('modules', 'w')))"
"""Leaves in the working folder, at the end, which modules there are."""


def start(folder: Path, program: str, *arguments: str, **variables: str) -> tuple[Finished, set[str]]:
    """A process that starts cold, and the names of all modules that it has imported by its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MIGRATOR_")}
    finished = subprocess.run(
        [sys.executable, "-c", f"{NOTED}; {program}", *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": ROOT, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return finished, set((folder / "modules").read_text().split())


def heavy(modules: set[str]) -> set[str]:
    """Those that may not be there yet."""
    ours = {name for name in modules if name.partition(".")[0] == "migrator"}
    others = {name.partition(".")[0] for name in modules - ours}
    return (ours - OURS) | (others - OTHERS)


@pytest.fixture(scope="module")
def of_python(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the interpreter itself imports here, for the packages that are installed in its environment."""
    _, modules = start(tmp_path_factory.mktemp("bare"), "pass")
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        ("--help", 0, "Take the tokens of pairs"),
        ("--version", 0, "migrator, version"),
        ("", 2, "Start with 'migrator init'"),
        ("--nope", 2, "No such option"),
        ("resme", 2, "resume"),
        *((f"{name} --help", 0, f"Usage: migrator {name} ") for name in NAMES),
        ("reconsent links --help", 0, "mail merge"),
        ("ledger copy --help", 0, "-wal"),
        ("sandbox serve --help", 0, "--fault"),
        ("run", 2, "Missing argument"),
        ("run --nope", 2, "No such option"),
        ("run tokens.csv --concurrency 513", 2, "1<=x<=512"),
        ("run a b --query SELECT", 2, "the URL of one database"),
        ("refresh --within soon", 2, "is no duration"),
        ("refresh --within 1d --all", 2, "exclude each other"),
        ("report", 2, "Missing option"),
        ("export", 2, "name a new file"),
        ("export --to postgresql://host/db --shape xero-node", 2, "--shape goes with files"),
        ("export -o - --json", 2, "--json has no place there"),
        ("reconsent list --json --csv", 2, "exclude each other"),
        (
            "reconsent links -o links.csv --public-url https://example.com --valid 0d",
            2,
            "longer than nothing",
        ),
        ("sandbox tokens", 2, "Name the file"),
    ],
)
def test_what_runs_no_command_imports_none_of_the_work(
    tmp_path: Path, of_python: set[str], arguments: str, exit_code: int, said: str
) -> None:
    finished, modules = start(tmp_path, MIGRATOR, *arguments.split())
    assert finished.returncode == exit_code, finished.stderr
    assert said in finished.stdout + finished.stderr
    assert "migrator.cli" in modules
    assert heavy(modules) - of_python == set()


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_the_version_need_no_log_and_no_json(
    tmp_path: Path, of_python: set[str], argument: str
) -> None:
    finished, modules = start(tmp_path, MIGRATOR, argument)
    assert finished.returncode == 0, finished.stderr
    assert ({"logging", "json"} & modules) - of_python == set()


def test_a_dry_run_imports_no_engine_and_speaks_no_http(tmp_path: Path) -> None:
    (tmp_path / "tokens.csv").write_text("oauth_token,oauth_token_secret,app_type,tenant_id\n")
    finished, modules = start(tmp_path, MIGRATOR, "run", "tokens.csv", "--dry-run")
    assert "migrator.engine.preview" in modules, finished.stderr
    assert {"requests", "urllib3", "oauthlib", "migrator.engine.engine", "migrator.wire"} & modules == set()


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("migrator ", {"init", "run", "demo"}),
        ("migrator re", {"resume", "report", "refresh", "revoke", "reconsent"}),
        ("migrator --l", {"--ledger", "--log-file"}),
        ("migrator run --c", {"--canary", "--concurrency"}),
        ("migrator export --shape ", {"plain", "xero-python", "xero-node"}),
        ("migrator reconsent ", {"list", "links", "serve"}),
        ("migrator sandbox serve --re", {"--redirect-uri", "--refresh-grace"}),
    ],
)
def test_completion_imports_none_of_the_work(
    tmp_path: Path, of_python: set[str], words: str, completed: set[str]
) -> None:
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    finished, modules = start(tmp_path, MIGRATOR, _MIGRATOR_COMPLETE="bash_complete", **variables)
    assert finished.returncode == 0, finished.stderr
    assert completed <= {line.partition(",")[2] for line in finished.stdout.splitlines()}
    assert heavy(modules) - of_python == set()


def test_a_command_that_is_called_imports_what_it_needs(tmp_path: Path) -> None:
    """What the tests above look for can be seen."""
    _, modules = start(tmp_path, MIGRATOR, "status")
    assert {"migrator.ledger", "migrator.terminal.present", "sqlite3"} <= heavy(modules)


def test_where_a_job_stands_is_told_without_what_changes_a_ledger_or_checks_a_profile(tmp_path: Path) -> None:
    ledger = tmp_path / "migration.db"
    create_private(ledger)
    with closing(connect(ledger, readonly=False)) as db:
        schema.prepare(db, create=True)
    finished, modules = start(tmp_path, MIGRATOR, "status")
    assert finished.returncode == 0, finished.stderr
    slow = {"cryptography", "sqlite_utils", "jsonschema", "requests"}
    assert {*slow, "migrator.engine.engine", "migrator.ledger.access"} & modules == set()


def test_a_job_on_a_ledger_of_this_version_needs_no_migrations(set_scene: SetScene) -> None:
    scene = set_scene(2, mix="partner=1", expired=0.0)
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    finished, modules = start(scene.folder, MIGRATOR, "resume")
    assert (finished.returncode, scene.states()) == (0, {"migrated": 2})
    assert {"sqlite_utils", "jsonschema"} & modules == set()


def test_help_names_the_ending_of_every_report() -> None:
    assert tuple(FORMATS) == ENDINGS
