"""``/oauth/Authorize``: Xero's way back to the application also names the organisation."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from migrator.sandbox.oauth1 import authorisation

if TYPE_CHECKING:
    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.provider import Provider


def authorise(provider: Provider, call: Call) -> Answer:
    """Answer the next page, or the way back to the application."""
    return authorisation.authorise(provider, call, lambda tenant_id: {"org": _short_code(tenant_id)})


def _short_code(tenant_id: str) -> str:
    """Xero's name of an organisation in links: ``!`` and five letters or digits."""
    digest = hashlib.sha256(tenant_id.encode()).digest()
    return f"!{base64.b32encode(digest)[:5].decode()}"
