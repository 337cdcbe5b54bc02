"""Programs that take pairs: real ones, well behaved and not."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrator.errors import ConfigurationError, ExitCode
from migrator.handover.receivers.interface import Delivery, UnavailableError
from migrator.handover.receivers.program import Program
from migrator.providers import bodies
from tests.handover.receivers.support import HUSH, delivery, row
from tests.sources.helpers import whole_text

SHORT = 0.3
"""Seconds for what never comes."""
AMPLE = 60.0
"""Seconds for what does come, on a machine however busy."""

PRELUDE = """
import json, os, signal, sys, time

def note(**what):
    with open(os.path.join(os.path.dirname(__file__), "notes"), "a") as notes:
        print(json.dumps(what), file=notes)

def say(key, taken=True, **further):
    print(json.dumps({"key": key, "taken": taken, **further}), flush=True)

note(pid=os.getpid())
lines = map(json.loads, sys.stdin)
"""


class Written:
    """A program of some lines of Python, and what it noted down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: list[Program] = []

    def __call__(
        self,
        text: str,
        *arguments: str,
        timeout: float = AMPLE,
        grace: float = AMPLE,
        environ: Mapping[str, str] | None = None,
    ) -> Program:
        script = self.folder / "program.py"
        script.write_text(PRELUDE + text, "utf-8")
        command = shlex.join([sys.executable, "-S", str(script), *arguments])
        self._made.append(
            Program(command, os.environ if environ is None else environ, timeout=timeout, grace=grace)
        )
        return self._made[-1]

    def notes(self, name: str) -> list[Any]:
        lines = (self.folder / "notes").read_text("utf-8").splitlines()
        return [said[name] for said in map(json.loads, lines) if name in said]

    def close(self) -> None:
        for program in self._made:
            if program._running is not None:  # a test that failed leaves none to wait for
                program._running._process.kill()
            program.close()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    with closing(Written(tmp_path)) as made:
        yield made


def fault(program: Program, asked: Delivery) -> str:
    """How a delivery failed."""
    with pytest.raises(UnavailableError) as caught:
        program.deliver(asked)
    assert HUSH not in whole_text(caught.value)
    return str(caught.value)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


TAKES = """
for line in lines:
    note(line=line)
    say(line["key"])
"""


# --- what it gets and answers ---


def test_it_gets_a_row_a_line_and_is_kept_over_deliveries(written: Written) -> None:
    program = written(TAKES)
    assert program.deliver(delivery(1, 2)) == {}
    assert program.deliver(delivery(3, called="d-2")) == {}
    assert written.notes("line") == [
        {**row(1), "key": "k1", "delivery_id": "d-1:k1"},
        {**row(2), "key": "k2", "delivery_id": "d-1:k2"},
        {**row(3), "key": "k3", "delivery_id": "d-2:k3"},
    ]
    assert len(written.notes("pid")) == 1


def test_nothing_to_deliver_is_delivered(written: Written) -> None:
    assert written(TAKES).deliver(delivery()) == {}


def test_it_may_answer_in_any_order(written: Written) -> None:
    program = written("""
keys = [next(lines)["key"] for _ in range(3)]
for key in reversed(keys):
    say(key, taken=key != "k2", problem="not that one")
""")
    assert program.deliver(delivery(1, 2, 3)) == {"k2": "not that one"}


def test_what_it_refuses_it_says_why_without_secrets(written: Written) -> None:
    program = written("""
for line in lines:
    match line["key"]:
        case "k1":
            say("k1", False, problem="no such\\norganisation")
        case "k2":
            say("k2", False, problem=f"({line['access_token']}) and {line['refresh_token'][:18]}… of it")
            other = line["access_token"]
        case "k3":
            say("k3", False, problem="x" * 150 + f" {other} " + "y" * 100)
        case "k4":
            say("k4", False)
        case key:
            say(key)
""")
    second = {**row(2), "access_token": "a" * 40, "refresh_token": "r" * 40}
    assert program.deliver(Delivery("d-1", [row(1), second, row(3), row(4), row(5)])) == {
        "k1": "no such organisation",
        "k2": "… and … of it",
        "k3": "x" * 150 + " … " + "y" * 47,
        "k4": "refused",
    }


MANY, LARGE = range(500), "t" * 3000
"""Together far more than pipes hold."""


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(
            """
for key in [line["key"] for _, line in zip(range(500), lines)]:
    say(key, padding="p" * 5000)
""",
            id="reads all, then answers",
        ),
        pytest.param(
            """
for line in lines:
    say(line["key"], padding=line["access_token"] * 4)
""",
            id="answers each at once, and reads no further until it could",
        ),
        pytest.param(
            """
from itertools import islice
while keys := [line["key"] for line in islice(lines, 100)]:
    answers = [json.dumps({"key": key, "taken": True, "padding": "p" * 5000}) for key in keys]
    print("\\n".join(answers), flush=True)
""",
            id="answers some at a time",
        ),
    ],
)
def test_neither_side_holds_the_other_up(written: Written, behaviour: str) -> None:
    assert written(behaviour).deliver(delivery(*MANY, filler=LARGE)) == {}


