"""Several legacy applications where nothing is signed: each token goes out with its own client's secret."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from migrator import sandbox
from migrator.models import Secret
from migrator.sandbox import Sandbox
from tests.end_to_end.conftest import SetLife
from tests.end_to_end.support import in_the_clear, rows, set_value
from tests.end_to_end.two_applications import one_address
from tests.handover.support import Life, write_csv
from tests.support import fingerprint

EACH = 6


@dataclass
class Two:
    """A migration of two applications' users."""

    life: Life
    other: Sandbox
    first_key: str
    second_key: str
    keys: dict[str, str]
    """Legacy token to its application's consumer key."""

    def swaps(self) -> dict[str, int]:
        """Consumer key to the swaps that its application's witness counts."""
        witnesses = {self.first_key: self.life.sandbox, self.second_key: self.other}
        return {key: witness.stats()["swaps_issued"] for key, witness in witnesses.items()}

    def mixed_up(self) -> list[str]:
        """The tokens whose application's witness does not know that their pair works."""
        working = {
            token: set(said["access_tokens_sha256"])
            for witness in (self.life.sandbox, self.other)
            for said in witness.stats()["tokens"]
            for token in said["oauth_tokens_ever_sha256"]
        }
        standing = {token: held.standing for held in self.life.held() for token in held.tokens}
        return [
            token
            for token in self.keys
            if standing[fingerprint(Secret(token))] not in working[fingerprint(Secret(token))]
        ]


@pytest.fixture
def two(set_life: SetLife) -> Iterator[Two]:
    """Dropbox with two apps: the first one's rows name it or nothing, the second one's name it."""
    life = set_life("dropbox", EACH)
    state = life.folder.parent / "second.db"
    further = list(sandbox.issue_tokens(state, EACH, seed=8, provider="dropbox"))
    second = sandbox.credentials(state)
    first_key, second_key = life.credentials["consumer_key"], second["consumer_key"]
    own = [{**row, "consumer_key": first_key if n % 2 else ""} for n, row in enumerate(rows(life))]
    others = [
        {**row, "connection_id": f"second-{n}", "consumer_key": second_key} for n, row in enumerate(further)
    ]
    mixed = [row for pair in zip(own, others, strict=True) for row in pair]
    write_csv(life.folder / "tokens.csv", mixed)
    (life.folder / "second_secret").write_text(second["client_secret"], "utf-8")
    (life.folder / "second_secret").chmod(0o600)
    with (life.folder / "migrator.toml").open("a", encoding="utf-8") as settings:
        settings.write(
            f'\n[oauth1.applications.second]\nconsumer_key = "{second_key}"\n'
            f'client_id = "{second["client_id"]}"\nclient_secret_file = "second_secret"\n'
        )
    with ExitStack() as stack:
        other = stack.enter_context(sandbox.running(state, seed=8))
        owners = [(life.credentials["client_id"], life.sandbox), (second["client_id"], other)]
        set_value(life, "base_url", stack.enter_context(one_address(owners)))
        keys = {row["oauth_token"]: row["consumer_key"] or first_key for row in mixed}
        yield Two(life, other, first_key, second_key, keys)


def test_each_token_is_exchanged_by_its_own_client(two: Two) -> None:
    two.life.done("run", "tokens.csv", "--concurrency", "4")
    assert two.life.states() == {"migrated": 2 * EACH}
    assert two.swaps() == {two.first_key: EACH, two.second_key: EACH}
    assert two.mixed_up() == []
    assert two.life.json("verify")["verified"] == 2 * EACH
    two.life.done("export", "-o", "pairs.jsonl")
    assert in_the_clear(two.life) - {"second_secret"} == set()
    answered = two.life.sandbox.stats()["requests"] | two.other.stats()["requests"]
    assert set(answered) <= {"200", "401"}, "401: of a bearer that the other one was asked for"


def test_a_row_of_an_app_that_nobody_configured_is_rejected_and_stops_nothing(two: Two) -> None:
    given = rows(two.life)
    given[3]["consumer_key"] = "HUSHunknown"
    write_csv(two.life.folder / "tokens.csv", given)
    finished = two.life.done("run", "tokens.csv")
    assert two.life.query("SELECT line, reason FROM rejects") == [(5, "unknown_consumer_key")]
    assert two.life.states() == {"migrated": 2 * EACH - 1}
    assert "HUSH" not in finished.stdout + finished.stderr
