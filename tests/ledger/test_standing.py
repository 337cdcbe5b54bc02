"""Where a connection stands, as the job reads it: what its row said, and what calls found out."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from migrator.ledger.access import open_for_job
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.keys import make_key, require_key
from migrator.ledger.job_ledger import Ledger
from migrator.ledger.reading import open_to_read
from migrator.models import (
    Action,
    Connection,
    LegacyToken,
    Secret,
    Standing,
    State,
    TokenPair,
)
from migrator.row_rules import Column, RowRules
from migrator.rules.verdict import ANY_TERMS, Policy, Verdict
from migrator.sources.screening import Accepted

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PAIR = TokenPair(Secret("a"), Secret("r"), None)
POLICY = Policy(max_attempts=3, settle=timedelta(seconds=1))
RULES = RowRules(columns={"tenant_type": Column(), "region": Column(), "geolocation": Column(url=True)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "migration.db"
    make_key(path)
    return path


@contextmanager
def opened(path: Path, rules: RowRules = RULES) -> Iterator[Ledger]:
    key = require_key(path, {}, None)
    with open_for_job(path, key, lambda: NOW, create=True, hurry=threading.Event(), rules=rules) as ledger:
        ledger.begin_run("run", POLICY, ["tokens.csv"], workers=1)
        yield ledger


def take_in(ledger: Ledger, further: Mapping[str, object] | None = None, **said: Any) -> None:
    said = {"app_type": "partner", "legacy": LegacyToken(Secret("t"), Secret("s")), **said}
    connection = Connection(key="one", further=further or {}, **said)
    ledger.take_in(
        [Accepted("tokens.csv", 2, connection)], ["tokens.csv"], "it", lambda _: None, terms=ANY_TERMS
    )


def call(
    ledger: Ledger, action: Action, verdict: Verdict, support_id: str = "", pair_id: int | None = None
) -> None:
    attempt_id = ledger.begin_call(ledger.standing(1), action)
    assert attempt_id is not None
    ledger.end_call(EndedCall(attempt_id, 1, pair_id, verdict, 200, support_id=support_id))


def column(path: Path, name: str, table: str = "connections") -> object:
    with open_to_read(path) as db:
        (value,) = db.execute(f"SELECT {name} FROM {table} ORDER BY id DESC LIMIT 1").fetchone()
        return value


def test_a_standing_has_the_columns_that_calls_use_and_no_others(path: Path) -> None:
    further = {"region": "eu", "note": "Of nobody's use.", "geolocation": "https://eu.example"}
    with opened(path) as ledger:
        take_in(ledger, further, tenant_type="PRACTICE", consumer_key="the other one")
        standing = ledger.standing(1)
        assert standing.row == {"region": "eu", "geolocation": "https://eu.example"}
        assert (standing.tenant_type, standing.consumer_key) == ("PRACTICE", "the other one")
        assert (standing.app_type, standing.user_id, standing.disabled) == ("partner", "", False)
        assert "eu.example" not in repr(standing)
    with opened(path, RowRules()) as ledger:
        assert ledger.standing(1).row == {}


def test_a_row_without_the_columns_has_none_of_them(path: Path) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        assert ledger.standing(1).row == {}


def test_a_row_that_names_another_application_corrects_its_connection(path: Path) -> None:
    with opened(path) as ledger:
        take_in(ledger, consumer_key="first")
        take_in(ledger, consumer_key="second")
        assert ledger.standing(1).consumer_key == "second"
        assert column(path, "known", "runs") == 0


def test_a_row_of_before_there_were_several_applications_is_known(path: Path) -> None:
    """Its fingerprint is what an older version made it of, longer than those of today."""
    with opened(path) as ledger:
        take_in(ledger, organisation="It", tenant_type="PRACTICE")
        named = ledger._session.codec._fingerprints.of
        parts = (named("material", "t", "s", "").hex(), "", "partner", "It", "", "PRACTICE", "", "{}")
        older = named("row", *parts)
        ledger._session.write(lambda db: db.execute("UPDATE connections SET row_print = ?", [older]))
        take_in(ledger, organisation="It", tenant_type="PRACTICE")
        assert column(path, "row_print") == older, "it says nothing new"
        take_in(ledger, organisation="It's", tenant_type="PRACTICE")
        assert column(path, "organisation") == "It's"
        assert len(cast("bytes", column(path, "row_print"))) < len(older)


def test_a_standing_says_whether_a_call_has_renewed_its_legacy_token(path: Path) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        assert not ledger.standing(1).legacy.renewed
        renewed = LegacyToken(Secret("t2"), Secret("s2"))
        call(ledger, Action.RENEW, Verdict("done", "", State.PENDING, "", new_legacy=renewed))
        assert ledger.standing(1).legacy == replace(renewed, renewed=True)


def stands(standing: Standing, **found: Any) -> Verdict:
    return Verdict("done", "", standing.state, standing.reason, **found)


def test_what_a_call_tells_of_the_user_is_kept_whatever_a_pair_leaves_unsaid(path: Path) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        call(ledger, Action.IDENTIFY, stands(ledger.standing(1), user_id="u-1"), "support-7")
        assert ledger.standing(1).user_id == "u-1"
        assert column(path, "support_id", "attempts") == "support-7"
        call(ledger, Action.SWAP, Verdict("done", "", State.MIGRATED, "", new_pair=PAIR))
        assert column(path, "support_id", "attempts") == ""
        standing = ledger.standing(1)
        assert standing.user_id == "u-1"
        assert standing.pair is not None
        assert standing.pair.pair == PAIR


def test_the_first_time_that_a_legacy_token_was_ended_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        call(ledger, Action.DISABLE, stands(ledger.standing(1), disabled=True))
        assert ledger.standing(1).disabled
        first = column(path, "disabled_at")
        assert first
        monkeypatch.setattr(ledger._session, "_clock", lambda: NOW + timedelta(days=1))
        call(ledger, Action.DISABLE, stands(ledger.standing(1), disabled=True))
        assert column(path, "disabled_at") == first


def test_a_pair_of_another_user_does_not_make_the_connection_theirs(path: Path) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        for action, user_id, known in ((Action.SWAP, "u-1", "u-1"), (Action.REFRESH, "u-2", "u-1")):
            pair = TokenPair(Secret("a"), Secret("r"), None, user_id=user_id)
            call(ledger, action, Verdict("done", "", State.MIGRATED, "", new_pair=pair))
            standing = ledger.standing(1)
            assert standing.user_id == known
            assert standing.pair is not None
            assert standing.pair.pair.user_id == user_id


@pytest.mark.parametrize(("said", "whose"), [("", "u-2"), ("u-1", "u-1")])
def test_a_verification_says_whose_a_pair_is_that_did_not_say_so_itself(
    path: Path, said: str, whose: str
) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        pair = replace(PAIR, user_id=said)
        call(ledger, Action.SWAP, Verdict("done", "", State.MIGRATED, "", new_pair=pair))
        stored = ledger.standing(1).pair
        assert stored is not None
        seen = stands(ledger.standing(1), pair_verified=True, user_id="u-2")
        call(ledger, Action.VERIFY, seen, pair_id=stored.id)
        verified = ledger.standing(1).pair
        assert verified is not None
        assert verified.pair.user_id == whose
        assert verified.verified_at is not None


@pytest.mark.parametrize(
    ("reason", "found"), [("scope_missing", ["scope_missing"]), ("lifetime_assumed", []), ("", [])]
)
def test_a_pair_is_a_finding_if_it_is_not_as_it_should_be(path: Path, reason: str, found: list[str]) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        call(ledger, Action.SWAP, Verdict("done", "", State.MIGRATED, reason, new_pair=PAIR))
        assert [finding.reason for finding in ledger.findings()] == found


@pytest.mark.parametrize("action", [Action.IDENTIFY, Action.DISABLE])
def test_a_call_beside_the_swap_that_got_lost_leaves_its_connection_standing(
    path: Path, action: Action
) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        assert ledger.begin_call(ledger.standing(1), action) is not None
        assert ledger.standing(1).state is State.PENDING
    with opened(path) as ledger:  # the process died meanwhile
        standing = ledger.standing(1)
        assert (standing.state, standing.doubt, standing.disabled) == (State.PENDING, None, False)
        assert column(path, "problem", "attempts") == "process_died"


def test_a_connection_that_has_gone_on_is_not_left(path: Path) -> None:
    with opened(path) as ledger:
        take_in(ledger)
        before = ledger.standing(1)
        ledger.leave(before, 3)
        assert ledger.standing(1).tries == 3
        call(ledger, Action.SWAP, Verdict("done", "", State.MIGRATED, "", new_pair=PAIR))
        ledger.leave(before, 3)
        assert ledger.standing(1).tries == 0, "its user came meanwhile"


def test_application_types_are_counted_that_nobody_has_yet(path: Path) -> None:
    with opened(path, RowRules(app_types={"partner": True, "public": False})) as ledger:
        take_in(ledger, app_type="partner")
        types = ledger.status().app_types
        assert list(types) == ["partner", "public"]
        assert types["partner"]["pending"] == 1
        assert set(types["public"].values()) == {0}
    with opened(path, RowRules()) as ledger:
        assert list(ledger.status().app_types) == ["partner"]


@pytest.mark.parametrize(
    ("app_type", "why"), [("public", "public_app"), ("partner", "response_lost"), ("other", "response_lost")]
)
def test_a_user_is_invited_for_the_reason_of_before_the_mishap(path: Path, app_type: str, why: str) -> None:
    with opened(path, RowRules(app_types={"partner": True, "public": False})) as ledger:
        take_in(ledger, app_type="partner")
        call(ledger, Action.SWAP, Verdict("over", "", State.NEEDS_CONSENT, "response_lost"))
        ledger._session.write(lambda db: db.execute("UPDATE connections SET app_type = ?", [app_type]))
        assert ledger.invitations.invite(NOW + timedelta(days=1)) == 1
    assert column(path, "why", "invitations") == why
