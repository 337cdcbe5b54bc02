"""The calls of a provider, and what it may answer in the place of a good answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from migrator.models import Action
from migrator.providers.facts.answers import TokenAnswer
from migrator.providers.facts.vocabulary import Auth, Meaning


@dataclass(frozen=True)
class CallFacts:
    """One call. Texts may hold placeholders such as ``{refresh_token}``."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    url: str
    auth: Auth = Auth.NONE
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: Mapping[str, str] | None = None
    body: str = ""
    """A body that is neither, such as ``null``."""
    content_type: str = ""
    """In the place of the body's usual one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    oauth: Mapping[str, str] = field(default_factory=dict)
    """Further ``oauth_`` parameters of a signed call."""
    optional: frozenset[str] = frozenset()
    """Fields that are left out where they would be empty."""
    answer: TokenAnswer | None = None
    """Of a call that gives tokens."""
    source: str = ""


@dataclass(frozen=True)
class ErrorRule:
    """What answers of one kind mean. Of several that match the first holds."""

    means: Meaning
    calls: frozenset[Action] = frozenset()
    """Empty: all."""
    status: tuple[int, ...] = ()
    """Empty: any, but a good one only where a field is named, too."""
    where: Literal["", "json", "form", "xml", "header", "text"] = ""
    path: str = ""
    """The field or header that is looked at; empty with ``text``, which is the whole body."""
    equals: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    """Either is compared in whatever case; with neither, the field need only be there, and not say that
    there is nothing."""
    problem: str = ""
    """A short stable word for the ledger; empty: what the field says."""
    reason: str = ""
    """The ledger's reason, where a user must go on."""
    hint: str = ""
    """What to do."""
    scope: Literal["connection", "application"] = "application"
    """Whom a limit is of."""
