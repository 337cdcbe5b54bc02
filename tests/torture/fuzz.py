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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from migrator.errors import InputError
from migrator.ledger.access import open_for_job
from migrator.ledger.file.keys import make_key
from migrator.models import (
    UNVERIFIED,
    Action,
    Credentials,
    LegacyToken,
    Misnamed,
    Secret,
    Standing,
    State,
    StoredPair,
    TokenPair,
    utc_now,
)
from migrator.providers import Given, Profile, Request, find_profile
from migrator.rules.transitions import settle
from migrator.rules.verdict import Policy, Verdict
from migrator.sources import open_source
from migrator.sources.duplicates import DuplicateIndex
from migrator.sources.screening import Accepted, screen
from migrator.terminal.present import status_document, status_text
from migrator.wire.http import HttpWire
from tests import xero
from tests.torture.witness import Originals, Outcome, in_the_clear

SAMPLES = Path(__file__).parent.parent.parent / "sample_data"
TEXTS = ("partners.csv", "practices.json", "late-additions.jsonl", "with-bom.csv", "rejects.csv")

TAKEN_IN = 50
"""Of so many damaged files, one goes into a real ledger."""
RULES = xero.PROFILE.row_rules()

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


def enclose(content: bytes, dice: random.Random) -> bytes:
    """A pair of stray quotation marks: around the same cell of one line and of one that comes soon after."""
    lines = content.split(b"\n")
    first = dice.randrange(len(lines))
    last = min(first + dice.randint(0, 4), len(lines) - 1)
    mark = max((b",", b";"), key=lines[first].count)
    column = dice.randint(0, lines[first].count(mark))
    for number, before, after in ((first, b'"', b""), (last, b"", b'"')):
        cells = lines[number].split(mark)
        if column < len(cells):
            cells[column] = before + cells[column] + after
        lines[number] = mark.join(cells)
    return b"\n".join(lines)


DAMAGES: tuple[Damage, ...] = (flip, cut, repeat, stuff, enclose)


def files(number: int, seed: int) -> Counter[str]:
    """Read so many damaged files as ``run --dry-run`` does; counts what became of files and rows.

    One in ``TAKEN_IN`` is taken into a ledger as well, as ``run`` does. What counts as a row that is lost,
    ``witness`` says.
    """
    dice = random.Random(seed)
    contents = [(SAMPLES / name).read_bytes() for name in TEXTS]
    originals = Originals.of(contents)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokens"
        for index in range(number):
            content = dice.choice(DAMAGES)(dice.choice(contents), dice)
            path.write_bytes(content)
            try:
                outcomes = _read(path, content, originals, counts)
                if index % TAKEN_IN == 0:
                    _take_in(path, content, originals, outcomes, counts)
            except Exception as error:  # noqa: BLE001 - each is a finding
                counts[f"traceback {type(error).__name__}"] += 1
    return counts


def _read(path: Path, content: bytes, originals: Originals, counts: Counter[str]) -> list[Outcome] | None:
    """What became of each row; None if the file cannot be used."""
    try:
        source = open_source(str(path), stdin=io.BytesIO(), rules=RULES)
        with DuplicateIndex() as seen:
            outcomes = [row for row in screen([source], seen, RULES) if not isinstance(row, Misnamed)]
    except InputError:
        counts["files that cannot be used"] += 1
        return None
    counts["files read"] += 1
    counts["rows lost"] += originals.rows_lost(content, source, outcomes)
    counts.update("accepted" if isinstance(row, Accepted) else "rejected" for row in outcomes)
    return outcomes


