"""Texts with placeholders: ``{token}:{token_secret}``. A text that a secret was put into is a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

from migrator.models import Secret

PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_ -]+)?)\}")
"""A name in braces; ``row.NAME`` is a column of the input."""
ROW = "row."

Values = Mapping[str, "str | Secret"]
"""What stands for each placeholder."""


def names(texts: Iterable[str]) -> frozenset[str]:
    """The placeholders in some texts."""
    return frozenset(name for text in texts for name in PLACEHOLDER.findall(text))


def fill(text: str, values: Values) -> str | Secret:
    """The text with its placeholders filled; what has no value is empty."""
    return _fill(text, values, lambda value: value)


def fill_url(text: str, values: Values) -> str | Secret:
    """The same for a URL: what stands in its path is percent-encoded (RFC 3986, 2.1).

    A placeholder that it begins with is a base URL, and stands as it is.
    """
    base = PLACEHOLDER.match(text)
    if base is None:
        return _fill(text, values, lambda value: quote(value, safe=""))
    begins = fill(base.group(), values)
    return _joined(begins, _fill(text[base.end() :], values, lambda value: quote(value, safe="")))


def _fill(text: str, values: Values, encode: Callable[[str], str]) -> str | Secret:
    parts = list(_parts(text))
    secret = False
    for at in range(1, len(parts), 2):
        value = values.get(parts[at], "")
        secret = secret or isinstance(value, Secret)
        parts[at] = encode(value.reveal() if isinstance(value, Secret) else value)
    filled = "".join(parts)
    return Secret(filled) if secret else filled


@lru_cache(maxsize=1024)  # the texts of profiles: few, and none is secret
def _parts(text: str) -> tuple[str, ...]:
    """A text, taken apart: what stands in it as it is, a placeholder's name, and so on in turn."""
    return tuple(PLACEHOLDER.split(text))


def _joined(begins: str | Secret, ends: str | Secret) -> str | Secret:
    if isinstance(begins, str) and isinstance(ends, str):
        return begins + ends
    return Secret("".join(part.reveal() if isinstance(part, Secret) else part for part in (begins, ends)))
