"""Every call to Tumblr must say which program makes it.

It is to say the same each time, too. What Tumblr does where it does not is not known, and an application may
be several programs, so that is held against nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.tumblr import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrator.sandbox.http.messages import Answer, Call
    from migrator.sandbox.http.service import Endpoint
    from migrator.sandbox.tumblr.provider import Tumblr


def required(endpoint: Callable[[Tumblr, Call], Answer], tumblr: Tumblr) -> Endpoint:
    """The endpoint, for calls that name a ``User-Agent``; others are refused with a 403."""

    def answer(call: Call) -> Answer:
        if not call.headers.get("user-agent", "").strip():
            raise words.error(403, "A User-Agent header is required.")
        return endpoint(tumblr, call)

    return answer
