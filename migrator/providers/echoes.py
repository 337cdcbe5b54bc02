"""Secrets in the very fields of an answer that are kept and shown in the clear: ids, names, scopes.

A provider, or a mistake in a profile, may put one there; then the field says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from migrator.models import LegacyToken, Secret, Tenant, TokenPair
from migrator.providers.interface import Identified, NoRefreshToken, Outcome, Reached, Unknown, Won

_SHORTEST = 8
"""Characters of a secret that is looked for in a longer text: a shorter one may stand there by chance."""
_TELLING = 16
"""Characters of a piece that is no accident: what is long is cut off before it is kept."""


def tokens_of(*held: LegacyToken | TokenPair | None) -> tuple[Secret, ...]:
    """All the secrets in some tokens."""
    return tuple(chain.from_iterable(map(_tokens, held)))


def _tokens(held: LegacyToken | TokenPair | None) -> tuple[Secret, ...]:
    match held:
        case LegacyToken():
            handle = () if held.session_handle is None else (held.session_handle,)
            return (held.token, held.token_secret, *handle)
        case TokenPair():
            return (held.access_token, held.refresh_token)
    return ()


def repeats(text: str, secrets: Iterable[Secret]) -> bool:
    """Whether a text is a secret, or holds one."""
    for secret in secrets if text else ():
        one = secret.reveal()
        if one and (text == one or (len(one) >= _SHORTEST and one in text)):
            return True
    return False


def repeats_part(text: str, secrets: Iterable[Secret]) -> bool:
    """The same, and whether it is a piece of one that is no accident."""
    known = tuple(secrets)
    return repeats(text, known) or (
        len(text) >= _TELLING and any(text in secret.reveal() for secret in known)
    )


def silenced(outcome: Outcome, secrets: Iterable[Secret]) -> Outcome:
    """An outcome without what repeats a secret: one that was sent, or one that the outcome itself brings.

    Where nothing is left of what was asked for, the answer was not understood.
    """
    known = tuple(secrets)
    match outcome:
        case Won() | NoRefreshToken():
            pair = _pair(outcome.pair, (*known, *tokens_of(outcome.pair)))
            return outcome if pair is outcome.pair else replace(outcome, pair=pair)
        case Identified() if repeats(outcome.user_id, known):
            return Unknown("unreadable_user")
        case Reached():
            if any(repeats(tenant.id, known) for tenant in outcome.tenants):
                return Unknown("unreadable_account")
            return Reached(_tenants(outcome.tenants, known), _tenants(outcome.chosen, known))
    return outcome


def _pair(pair: TokenPair, secrets: tuple[Secret, ...]) -> TokenPair:
    def kept(text: str) -> str:
        return "" if repeats(text, secrets) else text

    shown = pair.scope, pair.tenant_id, pair.user_id
    scope, tenant_id, user_id = map(kept, shown)
    if (scope, tenant_id, user_id) == shown:  # as in every answer but an odd one
        return pair
    return replace(pair, scope=scope, tenant_id=tenant_id, user_id=user_id)


def _tenants(tenants: tuple[Tenant, ...], secrets: tuple[Secret, ...]) -> tuple[Tenant, ...]:
    def kept(text: str) -> str:
        return "" if repeats(text, secrets) else text

    return tuple(
        replace(tenant, type=kept(tenant.type), name=kept(tenant.name), consent=kept(tenant.consent))
        for tenant in tenants
    )
