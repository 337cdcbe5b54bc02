"""The page on the cut-over is right: its SQL runs in order, and the pairs get where it says."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

import migrator
from tests.conftest import SetScene
from tests.postgres import Database

PAGE = (Path(migrator.__file__).parent / "guide" / "cutting_over.md").read_text("utf-8")
BLOCKS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


def test_an_application_cuts_over_as_the_page_says_and_goes_back(
    set_scene: SetScene, postgres: Database
) -> None:
    legacy, place, rights, kinds, refresh, back = BLOCKS
    scene = set_scene(3, provider="x")
    assert scene.migrator("run", "tokens.csv", "--limit", "1").returncode == 0
    keys = [key for (key,) in scene.query("SELECT key FROM connections ORDER BY id")]

    postgres.execute("CREATE ROLE migrator LOGIN PASSWORD 'migrator'")
    try:
        for block in (legacy, place, rights):
            postgres.execute(block)
        for key in keys:
            postgres.execute("INSERT INTO legacy_tokens VALUES (%s, 'old', 'secret')", key)
        postgres.execute(kinds)
        of_kinds = "SELECT kind, count(*) FROM credentials GROUP BY 1 ORDER BY 1"
        assert postgres.execute(of_kinds) == [("oauth1", 3)]

        address = f"127.0.0.1:{postgres.port}/{postgres.name}"
        url = f"postgresql://migrator:migrator@{address}?table=pairs"
        ran = scene.migrator("resume", "--deliver", url)
        assert ran.returncode == 0, ran.stderr
        assert postgres.execute(of_kinds) == [("oauth2", 3)]

        customer = keys[0]
        postgres.execute(back.replace("customer-1", customer))
        assert postgres.execute(of_kinds) == [("oauth1", 1), ("oauth2", 2)]
        with psycopg.connect(postgres.url(), autocommit=True) as application:
            application.execute(refresh.replace("customer-1", customer).encode())
        again = scene.migrator("export", "--to", url)
        assert again.returncode == 0, again.stderr
        kept = "SELECT refresh_token FROM pairs WHERE connection_id = %s"
        assert postgres.execute(kept, customer) == [("new refresh token",)]
    finally:
        postgres.execute("DROP OWNED BY migrator")
        postgres.execute("DROP ROLE migrator")


def test_every_command_that_it_names_is_one() -> None:
    from migrator.commands import NAMES

    named = set(re.findall(r"`migrator ([a-z]+)", PAGE))
    assert named
    assert named <= set(NAMES)
