"""Runs an export and sends it a signal when it has written its first row.

``python -m tests.handover.interrupted_export SIGNAL -- MIGRATOR-ARGUMENTS``
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

from migrator import cli
from migrator.ledger.exports import ExportedPair, Exports

if __name__ == "__main__":
    number, _, *arguments = sys.argv[1:]
    taken = Exports.taken

    def interrupted(*given: Any) -> Iterator[ExportedPair]:
        for count, pair in enumerate(taken(*given)):
            if count == 1:
                os.kill(os.getpid(), int(number))
            yield pair

    Exports.taken = interrupted  # type: ignore[method-assign, assignment]
    sys.argv = ["migrator", *arguments]
    cli.main()
