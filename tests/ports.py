"""Ports for whoever must be told one before it listens.

Between the telling and the listening nobody else may take it. The system gives ports from 32,768 on to
whoever asks for any, as the sandboxes do; these lie below, and each process that runs tests has some of its
own.
"""

from __future__ import annotations

import os
import random
import socket
from contextlib import closing, suppress
from itertools import count

_FIRST = 10_000
_EACH = 1_000
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
# Another run of the tests may be under way beside this one.
_numbers = count(random.randrange(_EACH))


def free_port() -> int:
    """A port on which nobody listens, and nobody will who was not told of it."""
    for number in _numbers:
        port = _FIRST + _EACH * (_worker % 20) + number % _EACH
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("it counts for ever")
