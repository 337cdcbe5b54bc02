"""A pair that arrived is not given up, whatever its answer looks like: against the sandbox that gives each
pair once, so that whoever asks again has lost it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.keys import require_key
from migrator.models import Secret
from tests.conftest import SetScene
from tests.engine.test_misbehaving import talk_to
from tests.mangling import Cut, Labelled, mangled
from tests.support import Scene

SWAP, TOKEN = "/oauth/migrate", "/connect/token"

Document = dict[str, Any]
Change = Callable[[Document], object]


def without(name: str) -> Change:
    return lambda pair: {key: value for key, value in pair.items() if key != name}


def having(**values: object) -> Change:
    return lambda pair: pair | values


def within(name: str, wrap: Callable[[object], object]) -> Change:
    return lambda pair: pair | {name: wrap(pair.get(name))}


def renamed(**names: str) -> Change:
    return lambda pair: {names.get(key, key): value for key, value in pair.items()}


def called(change: Callable[[str], str]) -> Change:
    return lambda pair: {change(key): value for key, value in pair.items()}


def camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


FIELDS = ("access_token", "expires_in", "token_type", "scope", "xero_tenant_id")
"""All but the refresh token, without which a pair is none."""

CHANGES: dict[str, Change] = {
    **{f"without {name}": without(name) for name in FIELDS},
    **{f"{name} is null": having(**{name: None}) for name in FIELDS},
    **{f"{name} is a list": within(name, lambda value: [value]) for name in FIELDS},
    **{f"{name} is an object": within(name, lambda value: {"value": value}) for name in FIELDS},
    **{f"{name} is a number": having(**{name: 17}) for name in FIELDS},
    **{f"{name} is true": having(**{name: True}) for name in FIELDS},
    **{f"{name} in upper case": renamed(**{name: name.upper()}) for name in (*FIELDS, "refresh_token")},
    **{f"{name} in camel case": renamed(**{name: camel(name)}) for name in (*FIELDS, "refresh_token")},
    "the lifetime as 1800.0 in a text": having(expires_in="1800.0"),
    "a negative lifetime": having(expires_in=-1),
    "another token type": having(token_type="mac"),
    "all in upper case": called(str.upper),
    "all in camel case": called(camel),
    "all with hyphens": called(lambda name: name.replace("_", "-")),
    "in an object": lambda pair: {"data": pair},
    "deep in objects": lambda pair: {"response": {"token": pair}, "meta": {"status": 200}},
    "in a list": lambda pair: [pair],
    "as JSON in a text": lambda pair: {"body": json.dumps(pair)},
    "with short names": renamed(access_token="token", refresh_token="refresh"),
    "the access token under no known name": renamed(access_token="jeton"),
    "the refresh token as a list": lambda pair: pair | {"refresh_token": [pair["refresh_token"]]},
    "the refresh token with another name": renamed(refresh_token="new_refresh_token"),
    "behind a date to refresh after": lambda pair: (
        {"refreshAfter": "2026-12-01T00:00:00Z"} | called(camel)(pair)  # type: ignore[operator]
    ),
    "below a policy of refreshing": lambda pair: {"refresh_policy": "rotating-single-use", "tokens": pair},
    "below a time to refresh at": lambda pair: {"refresh_at": 1764210000000000, "tokens": pair},
    "below a level of access": lambda pair: {"access_level": "organisation_administrator", "tokens": pair},
    "below another token": lambda pair: {"refresh_key": "0123456789abcdefABCDEF", "tokens": pair},
    "as types and values": lambda pair: {
        "tokens": [{"type": name, "value": pair[name]} for name in ("access_token", "refresh_token")]
    },
    "behind a thousand others": lambda pair: {"d": dict.fromkeys(map(str, range(1_200))), "z": {"y": pair}},
    "as a form": lambda pair: urlencode(pair).encode(),
    "with single quotes": lambda pair: str(pair).encode(),
    "as XML": lambda pair: "".join(f"<{n}><![CDATA[{pair[n]}]]></{n}>" for n in pair).encode(),
    "packed by its label alone": lambda pair: Labelled.of(json.dumps(pair).encode(), Content_Encoding="gzip"),
    "packed": lambda pair: Labelled.of(gzip.compress(json.dumps(pair).encode()), Content_Encoding="gzip"),
    "packed, and cut off": lambda pair: Labelled.of(
        gzip.compress(json.dumps(pair | {"other": noise()}).encode())[:-4_000], Content_Encoding="gzip"
    ),
    "with more behind it than is read": lambda pair: json.dumps(pair | {"other": "x" * 2**20}).encode(),
    "labelled as a page": lambda pair: Labelled.of(json.dumps(pair).encode(), Content_Type="text/html"),
}  # fmt: skip


def noise() -> list[str]:
    """What hardly gets shorter when it is packed."""
    return [hashlib.sha256(str(number).encode()).hexdigest() for number in range(300)]


def on_swaps(changes: list[Change], path_of: str = SWAP) -> Callable[[str, int, bytes], tuple[int, bytes]]:
    """Apply one change after the other to the good answers of one path; the last one stays."""
    left = list(changes)

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path != path_of or status != 200:
            return status, body
        change = left.pop(0) if len(left) > 1 else left[0]
        changed = change(json.loads(body))
        return status, changed if isinstance(changed, bytes) else json.dumps(changed).encode()

    return mangle


def works(scene: Scene) -> bool:
    """Whether each stored pair does what a pair is for: its refresh token is taken."""
    return all(scene.refresh_works(pair) for pair in scene.pairs().values())


def test_no_pair_that_arrived_is_lost(set_scene: SetScene) -> None:
    scene = set_scene(len(CHANGES), "repeat=never", mix="partner=1", expired=0.0, timeout=10.0, patience=20.0)
    with mangled(scene.sandbox.base_url, on_swaps(list(CHANGES.values()))) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--concurrency", "1")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": len(CHANGES)}
    assert scene.untrue() == []
    swaps = scene.query("SELECT outcome, count(*) FROM attempts WHERE action = 'swap' GROUP BY outcome")
    assert swaps == [("done", len(CHANGES))]
    assert len(scene.pairs()) == len(CHANGES)
    assert works(scene)
    # All but those that need no second look were seen to work before they counted.
    unusual = scene.query("SELECT count(*) FROM attempts WHERE action = 'swap' AND answer IS NOT NULL")
    seen = scene.query("SELECT count(*) FROM connections c WHERE EXISTS (SELECT 1 FROM attempts"
                       " WHERE connection_id = c.id AND action <> 'swap' AND outcome = 'done')")  # fmt: skip
    assumed = scene.query("SELECT count(*) FROM token_pairs WHERE lifetime_assumed AND replaced_at IS NULL")
    assert unusual[0][0] > len(CHANGES) / 2
    assert unusual <= seen
    assert seen <= [(unusual[0][0] + assumed[0][0],)]


BAD_STATUS: list[tuple[int, Change]] = [
    *[(status, lambda pair: pair) for status in (302, 400, 401, 403, 429, 500, 503)],
    *[(status, lambda pair: urlencode(pair).encode()) for status in (400, 403, 429, 500)],
    *[(status, lambda pair: {"body": json.dumps(pair)}) for status in (400, 429, 500)],
    (502, lambda pair: {"refresh_token": pair["refresh_token"]}),
    (400, having(error="invalid_grant")),
    (401, lambda pair: b"oauth_problem=token_rejected&" + urlencode(pair).encode()),
]


def test_no_pair_is_lost_that_came_with_a_bad_status(set_scene: SetScene) -> None:
    scene = set_scene(
        len(BAD_STATUS), "repeat=never", mix="partner=1", expired=0.0, timeout=10.0, patience=20.0
    )
    left = list(BAD_STATUS)

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path != SWAP or status != 200:
            return status, body
        status, change = left.pop(0)
        changed = change(json.loads(body))
        return status, changed if isinstance(changed, bytes) else json.dumps(changed).encode()

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--concurrency", "1")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": len(BAD_STATUS)}
    assert scene.untrue() == []
    assert works(scene)


def test_a_wrong_guess_is_found_out_before_it_counts_and_the_right_one_is_tried(set_scene: SetScene) -> None:
    scene = set_scene(2, "repeat=never", mix="partner=1", expired=0.0, patience=2.0)

    def guess(pair: Document) -> Document:
        decoy = {"refresh_key": "0123456789abcdefABCDEF", "refresh_hash2": "fedcba9876543210FEDCBA"}
        return decoy | {"access": pair["access_token"], "refresh": pair["refresh_token"]}

    with mangled(scene.sandbox.base_url, on_swaps([guess])) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 2}
    assert scene.untrue() == []
    assert works(scene)
    calls = scene.query("SELECT action, outcome, count(*) FROM attempts GROUP BY 1, 2 ORDER BY 1, 2")
    assert calls == [("refresh", "done", 2), ("refresh", "over", 2), ("swap", "done", 2)]


def test_a_provider_that_always_names_its_tokens_otherwise_is_believed_once_they_have_worked(
    set_scene: SetScene,
) -> None:
    scene = set_scene(2, "repeat=never", mix="partner=1", expired=0.0, patience=1.2, timeout=2.0)
    change = renamed(access_token="token", refresh_token="refresh")

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path in (SWAP, TOKEN) and status == 200:
            return status, json.dumps(change(json.loads(body))).encode()
        return status, body

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
        assert finished.returncode == 0, finished.stderr
        assert scene.states() == {"migrated": 2}
        calls = scene.query("SELECT action, count(*) FROM attempts WHERE outcome = 'done' GROUP BY 1")
        assert calls == [("refresh", 4), ("swap", 2), ("verify", 2)]
        refreshed = scene.migrator("refresh", "--all")
        assert refreshed.returncode == 0, refreshed.stderr
        assert scene.states() == {"migrated": 2}
    assert scene.untrue() == []
    assert works(scene)


def test_a_provider_that_never_gives_an_access_token_is_not_asked_for_ever(set_scene: SetScene) -> None:
    scene = set_scene(1, mix="partner=1", expired=0.0, patience=1.2)

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path in (SWAP, TOKEN) and status == 200:
            return status, json.dumps({"refresh_token": json.loads(body)["refresh_token"]}).encode()
        return status, body

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        scene.migrator("run", "tokens.csv")
    assert scene.states() == {"uncertain": 1}
    talk_to(scene, scene.sandbox.base_url)
    assert scene.migrator("resume").returncode == 0
    assert scene.states() == {"migrated": 1}
    assert works(scene)


def test_a_refusal_in_a_few_words_is_not_kept_and_any_other_is(set_scene: SetScene) -> None:
    scene = set_scene(12, mix="partner=1", expired=0.0, patience=1.2)
    answers = [
        (400, b'{"error": "invalid_grant", "error_description": "the_grant_of_this_user_is_over"}'),
        (401, b"oauth_problem=permission_denied&oauth_problem_advice=Ask%20your%20organisation"),
        (503, b"The service is unavailable."),
        (400, b'{"error": "invalid_grant", "jeton": "' + b"t0ken" * 8 + b'"}'),
    ]
    left = list(answers)

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        return left.pop(0) if path == SWAP and left else (status, body)

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        scene.migrator("run", "tokens.csv", "--concurrency", "1")
    kept = scene.query("SELECT http_status, answer IS NOT NULL FROM attempts WHERE id <= 4 ORDER BY id")
    assert kept == [(400, 0), (401, 0), (503, 0), (400, 1)]


def test_an_answer_that_breaks_off_behind_its_tokens_has_arrived(set_scene: SetScene) -> None:
    scene = set_scene(4, "repeat=never", mix="partner=1", expired=0.0, patience=2.0)

    def cut(pair: Document) -> bytes:
        tokens = {name: pair.pop(name) for name in ("access_token", "refresh_token")}
        text = json.dumps(tokens | pair).encode()
        return Cut(text[: text.index(b"expires_in")])

    with mangled(scene.sandbox.base_url, on_swaps([cut])) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 0, finished.stderr
    assert scene.query("SELECT state, reason FROM connections") == [("migrated", "lifetime_assumed")] * 4
    assert scene.untrue() == []
    assert works(scene)


def test_an_answer_that_breaks_off_within_a_token_is_lost_and_said_to_be(set_scene: SetScene) -> None:
    scene = set_scene(2, "repeat=never", mix="partner=1", expired=0.0, patience=1.2, timeout=1.0)

    def cut(pair: Document) -> bytes:
        text = json.dumps({name: pair[name] for name in ("access_token", "refresh_token")}).encode()
        return Cut(text[:-4])

    with mangled(scene.sandbox.base_url, on_swaps([cut])) as url:
        talk_to(scene, url)
        scene.migrator("run", "tokens.csv")
    assert scene.query("SELECT DISTINCT state, reason FROM connections") == [
        ("needs_consent", "response_lost")
    ]
    kept = scene.query("SELECT count(*) FROM attempts WHERE outcome = 'unknown' AND answer IS NOT NULL")
    assert kept == [(2,)]


def test_an_assumed_lifetime_is_told_as_a_finding_and_gone_once_the_provider_says_it(
    set_scene: SetScene,
) -> None:
    scene = set_scene(2, "repeat=never", mix="partner=1", expired=0.0, timeout=10.0, patience=20.0)
    with mangled(scene.sandbox.base_url, on_swaps([without("expires_in")])) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--canary", "1")
        assert finished.returncode == 0, finished.stderr
        assert scene.query("SELECT state, reason FROM problems") == [("migrated", "lifetime_assumed")] * 2
        assert "taken as documented" in scene.migrator("status").stdout
        assert scene.migrator("verify", "--all").returncode == 0
        assert scene.query("SELECT DISTINCT reason FROM connections") == [("lifetime_assumed",)]
        assert scene.migrator("refresh", "--all").returncode == 0
    assert scene.query("SELECT DISTINCT state, reason FROM connections") == [("migrated", "")]
    assert works(scene)


def test_a_refresh_that_brings_no_refresh_token_leaves_the_old_one_in_force(set_scene: SetScene) -> None:
    scene = set_scene(1, mix="partner=1", expired=0.0, timeout=10.0, patience=20.0)
    assert scene.migrator("run", "tokens.csv").returncode == 0
    (before,) = scene.pairs().values()

    def keeps(pair: Document) -> Document:
        return {key: value for key, value in pair.items() if key != "refresh_token"}

    with mangled(scene.sandbox.base_url, on_swaps([keeps], TOKEN)) as url:
        talk_to(scene, url)
        finished = scene.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    (after,) = scene.pairs().values()
    assert after.refresh_token == before.refresh_token
    assert after.access_token != before.access_token
    assert scene.query("SELECT action, outcome FROM attempts ORDER BY id") == [
        ("swap", "done"),
        ("refresh", "done"),
        ("verify", "done"),
    ]


# --- without a refresh token ---


@pytest.mark.parametrize("change", [without("refresh_token"), having(refresh_token=None)])
def test_the_first_answer_without_a_refresh_token_stops_the_job_and_says_what_to_do(
    set_scene: SetScene, change: Change
) -> None:
    scene = set_scene(30, mix="partner=1", expired=0.0, patience=2.0, timeout=1.0)
    with mangled(scene.sandbox.base_url, on_swaps([change])) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "no_refresh_token" in finished.stderr
    assert "offline_access" in finished.stderr
    assert "resume --retry-failed" in finished.stderr
    assert scene.query("SELECT action, outcome, problem FROM attempts") == [
        ("swap", "over", "no_refresh_token")
    ]
    assert scene.states() == {"failed": 1, "pending": 29}
    # What did arrive is kept, and counts for nothing.
    assert scene.query("SELECT count(*) FROM token_pairs WHERE replaced_at IS NOT NULL") == [(1,)]
    assert scene.status()["pairs"]["stored"] == 0
    talk_to(scene, scene.sandbox.base_url)  # the scope was granted meanwhile
    assert scene.migrator("resume", "--retry-failed").returncode == 0
    assert scene.states() == {"migrated": 30}
    assert scene.untrue() == []


def test_one_without_a_refresh_token_among_others_is_its_own_failure(set_scene: SetScene) -> None:
    scene = set_scene(12, "repeat=never", mix="partner=1", expired=0.0, timeout=10.0, patience=20.0)
    changes = [having(), without("refresh_token"), having()]
    with mangled(scene.sandbox.base_url, on_swaps(changes)) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv", "--concurrency", "1")
        assert finished.returncode == 1, finished.stderr
        assert scene.states() == {"failed": 1, "migrated": 11}
        retried = scene.migrator("resume", "--retry-failed")
    assert retried.returncode == 0, retried.stderr
    assert scene.query("SELECT reason FROM connections WHERE state = 'needs_consent'") == [
        ("no_refresh_token",)
    ]


# --- what is nobody's answer ---

PORTAL = b"<!DOCTYPE html><html><title>Welcome to the guest network</title></html>"


@pytest.mark.parametrize(
    "page",
    [
        PORTAL,
        b"\n<?xml version='1.0'?><!DOCTYPE html><html>Log in</html>",
        b"<div>please log in</div>",
        Labelled.of(b"Access to this site is blocked by policy", Content_Type="text/html"),
    ],
    ids=["doctype", "XML", "piece", "label"],
)
def test_a_page_of_somebody_else_is_said_to_be_that_and_stops_an_unproven_job_at_once(
    set_scene: SetScene, page: bytes
) -> None:
    scene = set_scene(30, "repeat=never", mix="partner=1", expired=0.0, patience=2.0)
    with mangled(scene.sandbox.base_url, lambda *_: (200, page)) as url:
        talk_to(scene, url)
        finished = scene.migrator("run", "tokens.csv")
    assert finished.returncode == 3, finished.stderr
    assert "not the provider's" in finished.stderr
    assert "captive portal" in finished.stderr
    assert scene.states() == {"uncertain": 1, "pending": 29}


# --- answers that an older version did not understand ---


def seal_instead(scene: Scene, bodies: dict[str, list[bytes]]) -> None:
    """Make the ledger what an older version made of these answers: sealed, and not understood. Per tenant,
    one attempt a body, in this order.
    """
    with open_to_compare(scene.ledger, require_key(scene.ledger, {}, None)) as (_, codec):
        sealed = {tenant: [codec.seal_answer(body) for body in answers] for tenant, answers in bodies.items()}
    with closing(sqlite3.connect(scene.ledger)) as db, db:
        db.execute("DROP INDEX attempts_with_answer")
        db.execute("ALTER TABLE token_pairs DROP COLUMN lifetime_assumed")
        db.execute("ALTER TABLE runs DROP COLUMN resume_at")
        db.execute("DELETE FROM _sqlite_migrations WHERE name >= 'm005' AND name < 'm007'")
        db.execute("DELETE FROM token_pairs")
        db.execute("DELETE FROM attempts")
        for tenant, answers in sealed.items():
            ((connection_id, run_id),) = db.execute(
                "SELECT id, run_id FROM connections WHERE tenant_id = ?", [tenant]
            ).fetchall()
            for answer in answers:
                db.execute(
                    """INSERT INTO attempts (connection_id, run_id, action, started_at, finished_at, outcome,
                                             http_status, problem, answer)
                       VALUES (?, ?, 'swap', '2026-11-01T00:00:00.000000Z', '2026-11-01T00:00:01.000000Z',
                               'unknown', 200, 'unreadable_pair', ?)""",
                    [connection_id, run_id, answer],
                )


@pytest.mark.parametrize(
    ("state", "reason", "outcome"),
    [
        ("uncertain", "response_lost", "unknown"),
        ("needs_consent", "response_lost", "unknown"),
        ("needs_consent", "grant_revoked", "stop"),
        ("failed", "http_403", "over"),
    ],
)
def test_a_resume_finds_the_pairs_that_an_older_version_gave_up(
    set_scene: SetScene, state: str, reason: str, outcome: str
) -> None:
    scene = set_scene(6, "repeat=never", mix="partner=1", expired=0.0, patience=8.0)
    bodies: dict[str, list[bytes]] = {}

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path == SWAP:
            pair = json.loads(body)
            bodies[pair["xero_tenant_id"]] = [json.dumps(without("expires_in")(pair)).encode()]
        return status, body

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        assert scene.migrator("run", "tokens.csv").returncode == 0
    talk_to(scene, scene.sandbox.base_url)
    # One of them has an answer of no use behind the one with the pair; that is passed over.
    next(iter(bodies.values())).append(b"{}")
    seal_instead(scene, bodies)
    doubt = "swap" if state == "uncertain" else None
    scene.alter("UPDATE connections SET state = ?, reason = ?, doubt = ?", state, reason, doubt)
    scene.alter("UPDATE attempts SET outcome = ?", outcome)
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert "6 answers that were not understood at the time held a pair" in finished.stderr
    assert scene.states() == {"migrated": 6}
    assert scene.untrue() == []
    assert works(scene)
    assert scene.query("SELECT count(*) FROM attempts WHERE problem = 'read_again'") == [(6,)]
    assert scene.query("SELECT count(*) FROM attempts WHERE action = 'swap'") == [(7,)]  # nobody asked again


def test_a_refresh_token_that_an_older_version_did_not_find_is_found(set_scene: SetScene) -> None:
    scene = set_scene(2, "repeat=never", mix="partner=1", expired=0.0, patience=8.0)
    bodies: list[bytes] = []

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path == SWAP and not bodies:
            bodies.append(body)
            return status, json.dumps(without("refresh_token")(json.loads(body))).encode()
        return status, body

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        assert scene.migrator("run", "tokens.csv", "--concurrency", "1").returncode == 3
    talk_to(scene, scene.sandbox.base_url)
    with open_to_compare(scene.ledger, require_key(scene.ledger, {}, None)) as (_, codec):
        sealed = codec.seal_answer(bodies[0])
    scene.alter("UPDATE attempts SET answer = ? WHERE answer IS NOT NULL", sealed)
    finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert "1 answer that was not understood at the time held a pair" in finished.stderr
    assert scene.states() == {"migrated": 2}
    assert scene.untrue() == []
    assert works(scene)


def test_what_an_older_version_took_for_the_refresh_token_is_put_right_once_it_is_refused(
    set_scene: SetScene,
) -> None:
    scene = set_scene(3, "repeat=never", mix="partner=1", expired=0.0, patience=2.0)
    with mangled(scene.sandbox.base_url, on_swaps([CHANGES["behind a date to refresh after"]])) as url:
        talk_to(scene, url)
        assert scene.migrator("run", "tokens.csv").returncode == 0
    talk_to(scene, scene.sandbox.base_url)
    right = next(iter(scene.pairs().values()))
    with open_to_compare(scene.ledger, require_key(scene.ledger, {}, None)) as (_, codec):
        wrong = replace(right, refresh_token=Secret("2026-12-01T00:00:00Z"))
        _, refresh = codec.seal_pair(wrong)
    scene.alter("UPDATE token_pairs SET refresh_token = ?, verified_at = obtained_at WHERE id = 1", refresh)
    finished = scene.migrator("refresh", "--all")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 3}
    assert scene.query("SELECT count(*) FROM attempts WHERE problem = 'read_again'") == [(1,)]
    assert scene.untrue() == []
    assert works(scene)


def test_before_anybody_is_condemned_the_older_answers_are_read_too(set_scene: SetScene) -> None:
    scene = set_scene(1, "repeat=never", mix="partner=1", expired=0.0, patience=1.2)
    bodies: dict[str, list[bytes]] = {}

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path == SWAP and status == 200:
            pair = json.loads(body)
            dead = {"access_token": "a" * 40, "refresh_token": "r" * 40}
            bodies[pair["xero_tenant_id"]] = [body, json.dumps(dead).encode()]
        return status, body

    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        assert scene.migrator("run", "tokens.csv").returncode == 0
        talk_to(scene, scene.sandbox.base_url)
        seal_instead(scene, bodies)
        scene.alter("UPDATE connections SET state = 'uncertain', reason = 'response_lost', doubt = 'swap'")
        finished = scene.migrator("resume")
    assert finished.returncode == 0, finished.stderr
    assert scene.states() == {"migrated": 1}
    assert scene.untrue() == []
    assert works(scene)
    calls = scene.query("SELECT action, outcome FROM attempts ORDER BY started_at, id")
    assert ("refresh", "over") in calls  # the dead one was found out
    assert ("swap", "over") not in calls  # and the older answer was read before anybody asked once more


def test_what_an_operator_revoked_is_not_brought_back(set_scene: SetScene) -> None:
    scene = set_scene(1, mix="partner=1", expired=0.0, patience=2.0)
    with mangled(scene.sandbox.base_url, on_swaps([without("expires_in")])) as url:
        talk_to(scene, url)
        assert scene.migrator("run", "tokens.csv").returncode == 0
    talk_to(scene, scene.sandbox.base_url)
    scene.alter("UPDATE attempts SET outcome = 'unknown', answer = coalesce(answer, x'00')")
    scene.alter("DELETE FROM token_pairs")
    scene.alter("UPDATE connections SET state = 'needs_consent', reason = 'revoked_by_operator'")
    assert scene.migrator("resume").returncode == 0
    assert scene.query("SELECT state, reason FROM connections") == [("needs_consent", "revoked_by_operator")]
