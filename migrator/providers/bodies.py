"""What the body of an answer is as JSON, and as a form; nothing is known of it but that it came."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl


def json_of(body: bytes) -> Any:
    """The body as JSON, or None."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def form_of(body: bytes) -> dict[str, str]:
    """The body as form fields; nothing if it is not a form."""
    try:
        return form_fields(body.decode("utf-8"))
    except ValueError:
        return {}


def form_fields(text: str) -> dict[str, str]:
    """The same for a text: the first of repeated fields."""
    try:
        pairs = parse_qsl(text.strip(), strict_parsing=True, keep_blank_values=True)
    except ValueError:
        return {}
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields
