"""URLs of databases: what they name, and what of them is never shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from migrator.errors import ConfigurationError, InputError
from migrator.sources import sql_connection
from migrator.sources.sql_connection import DatabaseUrl, connected, is_database_url, open_engine
from tests.postgres import PASSWORD, Database
from tests.sources.helpers import SECRET, whole_text

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_password_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sql_connection.PASSWORD_VARIABLE, raising=False)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://h/d",
        "postgres://h/d",
        "PostgreSQL://h/d",
        "postgresql+psycopg://h/d",
        "mysql://h/d",
        "mysql+pymysql://h/d",
        "mariadb://h/d",
        "sqlite:///a.db",
    ],
)
def test_the_url_of_a_database_is_known_as_one(text: str) -> None:
    assert is_database_url(text)
    DatabaseUrl.parse(text)


@pytest.mark.parametrize(
    "text", ["legacy.db:table", "-", "postgresql", "mssql://h/d", "https://h/d", "C://x"]
)
def test_nothing_else_is(text: str) -> None:
    assert not is_database_url(text)
    with pytest.raises(ConfigurationError):
        DatabaseUrl.parse(text)


@pytest.mark.parametrize(
    ("text", "shown", "table"),
    [
        (f"postgresql://me:{SECRET}@h:5432/d?table=t", "postgresql://me:***@h:5432/d?table=t", "t"),
        (f"postgres://me:{SECRET}@h/d", "postgresql://me:***@h/d", ""),
        (f"postgresql://h/d?user=me&password={SECRET}", "postgresql://h/d?user=me&password=***", ""),
        (
            f"mysql://me@h/d?ssl_key={SECRET}&table=s.t",
            "mysql://me@h/d?ssl_key=***&table=s.t",
            "s.t",
        ),
        ("sqlite:////tmp/a@b:c@d.db?table=a%20b", "sqlite:////tmp/a%40b%3Ac%40d.db?table=a%20b", "a b"),
    ],
)
def test_a_url_shows_all_but_its_secrets(text: str, shown: str, table: str) -> None:
    url = DatabaseUrl.parse(text)
    assert (url.name, str(url), f"{url}", repr(url)) == (shown, shown, shown, f"DatabaseUrl({shown!r})")
    assert url.table == table
    assert "table" not in url.to_connect().query


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://me:a@{SECRET}@h/d",
        f"postgresql://me:a@b/{SECRET}@h/d",
        f"postgresql://me:a@h?x={SECRET}@h/d",
        f"postgresql://me:{SECRET}",
        f"mssql://me:{SECRET}@h/d",
        f"me:{SECRET}@h/d",
    ],
)
def test_a_url_of_no_use_is_not_quoted(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DatabaseUrl.parse(text)
    assert SECRET not in whole_text(caught.value)
    assert caught.value.hint


def test_the_drivers_of_the_extra_are_the_usual_ones() -> None:
    assert open_engine(DatabaseUrl.parse("postgresql://h/d")).driver == "psycopg"
    assert open_engine(DatabaseUrl.parse("mysql://h/d")).driver == "pymysql"
    assert open_engine(DatabaseUrl.parse("mariadb://h/d")).driver == "pymysql"


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("postgresql+pg8000://me:{}@h/d", "pg8000"),
        ("mysql+mysqldb://me:{}@h/d", "mysqlclient"),
        ("postgresql+nothing://me:{}@h/d", "its driver cannot be used"),
    ],
)
def test_a_driver_that_is_missing_is_named(text: str, package: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_engine(DatabaseUrl.parse(text.format(SECRET)))
    assert package in caught.value.message
    assert "pip install 'oauth-migrator[sql]'" in caught.value.hint
    assert "without a driver" in caught.value.hint
    assert SECRET not in whole_text(caught.value)


def without(*modules: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code where some modules are not installed."""
    blocked = "".join(f"sys.modules[{module!r}] = None; " for module in modules)
    return subprocess.run(
        [sys.executable, "-c", f"import sys; {blocked}{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_without_the_extra_everything_can_be_imported_and_a_url_says_what_to_install() -> None:
    every = "import migrator.cli, migrator.sources, migrator.handover.tables.database_table; "
    main = f"sys.argv = ['migrator', 'run', '--dry-run', 'postgresql://me:{SECRET}@h/d']; migrator.cli.main()"
    finished = without("sqlalchemy", "psycopg", "pymysql", code=every + main)
    assert finished.returncode == 2, finished.stderr
    assert "databases need SQLAlchemy" in finished.stderr
    assert "hint: pip install 'oauth-migrator[sql]'" in finished.stderr
    assert SECRET not in finished.stderr


def test_without_its_driver_a_database_says_what_to_install() -> None:
    code = "import migrator.cli; sys.argv = ['migrator', 'run', '--dry-run', '{}://h/d']; migrator.cli.main()"
    for module, scheme, package in (
        ("psycopg", "postgresql", "psycopg[binary]"),
        ("pymysql", "mysql", "PyMySQL"),
    ):
        finished = without(module, code=code.format(scheme))
        assert finished.returncode == 2, finished.stderr
        assert f"{scheme}://h/d: needs the package {package}" in finished.stderr


def test_sqlalchemy_is_not_imported_where_no_database_is_named() -> None:
    code = "import migrator.cli; print('sqlalchemy' in sys.modules)"
    assert without(code=code).stdout == "False\n"


def test_a_password_may_come_from_the_environment(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = DatabaseUrl.parse(postgres.url(password=None))
    with pytest.raises(InputError, match="no password supplied"), connected(url, InputError, hint=""):
        pass
    monkeypatch.setenv(sql_connection.PASSWORD_VARIABLE, PASSWORD)
    with connected(url, InputError, hint="") as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    monkeypatch.setenv(sql_connection.PASSWORD_VARIABLE, "wrong")
    with connected(DatabaseUrl.parse(postgres.url()), InputError, hint=""):
        pass  # the URL's own goes first
    monkeypatch.delenv(sql_connection.PASSWORD_VARIABLE)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with connected(url, InputError, hint=""):
        pass  # libpq's own way


def test_a_password_on_the_command_line_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    text = f"postgresql://me:{SECRET}@h/d"
    DatabaseUrl.parse(text)
    assert caplog.messages == []
    monkeypatch.setattr(sys, "argv", ["migrator", "export", f"--to={text}"])
    open_engine(DatabaseUrl.parse(text))
    (message,) = caplog.messages
    assert "stands on the command line" in message
    assert sql_connection.PASSWORD_VARIABLE in message
    assert SECRET not in message
    monkeypatch.setattr(sys, "argv", ["migrator", "export", "--to=postgresql://me@h/d"])
    DatabaseUrl.parse("postgresql://me@h/d")
    assert caplog.messages == [message]


def test_what_a_driver_says_of_a_connection_is_passed_on_without_the_password(postgres: Database) -> None:
    wrong = f"{SECRET}@/?:%"
    for text in (
        postgres.url(password=wrong),
        postgres.url(password=None, sslpassword=SECRET, sslmode="nonsense"),
    ):
        url = DatabaseUrl.parse(text)
        with pytest.raises(InputError) as caught, connected(url, InputError, hint=""):
            pass
        assert "cannot be reached: " in caught.value.message
        assert SECRET not in whole_text(caught.value)
    assert "invalid sslmode" in caught.value.message


def test_a_driver_that_quoted_a_secret_would_be_masked() -> None:
    url = DatabaseUrl.parse(f"postgresql://me:a%40{SECRET}@h/d?sslpassword=b{SECRET}")
    said = f"me a@{SECRET} me a%40{SECRET} me b{SECRET} me"
    assert url.masked(said) == "me *** me *** me *** me"


@pytest.mark.parametrize("password", ["\N{SNOWMAN}", "\udcff"])
def test_a_password_that_a_driver_cannot_encode_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch, postgres: Database, password: str
) -> None:
    monkeypatch.setenv(sql_connection.PASSWORD_VARIABLE, SECRET + password)
    for text in (postgres.url(password=None), f"mysql://me@127.0.0.1:{postgres.port}/d"):
        with pytest.raises(InputError) as caught, connected(DatabaseUrl.parse(text), InputError, hint=""):
            pass
        assert SECRET not in whole_text(caught.value)


def test_what_is_refused_quotes_no_row(postgres: Database) -> None:
    postgres.execute("CREATE TABLE t (a text UNIQUE, n int CHECK (n > 0))")
    postgres.execute("INSERT INTO t VALUES (%s, 1)", SECRET)
    url = DatabaseUrl.parse(postgres.url())
    for statement, said in (
        (f"INSERT INTO t VALUES ('{SECRET}', 1)", "UniqueViolation, 23505, table t, constraint t_a_key"),
        (f"INSERT INTO t VALUES ('{SECRET}x', 0)", "CheckViolation, 23514, table t, constraint t_n_check"),
        ("SELECT a::int FROM t", "InvalidTextRepresentation, 22P02"),
        ("SELECT b FROM t", 'refuses: column "b" does not exist'),
    ):
        with pytest.raises(InputError) as caught, connected(url, InputError, hint="") as connection:
            connection.exec_driver_sql(statement)
        assert said in caught.value.message
        assert SECRET not in whole_text(caught.value)
