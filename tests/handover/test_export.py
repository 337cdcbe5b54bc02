"""``export``: pairs go to the application, into a new file for its owner alone, and the ledger remembers."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.keys import require_key
from migrator.models import Action
from tests.handover.conftest import Live
from tests.handover.support import Life, Row, csv_rows, json_lines, until
from tests.postgres import Database
from tests.support import PATIENCE, fingerprint

FURTHER = {
    "row_id": "0042",
    "note": "=HYPERLINK(1)",
    "scope": "the application's own",
    "token": "t",
    "Straße": "ä\u202e1",
}


def with_further(number: int, row: dict[str, str]) -> Mapping[str, str]:
    """Rows as an application has them: with columns of its own, and names that a spreadsheet would run."""
    organisation = f"=cmd|'/C calc'!A{number}" if number == 1 else row["organisation"]
    return {**row, "organisation": organisation, **FURTHER}


def read(path: Path) -> list[Row]:
    return json_lines(path) if path.suffix == ".jsonl" else [dict(row) for row in csv_rows(path)]


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.csv", "PAIRS.CSV"])
def test_every_connection_comes_out_with_its_pair_in_a_file_for_its_owner_alone(
    live: Live, name: str
) -> None:
    life = live(4, per_user=2)
    tokens = life.refresh_tokens()
    document = life.json("export", "-o", name)
    path = life.folder / name
    assert document == {"output": str(path), "connections": 4, "rows": 4, "ended": 0}
    assert path.stat().st_mode & 0o777 == 0o600
    rows = csv_rows(path) if name.lower().endswith("csv") else json_lines(path)
    assert [row["connection_id"] for row in rows] == [life.key_of(number) for number in (1, 2, 3, 4)]
    for row in rows:
        assert row["refresh_token"] == tokens[row["tenant_id"]].reveal()
        assert row["token_type"] == "Bearer"
        assert row["user_id"]
        bearer = {"Authorization": f"Bearer {row['access_token']}"}
        reached = [one["tenantId"] for one in life.call("GET", "/connections", headers=bearer).json()]
        assert row["tenant_id"] in reached
    assert life.handed_over() == 4
    assert life.status()["pairs"]["exported"] == 4
    assert life.litter() == []


def test_a_strict_umask_or_a_loose_one_makes_no_difference(live: Live) -> None:
    life = live(3)
    before = os.umask(0)
    try:
        life.done("export", "-o", "pairs.jsonl")
    finally:
        os.umask(before)
    assert (life.folder / "pairs.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.csv"])
def test_further_columns_come_out_again_and_never_in_the_place_of_ours(live: Live, name: str) -> None:
    life = live(2, rewrite=with_further)
    life.done("export", "-o", name)
    first, second = read(life.folder / name)
    tokens = life.refresh_tokens()
    for row in (first, second):
        assert row["row_id"] == "0042"
        assert row["input_scope"] == "the application's own"
        assert row["input_token"] == "t"
        assert row["scope"] != "the application's own"
        assert row["refresh_token"] == tokens[row["tenant_id"]].reveal()
    plain = name == "pairs.jsonl"
    assert first["organisation"] == ("=cmd|'/C calc'!A1" if plain else "'=cmd|'/C calc'!A1")
    assert first["note"] == ("=HYPERLINK(1)" if plain else "'=HYPERLINK(1)")
    assert first["Straße"] == ("ä\u202e1" if plain else "ä\\u202e1")


def with_confusing_names(number: int, row: dict[str, str]) -> Mapping[str, str]:
    return {**row, "scope": "one", "input_scope": "two", "=1+1": "three"}


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.csv"])
def test_no_further_column_is_lost_to_another(live: Live, name: str) -> None:
    life = live(2, rewrite=with_confusing_names)
    life.done("export", "-o", name)
    values = set(map(str, read(life.folder / name)[0].values()))
    assert {"one", "two", "three"} <= values


def have_further(life: Life, connection_id: int, further: Mapping[str, object]) -> None:
    """Have a connection come with other columns than the others, as a row of JSON may."""
    with open_to_compare(life.ledger, require_key(life.ledger, {}, None)) as (_, codec):
        sealed = codec.seal_further(further)
    assert life.alter("UPDATE connections SET further = ? WHERE id = ?", sealed, connection_id) == 1


def test_columns_that_only_some_rows_have_come_where_they_come_up_first(live: Live) -> None:
    life = live(4)
    life.done("export", "-o", "plain.csv")
    have_further(life, 2, {"zone": "+1", "many": [1, None], "scope": "own"})
    have_further(life, 4, {"yes": True, "zone": None, "n": 0.5})
    life.done("export", "-o", "pairs.csv")
    before, after = (
        list(csv.reader((life.folder / name).read_text("utf-8").splitlines()))
        for name in ("plain.csv", "pairs.csv")
    )
    further = [
        ["zone", "many", "input_scope", "yes", "n"],
        ["", "", "", "", ""],
        ["+1", "[1, null]", "own", "", ""],
        ["", "", "", "", ""],
        ["", "", "", "True", "0.5"],
    ]
    assert after == [[*row, *more] for row, more in zip(before, further, strict=True)]


def test_they_come_into_a_table_too(live: Live, postgres: Database) -> None:
    life = live(4)
    have_further(life, 2, {"many": [1, None]})
    have_further(life, 4, {"yes": True, "n": 0.5})
    life.done("export", "--to", postgres.url("pairs"))
    rows = postgres.execute("SELECT connection_id, many, yes, n FROM pairs")
    none = (None, None, None)
    expected = zip(range(1, 5), (none, ("[1, null]", None, None), none, (None, "true", "0.5")), strict=True)
    assert sorted(rows) == [(life.key_of(number), *further) for number, further in expected]


def test_a_further_column_named_like_a_formula_is_defused(live: Live) -> None:
    life = live(2, rewrite=with_confusing_names)
    life.done("export", "-o", "pairs.csv")
    header = (life.folder / "pairs.csv").read_text("utf-8").splitlines()[0]
    assert ",=1+1" not in header
    assert "'=1+1" in header


def test_a_pair_says_what_it_may_do(live: Live) -> None:
    # The migration endpoint's answer names no scope: it is what was asked for (RFC 6749, 5.1).
    life = live(3)
    life.done("export", "-o", "pairs.jsonl")
    for row in json_lines(life.folder / "pairs.jsonl"):
        assert set(row["scope"].split()) == {"offline_access", "accounting.transactions"}


# --- where it goes ---


def a_file(path: Path) -> None:
    path.write_text("mine")


def a_link(path: Path) -> None:
    path.with_name("target").write_text("mine")
    path.symlink_to("target")


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def untouched(life: Life) -> None:
    """Nothing was handed over, and nothing is left of it."""
    assert life.handed_over() == 0
    assert life.query("SELECT count(*) FROM exports") == [(0,)]
    assert life.query("SELECT count(*) FROM handings") == [(0,)]
    assert life.litter() == []


@pytest.mark.parametrize("there", [a_file, a_link, a_dangling_link, a_folder, a_pipe])
def test_what_is_there_already_is_never_replaced(live: Live, there: Callable[[Path], None]) -> None:
    life = live(3)
    path = life.folder / "pairs.jsonl"
    there(path)
    before = sorted(life.folder.rglob("*"))
    finished = life.done("export", "-o", "pairs.jsonl", code=2)
    assert "exists already" in finished.stderr
    assert [one for one in sorted(life.folder.rglob("*")) if "migration" not in one.name] == [
        one for one in before if "migration" not in one.name
    ]
    assert not (life.folder / "nowhere").exists()
    untouched(life)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pairs.xlsx", "ending"),
        ("pairs", "ending"),
        (".jsonl", "ending"),
        ("nowhere/pairs.jsonl", "cannot be written"),
        ("tokens.csv/pairs.jsonl", "cannot be written"),
        ("/proc/pairs.jsonl", "cannot be written"),
    ],
)
def test_a_place_where_nothing_can_be_written_is_said_and_nothing_marked(
    live: Live, name: str, said: str
) -> None:
    life = live(3)
    finished = life.done("export", "-o", name, code=2)
    assert said in finished.stderr
    untouched(life)


def test_without_a_file_nothing_is_exported(live: Live) -> None:
    life = live(3)
    life.done("export", code=2)
    untouched(life)


def test_a_name_that_is_no_text_is_a_name_all_the_same(live: Live) -> None:
    life = live(3)
    finished = life.migrator("export", "-o", os.fsdecode(b"pairs-\xff.jsonl"))
    assert "Traceback" not in finished.stderr, finished.stderr[-500:]
    there = (life.folder / os.fsdecode(b"pairs-\xff.jsonl")).exists()
    assert life.handed_over() == (3 if there else 0)
    assert finished.returncode == (0 if there else 2)


def on_a_terminal(life: Life, *arguments: str) -> tuple[int, bytes]:
    """Run where standard output is a terminal; exit code, and what it showed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        life.command(*arguments),
        cwd=life.folder,
        env=life.clean_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side has gone
                break
            if not part:
                break
            shown += part
        process.wait(timeout=PATIENCE)
    os.close(ours)
    return process.returncode, shown