def _take_in(
    path: Path,
    content: bytes,
    originals: Originals,
    outcomes: list[Outcome] | None,
    counts: Counter[str],
) -> None:
    """Take the file into a new ledger: it must hold as many rows and rejects, and no token in the clear."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "migration.db"
        key, policy = make_key(ledger), Policy(5, timedelta(seconds=1))
        with open_for_job(ledger, key, utc_now, create=True, hurry=threading.Event()) as opened:
            opened.begin_run("run", policy, [str(path)], workers=1)
            with suppress(InputError), DuplicateIndex() as seen:
                rows = screen([open_source(str(path), stdin=io.BytesIO(), rules=RULES)], seen, RULES)
                opened.take_in(rows, [str(path)], "xero", lambda _: None, terms=xero.TERMS)
            status = opened.status()
        said = json.dumps(status_document(status, ledger)), status_text(status)
        words = originals.open_words(content)
        counts["secrets in the clear"] += in_the_clear(words, ledger, *said)
    accepted = sum(isinstance(row, Accepted) for row in outcomes or ())
    counts["rows lost"] += abs(accepted - status.total)
    counts["rows lost"] += abs(len(outcomes or ()) - accepted - status.rejected)
    counts["files taken in"] += 1


ACCESS, REFRESH, TENANT = "A" * 1200, "R" * 64, "5c4e5dfd-8c9e-4b1d-9a2c-0a6b2c0f7d11"
OLD = LegacyToken(Secret("old"), Secret("old secret"), Secret("old handle"))
PAIR = StoredPair(1, TokenPair(Secret("a"), Secret("r"), utc_now()))
FRESH = Standing(1, "k", "partner", State.PENDING, "", TENANT, "ORGANISATION", OLD)
DOUBTFUL = replace(FRESH, state=State.UNCERTAIN, reason=UNVERIFIED, pair=PAIR, doubt=Action.SWAP)
CREDENTIALS = Credentials("key", "HMAC-SHA1", Secret("s"), Secret(""), "id", Secret("s"), ("offline_access",))
PAUSE = timedelta(seconds=1)
_OLD_REFRESH = PAIR.pair.refresh_token.reveal()
"""Which a refresh may leave in force."""

Fields = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """What the server said before anything was cut off, and whether that left it whole."""

    fields: Fields
    whole: bool
    readable: bool = False
    """Whether its body arrived to the end, in the form that its head announces, with a status that says that
    there is one.
    """


@dataclass(frozen=True)
class Exchange:
    """One kind of call: what is asked, what a good answer says, and what may be made of a bad one."""

    standing: Standing
    request: Callable[[Profile], Request]
    good: Fields
    encode: Callable[[Fields], bytes]
    untrue: Callable[[Verdict, Sent], bool]


def answers(action: Action, number: int, seed: int) -> Counter[str]:
    """Make so many calls over sockets to a server that damages its answers; counts what became of them.

    What may be believed: a secret is stored without doubt only if it stood in the answer, to the last
    character, before its end got lost, and is one that could be sent back. Where only another character
    stands in the middle of a token, nobody can tell, and the server does no such thing. A pair has been seen
    to work only if the list of its tenants arrived whole, and misses its tenant only if every entry of that
    list names one, or says that it has none.
    """
    dice = random.Random(seed)
    counts: Counter[str] = Counter()
    exchange = EXCHANGES[action]
    policy = Policy(5, timedelta(seconds=1))
    sent: list[Sent] = []
    with _damaging(exchange, dice, sent) as port:
        profile = find_profile("xero", base_url=f"http://127.0.0.1:{port}")
        wire = HttpWire(timeout=2, clock=utc_now)
        for _ in range(number):
            try:
                outcome = profile.read(action, wire.send(exchange.request(profile)))
                verdict = settle(exchange.standing, action, outcome, utc_now(), policy, PAUSE)
            except Exception as error:  # noqa: BLE001 - each is a finding
                counts[f"traceback {type(error).__name__}"] += 1
                continue
            counts[verdict.state.value] += 1
            counts["believed"] += verdict.outcome == "done"
            counts["untrue"] += exchange.untrue(verdict, sent[-1])
        wire.close()
    return counts


def _untrue_pair(verdict: Verdict, sent: Sent) -> bool:
    if verdict.new_pair is None:
        # No pair that arrived is given up, whatever else is wrong with its answer.
        came = sent.readable and (sent.fields["access_token"], sent.fields["refresh_token"]) == (
            ACCESS,
            REFRESH,
        )
        return verdict.state is State.MIGRATED or verdict.pair_dead or came
    tokens = verdict.new_pair.access_token.reveal(), verdict.new_pair.refresh_token.reveal()
    if verdict.state is State.MIGRATED:
        return tokens != (ACCESS, REFRESH)
    # What is not whole counts for nothing before it is seen to work; but it is what the server said.
    said = {str(sent.fields[name]) for name in ("access_token", "refresh_token")}
    unfolded = {"".join(text.split()) for text in said}  # somebody may have broken a token's line
    return not {*tokens} <= {*said, *unfolded, "", _OLD_REFRESH}


def _untrue_renewal(verdict: Verdict, sent: Sent) -> bool:
    legacy = verdict.new_legacy
    if legacy is None:
        return False
    names = ("oauth_token", "oauth_token_secret", "oauth_session_handle")
    token, secret, handle = (_form_text(sent.fields[name]) for name in names)
    if verdict.doubt is not None:  # it may be half of one, and is not said to be more
        return not all(map(_sendable, (legacy.token.reveal(), legacy.token_secret.reveal())))
    stored = [legacy.token.reveal(), legacy.token_secret.reveal()]
    stored_handle = legacy.session_handle.reveal() if legacy.session_handle else ""
    meant = [token, secret, handle if _sendable(handle) else "old handle"]
    return [*stored, stored_handle] != meant or not all(map(_sendable, meant))


def _sendable(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


def _untrue_verification(verdict: Verdict, sent: Sent) -> bool:
    if not verdict.pair_verified:
        return verdict.state is State.MIGRATED
    tenant = sent.fields["tenantId"]
    named = tenant is None or (isinstance(tenant, str) and bool(tenant))
    kind = sent.fields["tenantType"]
    as_said = tenant == TENANT and (not isinstance(kind, str) or kind.upper() in ("", "ORGANISATION"))
    return not (sent.whole and named and as_said is (verdict.reason == ""))


def _form_text(value: Any) -> str:
    return "" if value is None else str(value)


def _form(fields: Fields) -> bytes:
    named = {name: _form_text(value) for name, value in fields.items() if value is not None}
    return urlencode(named, errors="surrogatepass").encode()


def _json(fields: Fields) -> bytes:
    return json.dumps(fields).encode()


def _json_list(fields: Fields) -> bytes:
    return json.dumps([fields]).encode()


_NEW_PAIR: Fields = {
    "access_token": ACCESS,
    "refresh_token": REFRESH,
    "expires_in": "1800",
    "token_type": "Bearer",
    "xero_tenant_id": TENANT,
}
_NEW_LEGACY: Fields = {
    "oauth_token": "T" * 30,
    "oauth_token_secret": "S" * 30,
    "oauth_expires_in": "1800",
    "oauth_session_handle": "H" * 30,
    "oauth_authorization_expires_in": "315360000",
    "xero_org_muid": TENANT,
}
_REACHED: Fields = {"id": "e1", "tenantId": TENANT, "tenantType": "ORGANISATION", "tenantName": "Ü"}

GIVEN = Given(
    CREDENTIALS,
    OLD,
    TokenPair(Secret("a"), Secret("r"), None),
    {"tenant_type": "ORGANISATION"},
)

EXCHANGES = {
    Action.SWAP: Exchange(
        FRESH,
        lambda profile: profile.request(Action.SWAP, GIVEN),
        _NEW_PAIR,
        _json,
        _untrue_pair,
    ),
    Action.RENEW: Exchange(
        FRESH, lambda profile: profile.request(Action.RENEW, GIVEN), _NEW_LEGACY, _form, _untrue_renewal
    ),
    Action.REFRESH: Exchange(
        DOUBTFUL, lambda profile: profile.request(Action.REFRESH, GIVEN), _NEW_PAIR, _json, _untrue_pair
    ),
    Action.VERIFY: Exchange(
        DOUBTFUL,
        lambda profile: profile.request(Action.VERIFY, GIVEN),
        _REACHED,
        _json_list,
        _untrue_verification,
    ),
}


def _answer(exchange: Exchange, dice: random.Random) -> tuple[bytes, Sent]:
    fields = dict(exchange.good)
    if dice.random() < 0.4:  # a field that is missing, or of another type
        name = dice.choice(list(fields))
        fields[name] = dice.choice([None, "", 0, [], {}, True, "\ud800", "ü", -1, "x\ny"])
    body = exchange.encode(fields)
    status = dice.choice([200, 200, 200, 201, 204, 302, 400, 401, 403, 429, 500, 503])
    extra = dice.choice(
        ["", "Retry-After: soon\r\n", "Location: http://[\r\n", "Transfer-Encoding: chunked\r\n", "X\r\n"]
    )
    length = len(body) + dice.choice([0, 0, 0, -10, 10])
    # Said first, lest a call be lost on a connection that is closed, and the dice fall otherwise next time.
    head = f"HTTP/1.1 {status} X\r\nConnection: close\r\n{extra}Content-Length: {length}\r\n\r\n".encode()
    whole = head + body
    # TCP loses no middle: what can be missing is the end.
    arrives = whole[: dice.randrange(len(whole))] if dice.random() < 0.4 else whole
    form_is_right = "chunked" not in extra and extra != "X\r\n" and length >= len(body)
    readable = arrives == whole and form_is_right and status not in (204, 429)
    return arrives, Sent(fields, arrives == whole, readable)


def _read_request(connection: socket.socket) -> None:
    """Read it to its end: what is closed with something unread takes its answer with it, at times."""
    with connection.makefile("rb") as stream:
        length = 0
        while (line := stream.readline().strip().lower()) != b"":
            name, _, value = line.partition(b":")
            length = int(value) if name == b"content-length" else length
        stream.read(length)


@contextmanager
def _damaging(exchange: Exchange, dice: random.Random, sent: list[Sent]) -> Iterator[int]:
    """Serves one damaged answer a connection; ``sent`` takes what it was."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                _read_request(connection)
                answer, meant = _answer(exchange, dice)
                sent.append(meant)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
