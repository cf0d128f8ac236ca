"""How does the pretend SMSC read and write SMPP 3.4, and what does it refuse?

Written apart from the connector's own codec, so that a mistake in one does not hide in the other. As strict as the
specification, which real SMSCs are not all.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, QUERY_SM, UNBIND, ENQUIRE_LINK = 0x09, 0x04, 0x05, 0x03, 0x06, 0x15
GENERIC_NACK, ANSWER = 0x80000000, 0x80000000

NAMES = {
    BIND_TRANSCEIVER: "bind_transceiver",
    SUBMIT_SM: "submit_sm",
    QUERY_SM: "query_sm",
    ENQUIRE_LINK: "enquire_link",
    UNBIND: "unbind",
    GENERIC_NACK: "generic_nack",
    DELIVER_SM | ANSWER: "deliver_sm_resp",
    ENQUIRE_LINK | ANSWER: "enquire_link_resp",
    UNBIND | ANSWER: "unbind_resp",
}

OK, INVALID_LENGTH, INVALID_COMMAND, NOT_BOUND, ALREADY_BOUND = 0x00, 0x01, 0x03, 0x04, 0x05
INVALID_SOURCE, INVALID_DESTINATION, INVALID_MESSAGE_ID, WRONG_PASSWORD, WRONG_SYSTEM_ID = 0x0A, 0x0B, 0x0C, 0x0E, 0x0F
INVALID_ESM_CLASS, INVALID_EXPIRY, INVALID_PARAMETER_STREAM = 0x43, 0x62, 0xC0
INVALID_SOURCE_TON, INVALID_DESTINATION_TON = 0x48, 0x50

_UDHI = 0x40
_EXTENSIONS = dict(zip(b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", "\f^{}\\[~]|€", strict=True))
_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_RELATIVE = re.compile(r"\d{12}000R")
_ABSOLUTE = re.compile(r"\d{13}\d\d[+-]")


@dataclass(frozen=True)
class Message:
    """The body of a submit_sm, as the SMSC keeps it, with the id that it gave."""

    id: str
    source: str
    source_kind: tuple[int, int]
    destination: str
    destination_kind: tuple[int, int]
    esm_class: int
    validity_period: str
    registered_delivery: int
    data_coding: int
    octets: bytes
    service_type: str = ""
    tlvs: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def header(self) -> bytes:
        """The user data header with its length octet, empty when there is none."""
        return self.octets[: self.octets[0] + 1] if self.esm_class & _UDHI else b""

    @property
    def text(self) -> str:
        """What a handset shows of this part."""
        octets = self.octets[len(self.header) :]
        if self.data_coding == 8:
            return octets.decode("utf-16-be")
        if self.data_coding == 3:
            return octets.decode("latin-1")
        return read_gsm(octets)


class RefusedError(Exception):
    """What was asked is refused with a command status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"0x{status:02X}")
        self.status = status


class Reader:
    """Reads a body; a field that is cut off or too long is refused."""

    def __init__(self, body: bytes) -> None:
        self.rest = body

    def take(self, count: int) -> bytes:
        """Read octets."""
        if len(self.rest) < count:
            raise RefusedError(INVALID_LENGTH)
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self) -> int:
        """Read one octet."""
        return self.take(1)[0]

    def text(self, most: int) -> str:
        """Read a string of at most so many octets, its NUL included."""
        taken, nul, rest = self.rest.partition(b"\0")
        if not nul or len(taken) >= most:
            raise RefusedError(INVALID_LENGTH)
        self.rest = rest
        return taken.decode("ascii")

    def tlvs(self) -> dict[int, bytes]:
        """Read all that is left as optional parameters."""
        found = {}
        while self.rest:
            try:
                tag, length = struct.unpack(">HH", self.take(4))
                found[tag] = self.take(length)
            except RefusedError:
                raise RefusedError(INVALID_PARAMETER_STREAM) from None
        return found