# --- faults ---


def test_one_that_dies_is_started_again_with_the_next_delivery(written: Written) -> None:
    program = written(
        """
first = not os.path.exists(sys.argv[1])
open(sys.argv[1], "w")
for number, line in enumerate(lines):
    note(line=line)
    if first and number == 1:
        sys.exit(3)
    say(line["key"])
""",
        str(written.folder / "was here"),
    )
    assert fault(program, delivery(1, 2, 3)) == "ended with exit status 3"
    assert program.deliver(delivery(1, 2, 3)) == {}
    ids = [line["delivery_id"] for line in written.notes("line")]
    assert ids[:2] == ids[-3:-1] == ["d-1:k1", "d-1:k2"]
    first, second = written.notes("pid")
    assert first != second
    assert is_gone(first)


@pytest.mark.parametrize("number", [10, 500])
def test_one_that_dies_at_once_says_how(written: Written, number: int) -> None:
    asked = delivery(*range(number), filler=LARGE)
    assert fault(written("sys.exit(4)"), asked) == "ended with exit status 4"


def test_one_that_ends_well_too_early_has_not_taken_the_rest(written: Written) -> None:
    assert fault(written('say(next(lines)["key"])'), delivery(1, 2)) == "ended with exit status 0"


def test_one_that_is_killed_says_by_what(written: Written) -> None:
    program = written("next(lines); os.kill(os.getpid(), signal.SIGKILL)")
    assert fault(program, delivery(1)) == "was ended by SIGKILL"


def test_one_that_closes_its_output_is_ended(written: Written) -> None:
    program = written("next(lines); os.close(1); [None for line in lines]", grace=SHORT)
    assert fault(program, delivery(1)) == "closed its output"
    assert is_gone(*written.notes("pid"))


def test_one_that_dies_says_how_even_if_another_keeps_its_output_open(written: Written) -> None:
    program = written("""
say(next(lines)["key"])
next(lines)
if os.fork():
    os._exit(5)
sys.stdin.read()
""")
    assert program.deliver(delivery(1)) == {}  # it may take its time to start
    program._timeout = 1.0
    assert fault(program, delivery(2)) == "ended with exit status 5"


def test_one_that_died_between_deliveries_is_started_again_unnoticed(written: Written) -> None:
    program = written('say(next(lines)["key"])')
    assert program.deliver(delivery(1)) == {}
    os.waitid(os.P_PID, written.notes("pid")[0], os.WEXITED | os.WNOWAIT)
    assert program.deliver(delivery(2)) == {}
    assert len(written.notes("pid")) == 2


SILENT = "[None for line in lines]"
DEAF = "os.read(sys.stdin.fileno(), 1) and signal.pause()"


@pytest.mark.parametrize("behaviour", [SILENT, DEAF, f'say(next(lines)["key"]); {SILENT}'])
@pytest.mark.parametrize("number", [2, 500])
def test_one_that_hangs_is_ended_in_time(written: Written, behaviour: str, number: int) -> None:
    program = written(behaviour, timeout=SHORT, grace=SHORT)
    assert fault(program, delivery(*range(number), filler=LARGE)) == "did not answer for 0.3 s"
    assert all(map(is_gone, written.notes("pid")))


@pytest.mark.parametrize("said", ["x", " ", "{"])
def test_to_say_something_is_not_to_answer(written: Written, said: str) -> None:
    """One that sends a byte now and then would otherwise be waited for for ever."""
    program = written(
        f"""
next(lines)
while True:
    os.write(1, {said.encode()!r})
    time.sleep(0.02)
""",
        timeout=SHORT,
        grace=SHORT,
    )
    assert fault(program, delivery(1)) == "did not answer for 0.3 s"


