"""Answers as they come: read as the standard library's client reads them, wherever the pieces break, and more
leniently where that is clear.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrator.wire.answers_read import AnswerReader, Arriving, BrokenAnswerError

LONGEST = 1_000


def receiving(pieces: Iterator[bytes]) -> Callable[[], bytes]:
    return lambda: next(pieces, b"")


def read(*pieces: bytes) -> tuple[Arriving, bool, AnswerReader]:
    reader = AnswerReader(receiving(iter(pieces)))
    arriving = reader.head()
    return arriving, reader.body(arriving, LONGEST), reader


class _Socket:
    """What ``http.client`` reads from."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._text)


NAMES = st.from_regex(r"X-[A-Za-z]{1,8}", fullmatch=True)
VALUES = st.from_regex(r"[!-~]([ -~]{0,10}[!-~])?", fullmatch=True)


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """An answer that is well-formed, framed in one of the ways that there are."""
    version = draw(st.sampled_from(["1.1", "1.0"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 401, 429, 503]))
    body = draw(st.binary(max_size=60)) if status not in (204, 304) else b""
    fields = draw(st.lists(st.tuples(NAMES, VALUES), max_size=5, unique_by=lambda pair: pair[0].lower()))
    fields += [("Connection", draw(st.sampled_from(["keep-alive", "close", "Keep-Alive", "upgrade"])))]
    framing = draw(st.sampled_from(["length", "chunks", "end"])) if version == "1.1" else "length"
    if framing == "length":
        fields.append(("content-LENGTH", str(len(body))))
    if framing == "chunks" and status not in (204, 304):
        fields.append(("Transfer-Encoding", "chunked"))
        cut = draw(st.integers(0, len(body)))
        chunks = [chunk for chunk in (body[:cut], body[cut:]) if chunk]
        body = b"".join(b"%X;x=y\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\nT: u\r\n\r\n"
    lines = [f"HTTP/{version} {status}{draw(st.sampled_from(['', ' OK', ' Two words']))}"]
    lines += [f"{name}:{draw(st.sampled_from(['', ' ', '  ']))}{value}" for name, value in fields]
    end = draw(st.sampled_from(["\r\n", "\n"]))
    before = "HTTP/1.1 100 Continue\r\n\r\n" if draw(st.booleans()) else ""
    return (before + end.join([*lines, "", ""])).encode() + body


@given(texts(), st.lists(st.integers(1, 200), max_size=6))
def test_an_answer_is_read_as_the_standard_library_reads_it(text: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places) if a < b]
    arriving, ended, reader = read(*pieces)
    theirs = http.client.HTTPResponse(_Socket(text), method="GET")  # type: ignore[arg-type]
    theirs.begin()
    assert (arriving.status, bytes(arriving.body), ended) == (theirs.status, theirs.read(), True)
    assert dict(arriving.headers) == {name.lower(): value for name, value in theirs.getheaders()}
    assert arriving.leaves_open is not theirs.will_close
    assert not reader.has_more
    assert all(arriving.headers[name.upper()] == value for name, value in theirs.getheaders())


@given(texts(), st.data())
def test_what_is_cut_off_is_told_or_had_no_end_to_be_known(text: bytes, data: st.DataObject) -> None:
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    reader = AnswerReader(receiving(iter([cut])))
    try:
        arriving = reader.head()
    except BrokenAnswerError:
        return
    whole, _, _ = read(text)
    try:
        reader.body(arriving, LONGEST)
    except BrokenAnswerError:
        assert bytes(whole.body).startswith(arriving.body)
    else:
        in_trailer = arriving.chunked and arriving.body == whole.body
        assert in_trailer or not arriving.delimited


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_what_only_announces_an_answer_is_none(status: str) -> None:
    head = f"HTTP/1.1 {status}\r\nLink: x\r\n\r\n".encode()
    arriving, _, _ = read(head + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
    assert (arriving.status, bytes(arriving.body), "link" in arriving.headers) == (200, b"x", False)


def test_a_line_that_is_no_field_hides_those_after_it() -> None:
    arriving, _, _ = read(
        b"HTTP/1.1 200 OK\r\nX : a\r\n b\r\nx: c\r\nno\r\n d\r\nContent-Length: 1\r\n\r\nxy"
    )
    assert dict(arriving.headers) == {"x": "a b, c"}
    assert (bytes(arriving.body), arriving.delimited) == (b"xy", False)


def test_a_length_that_is_no_number_says_nothing_of_the_end() -> None:
    arriving, ended, _ = read(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab", b"c")
    assert (bytes(arriving.body), ended, arriving.delimited, arriving.leaves_open) == (
        b"abc",
        True,
        False,
        False,
    )


def test_what_comes_unasked_after_an_answer_is_seen() -> None:
    _, _, reader = read(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n")
    assert reader.has_more


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 5000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1388\r\n", b"\r\n"]
)
def test_no_more_is_read_than_is_asked_for(framing: bytes) -> None:
    arriving, ended, _ = read(b"HTTP/1.1 200 OK\r\n" + framing, b"x" * 5_000)
    assert not ended
    assert len(arriving.body) == LONGEST + 1


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"HTT",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
    ],
)
def test_what_has_no_head_is_no_answer(text: bytes) -> None:
    with pytest.raises(BrokenAnswerError):
        read(text)


def test_a_body_is_not_shown() -> None:
    arriving, _, _ = read(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhush")
    assert "hush" not in repr(arriving)
