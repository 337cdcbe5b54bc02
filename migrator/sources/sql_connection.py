"""Databases of others, by URL: parsed, opened, and their errors put into words that quote no secret.

SQLAlchemy is an optional extra: it is imported where it is first needed, so that the base install does
without. Its own errors, and its drivers', carry statements, parameters and rows: none leaves this module's
``connected`` but as one of ours.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from migrator.errors import ConfigurationError, MigratorError
from migrator.sources.sql_refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.engine.reflection import Inspector

log = logging.getLogger(__name__)

PASSWORD_VARIABLE = "MIGRATOR_DATABASE_PASSWORD"  # noqa: S105 - its name, not its value
"""The password for a URL that has none; libpq's own PGPASSWORD and ~/.pgpass do for PostgreSQL."""

KINDS = ("postgresql", "mysql", "mariadb", "sqlite")

_DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql", "mariadb": "pymysql"}
"""Driver of a URL that names none: those of the extra."""

_PACKAGES = {"psycopg": "psycopg[binary]", "pymysql": "PyMySQL", "MySQLdb": "mysqlclient"}
"""What to install for a module, where it is called otherwise."""

_INSTALL = "pip install 'oauth-migrator[sql]'"
_EXAMPLE = "A database is named as in postgresql://user@host:5432/database?table=tokens"

_SCHEME = re.compile(r"([a-z][a-z0-9_.-]*)(?:\+[a-z0-9_]+)?://", re.IGNORECASE)
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|auth|cred", re.IGNORECASE)
"""What a URL's parameter with such a name says is not shown."""

_ON_COMMAND_LINE = (
    "%s: a password stands on the command line, where other users of this machine can see it; "
    "leave it out and put it into %s"
)


def is_url(text: str) -> bool:
    """Whether ``text`` is a URL of any kind, a path being none."""
    return _SCHEME.match(text) is not None


def is_database_url(text: str) -> bool:
    """Whether ``text`` is the URL of a database of a kind that we know, ``+driver`` or not."""
    scheme = _SCHEME.match(text)
    return scheme is not None and scheme[1].lower() in (*KINDS, "postgres")


@dataclass(frozen=True, repr=False)
class DatabaseUrl:
    """A database and perhaps a table in it. ``str`` and ``repr`` show the URL without its secrets."""

    name: str
    """The URL as it may be shown, with ``***`` for the password and for parameters that sound secret."""
    table: str
    """The parameter ``table``: a table, or ``schema.table``; empty where there is none."""
    _url: URL

    @classmethod
    def parse(cls, text: str) -> DatabaseUrl:
        """The database that a URL names.

        Warns where a secret stands on the command line. Raises ``ConfigurationError``, which quotes no more
        than the scheme.
        """
        scheme = text.partition("://")[0]
        if not is_database_url(text):
            what = f"{scheme}://… is no database that migrator knows" if is_url(text) else "that is no URL"
            raise ConfigurationError(what, hint=f"It knows {', '.join(KINDS)}. {_EXAMPLE}")
        _require_sqlalchemy()
        from sqlalchemy import make_url  # noqa: PLC0415 - needs the extra
        from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

        if text.count("@") > 1 and not scheme.lower().startswith("sqlite"):
            # Which of them ends the password? A wrong guess would show a part of it as the host.
            message = f"{scheme}://… has more than one @"
            raise ConfigurationError(
                message, hint="Within user, password and parameters, write %40 for it (and %2F for /)."
            )
        try:
            url = make_url(re.sub(r"^[^+:]+", lambda kind: _kind(kind[0]), text))
        except (ArgumentError, ValueError):
            message = f"{scheme}://… cannot be taken apart"
            raise ConfigurationError(message, hint=f"{_EXAMPLE}; write %40 for an @ within a part.") from None
        tables = url.normalized_query.get("table", ("",))
        parsed = cls(_shown(url), tables[-1], url.difference_update_query(["table"]))
        if parsed._has_secret and any(text in argument for argument in sys.argv):
            log.warning(_ON_COMMAND_LINE, parsed, PASSWORD_VARIABLE)
        return parsed

    @property
    def kind(self) -> str:
        """``postgresql``, ``mysql`` (MariaDB, too) or ``sqlite``."""
        kind = self._url.get_backend_name()
        return "mysql" if kind == "mariadb" else kind

    @property
    def path(self) -> str:
        """The file of a SQLite database; empty for one in memory."""
        return self._url.database or ""

    def to_connect(self) -> URL:
        """The URL with its secrets, for SQLAlchemy alone: default driver, and password of the environment."""
        url = self._url
        if "+" not in url.drivername and url.drivername in _DRIVERS:
            url = url.set(drivername=f"{url.drivername}+{_DRIVERS[url.drivername]}")
        password = os.environ.get(PASSWORD_VARIABLE)
        if password and url.password is None and self.kind != "sqlite":
            url = url.set(password=password)
        return url

    @property
    def _has_secret(self) -> bool:
        return bool(self._url.password) or any(_hides(name) for name in self._url.query)

    def masked(self, text: str) -> str:
        """``text`` with ``***`` for every secret of the URL that it quotes."""
        url = self.to_connect()
        secrets = [str(url.password or "")]
        secrets += [value for name, each in url.normalized_query.items() for value in each if _hides(name)]
        for secret in filter(None, secrets):
            for spelling in (secret, quote(secret, safe="", errors="surrogateescape")):
                text = text.replace(spelling, "***")
        return text

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.name!r})"


