"""``/_sandbox/…``: what a test asks and tells the sandbox itself, not the provider that it plays.

No fault and no limit concerns these calls, and the witness does not count them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrator.sandbox.errors import SandboxError
from migrator.sandbox.http.documents import json_object
from migrator.sandbox.http.forms import form_fields
from migrator.sandbox.http.messages import JSON, Answer, Call

if TYPE_CHECKING:
    from migrator.sandbox.state.clock import Clock
    from migrator.sandbox.state.witness import Witness


def stats(witness: Witness, call: Call) -> Answer:
    """``GET /_sandbox/stats``: what the witness saw; with ``tokens=0`` in the query the totals alone."""
    tokens = next((value for name, value in form_fields(call.query) if name == "tokens"), "") != "0"
    return Answer.of_json(200, witness.collect(tokens=tokens))


def move_clock(clock: Clock, call: Call) -> Answer:
    """``POST /_sandbox/clock``: move the clock on by ``advance_seconds``; answers by how much in all."""
    if call.media_type != JSON:  # which also keeps a web page's forms out
        return _refused(415, f"The body must be {JSON}")
    seconds = (json_object(call.body) or {}).get("advance_seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return _refused(400, 'The body must be {"advance_seconds": SECONDS}')
    try:
        advanced = clock.advance(seconds)
    except SandboxError as error:
        return _refused(400, str(error))
    return Answer.of_json(200, {"advanced_seconds": advanced})


def _refused(status: int, message: str) -> Answer:
    return Answer.of_json(status, {"error": "invalid_request", "message": message})
