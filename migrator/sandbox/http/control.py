"""``POST /_sandbox/clock``: what a test tells the sandbox itself, not the provider that it plays.

No fault and no limit befalls it, and the witness does not count it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from migrator.sandbox.errors import SandboxError
from migrator.sandbox.http.messages import JSON, Answer, Call

if TYPE_CHECKING:
    from migrator.sandbox.provider import Provider


def clock(provider: Provider, call: Call) -> Answer:
    """Move the clock on by ``advance_seconds`` and answer how far it has been moved in all."""
    if call.media_type != JSON:  # which also keeps a web page's forms out
        return _refused(415, f"The body must be {JSON}")
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        body = None
    seconds = body.get("advance_seconds") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return _refused(400, 'The body must be {"advance_seconds": SECONDS}')
    try:
        advanced = provider.clock.advance(seconds)
    except SandboxError as error:
        return _refused(400, str(error))
    return Answer.of_json(200, {"advanced_seconds": advanced})


def _refused(status: int, message: str) -> Answer:
    return Answer.of_json(status, {"error": "invalid_request", "message": message})
