"""Where does one SMPP message end and the next begin, and what kind is each?

SMPP 3.4 §3.2: sixteen octets of header (length of all, command, status, sequence number), then the body.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

RESPONSE = 0x80000000
"""This bit of a command id says that it is an answer."""

_HEADER = struct.Struct(">IIII")
_MOST_OCTETS = 70_000  # a message_payload has at most 65,535 octets, all other fields together below a thousand
_MOST_SKIPPED = 1_048_576  # a length above a mebibyte is no length: what stands there is not a header
_LAST_SEQUENCE = 0x7FFFFFFF  # SMPP 3.4 §5.1.4


class Command(IntEnum):
    """The commands we speak (SMPP 3.4 §5.1.2.1)."""

    GENERIC_NACK = 0x80000000
    QUERY_SM = 0x03
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15


class Status(IntEnum):
    """The command statuses that this program itself answers or acts upon (SMPP 3.4 §5.1.3)."""

    OK = 0x00
    INVALID_COMMAND_LENGTH = 0x02
    INVALID_COMMAND = 0x03
    QUEUE_FULL = 0x14
    THROTTLED = 0x58
    TEMPORARY_ERROR_AT_RECEIVER = 0x64


class LostStreamError(ValueError):
    """What arrives cannot be cut into messages any more."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Attributes:
        command: a `Command`, with `RESPONSE` in an answer, or anything the other side likes.
        status: 0 in requests.
        sequence: the same in request and answer.
        is_whole: False when it was longer than any message can be; its body was passed over.
    """

    command: int
    status: int
    sequence: int
    body: bytes = field(default=b"", repr=False)
    is_whole: bool = True

    @property
    def is_answer(self) -> bool:
        """Whether it answers a request."""
        return bool(self.command & RESPONSE)

    def encoded(self) -> bytes:
        """Give its octets."""
        return _HEADER.pack(_HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body


def answer_to(request: Frame, status: int = Status.OK, body: bytes = b"") -> Frame:
    """Give the answer to a request."""
    return Frame(request.command | RESPONSE, status, request.sequence, body)


def next_sequence(sequence: int) -> int:
    """Give the number after one; they begin again at 1."""
    return sequence % _LAST_SEQUENCE + 1


class FrameCutter:
    """Cuts what arrives over one connection into messages."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._to_skip = 0

    def feed(self, octets: bytes) -> list[Frame]:
        """Add what has arrived; give the messages that are complete now.

        Raises:
            LostStreamError: a header is none, so nobody can tell where the next message begins.
        """
        self._octets += octets
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> Frame | None:
        skipped = min(self._to_skip, len(self._octets))
        del self._octets[:skipped]
        self._to_skip -= skipped
        if self._to_skip or len(self._octets) < _HEADER.size:
            return None
        length, command, status, sequence = _HEADER.unpack_from(self._octets)
        if not _HEADER.size <= length <= _MOST_SKIPPED:
            raise LostStreamError(f"a message claims {length} octets")
        if length > _MOST_OCTETS:
            self._to_skip = length
            return Frame(command, status, sequence, is_whole=False)
        if len(self._octets) < length:
            return None
        body = bytes(self._octets[_HEADER.size : length])
        del self._octets[:length]
        return Frame(command, status, sequence, body)
