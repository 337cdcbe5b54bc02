"""A call as it arrived, the answer to it, and a refusal: HTTP without a web framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
NO_STORE = {"Cache-Control": "no-store"}
"""Of answers that carry tokens (RFC 6749, 5.1)."""


@dataclass(frozen=True)
class Call:
    """One request, byte for byte where a signature depends on it."""

    method: str
    target: bytes
    """The request target as sent: path, and the query after ``?``; percent-encoding and case kept."""
    host: str
    """The ``Host`` header; empty if there was none."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes = b""
    scheme: str = "http"
    """As the client sees it; a proxy before the sandbox may speak ``https`` with it."""
    address: str = ""
    """Whence it came."""

    @property
    def path(self) -> bytes:
        """The path as sent."""
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """The query as sent, without ``?``."""
        return self.target.partition(b"?")[2]

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    body: bytes
    content_type: str
    """Empty where there is no body."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_json(cls, status: int, document: object, headers: Mapping[str, str] | None = None) -> Answer:
        """A JSON document."""
        return cls(status, json.dumps(document).encode(), f"{JSON}; charset=utf-8", headers or {})

    @classmethod
    def of_html(cls, status: int, page: str, headers: Mapping[str, str] | None = None) -> Answer:
        """A page for people."""
        return cls(status, page.encode(), "text/html; charset=utf-8", headers or {})

    @classmethod
    def redirect(cls, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """To another place."""
        return cls(302, b"", "", {"Location": url, **NO_STORE, **(headers or {})})

    @classmethod
    def of_form(cls, status: int, fields: Mapping[str, str], content_type: str = FORM) -> Answer:
        """A form-encoded body, spaces as ``%20``."""
        return cls(status, urlencode(fields, quote_via=quote).encode(), content_type)

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same answer with further headers."""
        return replace(self, headers={**self.headers, **headers})


class Refusal(Exception):  # noqa: N818 - what the provider says, not what went wrong here
    """The provider says no. Whatever was written before it was raised is decided by who raised it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer
