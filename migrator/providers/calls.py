"""Puts a call together, as its provider's profile says it: nothing is sent here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit, urlunsplit

from migrator.models import Credentials, LegacyToken, Secret, TokenPair
from migrator.providers.echoes import tokens_of
from migrator.providers.facts import Auth, CallFacts, ClientStyle, Facts
from migrator.providers.interface import (
    ApplicationBearer,
    Basic,
    Bearer,
    Request,
    Signed,
    Unauthenticated,
)
from migrator.providers.templates import ROW, Values, fill, fill_url

USER_AGENT = "oauth-migrator"
"""Without a version: some providers want the same one for ever."""
_EMPTY = Secret("")


@dataclass(frozen=True)
class Given:
    """What a call is made with: the application's credentials, and what it is about."""

    credentials: Credentials
    legacy: LegacyToken | None = None
    pair: TokenPair | None = None
    row: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Columns of the connection."""
    code: Secret = _EMPTY
    """An authorisation code (RFC 6749, 4.1.2)."""
    code_verifier: Secret = _EMPTY
    """What proves that we asked for it (RFC 7636)."""
    redirect_uri: str = ""
    """The very one that it was asked for with."""
    user_agent: str = USER_AGENT
    """What we call ourselves (RFC 9110, 10.1.5)."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that the provider may repeat in its answer, and nobody may read there."""
        own = (self.credentials.client_secret, self.credentials.consumer_secret)
        return (*own, self.code, self.code_verifier, *tokens_of(self.legacy, self.pair))

    def values(self) -> Values:
        """What stands for each placeholder."""
        legacy = self.legacy or LegacyToken(Secret(""))
        return {
            "token": legacy.token,
            "token_secret": legacy.token_secret,
            "session_handle": legacy.session_handle or Secret(""),
            "consumer_key": self.credentials.consumer_key,
            "consumer_secret": self.credentials.consumer_secret,
            "client_id": self.credentials.client_id,
            "client_secret": self.credentials.client_secret,
            "scope": " ".join(self.credentials.scopes),
            "user_agent": self.user_agent,
            "redirect_uri": self.redirect_uri or self.credentials.redirect_uri,
            "access_token": self.pair.access_token if self.pair else Secret(""),
            "refresh_token": self.pair.refresh_token if self.pair else Secret(""),
            "code": self.code,
            "code_verifier": self.code_verifier,
            **{f"{ROW}{name}": value for name, value in self.row.items()},
        }


def request(facts: Facts, call: CallFacts, given: Given, base_url: str = "") -> Request:
    """One call of a provider; ``base_url`` replaces scheme and host of its URL, if given.

    Raises ``ValueError`` for a signed call without a legacy token, or one with an access token that has none.
    """
    values = given.values()
    client = _client_fields(facts, call, given.credentials)
    form, json = _filled(call.form, call, values), _filled(call.json, call, values)
    if facts.client is ClientStyle.JSON:
        json = {**(json or {}), **client} if client else json
    elif client:
        form = {**(form or {}), **client}
    return Request(
        call.method,
        _url(call, values, base_url),
        _auth(facts, call, given, values),
        json=json,
        form=form,
        body=fill(call.body, values),
        headers=(_filled({**facts.headers, **call.headers}, call, values) or {})
        | ({"Content-Type": call.content_type} if call.content_type else {}),
    )


def _url(call: CallFacts, values: Values, base_url: str) -> str | Secret:
    url = fill_url(call.url, values)
    query = _filled(call.query, call, values) or {}
    plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in query.items()}
    revealed = rebased(url.reveal() if isinstance(url, Secret) else url, base_url)
    whole = f"{revealed}?{urlencode(plain)}" if plain else revealed
    secret = isinstance(url, Secret) or any(isinstance(value, Secret) for value in query.values())
    return Secret(whole) if secret else whole


def texts(call: CallFacts, *, optional: bool = True) -> tuple[str, ...]:
    """All texts of a call that may hold placeholders; without those of ``optional`` fields, if asked so."""
    tables = (call.query, call.form or {}, call.json or {}, call.headers, call.oauth)
    fields = (field for table in tables for field in table.items())
    return (call.url, call.body, *(text for name, text in fields if optional or name not in call.optional))


def rebased(url: str, base_url: str) -> str:
    """The URL with another scheme, host and path before its own; unchanged where there is none."""
    parts = urlsplit(url)
    return base_url + urlunsplit(("", "", parts.path, parts.query, "")) if base_url else url


def _filled(
    fields: Mapping[str, str] | None, call: CallFacts, values: Values
) -> dict[str, str | Secret] | None:
    if fields is None:
        return None
    filled = {name: fill(text, values) for name, text in fields.items()}
    return {name: value for name, value in filled.items() if value or name not in call.optional}


def _auth(
    facts: Facts, call: CallFacts, given: Given, values: Values
) -> Signed | Bearer | Basic | ApplicationBearer | Unauthenticated:
    match call.auth:
        case Auth.OAUTH1:
            if given.legacy is None:
                raise ValueError("a call that is signed needs a legacy token")
            filled = _filled(call.oauth, call, values) or {}
            further = {name: _secret(value) for name, value in filled.items()}
            return Signed(given.legacy, given.credentials, further, in_query=facts.signature_in == "query")
        case Auth.BEARER:
            if given.pair is None:
                raise ValueError("a call with an access token needs a pair")
            return Bearer(given.pair.access_token)
        case Auth.CLIENT if facts.client is ClientStyle.BASIC and not _public(facts, given.credentials):
            return Basic(given.credentials)
        case Auth.APPLICATION_BEARER:
            return ApplicationBearer()
        case _:
            return Unauthenticated()


def _client_fields(facts: Facts, call: CallFacts, credentials: Credentials) -> dict[str, str | Secret]:
    """What of the client's credentials stands among the fields (RFC 6749, 2.3.1)."""
    if call.auth is not Auth.CLIENT or facts.client is ClientStyle.NONE:
        return {}
    if _public(facts, credentials) or facts.client is ClientStyle.CLIENT_ID:
        return {"client_id": credentials.client_id}
    if facts.client is ClientStyle.BASIC:
        return {}
    return {"client_id": credentials.client_id, "client_secret": credentials.client_secret}


def _public(facts: Facts, credentials: Credentials) -> bool:
    return facts.client_public and not credentials.client_secret


def _secret(value: str | Secret) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)
