"""What the form endpoints of OAuth 2.0 share: the form, the client's authentication, and how they say no.

RFC 6749, sections 2.3 and 5.2; RFC 7009 refers to them.
"""

from __future__ import annotations

import base64
import hmac
from collections import Counter
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from migrator.sandbox.http.forms import form_fields
from migrator.sandbox.http.messages import FORM, NO_STORE, Answer, Call, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrator.sandbox.state.portal import Credentials


def read_form(call: Call) -> dict[str, str]:
    """The fields of a form-encoded body, each of which came once; raises ``Refusal``."""
    if call.media_type != FORM:
        raise error("invalid_request", f"The body must be {FORM}")
    fields = form_fields(call.body)
    repeated = [name for name, times in Counter(name for name, _ in fields).items() if times > 1]
    if repeated:
        raise error("invalid_request", f"{repeated[0]} was given more than once")
    return dict(fields)


def authenticate(credentials: Credentials, call: Call, form: Mapping[str, str], *, status: int = 400) -> str:
    """The client's id, from a Basic header or from the body, but not from both (2.3); raises ``Refusal``.

    The public client says only who it is; in a header its secret is empty. ``status`` of the refusal where
    there is no header; who tried with one gets a 401 in any case (5.2).
    """
    authorization = call.headers.get("authorization")
    if authorization is None:
        client_id, client_secret = form.get("client_id"), form.get("client_secret")
        if client_id is not None and _authentic(credentials, client_id, client_secret):
            return client_id
        raise error("invalid_client", "client_id and client_secret are missing or wrong", status)
    if "client_secret" in form:
        raise error("invalid_request", "The client authenticates twice, in the header and in the body")
    client_id, client_secret = _basic_credentials(authorization) or (None, None)
    if client_id is None or form.get("client_id", client_id) != client_id:
        raise error("invalid_client", None, 401)
    if not _authentic(credentials, client_id, client_secret):
        raise error("invalid_client", None, 401)
    return client_id


class Manner(Enum):
    """How a client says who it is."""

    BASIC = auto()
    """In a Basic header."""
    BODY = auto()
    """With id and secret in the body."""
    NAMED = auto()
    """With its id in the body, and no more."""


def identify(credentials: Credentials, call: Call, fields: Mapping[str, object]) -> tuple[str, Manner] | None:
    """Who calls, and how it says so; None: nobody who is known, or one who says it twice.

    Which manners will do, and whether the public client may come without a secret, is the provider's to ask.
    """
    authorization = call.headers.get("authorization")
    if authorization is not None:
        client_id, secret = _basic_credentials(authorization) or ("", "")
        if fields.get("client_id", client_id) != client_id or "client_secret" in fields:
            return None
        return (client_id, Manner.BASIC) if secret_valid(credentials, client_id, secret) else None
    named = str(fields.get("client_id", ""))
    if "client_secret" in fields:
        valid = secret_valid(credentials, named, fields["client_secret"])
        return (named, Manner.BODY) if valid else None
    known = {credentials.client_id, credentials.public_client_id}
    return (named, Manner.NAMED) if named and named in known else None


def secret_valid(credentials: Credentials, client_id: object, client_secret: object) -> bool:
    """Whether these are the confidential client's id and secret."""
    return _same(credentials.client_id, client_id) and _same(credentials.client_secret, client_secret)


def error(word: str, description: str | None, status: int = 400) -> Refusal:
    """One of the error words of 5.2; a 401 names the scheme that would do."""
    document = {"error": word, "error_description": description} if description else {"error": word}
    headers = {**NO_STORE, "WWW-Authenticate": 'Basic realm="sandbox"'} if status == 401 else NO_STORE  # noqa: PLR2004
    return Refusal(Answer.of_json(status, document, headers))


def _authentic(credentials: Credentials, client_id: str, client_secret: str | None) -> bool:
    if client_id == credentials.public_client_id:
        return not client_secret
    return secret_valid(credentials, client_id, client_secret)


def _basic_credentials(authorization: str) -> tuple[str, str] | None:
    """Id and secret of a ``Basic`` header (each form-encoded, 2.3.1), or None if it is none."""
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (unquote_plus(client_id), unquote_plus(client_secret)) if colon else None


def _same(expected: str, given: object) -> bool:
    return isinstance(given, str) and hmac.compare_digest(expected.encode(), given.encode(errors="replace"))
