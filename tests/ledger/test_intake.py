"""Rows are taken in many at once: as one at a time, wholly or not at all, and as older ledgers know them."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from migrator.errors import InputError
from migrator.ledger import schema
from migrator.ledger.file.codec import FURTHER, MATERIAL, Codec
from migrator.ledger.file.keys import make_key
from migrator.ledger.file.opening import connect, create_private
from migrator.ledger.file.vault import Fingerprints, LedgerKey, Vault
from migrator.ledger.intake import Intake, take_all
from migrator.models import Connection, LegacyToken, Misnamed, Reject, Secret
from migrator.row_rules import RowRules
from migrator.rules.terms import Terms
from migrator.sources import open_source
from migrator.sources.duplicates import DuplicateIndex
from migrator.sources.screening import Accepted, screen

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TERMS = Terms(app_types={"partner": True, "public": False})
VAULT = Vault(LedgerKey.generate())
CODEC = Codec(VAULT, Fingerprints(b"k" * 32))
RULES = RowRules(app_types=TERMS.app_types)
Row = Accepted | Reject | Misnamed


@pytest.fixture(scope="module")
def template() -> Iterator[sqlite3.Connection]:
    """A new ledger, to be copied."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        schema.migrations.apply(Database(db))
        db.execute("INSERT INTO runs (id, command, process, started_at) VALUES (1, 'run', 1, '')")
        yield db


def copy_of(template: sqlite3.Connection) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    template.backup(db)
    return db


def take(db: sqlite3.Connection, rows: Iterable[Row], batch: int) -> Intake:
    """Take rows in, as the ledger's writer does."""
    db.execute("BEGIN IMMEDIATE")
    try:
        intake = take_all(
            db, CODEC, rows, ["tokens.csv"], provider="it", terms=TERMS, run_id=1, now=NOW,
            progress=lambda _: None, batch=batch,
        )  # fmt: skip
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return intake


def content(db: sqlite3.Connection) -> list[Any]:
    """All that intake writes, decrypted."""
    columns = (
        "id, key, provider, app_type, organisation, tenant_id, tenant_type, contact_email, consumer_key,"
        " state, reason, row_print, run_id, updated_at"
    )
    rows = db.execute(f"SELECT {columns} FROM connections ORDER BY id").fetchall()
    further = [
        CODEC.open_further(one) for (one,) in db.execute("SELECT further FROM connections ORDER BY id")
    ]
    tokens = [
        (*names, CODEC.open_legacy(sealed, expires_at))
        for sealed, expires_at, *names in db.execute(
            """SELECT material, expires_at, connection_id, generation, attempt_id, token_print
               FROM legacy_tokens ORDER BY connection_id, generation"""
        )
    ]
    return [
        rows,
        further,
        tokens,
        db.execute("SELECT source, line, reason, detail FROM rejects ORDER BY id").fetchall(),
        db.execute("SELECT accepted, known, rejected FROM runs").fetchall(),
        db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall(),
    ]


def legacy_of(token: str, secret: str = "s", ends: datetime | None = None) -> LegacyToken:
    return LegacyToken(Secret(token), Secret(secret), expires_at=ends)


connections = st.builds(
    Connection,
    key=st.none() | st.sampled_from("abcd"),
    app_type=st.sampled_from(["partner", "public"]),
    legacy=st.builds(
        legacy_of, st.sampled_from("tuvwx"), st.sampled_from(["s", "é"]),
        st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)]),
    ),
    contact_email=st.sampled_from(["", "a@b.example"]),
    further=st.sampled_from([{}, {"plan": 1}]),
)  # fmt: skip
files = st.lists(st.lists(connections, max_size=8), min_size=1, max_size=3)


