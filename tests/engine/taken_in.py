"""Puts connections into a ledger."""

from __future__ import annotations

import io

from migrator.ledger.job_ledger import Ledger
from migrator.sources import open_source
from migrator.sources.duplicates import DuplicateIndex
from migrator.sources.screening import screen
from tests import xero

RULES = xero.PROFILE.row_rules()


def take_in(ledger: Ledger, number: int, expires_at: str = "") -> None:
    """So many connections of a partner's, ``c0``, ``c1``, and so on."""
    rows = "".join(f"c{n},partner,TOKEN{n},SECRET{n},HANDLE{n},{expires_at}\n" for n in range(number))
    header = "connection_id,app_type,oauth_token,oauth_token_secret,oauth_session_handle,oauth_expires_at\n"
    source = open_source("-", stdin=io.BytesIO((header + rows).encode()), rules=RULES)
    with DuplicateIndex() as seen:
        ledger.take_in(screen([source], seen, RULES), ["-"], "xero", lambda _: None, terms=xero.TERMS)
