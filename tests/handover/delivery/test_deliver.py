"""Pairs are with the application while the job wins them: all of them, once, whoever delivers."""

from __future__ import annotations

import json
import signal

import pytest

from tests.conftest import SetScene
from tests.handover.conftest import Live
from tests.handover.delivery.conftest import Start
from tests.handover.delivery.receivers import Application
from tests.handover.support import until
from tests.postgres import Database
from tests.support import PATIENCE, Scene

TABLE = "SELECT connection_id, refresh_token FROM pairs ORDER BY connection_id"


def in_ledger(scene: Scene) -> list[tuple[object, ...]]:
    """Key and refresh token of each connection that has a pair."""
    pairs = scene.pairs()
    rows = scene.query("SELECT key, tenant_id FROM connections WHERE state = 'migrated' ORDER BY key")
    return [(key, pairs[tenant].refresh_token.reveal()) for key, tenant in rows]


def keys(scene: Scene) -> list[str]:
    return [str(key) for key, _ in in_ledger(scene)]


# --- a table ---


def test_a_run_delivers_each_pair_that_it_wins(set_scene: SetScene, postgres: Database) -> None:
    scene = set_scene(30)
    ran = scene.migrator("run", "tokens.csv", "--deliver", postgres.url("pairs"))
    assert ran.returncode == 0, ran.stderr
    assert postgres.execute(TABLE) == in_ledger(scene)
    assert scene.query("SELECT count(*) FROM outbox") == [(0,)]
    assert scene.query("SELECT count(*) FROM exports WHERE finished_at IS NULL") == [(0,)]
    migrated = scene.states()["migrated"]
    assert scene.query("SELECT count(DISTINCT connection_id) FROM handings") == [(migrated,)]
    assert scene.query("SELECT sum(pairs) FROM delivery_times") == [(migrated,)]
    assert postgres.execute("SELECT sum(pairs) FROM migrator_deliveries WHERE arrived") == [(migrated,)]
    told = scene.status()["delivery"]
    assert told["delivered"] == migrated
    assert (told["waiting"], told["refused"]) == (0, 0)
    assert 0 < told["seconds"]["median"] <= told["seconds"]["99_percent"] <= told["seconds"]["longest"]
    assert "migrator_tests:***@" in told["to"][0]


def test_the_configuration_names_the_receiver_and_the_command_line_overrules_it(
    set_scene: SetScene, application: Application
) -> None:
    scene = set_scene(4, mix="partner=1")
    settings = scene.folder / "migrator.toml"
    settings.write_text(f"{settings.read_text()}\n[delivery]\nto = {json.dumps(application.url)}\n")
    assert scene.migrator("run", "tokens.csv", "--no-deliver", "--limit", "2").returncode == 0
    assert application.taken() == []
    assert scene.query("SELECT count(*) FROM outbox") == [(2,)], "they wait for it"
    assert scene.migrator("resume").returncode == 0
    assert application.taken() == keys(scene), "what was won without is delivered too"


def test_what_was_won_without_is_delivered_by_a_process_of_its_own(live: Live, postgres: Database) -> None:
    life = live(6)
    told = life.json("deliver", "--to", postgres.url("pairs"))
    assert (told["delivered"], told["waiting"], told["refused"]) == (6, 0, 0)
    assert postgres.execute(TABLE) == in_ledger(life)
    assert life.json("deliver", "--to", postgres.url("pairs"))["delivered"] == 0
    assert life.handed_over() == 6
    assert life.json("export", "--since-last", "-o", "pairs.jsonl")["connections"] == 0


def test_one_that_follows_delivers_what_a_job_beside_it_wins(
    set_scene: SetScene, postgres: Database, start: Start
) -> None:
    scene = set_scene(8, mix="partner=1")
    assert scene.migrator("run", "tokens.csv", "--limit", "2").returncode == 0
    following = start(scene, "deliver", "--follow", "--to", postgres.url("pairs"))
    until(lambda: scene.query("SELECT count(*) FROM receivers") == [(1,)], following)
    assert scene.migrator("resume").returncode == 0
    until(lambda: scene.query("SELECT count(*) FROM outbox") == [(0,)], following)
    following.send_signal(signal.SIGTERM)
    out, err = following.communicate(timeout=PATIENCE)
    assert following.returncode == 0, (out, err)
    assert "8 pairs delivered to postgresql://" in err
    assert postgres.execute(TABLE) == in_ledger(scene)


