"""Who signed an OAuth 1.0a call, and whether the call is what it says (RFC 5849, section 3.2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from migrator.sandbox.http.forms import form_parameters
from migrator.sandbox.http.messages import FORM, Call, Refusal
from migrator.sandbox.oauth1 import consumers, nonces, signatures
from migrator.sandbox.oauth1.problems import problem
from migrator.sandbox.state import grants

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from migrator.sandbox.oauth1.consumers import Consumer
    from migrator.sandbox.provider import Provider
    from migrator.sandbox.state.grants import Grant

REQUIRED = (
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_nonce",
)
"""Of every signed call; most need a token too."""

T = TypeVar("T")


@dataclass(frozen=True)
class SignedCall:
    """A call's OAuth parameters, wherever they stood, and the base string that its signature is to match."""

    oauth: Mapping[str, str]
    """The ``oauth_`` parameters by name; each came once."""
    base_string: str


def read(call: Call) -> SignedCall:
    """Collect the OAuth parameters of header, query and form body (3.4.1.3.1, 3.5); raises ``Refusal``."""
    try:
        parameters = signatures.header_parameters(call.headers.get("authorization", "").encode("latin-1"))
    except signatures.MalformedHeaderError as error:
        raise problem("parameter_rejected", str(error)) from error
    parameters += form_parameters(call.query)
    if call.media_type == FORM:
        parameters += form_parameters(call.body)
    named = [(name.decode(errors="replace"), value.decode(errors="replace")) for name, value in parameters]
    oauth = [(name, value) for name, value in named if name.startswith("oauth_")]
    repeated = [name for name, times in Counter(name for name, _ in oauth).items() if times > 1]
    if repeated:
        raise problem("parameter_rejected", f"{repeated[0]} was given more than once")
    uri = signatures.base_string_uri(call.scheme, call.host, call.path)
    return SignedCall(dict(oauth), signatures.base_string(call.method, uri, parameters))


def in_one_transaction(
    provider: Provider, signed: SignedCall, effect: Callable[[sqlite3.Connection, Grant], T]
) -> T:
    """Authenticate a call with an access token and let ``effect`` happen, both in one transaction.

    ``effect`` refuses before it writes; a refusal still uses up the nonce, as the call itself was genuine.
    """
    return authenticated(provider, signed, _access_token, lambda db, _, row: effect(db, grants.of_row(row)))


def authenticated(
    provider: Provider,
    signed: SignedCall,
    find: Callable[[sqlite3.Connection, Consumer, str], sqlite3.Row] | None,
    effect: Callable[[sqlite3.Connection, Consumer, Any], T],
) -> T:
    """Authenticate a call with whatever token ``find`` finds, and let ``effect`` happen with it.

    ``find`` takes the consumer and the token's name and gives a row with its ``secret``, or refuses. Without
    it the call is to be signed with no token.
    """
    with provider.state.writing() as db:
        try:
            consumer, row = _authenticate(provider, db, signed, find)
            return effect(db, consumer, row)
        except Refusal as refusal:
            refused = refusal
    raise refused


def require_alive(grant: Grant) -> None:
    """Refuse a token that was renewed away or ended by its swap."""
    if not grant.alive:
        raise problem("token_rejected", "The access token is no longer valid")


def _authenticate(
    provider: Provider,
    db: sqlite3.Connection,
    signed: SignedCall,
    find: Callable[[sqlite3.Connection, Consumer, str], sqlite3.Row] | None,
) -> tuple[Consumer, sqlite3.Row | None]:
    required = REQUIRED if find is None else (*REQUIRED, "oauth_token")
    absent = [name for name in required if not signed.oauth.get(name)]
    if absent:
        raise problem("parameter_absent", f"{absent[0]} is missing")
    if signed.oauth.get("oauth_version", "1.0") != "1.0":
        raise problem("version_rejected", "oauth_version must be 1.0")
    now = provider.clock.now()
    timestamp = nonces.timestamp(signed.oauth["oauth_timestamp"], now)
    consumer = _consumer(provider, signed)
    token = signed.oauth.get("oauth_token", "")
    row = find(db, consumer, token) if find else None
    signature = signed.oauth["oauth_signature"]
    if not consumer.signed(signed.base_string, signature, row["secret"] if row else ""):
        raise problem("signature_invalid", "Failed to validate signature")
    nonces.use(db, (timestamp, consumer.key, token, signed.oauth["oauth_nonce"]), now)
    return consumer, row


def _access_token(db: sqlite3.Connection, consumer: Consumer, token: str) -> sqlite3.Row:
    row = grants.by_token(db, token)
    if row is None:
        raise problem("token_rejected", "The access token is not known")
    if row["consumer_key"] not in {"", consumer.key} or not consumer.may_use(row["app_type"]):
        raise problem("token_rejected", "The access token belongs to another application")
    return row


def _consumer(provider: Provider, signed: SignedCall) -> Consumer:
    consumer = consumers.by_key(provider.credentials).get(signed.oauth["oauth_consumer_key"])
    if consumer is None:
        raise problem("consumer_key_unknown", "Consumer key was not recognised")
    if signed.oauth["oauth_signature_method"] != consumer.method:
        raise problem("signature_method_rejected", f"The application is registered for {consumer.method}")
    return consumer