NO_OBJECT = "answered a line that is no JSON object"
NOT_ASKED = "answered for a pair that it was not asked for"
UNCLEAR = "answered without saying whether a pair is taken"
TOO_LONG = "answered a line that is too long"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"taken " + HUSH.encode() + b"\n", NO_OBJECT),
        (b"\n", NO_OBJECT),
        (b"[]\n", NO_OBJECT),
        (b'"\xff"\n', NO_OBJECT),
        (b"[" * 60_000 + b"\n", NO_OBJECT),
        (b"9" * 60_000 + b"\n", NO_OBJECT),
        (b'{"key": "' + HUSH.encode() + b'", "taken": true}\n', NOT_ASKED),
        (b'{"key": ["k1"], "taken": true}\n', NOT_ASKED),
        (b'{"taken": true}\n', NOT_ASKED),
        (b'{"key": "k1", "taken": true}\n' * 2, NOT_ASKED),
        (b'{"key": "k1", "taken": true}\n{"key": "k1", "taken": false}\n', NOT_ASKED),
        (b'{"key": "k1"}\n', UNCLEAR),
        (b'{"key": "k1", "taken": 1}\n', UNCLEAR),
        (b'{"key": "k1", "taken": null}\n', UNCLEAR),
        (b"x" * 65_537, TOO_LONG),
        (b'{"key": "k1", "taken": true, "x": "' + b"x" * 65_536 + b'"}\n', TOO_LONG),
    ],
)
def test_what_is_no_answer_ends_it(written: Written, said: bytes, expected: str) -> None:
    said_at = written.folder / "said"
    said_at.write_bytes(said)
    program = written(
        """
note(line=next(lines))
if said := open(sys.argv[1], "rb").read():
    open(sys.argv[1], "wb")
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
else:
    say("k1"), say("k2")
[None for line in lines]
""",
        str(said_at),
    )
    assert fault(program, delivery(1, 2)) == expected
    assert is_gone(written.notes("pid")[0])
    assert program.deliver(delivery(1, 2)) == {}
    assert len(written.notes("pid")) == 2


def test_an_answer_may_be_as_long_as_that(written: Written) -> None:
    program = written("""
text = json.dumps({"key": next(lines)["key"], "taken": True})
sys.stdout.write(text[:-1] + " " * (65536 - len(text)) + "}" + "\\n")
""")
    assert program.deliver(delivery(1)) == {}


def test_what_it_says_between_deliveries_answers_nothing(written: Written) -> None:
    """It could be taken for an answer to what is asked next."""
    program = written("""
next(lines)
os.write(1, b'{"key": "k1", "taken": true}\\n{"key": "k1"')
[None for line in lines]
""")
    assert program.deliver(delivery(1)) == {}
    assert fault(program, delivery(1)) == "spoke before it was asked"
    assert is_gone(*written.notes("pid"))


