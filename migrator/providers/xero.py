"""Xero: ``POST /oauth/migrate``, signed with OAuth 1.0a, answers with an OAuth 2.0 pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

from migrator.models import Action, Credentials, LegacyToken, Secret, State, Tenant, TenantType
from migrator.providers import answers, token_response
from migrator.providers.facts import Limit
from migrator.providers.interface import (
    RATE_LIMITED,
    Answer,
    Basic,
    Bearer,
    Code,
    Later,
    NoAnswer,
    Outcome,
    Over,
    Reached,
    Renewed,
    RenewFirst,
    Request,
    Revoked,
    Signed,
    StopAll,
    Suspect,
    Unknown,
)
from migrator.providers.token_response import Documented
from migrator.providers.xero_scopes import SCOPES

API = "https://api.xero.com"
IDENTITY = "https://identity.xero.com"
LOGIN = "https://login.xero.com"
ACCESS_TOKEN_LIFETIME = timedelta(minutes=30)
REFRESH_TOKEN_LIFETIME = timedelta(days=30)
"""Unused; a later document says 60 days, and the stricter of the two is assumed."""

_APP = "check oauth1.consumer_key, and that the application still exists at the provider"
_SECRET = (
    "check the consumer secret and oauth1.signature_method; if others pass, this row's token secret is wrong"  # noqa: S105
)
_CLIENT = "check oauth2.client_id and the client secret"
_SCOPE = (
    "check oauth2.scopes: they must contain offline_access and nothing that the application does not have"
)

_DOCUMENTED = Documented(
    ACCESS_TOKEN_LIFETIME,
    REFRESH_TOKEN_LIFETIME,
    "oauth2.scopes must contain offline_access, and the application must be allowed to ask for it",
    tenant_field="xero_tenant_id",
    user_claim="xero_userid",
)
_OF_PAIRS = (Action.SWAP, Action.REFRESH, Action.EXCHANGE_CODE)
"""Calls that are answered with a pair."""

_REVOKED = Over(State.NEEDS_CONSENT, "grant_revoked", "token_rejected", refused=True)
_EXPIRED = "The access token has expired"

OAUTH_PROBLEMS: Mapping[str, Outcome] = {
    "token_expired": RenewFirst("token_expired"),
    "token_rejected": _REVOKED,
    "permission_denied": Over(State.NEEDS_CONSENT, "grant_revoked", "permission_denied", refused=True),
    "signature_invalid": Suspect("signature_invalid", _SECRET),
    "signature_method_rejected": StopAll(
        "signature_method_rejected", "set oauth1.signature_method to the application's"
    ),
    "consumer_key_unknown": StopAll("consumer_key_unknown", _APP),
    # Our nonces are random: one that was used means that our request arrived twice, so the first may have had
    # its effect.
    "nonce_used": Unknown("nonce_used"),
}
"""What the ``oauth_problem`` of an OAuth 1.0a answer means.