def rows_of(said: Sequence[Connection]) -> list[Row]:
    """A file's rows as screening leaves them: the second one of a token or key is rejected."""
    rows: list[Row] = [Misnamed("tokens.csv", "app_type", "apptype", 1)]
    met: set[tuple[str, str]] = set()
    for line, one in enumerate(said, start=2):
        names = {("token", one.legacy.token.reveal()), ("key", one.key or f"none-{line}")}
        rows.append(
            Reject("tokens.csv", line, "duplicate_token", "Twice.")
            if names & met
            else Accepted("tokens.csv", line, one)
        )
        met |= names
    return rows


@given(files=files, batch=st.integers(2, 9))
def test_many_at_once_are_taken_in_as_one_at_a_time(
    template: sqlite3.Connection, files: list[list[Connection]], batch: int
) -> None:
    with closing(copy_of(template)) as one, closing(copy_of(template)) as many:
        for said in files:
            assert take(one, rows_of(said), 1) == take(many, rows_of(said), batch)
            assert content(one) == content(many)


def test_two_rows_of_one_connection_are_held_against_each_other(template: sqlite3.Connection) -> None:
    """One names its key, the other has the token that it came with."""
    first = Connection("a", "partner", legacy_of("t"))
    by_token = replace(first, key=None, contact_email="a@b.example")
    by_key = replace(first, legacy=legacy_of("u"), contact_email="a@b.example")
    again = [Accepted("tokens.csv", line, one) for line, one in ((2, by_token), (3, by_key))]
    with closing(copy_of(template)) as db:
        take(db, [Accepted("tokens.csv", 2, first)], 500)
        assert take(db, again, 500).accepted == 2
        (rows, _, tokens, *_) = content(db)
        assert [(row[1], row[7]) for row in rows] == [("a", "a@b.example")]
        assert [token[-1].token.reveal() for token in tokens] == ["t", "u"]


def test_what_the_first_of_two_rows_of_one_connection_said_is_known_of_the_second(
    template: sqlite3.Connection,
) -> None:
    """The second names no tenant, and says what stood there before the first one came."""
    first = Connection("a", "partner", legacy_of("t"))
    newer = replace(first, legacy=legacy_of("u"))
    by_token = replace(first, key=None, tenant_id="T")
    again = [Accepted("tokens.csv", line, one) for line, one in ((2, by_token), (3, newer))]
    with closing(copy_of(template)) as db:
        for said in (first, newer):
            assert take(db, [Accepted("tokens.csv", 2, said)], 500).accepted == 1
        assert take(db, again, 500).accepted == 2
        assert db.execute("SELECT key, tenant_id FROM connections").fetchall() == [("a", "T")]


def test_a_purged_token_is_not_brought_back(template: sqlite3.Connection) -> None:
    said = Connection("a", "partner", legacy_of("t"))
    with closing(copy_of(template)) as db:
        take(db, [Accepted("tokens.csv", 2, said)], 500)
        db.execute("UPDATE legacy_tokens SET material = x'', purged_at = ''")
        db.execute("UPDATE connections SET state = 'migrated'")
        corrected = replace(said, contact_email="a@b.example")
        assert take(db, [Accepted("tokens.csv", 2, corrected)], 500).accepted == 1
        assert db.execute("SELECT contact_email FROM connections").fetchall() == [("a@b.example",)]
        assert db.execute("SELECT generation, material FROM legacy_tokens").fetchall() == [(1, b"")]


HEAD = "connection_id,app_type,oauth_token,oauth_token_secret\n"


def csv_rows(text: str, seen: DuplicateIndex) -> Iterator[Row]:
    source = open_source("-", stdin=BytesIO((HEAD + text).encode()), rules=RULES)
    return screen([source], seen, RULES)


