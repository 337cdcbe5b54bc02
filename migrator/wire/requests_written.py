"""A provider's request, written down as HTTP/1.1 (RFC 9112, 2.1): what is sent, byte by byte."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import assert_never
from urllib.parse import urlencode

from migrator import __version__
from migrator.models import Secret
from migrator.providers import (
    ApplicationBearer,
    Basic,
    Bearer,
    Request,
    Signed,
    Unauthenticated,
)
from migrator.wire import signing
from migrator.wire.targets import Origin, target_of

_FORM = "application/x-www-form-urlencoded"
_OF_EVERY_CALL = {
    "User-Agent": f"oauth-migrator/{__version__}",
    "Accept-Encoding": "identity",  # answers are short, and one that breaks off is worth more plain
    "Accept": "application/json",
    "Connection": "keep-alive",
}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A token (RFC 9110, 5.6.2)."""
_VALUE = re.compile(r"(?:\S[^\r\n\0]*)?", re.ASCII)
"""What does not end its line (RFC 9110, 5.5)."""


@dataclass(frozen=True)
class Written:
    """A request, ready to be sent."""

    origin: Origin
    text: bytes = field(repr=False)
    """Head and body."""


def written(request: Request, now: datetime) -> Written:
    """A request as it is sent, signed with the clock that says ``now`` (UTC).

    Raises ``ValueError`` for what cannot be written down; its text may show secrets.
    """
    target = target_of(request.url)
    body, kind = _body(request)
    headers = _Headers({"Host": target.origin.authority, **_OF_EVERY_CALL})
    if kind:
        headers.put("Content-Type", kind)
    for name, value in request.headers.items():
        headers.put(name, _revealed(value))
    query = target.query
    if isinstance(request.auth, Signed):
        form = body if _FORM in headers.get("Content-Type") else ""
        parameters = signing.sign(request.auth, request.method, target.signed, form, now)
        if request.auth.in_query:
            query = "&".join(filter(None, (query, signing.query(parameters))))
        else:
            headers.put("Authorization", signing.header(parameters))
    elif authorization := _authorization(request.auth):
        headers.put("Authorization", authorization)
    content = body.encode()
    if content or request.method != "GET":  # without a length, an empty body is no body (RFC 9110, 8.6)
        headers.put("Content-Length", str(len(content)))
    line = f"{request.method} {target.path}{'?' if query else ''}{query} HTTP/1.1"
    return Written(target.origin, f"{line}\r\n{headers.text()}\r\n".encode() + content)


class _Headers:
    """Header lines, each name once in whatever case; of two the later holds."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = {name.lower(): (name, value) for name, value in fields.items()}

    def put(self, name: str, value: str) -> None:
        """Add one. Raises ``ValueError`` for what no header line can say."""
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise ValueError("not a header")
        self._fields[name.lower()] = name, value

    def get(self, name: str) -> str:
        """One's value; empty if there is none."""
        return self._fields.get(name.lower(), (name, ""))[1]

    def text(self) -> str:
        return "".join([f"{name}: {value}\r\n" for name, value in self._fields.values()])


def _body(request: Request) -> tuple[str, str]:
    """The body, and the type that it has if nobody says otherwise."""
    if request.body:
        return _revealed(request.body), ""
    if request.form:
        return urlencode(_reveal(request.form)), _FORM
    if request.json is not None:
        return json.dumps(_reveal(request.json)), "application/json"
    return "", ""


def _authorization(auth: Bearer | Basic | ApplicationBearer | Unauthenticated) -> str:
    match auth:
        case Bearer():
            return f"Bearer {auth.access_token.reveal()}"
        case Basic():
            name = f"{auth.credentials.client_id}:{auth.credentials.client_secret.reveal()}"
            return f"Basic {base64.b64encode(name.encode()).decode()}"
        case Unauthenticated():
            return ""
        case ApplicationBearer():
            raise ValueError("the application's own access token was not fetched")
    assert_never(auth)


def _reveal(fields: Mapping[str, str | Secret]) -> dict[str, str]:
    return {name: _revealed(value) for name, value in fields.items()}


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
