"""Where an answer goes that the ledger could not take: an encrypted file beside it.

A disk that is full for the ledger is full for a new file too, so the file is made, and its blocks allocated,
before the first call. What is in it is taken into the ledger the next time that it is opened for a job.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from migrator.errors import LedgerError, LedgerUnwritableError
from migrator.ledger.calls import EndedCall
from migrator.ledger.file.codec import maybe_time_of, maybe_time_text, time_of, time_text
from migrator.ledger.file.vault import Vault
from migrator.models import Action, LegacyToken, Secret, State, Tenant, TokenPair
from migrator.rules.verdict import Verdict

ROOM_FOR_EACH = 16 * 1024
"""Bytes for one answer: several times the largest pair that was ever seen."""

LONGEST_UNREADABLE = 4 * 1024
"""Bytes of an answer that nobody could read which are worth the room."""

_PURPOSE = "rescue"

log = logging.getLogger(__name__)


class RescueFile:
    """The rescue file of a ledger that is open for a job."""

    def __init__(self, ledger: Path, vault: Vault) -> None:
        self.path = ledger.with_name(ledger.name + ".rescue")
        self.vault = vault
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self._end = 0
        self._damaged = False

    @staticmethod
    def waits(ledger: Path) -> bool:
        """Whether the rescue file of a ledger holds answers. Raises ``LedgerError`` if nobody can tell."""
        try:
            return bool(ledger.with_name(ledger.name + ".rescue").read_bytes().strip(b"\0"))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unreadable(ledger.with_name(ledger.name + ".rescue"), error) from None

    def records(self) -> Iterator[EndedCall]:
        """What an earlier job could not write into the ledger; a damaged line is passed over, and kept.

        Raises ``LedgerError`` if the file cannot be read.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unreadable(self.path, error) from None
        for line in content.strip(b"\0").split(b"\n"):
            if line:
                try:
                    call = _decode(self.vault.open(base64.b64decode(line), _PURPOSE).reveal())
                except (ValueError, KeyError, LedgerError):
                    self._damaged = True
                else:
                    yield call

    def clear(self) -> None:
        """Take the file away, once the ledger has what was in it. Raises ``OSError``."""
        if self._damaged:
            kept = self._free_name()
            self.path.replace(kept)
            log.warning("a part of the rescue file could not be read; it is kept as %s", kept)
        self.path.unlink(missing_ok=True)

    def set_aside(self, answers: int) -> None:
        """Make the file anew, with room for so many answers, once the ledger has what was in it.

        Raises ``LedgerUnwritableError`` if there is no room.
        """
        size = answers * ROOM_FOR_EACH
        try:
            self.clear()
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            os.posix_fallocate(self._descriptor, 0, size)
            os.fsync(self._descriptor)
        except OSError as error:
            self.close()
            raise LedgerUnwritableError(
                f"there is no room for {self.path} ({size:,} bytes): {error.strerror}",
                hint="make room: it takes the answers that are under way should the ledger not be writable",
            ) from None

    def _free_name(self) -> Path:
        """Where a damaged file is kept; what was kept before stays."""
        first = self.path.with_name(f"{self.path.name}.damaged")
        others = (first.with_name(f"{first.name}.{number}") for number in count(2))
        return next(path for path in chain([first], others) if not path.exists())

    def save(self, call: EndedCall) -> None:
        """Put one answer on disk. Raises ``OSError`` if even that cannot be done."""
        if call.unreadable is not None and len(call.unreadable) > LONGEST_UNREADABLE:
            call = replace(call, unreadable=None)
        line = base64.b64encode(self.vault.seal(_encode(call), _PURPOSE)) + b"\n"
        with self._lock:
            if self._descriptor is None:
                raise OSError("the rescue file is not open")
            written = 0
            while written < len(line):
                written += os.pwrite(self._descriptor, line[written:], self._end + written)
            os.fsync(self._descriptor)
            self._end += len(line)

    def close(self) -> None:
        """Let go of the file. It goes if this process made it and saved nothing in it."""
        if self._descriptor is None:
            return
        os.close(self._descriptor)
        self._descriptor = None
        if self._end == 0:
            self.path.unlink(missing_ok=True)


def _unreadable(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the rescue file {path} cannot be read: {error.strerror}",
        hint="answers wait in it that the ledger lacks: see that it is a file of yours, and run it again",
    )