# --- a row that the application does not take ---


def test_a_row_that_the_database_refuses_stops_only_itself(live: Live, postgres: Database) -> None:
    life = live(6)
    bad = life.key_of(3)
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY, access_token text, refresh_token text,"
        f" generation bigint, CONSTRAINT not_him CHECK (connection_id <> '{bad}'))"
    )
    told = life.json("deliver", "--to", postgres.url("pairs"), code=1)
    assert (told["delivered"], told["waiting"], told["refused"]) == (5, 1, 1)
    assert postgres.execute(TABLE) == [row for row in in_ledger(life) if row[0] != bad]
    ((key, action, outcome, problem),) = life.query(
        "SELECT key, last_action, last_outcome, last_problem FROM problems"
    )
    assert (key, action, outcome) == (bad, "deliver", "refused")
    assert problem.startswith("refuses (CheckViolation, 23514")
    assert "constraint not_him" in problem
    assert life.pairs()[life.tenant_of(3)].refresh_token.reveal() not in problem
    assert life.handed_over() == 5
    assert life.json("refresh", "--all")["refreshed"] == 1, "nobody has it, so it must be kept alive"
    assert life.status()["delivery"]["refused"] == 0, "it has another pair, which nobody refused"
    life.done("report", "-o", "report.md")
    postgres.execute("ALTER TABLE pairs DROP CONSTRAINT not_him")
    assert life.json("deliver", "--to", postgres.url("pairs"))["delivered"] == 1
    assert postgres.execute(TABLE) == in_ledger(life)
    assert life.query("SELECT count(*) FROM problems") == [(0,)]


def test_the_report_says_what_was_refused_and_why(live: Live, application: Application) -> None:
    life = live(3)
    application.tell("refuse", life.key_of(2))
    life.done("deliver", "--to", application.url, code=1)
    assert application.taken() == sorted([life.key_of(1), life.key_of(3)])
    life.done("report", "-o", "report.md")
    report = (life.folder / "report.md").read_text().replace("\\", "")
    assert "its pair was not taken: no such customer" in report
    status = life.migrator("status").stdout
    assert "1 pair was refused by the receiver: the view problems says why" in status
    assert "2 pairs delivered to exec:" in status
    application.no_longer("refuse")
    life.done("deliver", "--to", application.url)
    assert application.taken() == keys(life)


@pytest.mark.parametrize("constraint", ["DEFERRABLE INITIALLY DEFERRED", ""])
def test_a_constraint_that_shows_at_the_end_stops_only_its_row(
    live: Live, postgres: Database, constraint: str
) -> None:
    life = live(4)
    postgres.execute("CREATE TABLE customers (id text PRIMARY KEY)")
    for number in (1, 2, 4):
        postgres.execute("INSERT INTO customers VALUES (%s)", life.key_of(number))
    postgres.execute(
        "CREATE TABLE pairs (connection_id text PRIMARY KEY REFERENCES customers "
        f"{constraint}, access_token text, refresh_token text, generation bigint)"
    )
    told = life.json("deliver", "--to", postgres.url("pairs"), code=1)
    assert (told["delivered"], told["refused"]) == (3, 1)
    assert postgres.execute("SELECT count(*) FROM pairs") == [(3,)]


# --- an application that takes nothing for a while ---


