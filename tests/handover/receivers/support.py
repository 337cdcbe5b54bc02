"""What the tests of receivers have in common: rows as an export has them, and deliveries of some."""

from __future__ import annotations

from migrator.handover.receivers.interface import Delivery
from migrator.handover.shapes import Row

HUSH = "HUSH7HUSH"
"""Stands in every token; must come out of nothing."""


def row(number: int, filler: str = "") -> Row:
    return {
        "connection_id": f"k{number}",
        "organisation": "Müller & Söhne\u2028",
        "access_token": f"{HUSH}-access-{number}-{filler}",
        "refresh_token": f"{HUSH}-refresh-{number}-{filler}",
        "expires_at": "2026-06-01T12:30:00+00:00",
        "tenant_id": None,
        "generation": number,
    }


def delivery(*numbers: int, filler: str = "", called: str = "d-1") -> Delivery:
    return Delivery(called, [row(number, filler) for number in numbers])
