"""What an answer's body is once it is unpacked: as much of it as can be had.

Not while it arrives, as urllib3 would do it: what cannot be unpacked would be gone, and with it, it may be, a
pair that is given once.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW, _ZLIB_WINDOW, _RAW_WINDOW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


@dataclass(frozen=True)
class Unpacked:
    """A body, or the beginning of one."""

    body: bytes
    whole: bool
    """Whether its end was reached."""


def unpacked(packed: bytes, encoding: str, longest: int) -> Unpacked:
    """A body without its ``Content-Encoding`` (RFC 9110, 8.4.1), which need not be the one that is named.

    What is packed in no way that we know comes back as it is. No more than ``longest`` bytes come back.
    """
    if packed.startswith(_GZIP):
        found = [_inflated(packed, _GZIP_WINDOW, longest)]
    elif "deflate" in encoding.lower():
        # The standard's, and what some take it for, which has no beginning that would tell it from a text.
        found = [_inflated(packed, _ZLIB_WINDOW, longest)]
        found += [raw for raw in [_inflated(packed, _RAW_WINDOW, longest)] if raw.whole]
    else:
        found = []
    plain = Unpacked(packed[:longest], whole=len(packed) <= longest)
    return next((each for each in found if each.body or each.whole), plain)


def _inflated(packed: bytes, window: int, longest: int) -> Unpacked:
    """What can be unpacked."""
    body = b""
    while len(body) <= longest:
        inflater = zlib.decompressobj(window)
        try:
            body += inflater.decompress(packed, longest + 1 - len(body))
        except zlib.error:
            return Unpacked((body + _before_damage(packed, window, longest))[:longest], whole=False)
        packed = inflater.unused_data
        if not packed.startswith(_GZIP):  # a file of gzip may be several in a row
            return Unpacked(body[:longest], whole=inflater.eof and len(body) <= longest)
    return Unpacked(body[:longest], whole=False)


def _before_damage(packed: bytes, window: int, longest: int) -> bytes:
    """All that comes before the first byte that does not fit: only byte by byte it is not lost with it."""
    inflater = zlib.decompressobj(window)
    body = bytearray()
    try:
        for at in range(len(packed)):
            body += inflater.decompress(packed[at : at + 1])
            if len(body) >= longest:
                break
    except zlib.error:
        pass
    return bytes(body)