@pytest.mark.parametrize("trouble", ["gone", "slow"])
def test_a_job_waits_while_too_many_pairs_wait_and_goes_on_by_itself(
    set_scene: SetScene, application: Application, start: Start, trouble: str
) -> None:
    scene = set_scene(60, mix="partner=1", expired=0.0)
    settings = scene.folder / "migrator.toml"
    lag = "\n[delivery]\nlag = { pairs = 5 }\n"
    settings.write_text(f"{settings.read_text()}{lag}")
    application.tell(trouble)
    job = start(scene, "run", "tokens.csv", "--deliver", application.url, "--concurrency", "2")
    until(lambda: scene.states().get("migrated", 0) > 5, job)
    said = ""
    while "no swaps until it takes them" not in said:
        assert job.stderr is not None
        said += job.stderr.readline()
        assert job.poll() is None, said
    held_at = scene.states()["migrated"]
    assert 5 < held_at <= 5 + 2 + 1
    application.no_longer(trouble)
    _, rest = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, rest
    assert ("takes nothing now: ended with exit status 7" in said + rest) is (trouble == "gone")
    assert ("takes pairs again" in rest) is (trouble == "gone")
    assert "swapping goes on" in rest
    assert application.taken() == keys(scene)
    assert len(application.taken()) == 60


def test_where_the_old_token_lives_on_the_job_goes_on(
    set_scene: SetScene, application: Application, start: Start
) -> None:
    scene = set_scene(30, mix="partner=1", expired=0.0)
    settings = scene.folder / "migrator.toml"
    settings.write_text(f'{settings.read_text()}\n[delivery]\nlag = "unlimited"\n')
    application.tell("gone")
    job = start(scene, "run", "tokens.csv", "--deliver", application.url)
    until(lambda: scene.states().get("migrated", 0) == 30, job)
    application.no_longer("gone")
    out, err = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, (out, err)
    assert "no swaps until" not in err
    assert application.taken() == keys(scene)


def test_whoever_interrupts_a_job_that_waits_for_the_application_can_resume(
    set_scene: SetScene, application: Application, start: Start
) -> None:
    scene = set_scene(6, mix="partner=1", expired=0.0)
    application.tell("gone")
    job = start(scene, "run", "tokens.csv", "--deliver", application.url)
    until(lambda: scene.states().get("migrated", 0) == 6, job)
    job.send_signal(signal.SIGINT)
    _, said = job.communicate(timeout=PATIENCE)
    assert job.returncode == 130, said
    assert scene.query("SELECT count(*) FROM outbox") == [(6,)]
    application.no_longer("gone")
    assert scene.migrator("resume", "--deliver", application.url).returncode == 0
    assert application.taken() == keys(scene)


def test_a_program_that_dies_gets_the_same_lines_again_under_the_same_ids(
    live: Live, application: Application
) -> None:
    life = live(4)
    application.tell("die")
    life.done("deliver", "--to", application.url)
    lines = application.lines()
    assert sorted({str(line["key"]) for line in lines}) == keys(life)
    assert len(lines) == 5, "the one that it had not answered for came again"
    ids = {(line["key"], line["delivery_id"]) for line in lines}
    assert len(ids) == 4


# --- who delivers ---


def test_of_two_that_deliver_one_does_and_the_other_stands_by(
    set_scene: SetScene, application: Application, start: Start
) -> None:
    scene = set_scene(6, mix="partner=1")
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    following = start(scene, "deliver", "--follow", "--to", application.url)
    until(lambda: application.taken() == keys(scene), following)
    assert scene.migrator("resume", "--deliver", application.url, "--limit", "2").returncode == 0
    assert application.taken() == keys(scene)
    following.kill()
    following.communicate(timeout=PATIENCE)
    assert scene.migrator("resume", "--deliver", application.url).returncode == 0
    assert application.taken() == keys(scene)
    assert len(application.taken()) == 6


def test_two_that_would_deliver_to_different_places_do_not(
    set_scene: SetScene, application: Application, postgres: Database, start: Start
) -> None:
    scene = set_scene(3, mix="partner=1")
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    following = start(scene, "deliver", "--follow", "--to", application.url)
    until(lambda: application.taken() == keys(scene), following)
    refused = scene.migrator("resume", "--deliver", postgres.url("pairs"))
    assert refused.returncode == 4
    assert f"delivered by process {following.pid}, to exec:" in refused.stderr
    purged = scene.migrator("purge", "--yes")
    assert purged.returncode == 4, "it would take away what is on its way"
    following.send_signal(signal.SIGTERM)
    following.communicate(timeout=PATIENCE)