Each blames the token, the application, or the clock.
"""

JSON_ERRORS: Mapping[str, Outcome] = {
    "invalid_client": StopAll("invalid_client", _CLIENT),
    "unauthorized_client": StopAll("unauthorized_client", _CLIENT),
    "invalid_scope": StopAll("invalid_scope", _SCOPE),
    "invalid_grant": Over(State.NEEDS_CONSENT, "grant_revoked", "invalid_grant", refused=True),
}
"""What the ``error`` of a JSON answer means (RFC 6749, 5.2)."""


class Xero:
    """The provider of the seed documents."""

    name = "xero"
    title = "Xero"
    limits = (Limit(10_000, timedelta(minutes=1), shared=True, remaining="X-AppMinLimit-Remaining"),)
    swap_calls = (Action.SWAP,)
    uncertified_limit = 25
    assessment_from = 1_000
    scopes = SCOPES
    promises: Mapping[str, str] = {
        "partner tokens": "swapped at POST /oauth/migrate, no user asked; first renewed if expired",
        "public and private tokens": "not swapped: their users must authorise again",
        "a second swap of one token": "unknown: a lost answer is asked for again, its pair verified",
        "access token": "30 minutes",
        "refresh token": "single-use, rotating, dead after 30 days unused",
        "limit": "10,000 calls a minute for an application; 60 a minute and 5 at once for an organisation",
        "uncertified applications": "at most 25 connections",
        "1,000 connections and more": "the provider demands an advanced security assessment, yearly",
    }

    def __init__(self, base_url: str = "") -> None:
        self._api = base_url or API
        self._identity = base_url or IDENTITY
        self.authorise_url = f"{base_url or LOGIN}/identity/connect/authorize"

    def swap(self, legacy: LegacyToken, tenant_type: TenantType, credentials: Credentials) -> Request:
        body: dict[str, str | Secret] = {
            "scope": " ".join(credentials.scopes),
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
        url = f"{self._api}/oauth/migrate?{urlencode({'tenantType': tenant_type.value})}"
        return Request("POST", url, Signed(legacy), json=body)

    def renew(self, legacy: LegacyToken) -> Request:
        if legacy.session_handle is None:
            raise ValueError("a token without a session handle cannot be renewed")
        # In the header and not in the query: URLs end up in logs.
        return Request(
            "POST",
            f"{self._api}/oauth/AccessToken",
            Signed(legacy, {"oauth_session_handle": legacy.session_handle}),
        )

    def verify(self, access_token: Secret) -> Request:
        return Request("GET", f"{self._api}/connections", Bearer(access_token))

    def refresh(self, refresh_token: Secret, credentials: Credentials) -> Request:
        form: dict[str, str | Secret] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return Request("POST", f"{self._identity}/connect/token", Basic(credentials), form=form)

    def revoke(self, refresh_token: Secret, credentials: Credentials) -> Request:
        form: dict[str, str | Secret] = {"token": refresh_token, "token_type_hint": "refresh_token"}
        return Request("POST", f"{self._identity}/connect/revocation", Basic(credentials), form=form)

    def exchange(self, code: Code) -> Request:
        return Request("POST", f"{self._identity}/connect/token", code)

    def chosen(self, reached: Reached, access_token: Secret) -> Reached:
        consent = answers.jwt_claims(access_token.reveal()).get("authentication_event_id")
        if not isinstance(consent, str) or not consent:
            return reached
        chosen = tuple(tenant for tenant in reached.tenants if tenant.consent == consent)
        return replace(reached, chosen=chosen)

    def remaining(self, answer: Answer) -> Mapping[int, int]:
        said = {
            number: answers.count(answer.headers.get(limit.remaining))
            for number, limit in enumerate(self.limits)
        }
        return {number: left for number, left in said.items() if left is not None}

    def read(self, action: Action, answer: Answer | NoAnswer) -> Outcome:
        if isinstance(answer, NoAnswer):
            broken_off = Unknown(answer.problem) if answer.sent else Later(answer.problem)
            return _salvaged(action, answer.part) or broken_off
        if answers.is_good(answer):
            if answers.is_web_page(answer):
                return _salvaged(action, answer) or answers.NOT_THE_PROVIDERS
            return _READ_OK[action](answer)
        said = _oauth1_refusal(action, answer) or _json_refusal(action, answer)
        won = _salvaged(action, answer, refused=said is not None)
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return won or _rate_limited(answer)
        return won or said or answers.by_status(answer)


def _salvaged(action: Action, arrived: Answer | None, *, refused: bool = False) -> Outcome | None:
    """What was asked for, in what is no good answer, if it is there: it has arrived all the same."""
    if arrived is None:
        return None
    if action is Action.RENEW:
        return _salvaged_renewal(arrived)
    if action not in _OF_PAIRS:
        return None
    return token_response.salvaged(arrived, _DOCUMENTED, by_name=refused or answers.is_web_page(arrived))


def _salvaged_renewal(arrived: Answer) -> Renewed | None:
    """A renewed token of which all stands there. Half a secret looks like one, and would be worse than none:
    asked again, the provider may renew once more. So the last field of a form without an end is left out.
    """
    if not arrived.delimited and answers.json_object(arrived) is None:
        arrived = replace(arrived, body=arrived.body.rpartition(b"&")[0])
    renewed = _renewed(arrived)
    return replace(renewed, whole=False) if renewed else None


_LIMITS_OF_ONE = frozenset({"minute", "day", "concurrent"})
"""Limits of one organisation. Any other word, or none, is taken for the application's: that is stricter."""

