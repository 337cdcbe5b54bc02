"""Ended calls as texts, for the rescue file: what the ledger could not take of answers yet."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from migrator.ledger.calls import EndedCall
from migrator.ledger.file.rescue import RescueFile
from migrator.ledger.file.times import maybe_time_of, maybe_time_text
from migrator.models import Action, LegacyToken, Secret, State, Tenant, TokenPair
from migrator.rules.verdict import Verdict

LONGEST_UNREADABLE = 4 * 1024
"""Bytes of an answer that nobody could read which are worth the room."""


def save(rescue: RescueFile, call: EndedCall) -> None:
    """Put a call's outcome into the rescue file. Raises ``OSError`` if that cannot be done."""
    if call.unreadable is not None and len(call.unreadable) > LONGEST_UNREADABLE:
        call = replace(call, unreadable=None)
    rescue.save(_encode(call))


def waiting(rescue: RescueFile) -> Iterator[EndedCall]:
    """The calls whose outcome an earlier process could not write into the ledger.

    Raises ``LedgerError`` if the file cannot be read.
    """
    return rescue.read(_decode)


def _encode(call: EndedCall) -> str:
    verdict = call.verdict
    document = {
        "attempt_id": call.attempt_id,
        "connection_id": call.connection_id,
        "pair_id": call.pair_id,
        "http_status": call.http_status,
        "unreadable": base64.b64encode(call.unreadable).decode() if call.unreadable is not None else None,
        "support_id": call.support_id,
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
        "found_in": verdict.found_in,
        "pair_restored": verdict.pair_restored,
        "pair_verified": verdict.pair_verified,
        "reached": verdict.reached,
        "adopted": [verdict.adopted.id, verdict.adopted.type] if verdict.adopted else None,
        "pair_set_aside": verdict.pair_set_aside,
        "pair_dead": verdict.pair_dead,
        "pair_expired": verdict.pair_expired,
        "token_expired": verdict.token_expired,
        "seen": [[tenant.id, tenant.type, tenant.name] for tenant in verdict.seen],
        "chosen": [[tenant.id, tenant.type, tenant.name] for tenant in verdict.chosen],
        "user_id": verdict.user_id,
        "disabled": verdict.disabled,
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
        found_in=document.get("found_in"),
        pair_restored=document.get("pair_restored"),
        pair_verified=document["pair_verified"],
        reached=tuple(document.get("reached", ())),
        adopted=Tenant(*document["adopted"]) if document.get("adopted") else None,
        pair_set_aside=document.get("pair_set_aside", False),
        pair_dead=document["pair_dead"],
        pair_expired=document["pair_expired"],
        token_expired=document["token_expired"],
        seen=tuple(Tenant(*tenant) for tenant in document.get("seen", ())),
        chosen=tuple(Tenant(*tenant) for tenant in document.get("chosen", ())),
        user_id=document.get("user_id", ""),
        disabled=document.get("disabled", False),
    )
    return EndedCall(
        attempt_id=document["attempt_id"],
        connection_id=document["connection_id"],
        pair_id=document["pair_id"],
        verdict=verdict,
        http_status=document["http_status"],
        unreadable=base64.b64decode(document["unreadable"]) if document["unreadable"] is not None else None,
        support_id=document.get("support_id", ""),
    )


def _pair_document(pair: TokenPair) -> dict[str, str | bool | None]:
    return {
        "access_token": pair.access_token.reveal(),
        "refresh_token": pair.refresh_token.reveal(),
        "expires_at": maybe_time_text(pair.expires_at),
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
        maybe_time_of(document["expires_at"]),
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
