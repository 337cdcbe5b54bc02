"""Prints of values, in memory: 28 bytes each, and a search of about one step."""

from __future__ import annotations

import mmap
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLOTS_A_PRINT = 1.6
"""At the least: where slots are scarce, looking for a free one takes long."""


class PrintsInMemory:
    """As many as are announced, each with its place, in a hash table with open addressing (Knuth, TAOCP 6.4).

    The memory is the system's, and ours only as far as it was written to: few prints take little of it.
    A print is two numbers, one as wide as Python's hashes and one of 32 bits: the first tells where to look.
    """

    def __init__(self, most: int) -> None:
        """``most`` prints find room."""
        bits = int(most * _SLOTS_A_PRINT).bit_length()
        self._mask = (1 << bits) - 1
        self._shift = sys.hash_info.width - bits
        # From each slot to what it holds; 0 is nothing, so that the first of the others stays unused.
        self._slots = memoryview(mmap.mmap(-1, 4 << bits)).cast("I")
        self._firsts = memoryview(mmap.mmap(-1, 8 * (most + 1))).cast("q")
        self._seconds = memoryview(mmap.mmap(-1, 4 * (most + 1))).cast("I")
        self._places = memoryview(mmap.mmap(-1, 8 * (most + 1))).cast("q")
        self._number = 0
        self._last_slot = 0

    def meet(self, first: int, second: int, place: int) -> int | None:
        """Where a print was met before; if nowhere, remember that it was at ``place``, and return None."""
        slots, mask = self._slots, self._mask
        # The upper bits, so that the slots have the prints in nearly the order of their numbers.
        slot = first >> self._shift & mask
        while held := slots[slot]:
            if self._firsts[held] == first and self._seconds[held] == second:
                return self._places[held]
            slot = slot + 1 & mask
        self._number = number = self._number + 1
        self._firsts[number] = first
        self._seconds[number] = second
        self._places[number] = place
        slots[slot] = number
        self._last_slot = slot
        return None

    def forget_last(self) -> None:
        """Forget the print that was remembered last, which can be done once: no search leads past it yet."""
        self._slots[self._last_slot] = 0
        self._number -= 1

    def all(self) -> Iterator[tuple[int, int, int]]:
        """Every print in two numbers, and its place."""
        for held in self._slots:
            if held:
                yield self._firsts[held], self._seconds[held], self._places[held]