def test_tokens_are_shown_on_a_terminal_only_if_asked(live: Live) -> None:
    life = live(3)
    code, shown = on_a_terminal(life, "export", "-o", "-")
    assert (code, shown) == (2, b"")
    untouched(life)
    code, shown = on_a_terminal(life, "export", "-o", "-", "--terminal")
    assert code == 0
    assert all(token.reveal().encode() in shown for token in life.refresh_tokens().values())
    assert life.handed_over() == 3


def test_standard_output_into_a_pipe_is_json_lines_and_nothing_else(live: Live) -> None:
    life = live(3)
    finished = life.done("export", "-o", "-")
    rows = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [row["connection_id"] for row in rows] == [life.key_of(number) for number in (1, 2, 3)]
    assert "refresh_token" not in finished.stderr
    assert life.handed_over() == 3
    life.done("export", "-o", "-", "--json", code=2)


def test_a_reader_that_went_away_was_handed_nothing(live: Live) -> None:
    life = live(3)
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        life.command("export", "-o", "-"),
        cwd=life.folder,
        env=life.clean_environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=PATIENCE,
        text=True,
    )
    os.close(writer)
    assert process.returncode not in (0, -signal.SIGPIPE), process.stderr
    assert "Traceback" not in process.stderr
    assert life.handed_over() == 0


