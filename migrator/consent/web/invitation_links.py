"""The links to invitations: read out of a request, and written into a page."""

from __future__ import annotations

from flask import request

from migrator.consent.links.tokens import Tokens, may_be_link
from migrator.consent.public_url import LINK, PublicUrl
from migrator.ledger.consent_ledger import ConsentLedger
from migrator.ledger.invitations import Invitation


class InvitationLinks:
    """Reads and writes the links of one campaign."""

    def __init__(self, ledger: ConsentLedger, public_url: PublicUrl) -> None:
        self._ledger = ledger
        self._url = public_url
        self._tokens = Tokens(ledger.link_key)

    def requested(self) -> Invitation | None:
        """The invitation whose token stands anywhere in what is asked for."""
        invitation_id = self._tokens.read(_requested_path_and_query())
        return self._ledger.invitation(invitation_id) if invitation_id else None

    def token(self, invitation_id: str) -> str:
        """The token of an invitation."""
        return self._tokens.of(invitation_id)

    def path(self, invitation_id: str) -> str:
        """The path of its link."""
        return LINK + self.token(invitation_id)

    def url(self, invitation_id: str) -> str:
        """Its link."""
        return self._url.of(self.path(invitation_id))


def may_ask_for_link() -> bool:
    """Whether the request may be for a link, though it holds no token of ours."""
    return may_be_link(_requested_path_and_query())


def _requested_path_and_query() -> str:
    """Both: links are broken where nobody expects it, also by a question mark."""
    return f"{request.path}?{request.query_string.decode('latin-1')}"
