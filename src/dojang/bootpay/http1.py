"""HTTP/1.1 as far as one client and one server need it: a request in bytes, an answer out of bytes. No I/O here.

The reader is strict: what it does not understand ends the connection, because an answer attributed to the wrong
request would be worse than none.
"""

from __future__ import annotations

import re
import zlib
from enum import Enum, auto

from dojang.bootpay.call import Answer
from dojang.bootpay.conversation import Fault, Transmit

__all__ = ["AnswerReader", "written"]

_HEAD_MAX = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n\0]*)?")
_CHUNK_LINE_MAX = 4096

_BROKE_OFF = Fault(left=True, words="the answer broke off")
_NO_ANSWER = Fault(left=True, words="the connection was closed without an answer")
_NOT_HTTP = Fault(left=True, words="the answer is not HTTP")
_DAMAGED = Fault(left=True, words="the answer was damaged on its way")


def written(step: Transmit, host: str) -> bytes:
    """Head and body in one piece: one segment, one TLS record. Its parts were judged by `conversation`.

    Args:
        step: What to ask.
        host: Name and, where unusual, port, as the header Host has them.
    """
    lines = [f"{step.method} {step.target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in step.headers.items()]
    if step.body is None:
        if step.method in {"POST", "PUT"}:
            lines.append("Content-Length: 0")
        return "\r\n".join([*lines, "\r\n"]).encode("ascii")
    lines.append(f"Content-Length: {len(step.body)}")
    return "\r\n".join([*lines, "\r\n"]).encode("ascii") + step.body


class _Framing(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNKS = auto()
    UNTIL_CLOSED = auto()


class AnswerReader:
    """Reads one answer, however its bytes are cut.

    Args:
        body_max: A longer body is a fault.
        summed_by: The header, in lower case, that holds the body's CRC-32; empty if no server of these sends one.

    Attributes:
        reusable: Whether the connection can carry another request; meaningful once there is an answer.
    """

    __slots__ = (
        "_at",
        "_body",
        "_body_max",
        "_buffer",
        "_framing",
        "_last_chunk",
        "_length",
        "_status",
        "_sum",
        "_summed_by",
        "reusable",
    )

    def __init__(self, body_max: int, summed_by: bytes = b"") -> None:
        self.reusable = False
        self._summed_by = summed_by
        self._sum = b""
        self._body_max = body_max
        self._buffer = bytearray()
        self._at = 0  # what lies before has been read
        self._framing = _Framing.HEAD
        self._status = 0
        self._length = 0
        self._body = bytearray()
        self._last_chunk = False

    def feed(self, data: bytes) -> Answer | Fault | None:
        """Take what arrived; the answer or the fault once it is complete, and nothing may be fed after that."""
        self._buffer += data
        if self._framing is _Framing.HEAD:
            fault = self._read_heads(len(data))
            if fault is not None or self._framing is _Framing.HEAD:
                return fault
        if self._framing is _Framing.LENGTH:
            return self._read_length()
        if self._framing is _Framing.CHUNKS:
            return self._read_chunks()
        if len(self._buffer) - self._at > self._body_max:
            return self._too_long()
        return None

    def end(self) -> Answer | Fault:
        """The server has closed the connection: what was the answer?"""
        if self._framing is _Framing.UNTIL_CLOSED:
            return self._whole(bytes(self._buffer[self._at :]))
        return _BROKE_OFF if self._buffer else _NO_ANSWER

    def _read_heads(self, news: int) -> Fault | None:
        search = max(self._at, len(self._buffer) - news - 3)
        while self._framing is _Framing.HEAD:
            end = self._buffer.find(b"\r\n\r\n", search)
            # Interim answers count too: a server may send them without an end.
            if (len(self._buffer) if end < 0 else end) > _HEAD_MAX:
                return _NOT_HTTP
            if end < 0:
                return None
            lines = bytes(self._buffer[self._at : end]).split(b"\r\n")
            self._at = search = end + 4
            fault = self._read_head(lines)
            if fault is not None:
                return fault
        return None

    def _read_head(self, lines: list[bytes]) -> Fault | None:
        first = _STATUS.fullmatch(lines[0])
        if first is None:
            return _NOT_HTTP
        status = int(first[2])
        lengths: set[bytes] = set()
        codings: list[bytes] = []
        closing = first[1] == b"0"
        for line in lines[1:]:
            header = _HEADER.fullmatch(line)
            if header is None:
                return _NOT_HTTP
            name = header[1].lower()
            if name == b"content-length":
                lengths.update(part.strip() for part in header[2].split(b","))
            elif name == b"transfer-encoding":
                codings.append(header[2].strip().lower())
            elif name == b"connection":
                closing = closing or b"close" in header[2].lower()
            elif name == self._summed_by:
                self._sum = header[2].strip()
        if 100 <= status < 200 and status != 101:
            return None  # an interim answer: the real one follows
        self._status = status
        return self._choose_framing(lengths, codings, closing=closing, old=first[1] == b"0")

    def _choose_framing(
        self, lengths: set[bytes], codings: list[bytes], *, closing: bool, old: bool
    ) -> Fault | None:
        """Where does the body end? Two answers to that are none: that is how answers get mixed up."""
        if self._status == 101 or (codings and (lengths or old or codings != [b"chunked"])):
            return _NOT_HTTP
        if self._status in {204, 304}:
            self._framing, self._length = _Framing.LENGTH, 0
        elif codings:
            self._framing = _Framing.CHUNKS
        elif lengths:
            (length, *others) = lengths
            if others or _LENGTH.fullmatch(length) is None:
                return _NOT_HTTP
            self._framing, self._length = _Framing.LENGTH, int(length)
            if self._length > self._body_max:
                return self._too_long()
        else:
            self._framing, closing = _Framing.UNTIL_CLOSED, True
        self.reusable = not closing
        return None

    def _read_length(self) -> Answer | Fault | None:
        end = self._at + self._length
        if len(self._buffer) < end:
            return None
        return self._done(bytes(self._buffer[self._at : end]), end)

    def _read_chunks(self) -> Answer | Fault | None:
        while True:
            line_end = self._buffer.find(b"\r\n", self._at, self._at + _CHUNK_LINE_MAX)
            if line_end < 0:
                return _NOT_HTTP if len(self._buffer) - self._at >= _CHUNK_LINE_MAX else None
            line = bytes(self._buffer[self._at : line_end])
            if self._last_chunk:
                self._at = line_end + 2
                if not line:
                    return self._done(bytes(self._body), self._at)
                # A trailer; nothing here needs one, and there may be no end of them.
                if _HEADER.fullmatch(line) is None or line_end > _HEAD_MAX:
                    return _NOT_HTTP
                continue
            size = _CHUNK.fullmatch(line)
            if size is None:
                return _NOT_HTTP
            begin = line_end + 2
            end = begin + int(size[1], 16)
            if len(self._body) + end - begin > self._body_max:
                return self._too_long()
            if end == begin:
                self._last_chunk, self._at = True, begin
                continue
            if len(self._buffer) < end + 2:
                return None
            if self._buffer[end : end + 2] != b"\r\n":
                return _NOT_HTTP
            self._body += self._buffer[begin:end]
            del self._buffer[: end + 2]
            self._at = 0

    def _done(self, body: bytes, end: int) -> Answer | Fault:
        # Bytes that nobody asked for would be taken for the next answer.
        self.reusable = self.reusable and len(self._buffer) == end
        return self._whole(body)

    def _whole(self, body: bytes) -> Answer | Fault:
        if self._sum.isdigit() and int(self._sum) != zlib.crc32(body):
            return _DAMAGED
        return Answer(self._status, body)

    def _too_long(self) -> Fault:
        return Fault(left=True, words=f"the answer is longer than {self._body_max} bytes", final=True)