def _encode(call: EndedCall) -> str:
    verdict = call.verdict
    document = {
        "attempt_id": call.attempt_id,
        "connection_id": call.connection_id,
        "pair_id": call.pair_id,
        "http_status": call.http_status,
        "unreadable": base64.b64encode(call.unreadable).decode() if call.unreadable is not None else None,
        "outcome": verdict.outcome,
        "problem": verdict.problem,
        "state": verdict.state,
        "reason": verdict.reason,
        "doubt": verdict.doubt,
        "not_before": maybe_time_text(verdict.not_before),
        "tries": verdict.tries,
        "new_pair": _pair_document(verdict.new_pair) if verdict.new_pair else None,
        "new_pair_set_aside": verdict.new_pair_set_aside,
        "new_legacy": _legacy_document(verdict.new_legacy) if verdict.new_legacy else None,
        "pair_verified": verdict.pair_verified,
        "reached": verdict.reached,
        "adopted": [verdict.adopted.id, verdict.adopted.type] if verdict.adopted else None,
        "pair_set_aside": verdict.pair_set_aside,
        "pair_dead": verdict.pair_dead,
        "pair_expired": verdict.pair_expired,
        "token_expired": verdict.token_expired,
        "seen": [[tenant.id, tenant.type, tenant.name] for tenant in verdict.seen],
        "chosen": [[tenant.id, tenant.type, tenant.name] for tenant in verdict.chosen],
    }
    return json.dumps(document)


def _decode(text: str) -> EndedCall:
    document: dict[str, Any] = json.loads(text)
    verdict = Verdict(
        outcome=document["outcome"],
        problem=document["problem"],
        state=State(document["state"]),
        reason=document["reason"],
        doubt=Action(document["doubt"]) if document["doubt"] else None,
        not_before=maybe_time_of(document["not_before"]),
        tries=document["tries"],
        new_pair=_pair(document["new_pair"]) if document["new_pair"] else None,
        new_pair_set_aside=document.get("new_pair_set_aside", False),
        new_legacy=_legacy(document["new_legacy"]) if document["new_legacy"] else None,
        pair_verified=document["pair_verified"],
        reached=tuple(document.get("reached", ())),
        adopted=Tenant(*document["adopted"]) if document.get("adopted") else None,
        pair_set_aside=document.get("pair_set_aside", False),
        pair_dead=document["pair_dead"],
        pair_expired=document["pair_expired"],
        token_expired=document["token_expired"],
        seen=tuple(Tenant(*tenant) for tenant in document.get("seen", ())),
        chosen=tuple(Tenant(*tenant) for tenant in document.get("chosen", ())),
    )
    return EndedCall(
        attempt_id=document["attempt_id"],
        connection_id=document["connection_id"],
        pair_id=document["pair_id"],
        verdict=verdict,
        http_status=document["http_status"],
        unreadable=base64.b64decode(document["unreadable"]) if document["unreadable"] is not None else None,
    )


def _pair_document(pair: TokenPair) -> dict[str, str | bool | None]:
    return {
        "access_token": pair.access_token.reveal(),
        "refresh_token": pair.refresh_token.reveal(),
        "expires_at": time_text(pair.expires_at),
        "scope": pair.scope,
        "tenant_id": pair.tenant_id,
        "user_id": pair.user_id,
        "refresh_expires_at": maybe_time_text(pair.refresh_expires_at),
        "lifetime_assumed": pair.lifetime_assumed,
    }


def _pair(document: dict[str, Any]) -> TokenPair:
    return TokenPair(
        Secret(document["access_token"]),
        Secret(document["refresh_token"]),
        time_of(document["expires_at"]),
        document["scope"],
        document["tenant_id"],
        document["user_id"],
        maybe_time_of(document.get("refresh_expires_at")),
        document.get("lifetime_assumed", False),
    )


def _legacy_document(legacy: LegacyToken) -> dict[str, str | None]:
    return {
        "token": legacy.token.reveal(),
        "token_secret": legacy.token_secret.reveal(),
        "session_handle": legacy.session_handle.reveal() if legacy.session_handle else None,
        "expires_at": maybe_time_text(legacy.expires_at),
    }


def _legacy(document: dict[str, Any]) -> LegacyToken:
    handle = document["session_handle"]
    return LegacyToken(
        Secret(document["token"]),
        Secret(document["token_secret"]),
        Secret(handle) if handle else None,
        maybe_time_of(document["expires_at"]),
    )
