"""Where that goes which a stream cannot take."""

from __future__ import annotations

import os
from typing import TextIO


def divert(stream: TextIO) -> None:
    """Let what is still buffered for a stream, and all that follows, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
