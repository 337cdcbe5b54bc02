"""Damaged input files and damaged answers, by the thousand: none may raise, none may make the ledger lie."""

from __future__ import annotations

import io
import json
import random
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from migrator.errors import InputError
from migrator.intake import Accepted, screen
from migrator.ledger import DiskSeen
from migrator.models import (
    Action,
    AppType,
    Credentials,
    LegacyToken,
    Secret,
    Standing,
    State,
    TenantType,
    utc_now,
)
from migrator.providers import Won, find_profile
from migrator.sources import open_source
from migrator.transitions import Policy, settle
from migrator.wire import HttpWire

SAMPLES = Path(__file__).parent.parent.parent / "sample_data"
TEXTS = ("partners.csv", "practices.json", "late-additions.jsonl", "with-bom.csv", "rejects.csv")

Damage = Callable[[bytes, random.Random], bytes]


def flip(content: bytes, dice: random.Random) -> bytes:
    """Other bytes in the place of a few."""
    damaged = bytearray(content)
    for _ in range(dice.randint(1, 20)):
        damaged[dice.randrange(len(damaged))] = dice.randrange(256)
    return bytes(damaged)


def cut(content: bytes, dice: random.Random) -> bytes:
    """A part is missing: the end, or something in the middle."""
    start = dice.randrange(len(content))
    return content[:start] + content[dice.randint(start, len(content)) :]


def repeat(content: bytes, dice: random.Random) -> bytes:
    """A part stands there twice."""
    start = dice.randrange(len(content))
    return content[: dice.randint(start, len(content))] + content[start:]


def stuff(content: bytes, dice: random.Random) -> bytes:
    """Something is in between that does not belong there."""
    start = dice.randrange(len(content))
    extra = dice.choice(
        [b'"', b",", b"\0", b"\r", b"\n\n", b"{", b"[", b"\xff\xfe", b"\x1b[31m", b"=1+1", b"9" * 500]
    )
    return content[:start] + extra * dice.randint(1, 3) + content[start:]


DAMAGES: tuple[Damage, ...] = (flip, cut, repeat, stuff)


def files(number: int, seed: int) -> Counter[str]:
    """Read so many damaged files as ``run --dry-run`` does; counts what became of files and rows."""
    dice = random.Random(seed)
    originals = [(SAMPLES / name).read_bytes() for name in TEXTS]
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens"
        for _ in range(number):
            content = dice.choice(DAMAGES)(dice.choice(originals), dice)
            path.write_bytes(content)
            try:
                _read(path, counts)
            except InputError:
                counts["files that cannot be used"] += 1
            except Exception as error:  # noqa: BLE001 - each is a finding
                counts[f"traceback {type(error).__name__}"] += 1
    return counts


def _read(path: Path, counts: Counter[str]) -> None:
    source = open_source(str(path), stdin=io.BytesIO())
    read = sum(1 for _ in source.rows())
    with DiskSeen() as seen:
        ended = Counter(
            "accepted" if isinstance(row, Accepted) else "rejected" for row in screen([source], seen)
        )
    counts["files read"] += 1
    counts["rows lost"] += read - ended.total()
    counts.update(ended)


def answers(number: int, seed: int) -> Counter[str]:
    """Send so many swaps over sockets to a server that damages its answers; counts what became of them."""
    dice = random.Random(seed)
    counts: Counter[str] = Counter()
    credentials = Credentials(
        "key", "HMAC-SHA1", Secret("s"), Secret(""), "id", Secret("s"), ("offline_access",)
    )
    legacy = LegacyToken(Secret("t"), Secret("s"))
    policy = Policy(5, timedelta(seconds=1))
    standing = Standing(1, "k", AppType.PARTNER, State.PENDING, "", "", TenantType.ORGANISATION, legacy)
    with _damaging(dice) as port:
        profile = find_profile("xero", base_url=f"http://127.0.0.1:{port}")
        wire = HttpWire(credentials, timeout=2, clock=utc_now)
        request = profile.swap(legacy, TenantType.ORGANISATION, credentials)
        for _ in range(number):
            try:
                outcome = profile.read(Action.SWAP, wire.send(request))
                verdict = settle(standing, Action.SWAP, outcome, utc_now(), policy, timedelta(seconds=1))
            except Exception as error:  # noqa: BLE001 - each is a finding
                counts[f"traceback {type(error).__name__}"] += 1
                continue
            counts[verdict.state.value] += 1
            whole = isinstance(outcome, Won) and _is_what_was_meant(outcome)
            counts["untrue"] += (verdict.state is State.MIGRATED) is not whole
        wire.close()
    return counts


ACCESS, REFRESH = "A" * 1200, "R" * 64


def _is_what_was_meant(won: Won) -> bool:
    return (won.pair.access_token.reveal(), won.pair.refresh_token.reveal()) == (ACCESS, REFRESH)


def _answer(dice: random.Random) -> bytes:
    document: dict[str, object] = {
        "access_token": ACCESS,
        "refresh_token": REFRESH,
        "expires_in": "1800",
        "token_type": "Bearer",
        "xero_tenant_id": "t",
    }
    if dice.random() < 0.4:  # a field that is missing, or of another type
        name = dice.choice(list(document))
        document[name] = dice.choice([None, "", 0, [], {}, True, "\ud800", "ü", -1, "x\ny"])
    body = json.dumps(document).encode()
    status = dice.choice([200, 200, 200, 201, 204, 302, 400, 401, 403, 429, 500, 503])
    extra = dice.choice(
        ["", "Retry-After: soon\r\n", "Location: http://[\r\n", "Transfer-Encoding: chunked\r\n", "X\r\n"]
    )
    length = len(body) + dice.choice([0, 0, 0, -10, 10])
    head = f"HTTP/1.1 {status} X\r\n{extra}Content-Length: {length}\r\n\r\n".encode()
    whole = head + body
    # TCP loses no middle: what can be missing is the end.
    return whole[: dice.randrange(len(whole))] if dice.random() < 0.4 else whole


@contextmanager
def _damaging(dice: random.Random) -> Iterator[int]:
    """Serves one damaged answer a connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65536)
                connection.sendall(_answer(dice))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
