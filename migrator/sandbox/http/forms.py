"""Form-encoded text, in queries and in bodies: reading it, and adding to a URL's query.

Everything is read as bytes first, so that a signature over what is no UTF-8 can be verified as it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

Parameter = tuple[bytes, bytes]
"""Name and value, decoded."""


def form_parameters(encoded: bytes) -> list[Parameter]:
    """A query or a form body, decoded (RFC 5849, 3.4.1.3.1: ``+`` is a space; no ``=``: an empty value)."""
    parameters = []
    for part in encoded.replace(b"+", b" ").split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            parameters.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return parameters


def form_fields(encoded: bytes) -> list[tuple[str, str]]:
    """The same as text; what is no UTF-8 becomes the replacement character."""
    return [
        (name.decode(errors="replace"), value.decode(errors="replace"))
        for name, value in form_parameters(encoded)
    ]


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """The URL with further fields in its query; those that it has stay (RFC 6749, 3.1.2)."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(fields)]))))
