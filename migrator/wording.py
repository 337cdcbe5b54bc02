"""Numbers with what they count, in English."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """A number and what it counts: ``1 pair``, ``1,200 pairs``.

    ``many`` is for what does not merely take an s, or goes on with a verb: ``row was``, ``rows were``.
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
