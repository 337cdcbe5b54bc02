"""Reading the answer to a verification: which account or which tenants an access token reaches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from migrator.models import Secret, Tenant
from migrator.providers import answers, paths
from migrator.providers.facts import AccountAnswer, Facts, TenantsAnswer
from migrator.providers.interface import Answer, Outcome, Reached, Unknown


def read(answer: Answer, facts: Facts) -> Outcome:
    """What a good answer says; where its form is not documented, that it is good is enough."""
    if facts.tenants is not None:
        return _tenants(answers.json_value(answer), facts.tenants)
    if facts.account is not None:
        return _account(answers.json_value(answer), facts.account)
    return Reached(())


def chosen(reached: Reached, access_token: Secret, facts: Facts) -> Reached:
    """The same, with the tenants that were connected in the consent that the token was won by, if anything
    tells.
    """
    claim = facts.tenants.consent_claim if facts.tenants is not None else ""
    consent = answers.jwt_claims(access_token.reveal()).get(claim) if claim else None
    if not isinstance(consent, str) or not consent:
        return reached
    return replace(reached, chosen=tuple(one for one in reached.tenants if one.consent == consent))


def _account(document: Any, documented: AccountAnswer) -> Outcome:
    account = answers.identity(paths.named(document, documented.id))
    if not account:
        return Unknown("unreadable_account")
    name = answers.name(paths.named(document, documented.name)) if documented.name else ""
    return Reached((Tenant(account, name=name),))


def _tenants(document: Any, documented: TenantsAnswer) -> Outcome:
    unreadable = Unknown("unreadable_connections")
    for name in paths.names(documented.items):
        document = document.get(name) if isinstance(document, dict) else None
    if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
        return unreadable
    named = [entry for entry in document if paths.named(entry, documented.id) is not None]
    if not all(answers.identity(paths.named(entry, documented.id)) for entry in named):
        return unreadable
    return Reached(tuple(_tenant(entry, documented) for entry in named))


def _tenant(entry: dict[str, Any], documented: TenantsAnswer) -> Tenant:
    def said(path: str) -> Any:
        return paths.named(entry, path) if path else None

    kind = said(documented.type)
    return Tenant(
        answers.identity(said(documented.id)),
        kind if isinstance(kind, str) else "",
        answers.name(said(documented.name)),
        answers.text(said(documented.consent)),
    )
