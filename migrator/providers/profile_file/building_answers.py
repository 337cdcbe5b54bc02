"""What answers hold: ``[answer]``, what a call's own table says otherwise, and ``[renew.answer]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrator.models import Action
from migrator.providers.facts import LegacyAnswer, Lifetime, Name, TokenAnswer
from migrator.providers.profile_file.durations import duration

Table = Mapping[str, Any]


def token_answer(document: Table, call: str) -> TokenAnswer:
    """Where a good answer to a call has what: as ``[answer]`` says, but for the keys of ``[CALL.answer]``."""
    table: Table = {**document["answer"], **document[call].get("answer", {})}
    refresh_token = table.get("refresh_token", TokenAnswer.refresh_token)
    optional = isinstance(refresh_token, dict) and refresh_token.get("optional", False)
    if call == Action.REFRESH and document[call].get("gives_new") == "never":
        optional = True  # whether its answer repeats the one that stays or leaves it out
    return TokenAnswer(
        inside=table.get("inside", ""),
        access_token=table["access_token"],
        refresh_token=refresh_token["field"] if isinstance(refresh_token, dict) else refresh_token,
        refresh_optional=optional,
        token_type=table.get("token_type", TokenAnswer.token_type),
        expires=_lifetime(table.get("expires")),
        refresh_expires=_lifetime(table.get("refresh_expires")),
        scope=table.get("scope", TokenAnswer.scope),
        tenant_id=table.get("tenant_id", ""),
        user=_name(table.get("user_id", "")),
    )


def legacy_answer(table: Table) -> LegacyAnswer:
    """Where a good answer to a renewal has the new legacy token."""
    return LegacyAnswer(
        form=table.get("form", LegacyAnswer.form),
        token=table.get("token", LegacyAnswer.token),
        token_secret=table.get("token_secret", LegacyAnswer.token_secret),
        session_handle=table.get("session_handle", LegacyAnswer.session_handle),
        expires=table.get("expires_in", LegacyAnswer.expires),
    )


def _lifetime(table: Table | None) -> Lifetime | None:
    if table is None:
        return None
    documented = table.get("documented")
    return Lifetime(
        table.get("field", ""),
        table.get("as", Lifetime.form),
        None if documented is None else duration(documented),
    )


def _name(value: str | Table) -> Name:
    return Name(field=value) if isinstance(value, str) else Name(**value)
