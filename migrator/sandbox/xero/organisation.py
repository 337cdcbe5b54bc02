"""``GET /api.xro/2.0/Organisation``: proof that a pair, or a legacy token, reaches a tenant."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrator.sandbox.http.messages import Answer, Call, Refusal
from migrator.sandbox.oauth1.authentication import in_one_transaction, read, require_alive
from migrator.sandbox.oauth1.problems import problem
from migrator.sandbox.oauth2 import bearer
from migrator.sandbox.xero import words

if TYPE_CHECKING:
    import sqlite3

    from migrator.sandbox.state.grants import Grant
    from migrator.sandbox.xero.authorisation_server import Xero

TENANT_HEADER = "xero-tenant-id"
TYPES = {"ORGANISATION": "COMPANY", "PRACTICE": "ACCOUNTING_PRACTICE"}
"""``OrganisationType`` by tenant type."""
COUNTRY_CODE = "NZ"
"""Of every organisation: the sandbox does not know more."""


def organisation(xero: Xero, call: Call) -> Answer:
    """Describe the tenant that the header names, if the access token's user has connected it.

    A legacy token is for one organisation, which needs no naming. The real provider also wants a scope of its
    own for this; here any will do.
    """
    row = _of_legacy_token(xero, call) if _is_signed(call) else _of_bearer(xero, call)
    described = {
        "OrganisationID": row["tenant_id"],
        "Name": row["tenant_name"],
        "OrganisationType": TYPES[row["tenant_type"]],
        "CountryCode": COUNTRY_CODE,
    }
    return Answer.of_json(200, {"Id": str(uuid.uuid4()), "Status": "OK", "Organisations": [described]})


def tenant_id(xero: Xero, call: Call) -> str:
    """The tenant that a call is for, whether or not it will be reached; empty where the call names none."""
    if not _is_signed(call):
        return call.headers.get(TENANT_HEADER, "").strip()
    try:
        token = read(call).oauth.get("oauth_token", "")
    except Refusal:
        return ""
    with xero.state.reading() as db:
        row = db.execute(
            "SELECT tenant_id FROM oauth1_tokens JOIN connections c ON c.id = connection_id WHERE token = ?",
            (token,),
        ).fetchone()
    return row["tenant_id"] if row else ""


def _of_bearer(xero: Xero, call: Call) -> sqlite3.Row:
    with xero.state.reading() as db:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM organisations WHERE user_id = ? AND oauth2_id IS NOT NULL AND tenant_id = ?",
            (bearer.user(xero, db, call), call.headers.get(TENANT_HEADER, "").strip()),
        ).fetchone()
    if row is None:
        raise words.refusal(403, "Forbidden", words.UNSUCCESSFUL)
    return row


def _is_signed(call: Call) -> bool:
    scheme = call.headers.get("authorization", "").partition(" ")[0].lower()
    return scheme == "oauth" or b"oauth_signature=" in call.query


def _of_legacy_token(xero: Xero, call: Call) -> sqlite3.Row:
    def find(db: sqlite3.Connection, grant: Grant) -> sqlite3.Row:
        require_alive(grant)
        if grant.expired(xero.clock.now()):
            raise problem("token_expired", "The access token has expired")
        row: sqlite3.Row = db.execute(
            "SELECT * FROM organisations WHERE user_id = ? AND tenant_id = ?",
            (grant.user_id, grant.tenant_id),
        ).fetchone()
        return row

    return in_one_transaction(xero, read(call), find)
