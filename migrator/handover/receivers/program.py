"""A program of the user's that takes pairs: it reads a JSON object a line, and answers one a line.

What it gets is a row's columns, ``key`` and ``delivery_id``; what it answers, in whatever order, is
``{"key": …, "taken": true}`` once it has the pair for good, or ``{"key": …, "taken": false, "problem": "…"}``
for one that it refuses.
"""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256

from migrator.errors import ConfigurationError
from migrator.handover.receivers.interface import Delivery, Refused, UnavailableError
from migrator.handover.receivers.running_program import RunningProgram
from migrator.handover.receivers.told_problems import ToldProblems
from migrator.handover.shapes import Row
from migrator.providers import bodies

_SECRETS = tuple(
    f"MIGRATOR_{name}"
    for name in (
        "CONSUMER_SECRET",
        "CLIENT_SECRET",
        "LEDGER_KEY",
        "PRIVATE_KEY_PASSPHRASE",
        "PROXY_PASSWORD",
        "DATABASE_PASSWORD",
        "DELIVERY_SECRET",
    )
)
"""What the names of variables begin with that are no business of the program's."""


class Program:
    """Started with the first delivery, and kept; after a fault it is ended, and started anew."""

    def __init__(
        self, command: str, environ: Mapping[str, str], *, timeout: float = 30.0, grace: float = 3.0
    ) -> None:
        """``command`` is split as a shell would, and no shell runs it; ``environ`` is our environment.

        ``timeout`` is how long it may neither take anything in nor answer, ``grace`` how long it has to end,
        both in seconds. Raises ``ConfigurationError``.
        """
        self._arguments = _split(command)
        self._mark = sha256(command.encode()).hexdigest()[:8]
        self._environ = {name: value for name, value in environ.items() if not name.startswith(_SECRETS)}
        self._timeout = timeout
        self._grace = grace
        self._running: RunningProgram | None = None

    @property
    def name(self) -> str:
        return f"exec:{self._arguments[0]} ({self._mark})"  # an argument may be a secret

    def check(self) -> None:
        if shutil.which(self._arguments[0], path=self._environ.get("PATH")) is None:
            raise ConfigurationError(
                f"there is no program {self._arguments[0]!r}",
                hint="name a file that can be executed, with its path or from a folder in PATH",
            )

    def deliver(self, delivery: Delivery) -> Refused:
        answers = _Answers(delivery.rows)
        lines = [json.dumps(_line(row, delivery.id)) + "\n" for row in delivery.rows]
        try:
            self._ready().ask("".join(lines).encode(), answers, self._timeout)
        except BaseException:  # what it answers from now on is no answer to what is asked next
            self.close()
            raise
        return answers.refused

    def settle(self, delivery: Delivery) -> Refused:
        return self.deliver(delivery)

    def has(self, rows: Sequence[Row]) -> bool:
        del rows  # it has said so, and cannot be asked
        return True

    def close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def _ready(self) -> RunningProgram:
        """The program, that can be asked something. Raises ``UnavailableError``."""
        if self._running is not None and not self._running.is_ready():
            self.close()
        if self._running is None:
            try:
                self._running = RunningProgram(self._arguments, self._environ, grace=self._grace)
            except OSError as error:
                raise UnavailableError(f"could not be started: {error.strerror}") from None
        return self._running


class _Answers:
    """What the program says of a delivery's pairs."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._waiting = {_key(row) for row in rows}
        self._problems: ToldProblems | None = None
        self.refused: dict[str, str] = {}

    @property
    def complete(self) -> bool:
        return not self._waiting

    def take(self, line: bytes) -> None:
        said = bodies.json_of(line)
        if not isinstance(said, dict):
            raise UnavailableError("answered a line that is no JSON object")
        key, taken = said.get("key"), said.get("taken")
        if not isinstance(key, str) or key not in self._waiting:
            raise UnavailableError("answered for a pair that it was not asked for")
        if not isinstance(taken, bool):
            raise UnavailableError("answered without saying whether a pair is taken")
        self._waiting.remove(key)
        if not taken:
            self.refused[key] = self._shown(said.get("problem"))

    def _shown(self, problem: object) -> str:
        if self._problems is None:  # most deliveries have none
            secrets = (row.get(name) for row in self._rows for name in ("access_token", "refresh_token"))
            self._problems = ToldProblems(str(secret) for secret in secrets if secret)
        return self._problems.shown(problem)


def _split(command: str) -> list[str]:
    """The words of a command. Raises ``ConfigurationError``, which quotes nothing."""
    hint = "write exec: and a command, such as exec:'./take_pairs --live'"
    try:
        words = shlex.split(command)
    except ValueError:
        raise ConfigurationError("the command after exec: has a quote without its end", hint=hint) from None
    if not words or not words[0]:
        raise ConfigurationError("no command stands after exec:", hint=hint)
    if "\0" in command:
        raise ConfigurationError("the command after exec: cannot be run", hint=hint)
    if "=" in words[0]:
        raise ConfigurationError(
            "the command after exec: does not begin with a program",
            hint="no shell reads it: set variables before migrator is started",
        )
    return words


def _key(row: Row) -> str:
    return str(row["connection_id"])


def _line(row: Row, delivery_id: str) -> Row:
    """A row as the program gets it."""
    return {**row, "key": _key(row), "delivery_id": f"{delivery_id}:{_key(row)}"}