def test_a_double_far_from_the_first_is_rejected_with_its_place(template: sqlite3.Connection) -> None:
    lines = [f"k{number},partner,t{number},s" for number in range(20_000)]
    lines[15_000] = "other,partner,t7,s"
    lines[15_001] = "k8,partner,other,s"
    with closing(copy_of(template)) as db, DuplicateIndex() as seen:
        intake = take(db, csv_rows("\n".join(lines), seen), 7)
        assert (intake.accepted, intake.known, intake.rejected) == (19_998, 0, 2)
        rejects = db.execute("SELECT line, reason, detail FROM rejects ORDER BY id").fetchall()
        assert rejects == [
            (15_002, "duplicate_token", "The same oauth_token stands in -:9 already."),
            (15_003, "duplicate_connection_id", "The same connection_id stands in -:10 already."),
        ]
        keys = [key for (key,) in db.execute("SELECT key FROM connections ORDER BY id")]
        assert keys == [line.split(",")[0] for line in lines[:15_000] + lines[15_002:]]
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("before", [0, 1])
def test_a_file_that_breaks_off_leaves_the_ledger_as_it_was(
    template: sqlite3.Connection, before: int
) -> None:
    def breaking_off() -> Iterator[Row]:
        for number in range(10):
            yield Accepted("tokens.csv", number, Connection(f"k{number}", "partner", legacy_of(f"t{number}")))
        raise InputError("it breaks off")

    with closing(copy_of(template)) as db:
        cache = db.execute("PRAGMA cache_size").fetchall()
        take(db, [Accepted("-", 0, Connection("a", "partner", legacy_of("a")))] * before, 3)
        there = content(db)
        with pytest.raises(InputError):
            take(db, breaking_off(), 3)
        assert content(db) == there
        assert db.execute("PRAGMA cache_size").fetchall() == cache


@pytest.mark.parametrize("batch", [1, 3, 500])
def test_a_key_that_two_rows_have_leaves_the_ledger_as_it_was(
    template: sqlite3.Connection, batch: int
) -> None:
    """Screening lets no such rows pass; the ledger does not rely on it, whether it was empty or not."""
    said = [Connection(key, "partner", legacy_of(token)) for key, token in ("at", "bu", "cv", "dw", "ax")]
    twice = [Accepted("tokens.csv", line, one) for line, one in enumerate(said, start=2)]
    with closing(copy_of(template)) as db:
        before = content(db)
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            take(db, twice, batch)
        assert content(db) == before


def test_progress_is_told_of_every_row(template: sqlite3.Connection) -> None:
    told: list[int] = []
    rows = [Accepted("-", n, Connection(f"k{n}", "partner", legacy_of(f"t{n}"))) for n in range(10)]
    with closing(copy_of(template)) as db:
        take_all(
            db,
            CODEC,
            rows,
            ["-"],
            provider="it",
            terms=TERMS,
            run_id=1,
            now=NOW,
            progress=told.append,
            batch=4,
        )
    assert told == [4, 4, 2]


KILLED = """
import os, signal, sys, threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from migrator.ledger import intake, runs
from migrator.ledger.access import open_for_job
from migrator.ledger.file.keys import require_key
from migrator.models import Connection, LegacyToken, Secret
from migrator.rules.verdict import ANY_TERMS, Policy
from migrator.sources.screening import Accepted

path, where = Path(sys.argv[1]), sys.argv[2]
taken = intake._Desk.take

def killing(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def counted(desk, batch):
    taken(desk, batch)
    if desk.novelties.total() == 10_000:
        killing()

if where == "between two batches":
    intake._Desk.take = counted
elif where == "before the commit":
    runs.count_rows = killing
policy = Policy(max_attempts=3, settle=timedelta(seconds=1))
key = require_key(path, {}, None)
rows = (
    Accepted("-", n, Connection(f"k{n}", "", LegacyToken(Secret(f"t{n}"), Secret("s" * 60))))
    for n in range(20_000)
)
told = threading.Event()
with open_for_job(path, key, lambda: datetime.now(UTC), create=True, hurry=told) as ledger:
    ledger.begin_run("run", policy, ["-"], workers=1)
    accepted = ledger.take_in(rows, ["-"], "it", lambda _: None, terms=ANY_TERMS).accepted
    ledger.end_run("done")
    print(accepted, Path(f"{path}-wal").stat().st_size)
"""