def read_submit(body: bytes, new_id: Callable[[], str]) -> Message:
    """Read and check a submit_sm.

    Raises:
        RefusedError: with the status that the specification has for it.
    """
    reader = Reader(body)
    service_type = reader.text(6)
    source_kind, source = (reader.number(), reader.number()), reader.text(21)
    destination_kind, destination = (reader.number(), reader.number()), reader.text(21)
    esm_class, _protocol, _priority = reader.take(3)
    _schedule, validity_period = reader.text(17), reader.text(17)
    registered_delivery, _replace, data_coding, _default, length = reader.take(5)
    octets = reader.take(length)
    tlvs = reader.tlvs()
    _check_addresses(source_kind, source, destination_kind, destination)
    _check_text(esm_class, data_coding, octets)
    if validity_period and not (_RELATIVE.fullmatch(validity_period) or _ABSOLUTE.fullmatch(validity_period)):
        raise RefusedError(INVALID_EXPIRY)
    return Message(
        new_id(),
        source,
        source_kind,
        destination,
        destination_kind,
        esm_class,
        validity_period,
        registered_delivery,
        data_coding,
        octets,
        service_type,
        tlvs,
    )


def _check_addresses(
    source_kind: tuple[int, int], source: str, destination_kind: tuple[int, int], destination: str
) -> None:
    if destination_kind != (1, 1):
        raise RefusedError(INVALID_DESTINATION_TON)
    if not re.fullmatch(r"[1-9]\d{7,14}", destination):
        raise RefusedError(INVALID_DESTINATION)
    allowed = {(1, 1): r"[1-9]\d{8,14}", (5, 0): r"(?=.*\D)[ -~]{1,11}", (3, 0): r"\d{3,8}", (0, 0): ""}
    if source_kind not in allowed:
        raise RefusedError(INVALID_SOURCE_TON)
    if not re.fullmatch(allowed[source_kind], source):
        raise RefusedError(INVALID_SOURCE)


def _check_text(esm_class: int, data_coding: int, octets: bytes) -> None:
    """Check that a handset can show it: at most 140 octets on the air, septets packed, pairs whole."""
    if esm_class not in {0, _UDHI} or (esm_class & _UDHI and (not octets or octets[0] >= len(octets))):
        raise RefusedError(INVALID_ESM_CLASS)
    header = octets[: octets[0] + 1] if esm_class & _UDHI else b""
    text = octets[len(header) :]
    if data_coding == 8:
        fits = len(octets) <= 140 and not len(text) % 2 and _is_whole_utf16(text)
    elif data_coding == 0:
        room = (140 - len(header)) * 8 // 7
        fits = len(text) <= room and all(octet < 0x80 for octet in text) and not text.endswith(b"\x1b")
    else:
        fits = data_coding == 3 and len(octets) <= 160
    if not fits:
        raise RefusedError(INVALID_LENGTH)


def _is_whole_utf16(text: bytes) -> bool:
    try:
        text.decode("utf-16-be")
    except UnicodeDecodeError:
        return False
    return True


def deliver(
    source: str,
    destination: str,
    octets: bytes,
    *,
    esm_class: int = 0,
    data_coding: int = 0,
    tlvs: Mapping[int, bytes] | None = None,
) -> bytes:
    """Write the body of a deliver_sm."""
    return (
        b"\0\x01\x01"
        + source.encode()
        + b"\0\x01\x01"
        + destination.encode()
        + b"\0"
        + bytes((esm_class, 0, 0))
        + b"\0\0"
        + bytes((0, 0, data_coding, 0, len(octets)))
        + octets
        + b"".join(struct.pack(">HH", tag, len(value)) + value for tag, value in (tlvs or {}).items())
    )


def write_text(text: str) -> tuple[int, bytes]:
    """Give data coding and octets of a text: GSM where it can be, else UCS-2."""
    extended = {char: bytes((0x1B, code)) for code, char in _EXTENSIONS.items()}
    basic = {char: bytes((code,)) for code, char in enumerate(_GSM) if char != "\x1b"}
    if all(char in basic or char in extended for char in text):
        return 0, b"".join(basic.get(char) or extended[char] for char in text)
    return 8, text.encode("utf-16-be")


def read_gsm(octets: bytes) -> str:
    """Read septets, one to an octet."""
    shown, escaped = "", False
    for octet in octets:
        if octet == 0x1B and not escaped:
            escaped = True
        else:
            shown += _EXTENSIONS.get(octet, _GSM[octet]) if escaped else _GSM[octet]
            escaped = False
    return shown
