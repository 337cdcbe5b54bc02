"""Why a row cannot be taken apart, or not be used."""

from __future__ import annotations

from typing import NamedTuple


class RowProblem(NamedTuple):
    """What ``Reject`` says of a row, but for where the row stands."""

    reason: str
    """As in ``Reject.reason``."""
    detail: str
    """As in ``Reject.detail``: never quotes the row, nor a parser's message that may."""


class UnusableError(Exception):
    """A row cannot be used; the arguments are those of ``RowProblem``."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