# --- how often ---


def test_since_last_gives_only_what_is_new(live: Live) -> None:
    life = live(3)
    assert life.json("export", "-o", "first.jsonl")["connections"] == 3
    assert life.json("export", "--since-last", "-o", "second.jsonl")["connections"] == 0
    assert json_lines(life.folder / "second.jsonl") == []
    # One is swapped only now.
    life.alter("DELETE FROM handings WHERE connection_id = 2")
    assert life.json("export", "--since-last", "-o", "third.csv")["connections"] == 1
    assert [row["connection_id"] for row in csv_rows(life.folder / "third.csv")] == [life.key_of(2)]
    assert life.json("export", "-o", "all.jsonl")["connections"] == 3
    assert life.handed_over() == 3


def test_a_pair_whose_refresh_token_has_ended_is_left_out_and_counted(live: Live) -> None:
    life = live(3)
    life.alter("UPDATE token_pairs SET refresh_expires_at = '2020-01-01T00:00:00.000000Z' WHERE id = 2")
    document = life.json("export", "-o", "pairs.jsonl")
    assert (document["connections"], document["ended"]) == (2, 1)
    assert life.query("SELECT key FROM pairs WHERE exported_at IS NULL") == [(life.key_of(2),)]


def test_one_pair_a_user_and_the_ledger_says_which_stands_for_which(live: Live) -> None:
    life = live(5, per_user=2)
    assert life.status()["upkeep"]["users_with_several_pairs"] == 2
    # One of a user's pairs is refreshed on the way: the others are not lost by that.
    life.alter("UPDATE token_pairs SET refresh_expires_at = '2020-01-01T00:00:00.000000Z' WHERE id = 1")
    assert life.json("refresh")["refreshed"] == 1
    assert life.dead() == []
    tokens = life.refresh_tokens()
    document = life.json("export", "--per", "user", "-o", "pairs.jsonl")
    assert (document["connections"], document["rows"]) == (5, 3)
    rows = json_lines(life.folder / "pairs.jsonl")
    assert len({row["user_id"] for row in rows}) == len(rows) == 3
    stands = dict(life.query("SELECT key, stands_for_it FROM pairs"))
    owner = dict(life.query("SELECT own_pair, tenant_id FROM pairs"))
    seen = []
    for row in rows:
        keys = [connection["connection_id"] for connection in row["connections"]]
        seen += keys
        (pair_id,) = {stands[key] for key in keys}
        assert row["refresh_token"] == tokens[owner[pair_id]].reveal()
        bearer = {"Authorization": f"Bearer {row['access_token']}"}
        reached = {one["tenantId"] for one in life.call("GET", "/connections", headers=bearer).json()}
        assert {connection["tenant_id"] for connection in row["connections"]} <= reached
    assert sorted(seen) == [life.key_of(number) for number in (1, 2, 3, 4, 5)]
    assert life.status()["pairs"]["exported"] == 3
    assert life.handed_over() == 5
    life.done("refresh", "--all")
    assert len(life.attempts("refresh")) == 1, "nor are those that others stand for ours to refresh any more"


def test_one_pair_a_user_in_csv(live: Live) -> None:
    life = live(4, per_user=2)
    life.done("export", "--per", "user", "-o", "pairs.csv")
    rows = csv_rows(life.folder / "pairs.csv")
    assert len(rows) == 2
    assert [len(json.loads(row["connections"])) for row in rows] == [2, 2]


