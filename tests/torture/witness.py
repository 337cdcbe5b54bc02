"""What a damaged file holds, counted without migrator's readers, and held against what they made of it.

The sample files' tokens and secrets are words that stand nowhere else, so that a line which holds a whole one
is known for a line of data, whatever quotation marks and brackets make of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrator.models import Reject
from migrator.sources import Source
from migrator.sources.csv_file import CsvFile
from migrator.sources.json_array import JsonArray
from migrator.sources.screening import Accepted

_WORD = re.compile(rb"(?<![0-9A-Z])SAMPLE[0-9A-Z]{24}(?![0-9A-Z])")
"""A token or a token secret; handles are shorter."""
_TOKEN = re.compile(rb'"oauth_token": "(\w+)"')
_ELEMENT = re.compile(rb"^  \{\n.*?\n  \}", re.DOTALL | re.MULTILINE)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_EXTENT = re.compile(r"lines (\d+) to (\d+)")

Outcome = Accepted | Reject


@dataclass(frozen=True)
class Originals:
    """The undamaged files: their lines, the tokens and secrets in them, and the elements of an array."""

    lines: frozenset[bytes]
    words: frozenset[bytes]
    elements: Sequence[bytes]

    @classmethod
    def of(cls, contents: Iterable[bytes]) -> Originals:
        """The files with these contents."""
        contents = list(contents)
        return cls(
            frozenset(line for content in contents for line in _LINE_END.split(content)),
            frozenset(word for content in contents for word in _WORD.findall(content)),
            [element for content in contents for element in _ELEMENT.findall(content)],
        )

    def holds(self, line: bytes) -> bool:
        """Whether a line holds a whole token or secret."""
        return not self.words.isdisjoint(_WORD.findall(line))

    def rows_lost(self, content: bytes, source: Source, outcomes: Sequence[Outcome]) -> int:
        """How many rows of a damaged file ended neither as an accepted row nor as a reject.

        In files of lines, a row is a physical line with a whole token or secret in it. An accepted row
        answers for one such line among those that it takes up, which are those up to where the next row
        begins; a reject answers for one too, or for all from where it begins to where it says that it ends.
        A second line of data within an accepted row, one behind the lines that a reject names, and one
        before the first row are lost. In arrays, a row is an element that survives byte for byte: its token
        must be among the accepted, or a reject between the accepted ones of its neighbours.
        """
        if isinstance(source, JsonArray):
            return self._elements_lost(content, outcomes)
        csv = isinstance(source, CsvFile)
        lines = _LINE_END.split(content) if csv else content.split(b"\n")
        data = [
            number for number, line in enumerate(lines, 1) if self.holds(line) and not (csv and number == 1)
        ]
        begins = [outcome.line for outcome in outcomes] + [len(lines) + 1]
        lost = sum(number < begins[0] for number in data)
        for outcome, end in zip(outcomes, begins[1:], strict=True):
            held = [number for number in data if outcome.line <= number < end]
            named = _EXTENT.search(outcome.detail) if isinstance(outcome, Reject) else None
            answered = sum(number <= int(named[2]) for number in held) if named else 1
            lost += max(0, len(held) - answered)
        return lost

    def _elements_lost(self, content: bytes, outcomes: Sequence[Outcome]) -> int:
        places = {
            outcome.connection.legacy.token.reveal(): place
            for place, outcome in enumerate(outcomes)
            if isinstance(outcome, Accepted)
        }
        survivors = sorted(
            (match.start(), token.decode())
            for element in self.elements
            for match in re.finditer(re.escape(element), content)
            for token in _TOKEN.findall(element)
        )
        found = [places.get(token) for _, token in survivors]
        return sum(place is None and not _answered(found, at, outcomes) for at, place in enumerate(found))

    def open_words(self, content: bytes) -> frozenset[bytes]:
        """Tokens and secrets of a damaged file that have no excuse to stand in a plain column.

        They stand on undamaged lines alone. On a damaged one, a cell may be missing before a token, and
        nobody can tell.
        """
        whole: set[bytes] = set()
        doubtful: set[bytes] = set()
        for line in _LINE_END.split(content):
            (whole if line in self.lines else doubtful).update(_WORD.findall(line))
        return self.words & (whole - doubtful)


def _answered(found: Sequence[int | None], at: int, outcomes: Sequence[Outcome]) -> bool:
    """Whether a reject stands between the accepted ones before and after a survivor that is not accepted."""
    before = [place for place in found[:at] if place is not None]
    after = [place for place in found[at:] if place is not None]
    between = outcomes[max(before, default=-1) + 1 : min(after, default=len(outcomes))]
    return any(isinstance(outcome, Reject) for outcome in between)


def in_the_clear(words: Iterable[bytes], ledger: Path, *texts: str) -> int:
    """How many of these words stand in a ledger's files or in what was said of it."""
    said = [path.read_bytes() for path in ledger.parent.glob(f"{ledger.name}*")]
    said += [text.encode() for text in texts]
    return sum(any(word in piece for piece in said) for word in words)
