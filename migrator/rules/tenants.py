"""Whether what an access token reaches is what was asked for. Pure.

A legacy row may name its tenant by id, by the organisation's name alone, or not at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from migrator.models import Standing, Tenant
from migrator.providers import Reached
from migrator.rules.terms import Terms

TENANT_MISMATCH = "tenant_mismatch"
"""The pair works, and does not reach the tenant that the legacy row named."""
TENANT_TYPE_MISMATCH = "tenant_type_mismatch"
"""The pair works and reaches its tenant, which is of another type than the legacy row said."""
OTHER_ACCOUNT = "other_account"
"""The pair works, and is of another account than the legacy token."""
SEVERAL_TENANTS = "several_tenants"
"""The user consented, several tenants are reached, and nobody said which was asked for."""
OTHER_TENANT = "other_tenant_connected"
"""The user consented, and connected another tenant than the one that was asked for."""
NO_TENANT = "no_tenant_connected"
"""The user consented, and connected nothing."""
OTHER_NAME = "other_name"
"""Why it seems to be another: the row has no id, and the tenant another name than the row's organisation."""


@dataclass(frozen=True)
class Choice:
    """What a user's choice of tenants comes to."""

    reason: str
    """What is to be said of it; empty if it is what was asked for."""
    counts: bool
    """Whether the connection is made: if not, only its user can make it."""
    adopted: Tenant | None = None
    """Which tenant it is, where the legacy row has no id."""
    problem: str = ""


@dataclass(frozen=True)
class Waiting:
    """A connection that waits for its user, and was not asked for this time."""

    id: int
    tenant_id: str
    tenant_type: str
    organisation: str


@dataclass(frozen=True)
class Covered:
    """One that the user has connected all the same."""

    connection_id: int
    tenant: Tenant
    reason: str = ""
    """What is to be said of it; empty if it is what was waited for."""


def covered(
    waiting: Sequence[Waiting],
    reached: Sequence[Tenant],
    chosen: Sequence[Tenant],
    claimed: Collection[str],
) -> list[Covered]:
    """Which of those that wait a user's consent has connected, in their order.

    ``reached`` is all that the pair reaches, ``chosen`` what this consent connected, ``claimed`` the ids, in
    lower case, of the tenants that connections have to their names.

    An id is certain. A name alone is believed more cautiously than where its own user was asked for it, as
    nobody sees the question here: it has all the same words, and there is one of it on either side.
    """
    by_id = {tenant.id.lower(): tenant for tenant in reached}
    taken = {*claimed, *(one.tenant_id.lower() for one in waiting)}
    free = [tenant for tenant in chosen if tenant.id.lower() not in taken]
    found = []
    for one in waiting:
        if one.tenant_id:
            tenant = by_id.get(one.tenant_id.lower())
            wrong = tenant is not None and tenant.type.upper() not in ("", one.tenant_type)
        else:
            words = _words(one.organisation)
            named = [tenant for tenant in free if words and _words(tenant.name) == words]
            rivals = [
                other for other in waiting if not other.tenant_id and _words(other.organisation) == words
            ]
            tenant, wrong = named[0] if len(named) == len(rivals) == 1 else None, False
        if tenant is not None:
            found.append(Covered(one.id, tenant, TENANT_TYPE_MISMATCH if wrong else ""))
    return found


def finding(standing: Standing, tenants: tuple[Tenant, ...], terms: Terms) -> str:
    """What is wrong with what a pair reaches, if anything is."""
    if terms.of_account:
        known = standing.user_id and tenants
        return OTHER_ACCOUNT if known and tenants[0].id != standing.user_id else ""
    if not terms.lists_tenants:
        return ""
    if not standing.tenant_id:
        if standing.consented and len(tenants) > 1:
            return SEVERAL_TENANTS
        return "" if tenants else TENANT_MISMATCH
    ours = [tenant for tenant in tenants if tenant.id.lower() == standing.tenant_id.lower()]
    if not ours:
        return TENANT_MISMATCH
    types = {tenant.type.upper() for tenant in ours if tenant.type}
    return TENANT_TYPE_MISMATCH if types and standing.tenant_type.upper() not in types else ""


def choice(standing: Standing, reached: Reached, terms: Terms) -> Choice:
    """Whether a user has connected what was asked for."""
    if not terms.lists_tenants:
        found = finding(standing, reached.tenants, terms)
        return Choice(found, counts=not found)
    if not reached.tenants:
        return Choice(NO_TENANT, counts=False)
    if not standing.tenant_id:
        return _choice_by_name(standing, reached.chosen or reached.tenants)
    found = finding(standing, reached.tenants, terms)
    return Choice(OTHER_TENANT, counts=False) if found == TENANT_MISMATCH else Choice(found, counts=True)


def _choice_by_name(standing: Standing, chosen: tuple[Tenant, ...]) -> Choice:
    ours = [tenant for tenant in chosen if _alike(standing.organisation, tenant.name)]
    if not ours and len(chosen) == 1 and chosen[0].id in standing.confirmed:
        ours = list(chosen)  # told that it has another name, the user chose it again: it is the one
    match ours:
        case []:
            return Choice(OTHER_TENANT, counts=False, problem=OTHER_NAME)
        case [tenant]:
            return Choice("", counts=True, adopted=tenant)
        case _:
            return Choice(SEVERAL_TENANTS, counts=True)


def _alike(asked: str, name: str) -> bool:
    """Whether two names may be the same organisation's: people leave out what lawyers put in.

    All words of the shorter one are in the longer one, and are half of it at least. Whatever else may be the
    same is asked about.
    """
    shorter, longer = sorted((_words(asked), _words(name)), key=lambda words: len("".join(words)))
    if not _words(asked):
        return True
    return set(shorter) <= set(longer) and 2 * len("".join(shorter)) >= len("".join(longer))


def _words(name: str) -> list[str]:
    """A name's words, however they are written: letters with their marks, and digits."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text).split()