def test_a_connection_that_the_users_other_pair_did_not_reach_keeps_its_own(live: Live) -> None:
    life = live(4, per_user=2)
    life.disconnect(life.tenant_of(1))
    life.done("verify", code=1)
    life.json("export", "--per", "user", "-o", "pairs.jsonl")
    assert life.query(
        "SELECT count(*) FROM pairs WHERE stands_for_it = own_pair AND key = ?", life.key_of(1)
    ) == [(1,)]


def test_of_a_users_rows_the_first_alone_is_known_by_the_user(live: Live) -> None:
    life = live(6, per_user=3)
    for number in (2, 3):
        life.disconnect(life.tenant_of(number))
    life.done("verify", code=1)
    life.done("export", "--per", "user", "-o", "pairs.jsonl")
    rows = json_lines(life.folder / "pairs.jsonl")
    (other,) = ((row["key"], row["user_id"]) for row in rows if len(row["connections"]) == 3)
    rows = [row for row in rows if len(row["connections"]) < 3]
    assert sorted(len(row["connections"]) for row in rows) == [1, 2]
    first, second = ((row["key"], row["user_id"]) for row in rows)
    assert first == (first[1], second[1])
    assert second == (rows[1]["connections"][0]["connection_id"], first[1])
    assert other == (other[1], other[1])
    assert other != first


def test_so_it_does_after_a_refresh(live: Live) -> None:
    life = live(4, per_user=2)
    life.disconnect(life.tenant_of(1))
    life.done("verify", code=1)
    life.alter("UPDATE token_pairs SET refresh_expires_at = '2020-01-01T00:00:00.000000Z' WHERE id = 1")
    assert life.json("refresh")["refreshed"] == 1
    life.json("export", "--per", "user", "-o", "pairs.jsonl")
    rows = json_lines(life.folder / "pairs.jsonl")
    of_first = [row for row in rows if life.key_of(1) in [one["connection_id"] for one in row["connections"]]]
    assert [len(row["connections"]) for row in of_first] == [1]


# --- interrupted ---


def test_a_full_disk_leaves_nothing_behind_and_marks_nothing(live: Live) -> None:
    life = live(5, rewrite=with_much)
    life.configure(concurrency=1)
    finished = life.with_little_room(300, "export", "-o", "pairs.jsonl")
    assert finished.returncode == 2, finished.stderr
    assert "cannot be written" in finished.stderr
    assert not (life.folder / "pairs.jsonl").exists()
    untouched(life)
    life.done("export", "-o", "pairs.jsonl")


def with_much(number: int, row: dict[str, str]) -> Mapping[str, str]:
    """Each row is long, so that a few of them fill a disk."""
    return {**row, "further": "x" * 100_000}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.csv"])
def test_an_export_that_is_interrupted_hands_nothing_over(live: Live, number: int, name: str) -> None:
    life = live(3)
    finished = life.warm("tests.handover.interrupted_export", str(int(number)), "--", "export", "-o", name)
    assert finished.returncode == 130, finished.stderr
    assert "nothing counts as handed over" in finished.stderr
    assert not (life.folder / name).exists()
    untouched(life)
    life.done("export", "-o", name)


def test_nothing_that_is_open_is_handed_over(live: Live) -> None:
    life = live(3)
    life.kill_at("after send", Action.REFRESH, 2, "refresh", "--all", "--concurrency", "1")
    assert life.json("export", "-o", "pairs.jsonl")["connections"] == 2
    assert life.key_of(2) not in (life.folder / "pairs.jsonl").read_text()


def test_what_an_export_hands_over_is_what_works(live: Live) -> None:
    life = live(3)
    life.done("refresh", "--all")
    life.done("export", "-o", "pairs.jsonl")
    witness = life.witness()
    for row in json_lines(life.folder / "pairs.jsonl"):
        pair = life.pairs()[row["tenant_id"]]
        assert row["refresh_token"] == pair.refresh_token.reveal()
        assert fingerprint(pair.refresh_token) in witness[row["tenant_id"]]["refresh_tokens_sha256"]


def test_two_exports_at_once_are_not_possible(live: Live) -> None:
    life = live(3)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = subprocess.Popen(
        life.command("export", "-o", "-"),
        cwd=life.folder,
        env=life.clean_environment(),
        stdout=_stuffed(writer),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: life.query("SELECT count(*) FROM handings") == [(3,)], process)
        life.done("export", "-o", "pairs.jsonl", code=4)
    finally:
        process.kill()
        process.communicate()
        os.close(reader)
        os.close(writer)


def _stuffed(writer: int) -> int:
    """A pipe that is full: whoever writes into it waits."""
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    return writer
