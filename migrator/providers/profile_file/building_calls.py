"""The table of one call, made into facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrator.providers.facts import Auth, CallFacts, TokenAnswer


def call(table: Mapping[str, Any], answer: TokenAnswer | None) -> CallFacts:
    """The facts of a call's table; ``answer`` is what its good answer holds, if it gives tokens."""
    method, _, url = table["request"].partition(" ")
    return CallFacts(
        method=method,
        url=url,
        auth=Auth(table["auth"]),
        query=table.get("query", {}),
        form=table.get("form"),
        json=table.get("json"),
        body=table.get("body", ""),
        content_type=table.get("content_type", ""),
        headers=table.get("headers", {}),
        oauth=table.get("oauth", {}),
        optional=frozenset(table.get("optional", ())),
        answer=answer,
        source=table.get("source", ""),
    )