_IMPATIENT: Mapping[str, Mapping[str, int]] = {
    "psycopg": {
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    },
    "pymysql": {"connect_timeout": 10, "read_timeout": 60, "write_timeout": 60},
}
"""By driver: how long a server may say nothing, where somebody waits for it. In seconds, but for the last one
of PostgreSQL's, which is in milliseconds.
"""


def open_engine(url: DatabaseUrl, *, impatient: bool = False) -> Engine:
    """What connects to the database; nothing is sent yet. ``impatient`` gives a server up that is silent.

    Raises ``ConfigurationError`` where its driver is missing or cannot be used.
    """
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415 - needs the extra
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415 - as above

    for library in ("sqlalchemy", "psycopg"):
        # Python prints what nobody handles, and theirs are tracebacks, not written with secrets in mind.
        logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        engine = create_engine(
            url.to_connect(),
            hide_parameters=True,
            poolclass=NullPool,
            connect_args=_waits(url) if impatient else {},
        )
    except ImportError as error:
        raise _without_driver(url, error.name or "") from None
    except NoSuchModuleError:
        raise _without_driver(url, "") from None
    except (ArgumentError, TypeError, ValueError):
        raise ConfigurationError(f"{url}: has parameters that mean nothing", hint=_EXAMPLE) from None
    if engine.dialect.is_async:
        plain = f"{url.kind}://"
        raise ConfigurationError(
            f"{url}: {engine.dialect.driver} is a driver for asyncio", hint=f"Write {plain} without a driver."
        )
    return engine


def _waits(url: DatabaseUrl) -> dict[str, int]:
    """What makes the driver impatient, as far as the URL does not say otherwise."""
    whole = url.to_connect()
    return {
        name: value
        for name, value in _IMPATIENT.get(whole.get_driver_name(), {}).items()
        if name not in whole.query
    }


@contextmanager
def connected(url: DatabaseUrl, error: type[MigratorError], *, hint: str) -> Iterator[Connection]:
    """A connection in one transaction, which the end of the block commits and any exception takes back.

    What the database refuses comes as ``error`` with ``hint``, in words that quote no password and no row;
    ``ConfigurationError`` as from ``open_engine``.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - needs the extra

    connection = connect(url, error)
    try:
        yield connection
        connection.commit()
    except (SQLAlchemyError, UnicodeError) as problem:
        raise error(f"{url}: {refusal(problem)}", hint=hint) from None
    finally:
        close(connection)


def connect(url: DatabaseUrl, error: type[MigratorError], *, impatient: bool = False) -> Connection:
    """A connection that nobody else gets, to be given to ``close``; ``impatient`` as for ``open_engine``.

    Where there is none, that comes as ``error``; ``ConfigurationError`` as from ``open_engine``.
    """
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - needs the extra

    try:
        return open_engine(url, impatient=impatient).connect()
    except (SQLAlchemyError, UnicodeError, TypeError, ValueError, OSError) as problem:
        raise _unreachable(url, error, problem) from None


def close(connection: Connection) -> None:
    """Let go of a connection; what was not committed is taken back."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - needs the extra

    with suppress(SQLAlchemyError):  # if it is gone, so is the transaction
        connection.close()
    connection.engine.dispose()


def find_table(inspector: Inspector, text: str) -> tuple[str, str | None] | None:
    """Table and schema that ``text`` means, ``table`` or ``schema.table``; a dot may be part of either."""
    if inspector.has_table(text):
        return text, None
    for place, character in enumerate(text):
        schema, name = text[:place], text[place + 1 :]
        if character == "." and schema and name and inspector.has_table(name, schema):
            return name, schema
    return None


def _kind(scheme: str) -> str:
    """A scheme as SQLAlchemy spells it; ``postgres`` is what many hosts hand out."""
    return "postgresql" if scheme.lower() == "postgres" else scheme.lower()


def _shown(url: URL) -> str:
    parameters = [
        f"{quote(name, safe='')}={'***' if _hides(name) else quote(value, safe='/:,.()')}"
        for name, values in url.normalized_query.items()
        for value in values
    ]
    plain = url.set(query={}).render_as_string(hide_password=True)
    return f"{plain}?{'&'.join(parameters)}" if parameters else plain


def _hides(parameter: str) -> bool:
    return _SECRET_NAME.search(parameter) is not None


def _require_sqlalchemy() -> None:
    try:
        import sqlalchemy  # noqa: F401, PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        if error.name != "sqlalchemy":
            raise
        raise ConfigurationError("databases need SQLAlchemy", hint=_INSTALL) from None


def _without_driver(url: DatabaseUrl, module: str) -> ConfigurationError:
    """The error, if the driver's module is not installed; ``module`` may be unknown."""
    package = _PACKAGES.get(module.partition(".")[0], module)
    what = f"needs the package {package}" if package else "its driver cannot be used"
    default = f"; {url.kind}:// without a driver needs no more" if "+" in url.name.partition(":")[0] else ""
    return ConfigurationError(f"{url}: {what}", hint=f"{_INSTALL}{default}")


def _unreachable(url: DatabaseUrl, error: type[MigratorError], problem: Exception) -> MigratorError:
    """What the driver says of a connection that did not come about: no row was near, but a password was."""
    orig = getattr(problem, "orig", None)
    said = " ".join(str(orig).split()) if orig is not None else type(problem).__name__
    return error(
        f"{url}: cannot be reached: {url.masked(said)}",
        hint=f"Check host, database, user and password; the last may come from {PASSWORD_VARIABLE}.",
    )
