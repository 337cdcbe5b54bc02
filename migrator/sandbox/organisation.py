"""``GET /api.xro/2.0/Organisation``: proof that a pair reaches the tenant that it was swapped for."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from migrator.sandbox import bearer
from migrator.sandbox.messages import Answer, Call

if TYPE_CHECKING:
    from migrator.sandbox.provider import Provider

TENANT_HEADER = "xero-tenant-id"
TYPES = {"ORGANISATION": "COMPANY", "PRACTICE": "ACCOUNTING_PRACTICE"}
"""``OrganisationType`` by tenant type."""
COUNTRY_CODE = "NZ"
"""Of every organisation: the sandbox does not know more."""


def organisation(provider: Provider, call: Call) -> Answer:
    """Describe the tenant that the header names, if the access token's user has connected it.

    The real provider also wants a scope of its own for this; here any will do.
    """
    with provider.state.reading() as db:
        row = db.execute(
            "SELECT * FROM organisations WHERE user_id = ? AND oauth2_id IS NOT NULL AND tenant_id = ?",
            (bearer.user(provider, db, call), call.headers.get(TENANT_HEADER, "").strip()),
        ).fetchone()
    if row is None:
        raise bearer.refusal(403, "Forbidden", bearer.UNSUCCESSFUL)
    described = {
        "OrganisationID": row["tenant_id"],
        "Name": row["tenant_name"],
        "OrganisationType": TYPES[row["tenant_type"]],
        "CountryCode": COUNTRY_CODE,
    }
    return Answer.of_json(200, {"Id": str(uuid.uuid4()), "Status": "OK", "Organisations": [described]})
