"""What goes wrong beside a delivery, or nearly: each of these once did."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from migrator.handover import delivery_loop
from migrator.handover.receivers.interface import Delivery, Refused
from migrator.handover.shapes import Row
from migrator.ledger.calls import EndedCall
from migrator.models import Action, State, utc_now
from migrator.providers import Over
from migrator.rules.lag import Unlimited
from migrator.rules.transitions import settle
from migrator.terminal.progress import NoProgress
from tests.conftest import SetScene
from tests.handover.conftest import Live
from tests.handover.delivery.conftest import Start
from tests.handover.delivery.receivers import Application
from tests.handover.delivery.test_deliver import TABLE, in_ledger, keys
from tests.handover.delivery.test_outbox import at_work
from tests.handover.support import until
from tests.postgres import Database
from tests.rules.strategies import POLICY
from tests.support import PATIENCE

REFUSED = Over(State.NEEDS_CONSENT, "grant_revoked", "invalid_token", refused=True)

COLUMNS = "access_token text, refresh_token text, generation bigint"
OF_PAIRS = "connection_id, attempt_id, access_token, refresh_token, scope, tenant_id, user_id, obtained_at"
KILLER = "tests.handover.delivery.killed_delivery"


class Silent:
    """Takes a delivery, and says nothing for a long time."""

    name = "silent"

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.closed = False

    def check(self) -> None:
        """It is there."""

    def deliver(self, delivery: Delivery) -> Refused:
        assert delivery.rows
        self.asked.set()
        self.may_answer.wait(PATIENCE)
        return {}

    def settle(self, delivery: Delivery) -> Refused:
        return self.deliver(delivery)

    def has(self, rows: Sequence[Row]) -> bool:
        return not rows

    def close(self) -> None:
        self.closed = True


def test_who_leaves_migrated_and_comes_back_beside_an_unfinished_delivery_is_delivered(
    live: Live, postgres: Database
) -> None:
    life = live(3)
    life.killed(KILLER, "after intent", "--", "deliver", "--to", postgres.url("pairs"))
    life.alter("UPDATE connections SET state = 'uncertain'")
    life.alter("UPDATE connections SET state = 'migrated'")
    life.done("deliver", "--to", postgres.url("pairs"))
    assert postgres.execute(TABLE) == in_ledger(life)


def test_the_same_pair_waits_as_it_did_when_its_connection_is_looked_at_again(
    live: Live, application: Application
) -> None:
    life = live(2)
    application.tell("refuse", life.key_of(1))
    life.done("deliver", "--to", application.url, code=1)
    before = life.query("SELECT * FROM outbox")
    life.alter("UPDATE connections SET state = 'migrated', updated_at = '2030-01-01T00:00:00.000000Z'")
    assert life.query("SELECT * FROM outbox") == before


def test_a_pair_that_serves_another_who_has_not_got_it_is_not_purged(
    live: Live, application: Application
) -> None:
    life = live(2)
    life.alter("UPDATE token_pairs SET replaced_at = obtained_at WHERE connection_id = 2")
    life.alter("UPDATE connections SET served_by = 1 WHERE id = 2")
    application.tell("refuse", life.key_of(2))
    life.done("deliver", "--to", application.url, code=1)
    life.migrator("purge", "--yes")
    assert life.query("SELECT purged_at FROM token_pairs WHERE connection_id = 1") == [(None,)]
    assert life.json("export", "--since-last", "-o", "rest.jsonl")["connections"] == 1
    life.migrator("purge", "--yes")
    assert life.query("SELECT purged_at IS NULL FROM token_pairs WHERE connection_id = 1") == [(0,)]


def test_an_unfinished_delivery_of_what_was_purged_is_no_ones_any_more(
    live: Live, application: Application
) -> None:
    life = live(3)
    life.killed(KILLER, "after intent", "--", "deliver", "--to", application.url)
    life.done("export", "-o", "all.jsonl")
    life.done("purge", "--yes")
    assert life.json("deliver", "--to", application.url)["waiting"] == 0


def test_a_verification_that_fails_after_the_pair_was_handed_over_decides_nothing(live: Live) -> None:
    life = live(1)
    with at_work(life) as ledger:
        standing = ledger.standing(1)
        attempt_id = ledger.begin_call(standing, Action.VERIFY)
        assert attempt_id is not None
        assert standing.pair is not None
        ledger.deliveries.begin_for("somewhere")
        assert ledger.deliveries.begin("somewhere", "d", most=1) is not None
        verdict = settle(standing, Action.VERIFY, REFUSED, utc_now(), POLICY, timedelta(seconds=1))
        assert verdict.state is State.UNCERTAIN, "it would be refreshed next"
        ledger.end_call(EndedCall(attempt_id, 1, standing.pair.id, verdict, 401))
    assert life.state_of(1) == ("migrated", "")


@pytest.mark.parametrize("code", ["45000", "P0001", "23514"])
def test_whatever_a_trigger_says_to_one_row_the_others_come_in(
    live: Live, postgres: Database, code: str
) -> None:
    life = live(4)
    postgres.execute(f"CREATE TABLE pairs (connection_id text PRIMARY KEY, {COLUMNS})")
    postgres.execute(
        f"""CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN
            IF NEW.connection_id = '{life.key_of(2)}' THEN RAISE 'no' USING ERRCODE = '{code}'; END IF;
            RETURN NEW; END $$ LANGUAGE plpgsql"""
    )
    postgres.execute("CREATE TRIGGER refuse BEFORE INSERT ON pairs FOR EACH ROW EXECUTE FUNCTION refuse()")
    told = life.json("deliver", "--to", postgres.url("pairs"), code=1)
    assert (told["delivered"], told["refused"]) == (3, 1)


def test_a_database_that_is_content_with_less_has_the_pairs_on_its_disk(
    live: Live, postgres: Database
) -> None:
    life = live(1)
    postgres.execute(f"ALTER DATABASE {postgres.name} SET synchronous_commit = off")
    postgres.execute(f"CREATE TABLE pairs (connection_id text PRIMARY KEY, said text, {COLUMNS})")
    postgres.execute(
        """CREATE FUNCTION say() RETURNS trigger AS $$ BEGIN
           NEW.said = current_setting('synchronous_commit'); RETURN NEW; END $$ LANGUAGE plpgsql"""
    )
    postgres.execute("CREATE TRIGGER say BEFORE INSERT ON pairs FOR EACH ROW EXECUTE FUNCTION say()")
    life.done("deliver", "--to", postgres.url("pairs"))
    assert postgres.execute("SELECT said FROM pairs") == [("on",)]


def test_a_database_that_is_full_is_no_rows_fault_and_is_waited_for(
    set_scene: SetScene, postgres: Database, start: Start
) -> None:
    scene = set_scene(30, mix="partner=1", expired=0.0)
    settings = scene.folder / "migrator.toml"
    settings.write_text(f"{settings.read_text()}\n[delivery]\nlag = {{ pairs = 5 }}\n")
    postgres.execute(f"CREATE TABLE pairs (connection_id text PRIMARY KEY, {COLUMNS})")
    postgres.execute(
        """CREATE FUNCTION be_full() RETURNS trigger AS $$ BEGIN
           RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$ LANGUAGE plpgsql"""
    )
    postgres.execute("CREATE TRIGGER full_ BEFORE INSERT ON pairs FOR EACH ROW EXECUTE FUNCTION be_full()")
    job = start(scene, "run", "tokens.csv", "--deliver", postgres.url("pairs"), "--concurrency", "2")
    assert job.stderr is not None
    said = ""
    while not ("takes nothing now: refuses (DiskFull, 53100)" in said and "no swaps until" in said):
        said += job.stderr.readline()
        assert job.poll() is None, said
    assert scene.query("SELECT count(*) FROM problems") == [(0,)]
    postgres.execute("DROP TRIGGER full_ ON pairs")
    _, rest = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, rest
    assert "takes pairs again" in rest
    assert postgres.execute("SELECT connection_id, refresh_token FROM pairs ORDER BY 1") == in_ledger(scene)


def test_an_application_that_takes_nothing_at_all_holds_a_job_up(
    set_scene: SetScene, application: Application, start: Start
) -> None:
    scene = set_scene(60, mix="partner=1", expired=0.0)
    application.program.write_text(application.program.read_text().replace("!= refused", "== refused"))
    job = start(scene, "run", "tokens.csv", "--deliver", application.url, "--concurrency", "2")
    assert job.stderr is not None
    said = ""
    while not ("takes none of the pairs: no such customer" in said and "no swaps until" in said):
        said += job.stderr.readline()
        assert job.poll() is None, said
    assert said.count("takes none") == 1
    assert scene.states()["migrated"] < 60


def test_a_canary_is_seen_beside_one_that_follows_and_by_a_key_of_any_type(
    set_scene: SetScene, postgres: Database, start: Start
) -> None:
    postgres.execute(f"CREATE TABLE pairs (connection_id bigint PRIMARY KEY, {COLUMNS})")
    scene = set_scene(6, mix="partner=1")
    tokens = scene.folder / "tokens.csv"
    tokens.write_text(tokens.read_text().replace("conn-", ""))
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    url = postgres.url("pairs")
    following = start(scene, "deliver", "--follow", "--to", url)
    until(lambda: scene.query("SELECT count(*) FROM delivery_times") != [(0,)], following)
    ran = scene.migrator("run", "tokens.csv", "--canary", "2", "--deliver", url)
    assert ran.returncode == 0, ran.stderr
    assert postgres.execute("SELECT count(*) FROM pairs") == [(len(keys(scene)),)]


def test_keys_that_the_database_takes_for_the_same_hand_nobody_anothers_pair(
    live: Live, postgres: Database
) -> None:
    life = live(3)
    life.alter("UPDATE connections SET key = 'ada' WHERE id = 1")
    life.alter("UPDATE connections SET key = 'Ada' WHERE id = 2")
    postgres.execute(
        "CREATE COLLATION anyhow (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
    )
    postgres.execute(f"CREATE TABLE pairs (connection_id text COLLATE anyhow PRIMARY KEY, {COLUMNS})")
    told = life.json("deliver", "--to", postgres.url("pairs"), code=1)
    assert (told["delivered"], told["refused"]) == (2, 1)
    ada = [token for key, token in in_ledger(life) if key == "ada"]
    assert postgres.execute("SELECT refresh_token FROM pairs WHERE connection_id = 'ada'") == [(ada[0],)]
    ((problem,),) = life.query("SELECT last_problem FROM problems WHERE key = 'Ada'")
    assert "takes the connection_id of two connections for the same" in problem


def test_keys_that_are_padded_are_the_same_keys(live: Live, postgres: Database) -> None:
    life = live(2)
    postgres.execute(f"CREATE TABLE pairs (connection_id char(40) PRIMARY KEY, {COLUMNS})")
    assert life.json("deliver", "--to", postgres.url("pairs"))["delivered"] == 2


def test_a_pair_whose_refresh_token_has_ended_is_of_no_use_to_anybody(
    live: Live, application: Application
) -> None:
    life = live(2)
    end = "UPDATE token_pairs SET refresh_expires_at = '2020-01-01T00:00:00.000000Z'"
    life.alter(f"{end} WHERE connection_id = 1")
    assert life.json("deliver", "--to", application.url)["delivered"] == 1
    assert application.taken() == [life.key_of(2)]
    life.alter(end)
    life.alter("INSERT INTO outbox (connection_id, pair_id, since) VALUES (1, 1, '')")
    with at_work(life) as ledger:
        assert ledger.deliveries.begin(application.url, "empty", most=1) is None
    assert life.query("SELECT count(*) FROM exports") == [(1,)], "nothing was taken, so nothing is left of it"
    assert life.query("SELECT count(*) FROM outbox") == [(0,)]


def test_of_a_pair_that_serves_two_each_gets_it_for_itself(live: Live, application: Application) -> None:
    life = live(2)
    life.alter("UPDATE token_pairs SET replaced_at = obtained_at WHERE connection_id = 2")
    life.done("deliver", "--to", application.url)
    assert application.taken() == [life.key_of(1)]
    life.alter("UPDATE connections SET served_by = 1, state = 'migrated' WHERE id = 2")
    life.done("deliver", "--to", application.url)
    assert application.taken() == [life.key_of(1), life.key_of(2)]


def test_who_gets_another_pair_while_one_is_delivered_waits_for_that(live: Live) -> None:
    life = live(1)
    with at_work(life) as ledger:
        deliveries = ledger.deliveries
        deliveries.begin_for("somewhere")
        begun = deliveries.begin("somewhere", "d-1", most=1)
        assert begun is not None
        life.alter("UPDATE token_pairs SET replaced_at = obtained_at")
        life.alter(f"INSERT INTO token_pairs ({OF_PAIRS}) SELECT {OF_PAIRS} FROM token_pairs")
        life.alter("UPDATE connections SET state = 'migrated'")
        deliveries.finish(begun, {})
        assert deliveries.backlog(9).pairs == 1
        assert deliveries.begin("somewhere", "d-2", most=1) is not None


def test_other_commands_say_nothing_of_deliveries_under_way(live: Live, application: Application) -> None:
    life = live(3)
    life.killed(KILLER, "after intent", "--", "deliver", "--to", application.url)
    assert "export" not in life.done("resume").stderr
    assert life.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(1,)]


def test_a_receiver_that_does_not_answer_keeps_nobody_from_ending(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery_loop, "_LONGEST_END", 0.05)
    life, silent = live(1), Silent()
    with at_work(life) as ledger:
        loop = delivery_loop.BackgroundDelivery(silent, Unlimited(), utc_now, NoProgress())
        with loop.beside(ledger.deliveries, life.ledger, threading.Event()):
            assert silent.asked.wait(60)
        assert "does not answer: left" in caplog.text
        assert not silent.closed, "its thread still uses it"
        silent.may_answer.set()


def test_a_slow_application_is_not_told_of_all_the_time(
    set_scene: SetScene, application: Application, start: Start
) -> None:
    scene = set_scene(20, mix="partner=1", expired=0.0)
    settings = scene.folder / "migrator.toml"
    settings.write_text(f"{settings.read_text()}\n[delivery]\nlag = {{ pairs = 2 }}\n")
    slow = application.program.read_text().replace("import json, os", "import json, os, time\nimport os")
    application.program.write_text(slow.replace("    asked = ", "    time.sleep(0.1)\n    asked = "))
    job = start(scene, "run", "tokens.csv", "--deliver", application.url, "--concurrency", "2")
    _, said = job.communicate(timeout=PATIENCE)
    assert said.count("no swaps until it takes them") == 1, said
    assert application.taken() == keys(scene)
