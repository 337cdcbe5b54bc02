"""Answers with several things that may be the token, and what becomes of the calls that they answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from migrator.ledger.access import open_to_compare
from migrator.ledger.file.keys import require_key
from tests.engine.test_arrived_pairs import TOKEN, Change, Document
from tests.engine.test_misbehaving import talk_to
from tests.mangling import Mangle, mangled
from tests.support import Scene


def wait_for_nothing(scene: Scene) -> None:
    """Have nobody wait for a call that may still run: here none does."""
    scene.alter(
        """CREATE TRIGGER wait_for_nothing AFTER UPDATE OF not_before ON connections
           WHEN new.not_before IS NOT NULL
           BEGIN UPDATE connections SET not_before = NULL WHERE id = new.id; END"""
    )


def answering(changes: Sequence[Change], path_of: str = TOKEN) -> Mangle:
    """Apply one change after the other to the good answers of one path; then they stay as they are."""
    left = list(changes)

    def mangle(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if path not in path_of.split() or status != 200 or not left:
            return status, body
        changed = left.pop(0)(json.loads(body))
        return (500, b"") if changed is None else (200, json.dumps(changed).encode())

    return mangle


@contextmanager
def changed(scene: Scene, mangle: Mangle) -> Iterator[None]:
    """While the block lasts, the scene's answers come back through ``mangle``."""
    with mangled(scene.sandbox.base_url, mangle) as url:
        talk_to(scene, url)
        yield
    talk_to(scene, scene.sandbox.base_url)


def lost(pair: Document) -> None:
    """Nobody knows whether the call took effect."""


def without(name: str, change: Callable[[Document], Document]) -> Change:
    """What a change makes of a pair, but for one field."""
    return lambda pair: {key: value for key, value in change(pair).items() if key != name}


def guessed(pair: Document) -> Document:
    """What may be the refresh token is that."""
    return {"access_token": pair["access_token"], "expires_in": 1800, "refresh_value": pair["refresh_token"]}


def before_a_decoy(pair: Document) -> Document:
    """What may be the refresh token first is that."""
    return {**guessed(pair), "refresh_key": decoy(pair, 1)}


def mistaken(pair: Document) -> Document:
    """Something else has its name."""
    return {"refresh_token": decoy(pair, 1), **guessed(pair)}


def decoys(number: int) -> Change:
    """The refresh token is not among what may be it: the one that was used is still in force."""
    return without("refresh_value", behind_decoys(number))


def behind_decoys(number: int) -> Callable[[Document], Document]:
    """So many go before what is the refresh token."""
    return lambda pair: {**{f"refresh_{one}": decoy(pair, one) for one in range(number)}, **guessed(pair)}


def decoy(pair: Document, number: int) -> str:
    return f"Decoy{number}-{pair['refresh_token'][:20]}"


def calls_of(scene: Scene) -> list[str]:
    """What was called for the connection that was last called for, and what came of it, in order."""
    rows = scene.query(
        """SELECT action || ' ' || outcome FROM attempts
           WHERE connection_id = (SELECT connection_id FROM attempts ORDER BY id DESC LIMIT 1) ORDER BY id"""
    )
    return [said for (said,) in rows]


def hold(scene: Scene, body: bytes) -> None:
    """Have the one answer that was not understood be this one, as if that were this version's doing."""
    with open_to_compare(scene.ledger, require_key(scene.ledger, {}, None)) as (_, codec):
        sealed = codec.seal_answer(body)
    assert scene.alter("UPDATE attempts SET answer = ? WHERE answer IS NOT NULL", sealed) == 1
