"""What the ledger calls due is what the job calls for: nothing is left out, and nothing is due for ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from migrator.ledger import agendas, calls, connections, pairs, schema, standings
from migrator.ledger.file.codec import Codec
from migrator.ledger.file.keys import make_key
from migrator.ledger.file.opening import connect, create_private
from migrator.ledger.file.times import maybe_time_text, time_text
from migrator.ledger.file.vault import Fingerprints, Vault
from migrator.models import (
    LIFETIME_ASSUMED,
    SCOPE_MISSING,
    UNVERIFIED,
    Action,
    LegacyToken,
    Secret,
    State,
    TokenPair,
)
from migrator.rules.agenda import Agenda, Work
from migrator.rules.next_step import Call, Rest
from migrator.rules.terms import Terms
from tests.rules.any_provider import any_terms

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MOST = 5
OWNER, ASKED = 1, 2
"""A connection with a pair of its own, and the one that each test is about."""
PAIR = TokenPair(Secret("a"), Secret("r"), None)
moments = st.sampled_from([NOW - timedelta(days=1), NOW, NOW + timedelta(days=1)])


@dataclass(frozen=True)
class Row:
    """Where a connection stands in the ledger, as jobs, exports and purges leave it."""

    state: State
    doubt: Action | None = None
    pair: TokenPair | None = None
    dead: bool = False
    verified_at: datetime | None = None
    obtained_at: datetime = NOW
    taken: bool = False
    purged: bool = False
    served: bool = False
    disabled: bool = False
    not_before: datetime | None = None
    tries: int = 0
    reason: str = ""


@st.composite
def rows(draw: st.DrawFn) -> Row:
    state = draw(st.sampled_from([State.PENDING, State.UNCERTAIN, State.MIGRATED, State.NEEDS_CONSENT]))
    has_pair = state is State.MIGRATED or draw(st.booleans())
    refresh = Secret(draw(st.sampled_from(["r", ""])))
    pair = TokenPair(
        Secret("a"), refresh, draw(st.none() | moments), refresh_expires_at=draw(st.none() | moments)
    )
    migrated = state is State.MIGRATED
    taken = migrated and draw(st.booleans())
    doubts = [Action.SWAP, Action.RENEW, Action.REFRESH, Action.VERIFY, Action.EXCHANGE_CODE, Action.REVOKE]
    return Row(
        state=state,
        doubt=draw(st.sampled_from(doubts)) if state is State.UNCERTAIN else None,
        pair=pair if has_pair else None,
        dead=state in (State.PENDING, State.NEEDS_CONSENT) or (not migrated and draw(st.booleans())),
        verified_at=draw(st.none() | moments),
        obtained_at=draw(moments),
        taken=taken,
        purged=taken and draw(st.booleans()),
        served=migrated and draw(st.booleans()),
        disabled=migrated and draw(st.booleans()),
        not_before=draw(st.none() | moments),
        tries=draw(st.integers(0, MOST)),
        reason=draw(st.sampled_from(["", LIFETIME_ASSUMED, SCOPE_MISSING])) if migrated else UNVERIFIED,
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sqlite3.Connection, Codec]]:
    path: Path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    create_private(path)
    with closing(connect(path, readonly=False)) as db:
        schema.migrations.apply(Database(db))
        db.execute("INSERT INTO runs (id, command, process, started_at) VALUES (1, 'run', 1, '')")
        for name in (OWNER, ASKED):
            db.execute(
                """INSERT INTO connections
                       (id, key, provider, app_type, organisation, tenant_id, tenant_type, contact_email,
                        state, reason, row_print, run_id, updated_at)
                   VALUES (?, ?, 'it', '', '', '', '', '', 'needs_consent', '', ?, 1, '')""",
                [name, str(name), bytes([name])],
            )
            db.execute(
                "INSERT INTO attempts (id, connection_id, run_id, action, started_at)"
                " VALUES (?, ?, 1, 'swap', '')",
                [name, name],
            )
        db.execute(
            "INSERT INTO exports (id, run_id, target, started_at, finished_at) VALUES (1, 1, '-', '', '')"
        )
        db.commit()
        yield db, Codec(Vault(make_key(path)), Fingerprints(b"k" * 32))


def write(db: sqlite3.Connection, codec: Codec, row: Row) -> None:
    """The connection that is asked about, as it stands."""
    legacy = LegacyToken(Secret("t"), Secret("s"))
    db.execute(
        """INSERT INTO legacy_tokens (connection_id, generation, material, token_print, purged_at)
           VALUES (?, 1, ?, x'', ?)""",
        [ASKED, b"" if row.purged else codec.seal_legacy(legacy), "" if row.purged else None],
    )
    owner = OWNER if row.served else ASKED
    if row.pair is not None:
        pairs.add(db, codec, [pairs.NewPair(owner, owner, row.pair)], row.obtained_at)
        db.execute(
            "UPDATE token_pairs SET verified_at = ?, dead_at = ?, purged_at = ?",
            [maybe_time_text(row.verified_at), "" if row.dead else None, "" if row.purged else None],
        )
        if row.taken:
            db.execute("INSERT INTO handings SELECT 1, ?, id, id FROM token_pairs", [ASKED])
    db.execute(
        """UPDATE connections SET state = ?, doubt = ?, not_before = ?, tries = ?, served_by = ?,
                                  disabled_at = ?, reason = ? WHERE id = ?""",
        [
            row.state.value,
            row.doubt.value if row.doubt else None,
            maybe_time_text(row.not_before),
            row.tries,
            OWNER if row.served else None,
            time_text(NOW) if row.disabled else None,
            row.reason,
            ASKED,
        ],
    )


def works(terms: Terms) -> list[Work]:
    """The work that commands take on with such a provider."""
    kinds = [Work.SWAP]
    kinds += [Work.VERIFY if terms.refreshes else Work.VERIFY_LIVING] if terms.verifies else []
    kinds += [Work.REFRESH_ALL, Work.REFRESH_ENDING] if terms.refreshes else []
    kinds += [Work.DISABLE] if terms.disables else []
    return kinds


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows(), any_terms())
def test_what_the_ledger_calls_due_is_what_the_job_calls_for(
    base: tuple[sqlite3.Connection, Codec], row: Row, terms: Terms
) -> None:
    db, codec = base
    db.execute("BEGIN")
    try:
        write(db, codec, row)
        standing = standings.standing(db, codec, ASKED)
        for work in works(terms):
            agenda = Agenda(work, ASKED, MOST, moment=NOW, begun=NOW)
            due = agendas.due(db, agenda, NOW, after=0, limit=9) == [ASKED]
            step = agenda.step(standing, terms, NOW)
            if due and isinstance(step, Rest):  # the job says where it rests, or leaves it
                assert step.state is State.UNCERTAIN or step.state is not standing.state
                assert_left(db, codec, agenda)
            elif due:
                assert isinstance(step, Call)
                assert calls.begin_call(db, standing, step.action, 1, NOW) is not None, "for ever"
                db.execute("UPDATE connections SET state = ? WHERE id = ?", [row.state.value, ASKED])
            elif standing.state is State.MIGRATED and isinstance(step, Call):
                assert row.tries == MOST or (row.served and work is not Work.DISABLE)
    finally:
        db.rollback()


def assert_left(db: sqlite3.Connection, codec: Codec, agenda: Agenda) -> None:
    """Once a connection is left, this run looks at it no more, and another one does."""
    standing = standings.standing(db, codec, ASKED)
    connections.leave(db, standing, MOST, NOW)
    assert agendas.due(db, agenda, NOW, after=0, limit=9) == []
    assert agendas.next_due(db, agenda) is None
    connections.forget_tries(db)
    assert agendas.due(db, agenda, NOW, after=0, limit=9) == [ASKED]
    after = standings.standing(db, codec, ASKED)
    assert (after.state, after.reason, after.doubt) == (standing.state, standing.reason, standing.doubt)
    db.execute("UPDATE connections SET tries = ? WHERE id = ?", [standing.tries, ASKED])


DAY = timedelta(days=1)
ENDING = replace(PAIR, refresh_expires_at=NOW)
STORED = Row(State.MIGRATED, pair=ENDING, obtained_at=NOW - DAY)
ALONE = replace(PAIR, refresh_token=Secret(""))


@pytest.mark.parametrize(
    ("work", "row", "due"),
    [
        (Work.VERIFY, STORED, True),
        (Work.VERIFY, replace(STORED, verified_at=NOW - DAY), True),
        (Work.VERIFY, replace(STORED, verified_at=NOW), False),
        (Work.VERIFY, replace(STORED, taken=True), False),
        (Work.VERIFY, replace(STORED, served=True), False),
        (Work.VERIFY_LIVING, STORED, True),
        (Work.VERIFY_LIVING, replace(STORED, pair=replace(PAIR, expires_at=NOW + DAY)), True),
        (Work.VERIFY_LIVING, replace(STORED, pair=replace(PAIR, expires_at=NOW)), False),
        (Work.VERIFY_LIVING, replace(STORED, pair=replace(ALONE, expires_at=NOW)), True),
        (Work.VERIFY_LIVING, replace(STORED, pair=ALONE), True),
        (Work.VERIFY_LIVING, replace(STORED, verified_at=NOW), False),
        (Work.VERIFY_LIVING, replace(STORED, taken=True), False),
        (Work.REFRESH_ENDING, STORED, True),
        (Work.REFRESH_ENDING, replace(STORED, pair=replace(ENDING, refresh_expires_at=NOW + DAY)), False),
        (Work.REFRESH_ENDING, replace(STORED, pair=PAIR), False),
        (Work.REFRESH_ENDING, replace(STORED, pair=replace(ENDING, refresh_token=Secret(""))), False),
        (Work.REFRESH_ENDING, replace(STORED, obtained_at=NOW), False),
        (Work.REFRESH_ALL, replace(STORED, pair=PAIR), True),
        (Work.REFRESH_ALL, replace(STORED, pair=ALONE), False),
        (Work.REFRESH_ALL, replace(STORED, obtained_at=NOW), False),
        (Work.DISABLE, STORED, True),
        (Work.DISABLE, replace(STORED, taken=True), True),
        (Work.DISABLE, replace(STORED, served=True), True),
        (Work.DISABLE, replace(STORED, disabled=True), False),
        (Work.DISABLE, replace(STORED, reason=SCOPE_MISSING), False),
        (Work.DISABLE, replace(STORED, reason="other_account"), False),
        (Work.DISABLE, replace(STORED, reason=LIFETIME_ASSUMED), True),
        (Work.DISABLE, replace(STORED, taken=True, purged=True), False),
        (Work.DISABLE, replace(STORED, state=State.UNCERTAIN, doubt=Action.SWAP), False),
        (Work.DISABLE, replace(STORED, tries=MOST), False),
        (Work.DISABLE, replace(STORED, not_before=NOW), True),
        (Work.DISABLE, replace(STORED, not_before=NOW + DAY), False),
    ],
)
def test_what_is_due_of_what_is_migrated(
    base: tuple[sqlite3.Connection, Codec], work: Work, row: Row, due: bool
) -> None:
    db, codec = base
    db.execute("BEGIN")
    try:
        write(db, codec, row)
        agenda = Agenda(work, ASKED, MOST, moment=NOW, begun=NOW)
        assert (agendas.due(db, agenda, NOW, after=0, limit=9) == [ASKED]) is due
        if not row.served:
            step = agenda.step(standings.standing(db, codec, ASKED), Terms(), NOW)
            assert isinstance(step, Call) is (due or row.tries == MOST)
    finally:
        db.rollback()


@pytest.mark.parametrize("moment", [NOW - 9_999 * DAY, NOW + DAY], ids=["since ever", "from now on"])
def test_what_had_ended_when_the_job_began_is_not_alive_whatever_it_speaks_of(
    base: tuple[sqlite3.Connection, Codec], moment: datetime
) -> None:
    db, codec = base
    for expires_at, due in ((NOW, []), (NOW + timedelta(seconds=1), [ASKED])):
        db.execute("BEGIN")
        write(db, codec, replace(STORED, pair=replace(PAIR, expires_at=expires_at)))
        agenda = Agenda(Work.VERIFY_LIVING, ASKED, MOST, moment=moment, begun=NOW)
        assert agendas.due(db, agenda, NOW, after=0, limit=9) == due
        db.rollback()


def test_a_connection_whose_dead_pair_is_replaced_stays_the_upkeeps(
    base: tuple[sqlite3.Connection, Codec],
) -> None:
    db, codec = base
    for row, due in (
        (Row(State.PENDING, pair=PAIR, dead=True), [ASKED]),
        (Row(State.PENDING), []),
    ):
        db.execute("BEGIN")
        write(db, codec, row)
        for work in (Work.VERIFY, Work.REFRESH_ALL, Work.REFRESH_ENDING):
            agenda = Agenda(work, ASKED, MOST, moment=NOW, begun=NOW)
            assert agendas.due(db, agenda, NOW, after=0, limit=9) == due
        db.rollback()


def test_the_legacy_token_of_one_that_another_pair_serves_is_ended_too(
    base: tuple[sqlite3.Connection, Codec],
) -> None:
    db, codec = base
    db.execute("BEGIN")
    write(db, codec, Row(State.MIGRATED, pair=PAIR, served=True))
    standing = standings.standing(db, codec, ASKED)
    assert calls.begin_call(db, standing, Action.VERIFY, 1, NOW) is None, "the pair is its owner's"
    assert calls.begin_call(db, standing, Action.DISABLE, 1, NOW) is not None
    assert standings.standing(db, codec, ASKED).state is State.MIGRATED
    db.rollback()
