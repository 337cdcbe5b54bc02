"""A document that the schema has let pass, made into frozen facts: what each table says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from migrator.models import Action
from migrator.providers.facts import (
    AccountAnswer,
    Advice,
    ClientStyle,
    Consent,
    Dated,
    Facts,
    LegacyFate,
    Renewal,
    RenewalRule,
    Repeat,
    Source,
    TenantsAnswer,
    WaitFacts,
)
from migrator.providers.profile_file.building_answers import legacy_answer, token_answer
from migrator.providers.profile_file.building_calls import call
from migrator.providers.profile_file.building_lists import error_rule, limit
from migrator.providers.profile_file.durations import duration
from migrator.row_rules import Column

Table = Mapping[str, Any]

_GIVE_TOKENS = frozenset({Action.SWAP, Action.REFRESH, Action.EXCHANGE_CODE})


def build(document: Table) -> Facts:
    """The facts of a document in which every key is known and every value has its form."""
    dates, legacy, verify = (document.get(name, {}) for name in ("dates", "legacy_token", "verify"))
    signing, client, refresh = (document.get(name, {}) for name in ("signing", "client", "refresh"))
    return Facts(
        name=document["name"],
        title=document["title"],
        calls=_calls(document),
        application_token=_application_token(document),
        sources={name: _source(table) for name, table in document.get("sources", {}).items()},
        open_since=_dated(dates.get("open_since")),
        closes=_dated(dates.get("closes")),
        legacy_ends=_dated(dates.get("legacy_ends")),
        before=tuple(document.get("before", ())),
        unknown=tuple(document.get("unknown", ())),
        signature_methods=tuple(signing.get("methods", Facts.signature_methods)),
        signature_in=signing.get("parameters", Facts.signature_in),
        client=ClientStyle(client.get("authentication", Facts.client)),
        client_public=client.get("public", False),
        client_is_consumer="id" in client,
        headers=document.get("headers", {}),
        token_secret=legacy.get("secret", True),
        app_types={name: fate == "swap" for name, fate in document.get("application_types", {}).items()},
        columns={name: _column(table) for name, table in document.get("columns", {}).items()},
        refresh_rotates=refresh.get("gives_new", Facts.refresh_rotates),
        grace=_duration(refresh, "grace", Facts.grace),
        repeat=Repeat(document["repeat"]["rule"]),
        repeat_source=document["repeat"].get("source", ""),
        legacy_fate=LegacyFate(legacy["after_swap"]),
        legacy_days=legacy.get("days", 0),
        legacy_source=legacy.get("source", ""),
        legacy_user_before=legacy.get("user_id", {}).get("before", ""),
        renewal=_renewal(document.get("renew")),
        limits=tuple(limit(table) for table in document.get("limits", ())),
        wait=WaitFacts(**document.get("wait", {})),
        errors=tuple(error_rule(table) for table in document.get("errors", ())),
        support_id=_support_id(document.get("support_id", {})),
        account=AccountAnswer(**verify["account"]) if "account" in verify else None,
        tenants=TenantsAnswer(**verify["tenants"]) if "tenants" in verify else None,
        verify_billed=verify.get("billed", False),
        identify=document.get("identify", {}).get("user_id", ""),
        consent=Consent(**document["consent"]) if "consent" in document else None,
        scope_needed=tuple(document.get("scope", {}).get("needed", ())),
        no_refresh_token_hint=document.get("scope", {}).get("missing_refresh_token", ""),
        uncertified_limit=document.get("applications", {}).get("uncertified_connections"),
        advice=tuple(Advice(**table) for table in document.get("advice", ())),
    )


def _calls(document: Table) -> dict[Action, Any]:
    return {
        action: call(document[action], token_answer(document, action) if action in _GIVE_TOKENS else None)
        for action in Action
        if action in document
    }


def _application_token(document: Table) -> Any:
    table = document.get("application_token")
    return None if table is None else call(table, token_answer(document, "application_token"))


def _source(table: Table) -> Source:
    read = table.get("read")
    return Source(table["title"], table.get("url", ""), None if read is None else date.fromisoformat(read))


def _dated(table: Table | None) -> Dated | None:
    return None if table is None else Dated(date.fromisoformat(table["day"]), table.get("source", ""))


def _column(table: Table) -> Column:
    return Column(tuple(table.get("values", ())), table.get("default", ""), table.get("url", False))


def _renewal(table: Table | None) -> Renewal:
    if table is None:
        return Renewal()
    return Renewal(
        RenewalRule(table["when"]),
        table.get("needs_session_handle", False),
        _duration(table, "window", Renewal.window),
        _duration(table, "ahead", Renewal.ahead),
        legacy_answer(table.get("answer", {})),
    )


def _support_id(table: Table) -> str:
    return table["header"] if "header" in table else f"json:{table['json']}" if table else ""


def _duration(table: Table, name: str, otherwise: timedelta) -> timedelta:
    return duration(table[name]) if name in table else otherwise
