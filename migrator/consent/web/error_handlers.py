"""What is answered where no route is asked for, a request is refused, or a route fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response, request
from werkzeug.exceptions import HTTPException

from migrator.consent.pages.texts import message_pages
from migrator.consent.pages.texts.message import Message
from migrator.consent.web.invitation_links import InvitationLinks, may_ask_for_link
from migrator.consent.web.protection.limits import LARGEST_REQUEST
from migrator.consent.web.responses import Responses
from migrator.errors import LedgerUnwritableError

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

log = logging.getLogger(__name__)

_MESSAGES = {
    404: message_pages.NOT_FOUND,
    405: message_pages.METHOD_NOT_ALLOWED,
    413: message_pages.CONTENT_TOO_LARGE,
    414: message_pages.CONTENT_TOO_LARGE,
}


def message_of(status: int) -> Message:
    """What is said with the status of an error that is not ours."""
    return _MESSAGES.get(status, message_pages.NOT_FOUND)


class ErrorHandlers:
    """Answer what no route does."""

    def __init__(
        self, links: InvitationLinks, responses: Responses, on_unwritable: Callable[[BaseException], None]
    ) -> None:
        """``on_unwritable`` is told when the ledger cannot be written: then nobody may be sent to the
        provider.
        """
        self._links = links
        self._responses = responses
        self._on_unwritable = on_unwritable

    def too_large(self) -> Response | None:
        """Refuse what is longer than any request to us could be."""
        length = request.content_length
        chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
        if chunked or (length or 0) > LARGEST_REQUEST:
            response = self._responses.message(message_pages.CONTENT_TOO_LARGE, 413)
            response.headers["Connection"] = "close"
            return response
        return None

    def http_error(self, error: HTTPException) -> BaseResponse:
        """What the router or Flask refuses."""
        status = error.code or 500
        if status < 400:  # noqa: PLR2004 - a redirect of the router's
            return error.get_response()
        if status in (404, 405) and request.method in ("GET", "HEAD") and (found := self._link_elsewhere()):
            return found
        response = self._responses.message(message_of(status), status)
        for name, value in error.get_headers():
            if name == "Allow":
                response.headers[name] = value
        return response

    def _link_elsewhere(self) -> Response | None:
        """Where there is no such page: a link may still stand in it, or what is left of one."""
        invitation = self._links.requested()
        if invitation is not None:
            return self._responses.to_link(invitation)
        return self._responses.invalid_link() if may_ask_for_link() else None

    def unwritable(self, error: LedgerUnwritableError) -> Response:
        """Nothing further may be sent: what came could not be recorded."""
        self._on_unwritable(error)
        return self._responses.message(message_pages.INTERNAL_ERROR, 503)

    def internal_error(self, error: Exception) -> Response:
        """Ours; the place is for the log, the message might quote a secret."""
        trace, where = error.__traceback__, "nowhere"
        while trace is not None:
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        log.error("a page failed: %s at %s", type(error).__name__, where)
        return self._responses.message(message_pages.INTERNAL_ERROR, 500)