_DAY_UNSAID = timedelta(hours=1)
"""When to look again at a daily limit that does not say for how long it holds."""


def _rate_limited(answer: Answer) -> Later:
    limit = answer.headers.get("X-Rate-Limit-Problem", "").strip().lower()
    scope: Literal["connection", "app"] = "connection" if limit in _LIMITS_OF_ONE else "app"
    unsaid = _DAY_UNSAID if limit == "day" else None
    return Later(RATE_LIMITED, answers.retry_after(answer) or unsaid, scope)


def _oauth1_refusal(action: Action, answer: Answer) -> Outcome | None:
    problem = answers.oauth_problem(answer)
    if problem == "token_expired" and action is Action.RENEW:
        # The token may be as old as it likes when it is renewed; what has ended is the authorisation behind
        # the handle.
        return Over(State.NEEDS_CONSENT, "grant_over", problem, refused=True)
    if problem == "rate limit exceeded":
        return Later(RATE_LIMITED, answers.retry_after(answer), "app")
    if problem == "timestamp_refused":
        return StopAll(problem, answers.clock_hint(answer))
    return OAUTH_PROBLEMS.get(problem)


def _json_refusal(action: Action, answer: Answer) -> Outcome | None:
    document = answers.json_object(answer)
    if document is not None:
        if _says_expired(document):
            return RenewFirst("token_expired")
        error = document.get("error")
        if isinstance(error, str) and error in JSON_ERRORS:
            return JSON_ERRORS[error]
    if action is Action.VERIFY and answer.status == HTTPStatus.UNAUTHORIZED:
        return Over(State.FAILED, "access_token_refused", "http_401", refused=True)
    return None


def _says_expired(document: dict[str, Any] | None) -> bool:
    return document is not None and _EXPIRED in answers.strings(document.get("errors"))


def _read_pair(answer: Answer) -> Outcome:
    won = token_response.read(answer, _DOCUMENTED)
    if won is not None:
        return won
    # The protocol names no status for this refusal; any other body that is no pair may hide one.
    expired = _says_expired(answers.json_object(answer))
    return RenewFirst("token_expired") if expired else Unknown("unreadable_pair")


def _read_renewal(answer: Answer) -> Outcome:
    refused = _oauth1_refusal(Action.RENEW, answer)
    return refused or _renewed(answer) or Unknown("unreadable_token")


def _renewed(answer: Answer) -> Renewed | None:
    fields = answers.fields(answer)
    token, secret = fields.get("oauth_token"), fields.get("oauth_token_secret")
    handle = fields.get("oauth_session_handle")
    if not (answers.is_token(token) and answers.is_token(secret)):
        return None
    lifetime = answers.seconds(fields.get("oauth_expires_in"))
    expires_at = answer.received_at + timedelta(seconds=lifetime) if lifetime else None
    # A handle that cannot be sent back does not cost the token that came with it.
    kept = Secret(handle) if answers.is_token(handle) else None
    legacy = LegacyToken(Secret(token), Secret(secret), kept, expires_at)
    return Renewed(legacy, whole=answer.delimited)  # a form does not show where it ends, as JSON does


def _read_tenants(answer: Answer) -> Outcome:
    document = answers.json_value(answer)
    if not isinstance(document, list) or not all(isinstance(entry, dict) for entry in document):
        return Unknown("unreadable_connections")
    named = [entry for entry in document if entry.get("tenantId") is not None]
    if not all(isinstance(entry["tenantId"], str) and entry["tenantId"] for entry in named):
        return Unknown("unreadable_connections")
    return Reached(
        tuple(
            Tenant(
                entry["tenantId"],
                entry["tenantType"] if isinstance(entry.get("tenantType"), str) else "",
                answers.name(entry.get("tenantName")),
                answers.text(entry.get("authEventId")),
            )
            for entry in named
        )
    )


def _read_revoked(_answer: Answer) -> Outcome:
    return Revoked()  # whatever the body says: RFC 7009, 2.2


_READ_OK: Mapping[Action, Callable[[Answer], Outcome]] = {
    Action.SWAP: _read_pair,
    Action.REFRESH: _read_pair,
    Action.EXCHANGE_CODE: _read_pair,
    Action.RENEW: _read_renewal,
    Action.VERIFY: _read_tenants,
    Action.REVOKE: _read_revoked,
}