def test_one_whose_delivery_was_interrupted_is_ended(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would still answer is no answer to what is asked next."""
    program = written(TAKES)

    def interrupted(line: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bodies, "json_of", interrupted)
        with pytest.raises(KeyboardInterrupt):
            program.deliver(delivery(1))
    assert is_gone(*written.notes("pid"))
    assert program.deliver(delivery(1)) == {}


# --- where it runs ---


def test_it_knows_no_secrets_of_ours(written: Written) -> None:
    secret = {
        "MIGRATOR_CONSUMER_SECRET",
        "MIGRATOR_CONSUMER_SECRET_NZ",
        "MIGRATOR_CLIENT_SECRET",
        "MIGRATOR_CLIENT_SECRET_NZ",
        "MIGRATOR_LEDGER_KEY",
        "MIGRATOR_PRIVATE_KEY_PASSPHRASE",
        "MIGRATOR_PRIVATE_KEY_PASSPHRASE_NZ",
        "MIGRATOR_PROXY_PASSWORD",
        "MIGRATOR_DATABASE_PASSWORD",
        "MIGRATOR_DELIVERY_SECRET",
    }
    others = {"MIGRATOR_LEDGER", "MIGRATOR_CONFIG", "APP_PASSWORD", "PATH"}
    program = written(
        f"note(environ=dict(os.environ), argv=sys.argv[1:])\n{TAKES}",
        "--live",
        environ=dict.fromkeys(secret | others, HUSH),
    )
    assert program.deliver(delivery(1)) == {}
    [environ] = written.notes("environ")
    assert environ.keys() & secret == set()
    assert {name: environ[name] for name in others} == dict.fromkeys(others, HUSH)
    assert written.notes("argv") == [["--live"]]


def test_ctrl_c_is_not_for_it(written: Written) -> None:
    program = written(f"note(session=os.getsid(0), group=os.getpgrp())\n{TAKES}")
    assert program.deliver(delivery(1)) == {}
    assert written.notes("session") == written.notes("group") == written.notes("pid")


def test_it_gets_no_file_of_ours(written: Written) -> None:
    with open(os.devnull) as ours:  # noqa: PTH123 - a descriptor is what it is about
        number = fcntl.fcntl(ours, fcntl.F_DUPFD, 200)
        try:
            os.set_inheritable(number, True)  # noqa: FBT003 - it takes no name
            program = written(f"note(there=os.path.exists('/proc/self/fd/{number}'))\n{TAKES}")
            assert program.deliver(delivery(1)) == {}
        finally:
            os.close(number)
    assert written.notes("there") == [False]


def test_what_it_complains_of_is_seen(written: Written, capfd: pytest.CaptureFixture[str]) -> None:
    assert written(f"print('disk is slow', file=sys.stderr, flush=True)\n{TAKES}").deliver(delivery(1)) == {}
    assert capfd.readouterr().err == "disk is slow\n"


# --- the end ---


def test_it_is_let_end_by_itself(written: Written) -> None:
    program = written(f"""
signal.signal(signal.SIGTERM, lambda *_: note(ended="told"))
{TAKES}
time.sleep(0.2)  # it has something left to do
note(ended="well")
""")
    program.deliver(delivery(1))
    program.close()
    assert written.notes("ended") == ["well"]
    assert is_gone(*written.notes("pid"))
    program.close()


def test_one_that_does_not_end_is_told_to(written: Written) -> None:
    program = written(
        f"""
def told(*_):
    note(ended="told")
    sys.exit()
signal.signal(signal.SIGTERM, told)
{TAKES}
signal.pause()
""",
        grace=2.0,
    )
    program.deliver(delivery(1))
    program.close()
    assert written.notes("ended") == ["told"]
    assert is_gone(*written.notes("pid"))


def test_one_that_does_not_listen_is_made_to(written: Written) -> None:
    program = written(
        f"""
signal.signal(signal.SIGTERM, signal.SIG_IGN)
{TAKES}
while True:
    signal.pause()
""",
        grace=SHORT,
    )
    program.deliver(delivery(1))
    program.close()
    assert is_gone(*written.notes("pid"))


def test_what_it_started_ends_with_it(written: Written, tmp_path: Path) -> None:
    """A script often only waits for the program that does the work."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    lives = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        written(f"held = open({str(fifo)!r}, 'w')\n{TAKES}\nsignal.pause()")
        inner = shlex.join([sys.executable, "-S", str(tmp_path / "program.py")])
        command = f"sh -c {shlex.quote(inner + '; true')}"
        with closing(Program(command, os.environ, timeout=AMPLE, grace=SHORT)) as program:
            program.deliver(delivery(1))
        poll = select.poll()
        poll.register(lives, select.POLLHUP)
        assert poll.poll(AMPLE * 1000)
    finally:
        os.close(lives)


# --- the command ---


def not_a_command(command: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        Program(command, os.environ).check()
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.hint
    assert HUSH not in whole_text(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("", "no command stands after exec:"),
        ("  ", "no command stands after exec:"),
        (f"'' {HUSH}", "no command stands after exec:"),
        (f"take '{HUSH}", "has a quote without its end"),
        (f"take {HUSH}\0", "cannot be run"),
        (f"TOKEN={HUSH} take", "does not begin with a program"),
        (f"/nowhere/take --token {HUSH}", "there is no program '/nowhere/take'"),
        (f"no-such-program-anywhere {HUSH}", "there is no program 'no-such-program-anywhere'"),
        (f"{os.devnull} {HUSH}", f"there is no program '{os.devnull}'"),
    ],
)
def test_what_cannot_be_run_is_told_before(command: str, expected: str) -> None:
    assert expected in not_a_command(command).message


def test_a_file_must_be_executable(tmp_path: Path) -> None:
    file = tmp_path / "take"
    file.write_text("#!/bin/sh\n", "utf-8")
    assert "there is no program" in not_a_command(str(file)).message
    file.chmod(0o700)
    Program(str(file), os.environ).check()


def test_a_check_starts_nothing(written: Written, tmp_path: Path) -> None:
    written(TAKES).check()
    assert not (tmp_path / "notes").exists()


def test_one_that_went_away_may_come_back(tmp_path: Path) -> None:
    program = Program(str(tmp_path / "take"), os.environ)
    assert fault(program, delivery(1)) == "could not be started: No such file or directory"


def test_a_name_is_that_of_the_program_alone() -> None:
    program = Program(f"'./take pairs' --token {HUSH}", os.environ)
    assert re.fullmatch(r"exec:\./take pairs \([0-9a-f]{8}\)", program.name)
    assert HUSH not in repr(program)
    assert program.name != Program("'./take pairs' --token other", os.environ).name


def test_it_has_what_it_said_that_it_has(written: Written) -> None:
    program = written(TAKES)
    assert program.has([row(1)])


def test_a_delivery_of_which_nobody_knows_is_made_again_under_its_ids(written: Written) -> None:
    program = written(TAKES)
    program.deliver(delivery(1, 2))
    first = written.notes("line")
    assert program.settle(delivery(1, 2)) == {}
    assert written.notes("line") == first * 2