@pytest.mark.parametrize("where", ["between two batches", "before the commit"])
def test_an_intake_that_is_killed_leaves_nothing_and_is_done_again(tmp_path: Path, where: str) -> None:
    path = tmp_path / "migration.db"
    make_key(path)
    command = [sys.executable, "-c", KILLED, str(path)]
    killed = subprocess.run([*command, where], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM connections").fetchone() == (0,)
        indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'").fetchall()
        assert "legacy_tokens_by_print" in dict(indexes)
    again = subprocess.run([*command, "nowhere"], capture_output=True, text=True, check=True)
    accepted, length_of_log = map(int, again.stdout.split())
    assert accepted == 20_000
    assert length_of_log <= 4 * 1024 * 1024 < path.stat().st_size, "the log does not stay as long as it was"
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*), max(id) FROM connections").fetchone() == (20_000, 20_000)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        now_there = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'").fetchall()
        assert sorted(now_there) == sorted(indexes)


def older_print(kind: str, *parts: str) -> bytes:
    return Fingerprints(b"k" * 32).of(kind, *parts)


def write_older(db: sqlite3.Connection, number: int, key: str | None, secret: str, further: object) -> None:
    """A connection with its legacy token as version 10 wrote them."""
    token = f"t{number}"
    material = older_print("material", token, secret, "")
    said = json.dumps(further)
    row_print = older_print("row", material.hex(), "", "partner", "", "", "", "", said)
    db.execute(
        """INSERT INTO connections (id, key, provider, app_type, organisation, tenant_id, tenant_type,
           contact_email, state, reason, further, row_print, run_id, created_at, updated_at)
           VALUES (?, ?, 'it', 'partner', '', '', '', '', 'pending', '', ?, ?, 1, '', '')""",
        [
            number,
            key or f"auto-{older_print('token', token).hex()}",
            VAULT.seal(said, FURTHER) if further else None,
            row_print,
        ],
    )
    sealed = VAULT.seal(json.dumps([token, secret, ""]), MATERIAL)
    db.execute(
        """INSERT INTO legacy_tokens (connection_id, generation, material, token_print, material_print,
           obtained_at) VALUES (?, 1, ?, ?, ?, '')""",
        [number, sealed, older_print("token", token), material],
    )


def test_a_ledger_of_an_older_version_knows_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as db:
        schema.migrations.apply(Database(db), stop_before="m011_rows_of_less")
        db.execute("INSERT INTO runs (id, command, process, started_at) VALUES (1, 'run', 1, '')")
        write_older(db, 1, "one", "s", {})
        write_older(db, 2, None, "s", {"plan": "é"})
        write_older(db, 3, "three", "s", {})
        db.commit()
        schema.prepare(db, create=False)
        one = Connection("one", "partner", legacy_of("t1"))
        two = Connection(None, "partner", legacy_of("t2"), further={"plan": "é"})
        stolen = Connection("four", "partner", legacy_of("t3"))
        rows = [Accepted("tokens.csv", line, said) for line, said in ((2, one), (3, two), (4, stolen))]
        intake = take(db, rows, 500)
        assert (intake.accepted, intake.known, intake.rejected) == (0, 2, 1)
        assert db.execute("SELECT reason FROM rejects").fetchall() == [("duplicate_token",)]
        renewed = replace(one, legacy=legacy_of("t1", "another secret"))
        moved = replace(two, contact_email="a@b.example")
        intake = take(db, [Accepted("tokens.csv", 2, renewed), Accepted("tokens.csv", 3, moved)], 500)
        assert (intake.accepted, intake.known) == (2, 0)
        generations = "SELECT connection_id, max(generation) FROM legacy_tokens GROUP BY connection_id"
        assert db.execute(generations).fetchall() == [(1, 2), (2, 1), (3, 1)]
        assert take(db, [Accepted("tokens.csv", 2, one)], 500).accepted == 1, "it says what it said at first"
        assert db.execute(generations).fetchall() == [(1, 2), (2, 1), (3, 1)], "and was held before"
