"""An HTTP answer as it comes over a connection (RFC 9112): status, header, and as much of its body as comes.

Lenient as long as it is clear what is meant: an answer that is given up may hold a pair that is given once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

_LONGEST_LINE = 1 << 16
"""Bytes."""
_MOST_HEADERS = 100
_STATUS = re.compile(rb"HTTP/1\.?(\d*)\s+([1-9]\d\d)(?:\s.*)?")
_SIZE = re.compile(rb"\s*([0-9a-fA-F]{1,15})\s*(?:;.*)?")
_SWITCHING = 101
_WITHOUT_BODY = (204, 304)


class BrokenAnswerError(Exception):
    """It is no HTTP, or broke off."""


class Headers(Mapping[str, str]):
    """Header fields, by name in whatever case; a repeated one's values stand in one, with commas between
    them (RFC 9110, 5.3).
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        """``values`` are by names in lower case."""
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@dataclass
class Arriving:
    """An answer whose head has come."""

    status: int
    headers: Headers
    http_1_0: bool
    chunked: bool
    """Whether it comes in chunks (RFC 9112, 7.1)."""
    length: int | None
    """How long its body is said to be, in bytes."""
    body: bytearray = field(default_factory=bytearray, repr=False)
    """What has come of it so far, still packed as ``Content-Encoding`` says."""

    @property
    def delimited(self) -> bool:
        """Whether the server said where the body ends (RFC 9112, 6.3)."""
        return self.chunked or self.length is not None

    @property
    def leaves_open(self) -> bool:
        """Whether another call may be sent over its connection (RFC 9112, 9.3)."""
        options = {option.strip() for option in self.headers.get("Connection", "").lower().split(",")}
        kept = "keep-alive" in options if self.http_1_0 else "close" not in options
        return kept and self.delimited


class AnswerReader:
    """Reads one answer."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        """``receive`` gives some bytes of it, or none at its end; what it raises goes through."""
        self._receive = receive
        self._came = bytearray()
        self._at = 0
        """How much of that is read."""

    @property
    def has_more(self) -> bool:
        """Whether more has come than was read."""
        return self._at < len(self._came)

    def head(self) -> Arriving:
        """Status and header, without those that merely announce it (RFC 9110, 15.2).

        Raises ``BrokenAnswerError``.
        """
        while True:
            line = _STATUS.fullmatch(self._line())
            if line is None:
                raise BrokenAnswerError("not a status line")
            status, headers = int(line[2]), self._headers()
            if status >= 200 or status == _SWITCHING:  # noqa: PLR2004 - informational
                chunked = headers.get("transfer-encoding", "").lower().rpartition(",")[2].strip() == "chunked"
                length = _length(status, headers)
                return Arriving(status, Headers(headers), line[1] in (b"", b"0"), chunked, length)

    def body(self, arriving: Arriving, longest: int) -> bool:
        """Read the body; False as soon as it is seen to be longer than ``longest`` bytes.

        What has come stands in ``arriving``, also when this raises, ``BrokenAnswerError`` if it breaks off.
        """
        if arriving.chunked:
            return self._chunks(arriving.body, longest)
        length = arriving.length
        if length is None:
            while len(arriving.body) <= longest and (piece := self._some(longest + 1)):
                arriving.body += piece
        else:
            self._exactly(min(length, longest + 1), arriving.body)
        return len(arriving.body) <= longest

    def _chunks(self, body: bytearray, longest: int) -> bool:
        while True:
            size = _SIZE.fullmatch(self._line())
            if size is None:
                raise BrokenAnswerError("not a chunk")
            left = int(size[1], 16)
            if not left:
                self._headers(trailer=True)
                return True
            self._exactly(min(left, longest + 1 - len(body)), body)
            if len(body) > longest:
                return False
            if self._line():
                raise BrokenAnswerError("a chunk is longer than it says")

    def _headers(self, *, trailer: bool = False) -> dict[str, str]:
        values: dict[str, str] = {}
        name, hidden = "", False
        for _ in range(_MOST_HEADERS + 1):
            text = self._line(end_is_line=trailer).decode("latin-1")
            if not text:
                return values
            if (
                text[0] in " \t" and not hidden
            ):  # what RFC 9112, 5.2, calls obsolete: one value in several lines
                values[name] = f"{values.get(name, '')} {text.strip()}"
                continue
            name, colon, value = text.partition(":")
            name = name.strip().lower()
            hidden = hidden or not colon  # whatever comes after such a line may be no header either
            if not hidden:
                values[name] = f"{values[name]}, {value.strip()}" if name in values else value.strip()
        raise BrokenAnswerError("more headers than anybody reads")

    def _line(self, *, end_is_line: bool = False) -> bytes:
        """A line without its end. At the end of all: an empty one, or ``BrokenAnswerError``."""
        looked = self._at
        while (end := self._came.find(b"\n", looked)) < 0:
            looked = len(self._came)
            if looked - self._at > _LONGEST_LINE:
                raise BrokenAnswerError("a line without an end")
            if not self._more():
                if end_is_line:
                    return b""
                raise BrokenAnswerError("it broke off")
        line = bytes(self._came[self._at : end])
        self._at = end + 1
        if len(line) > _LONGEST_LINE:
            raise BrokenAnswerError("a line that nobody reads")
        return line.removesuffix(b"\r")

    def _exactly(self, length: int, body: bytearray) -> None:
        end = len(body) + length
        while len(body) < end:
            piece = self._some(end - len(body))
            if not piece:
                raise BrokenAnswerError("it broke off")
            body += piece

    def _some(self, most: int) -> bytearray:
        """What has come already, or comes now; nothing at the end."""
        if self._at == len(self._came):
            self._came.clear()
            self._at = 0
            self._more()
        piece = self._came[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def _more(self) -> bool:
        piece = self._receive()
        self._came += piece
        return bool(piece)


def _length(status: int, headers: Mapping[str, str]) -> int | None:
    if status in _WITHOUT_BODY or status < 200:  # noqa: PLR2004 - informational
        return 0
    said = {text.strip() for text in headers.get("content-length", "").split(",")}
    if len(said) > 1:
        raise BrokenAnswerError("two lengths")
    text = said.pop()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None  # noqa: PLR2004
