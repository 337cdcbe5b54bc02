"""``/connections``: which tenants an access token's user has connected, and disconnecting one.

A tenant is connected by its swap, or by a consent. It is disconnected by ``DELETE``, and with the revocation
of the last pair of its user that worked. Its legacy token is not touched: another swap connects it again,
under a new id.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from migrator.sandbox.http.forms import form_fields
from migrator.sandbox.http.messages import Answer, Call
from migrator.sandbox.oauth2 import bearer
from migrator.sandbox.state import tenants
from migrator.sandbox.xero import words

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.xero.authorisation_server import Xero


def connections(xero: Xero, call: Call) -> Answer:
    """Answer every connected tenant of the access token's user, whichever of the user's pairs it is of.

    With ``authEventId`` in the query, those that this consent connected.
    """
    wanted = dict(form_fields(call.query)).get("authEventId", "")
    with xero.state.reading() as db:
        rows = db.execute(
            "SELECT * FROM organisations WHERE user_id = :user AND oauth2_id IS NOT NULL"
            " AND (:event = '' OR auth_event_id = :event COLLATE NOCASE) ORDER BY connected_at, id",
            {"user": bearer.user(xero, db, call), "event": wanted},
        ).fetchall()
    return Answer.of_json(200, [_described(row) for row in rows])


def disconnect(xero: Xero, call: Call) -> Answer:
    """Disconnect the tenant whose connection id ends the path; every pair lives on, without this tenant."""
    oauth2_id = call.path.rpartition(b"/")[2].decode(errors="replace").lower()
    with xero.state.writing() as db:
        row = db.execute(
            "SELECT id FROM organisations WHERE user_id = ? AND oauth2_id = ?",
            (bearer.user(xero, db, call), oauth2_id),
        ).fetchone()
        if row is None:
            raise words.refusal(404, "Not Found", "The user has no such connection")
        tenants.disconnect(db, row["id"])
    return Answer(204, b"", "")


def _described(row: sqlite3.Row) -> dict[str, str | None]:
    return {
        "id": row["oauth2_id"],
        "authEventId": row["auth_event_id"],  # null: no consent led here
        "tenantId": row["tenant_id"],
        "tenantType": row["tenant_type"],
        "tenantName": row["tenant_name"],
        "createdDateUtc": _seven_digits(row["connected_at"]),
        "updatedDateUtc": _seven_digits(row["updated_at"]),
    }


def _seven_digits(seconds: float) -> str:
    """The provider's way to write a time: UTC, seven fractional digits, no ``Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
