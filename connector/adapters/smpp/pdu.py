"""What stands in the bodies of the SMPP messages we write and read?

SMPP 3.4 §4 (operations) and §5.3.2 (optional parameters, tag-length-value). Reading is strict about what a message
cannot do without and forgiving about what follows it: a receipt is not lost for a damaged optional parameter.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

VERSION = 0x34

RECEIPTED_MESSAGE_ID, MESSAGE_STATE, NETWORK_ERROR_CODE = 0x001E, 0x0427, 0x0423
MESSAGE_PAYLOAD = 0x0424
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F

_MOST_IN_SHORT_MESSAGE = 254  # SMPP 3.4 §4.4.1: sm_length of 255 is reserved
_TLV_HEAD = struct.Struct(">HH")
# Longest C strings, their NUL included (SMPP 3.4 §5.2).
_SERVICE_TYPE, _ADDRESS, _TIME, _MESSAGE_ID = 6, 21, 17, 65
_SYSTEM_ID, _PASSWORD, _SYSTEM_TYPE = 16, 65, 13  # passwords: 9 by the book; some gateways give out longer ones

TLVs = tuple[tuple[int, bytes], ...]


class MalformedBodyError(ValueError):
    """The body of a message is not what its command demands; says where, and never what stands there."""


TON_UNKNOWN, TON_INTERNATIONAL, TON_NATIONAL = 0, 1, 2  # types of number (SMPP 3.4 §5.2.5)


@dataclass(frozen=True, slots=True)
class Address:
    """A number with its kind: type of number and numbering plan (SMPP 3.4 §5.2.5, §5.2.6)."""

    number: str = field(repr=False)
    ton: int = 0
    npi: int = 0


@dataclass(frozen=True, slots=True)
class Login:
    """With what a bind asks to be let in."""

    system_id: str
    password: str = field(repr=False)
    system_type: str = ""

    def encoded(self) -> bytes:
        """Give the body of a bind_transceiver."""
        return (
            _c_string(self.system_id, _SYSTEM_ID, "system_id")
            + _c_string(self.password, _PASSWORD, "password")
            + _c_string(self.system_type, _SYSTEM_TYPE, "system_type")
            + bytes((VERSION, 0, 0))  # version, then TON and NPI of an address range that is not given
            + b"\0"
        )


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """The body of a submit_sm and of a deliver_sm, which have the same fields (SMPP 3.4 §4.4.1, §4.6.1).

    Attributes:
        esm_class: message type (bits 2 to 5) and whether a user data header leads the text (bit 6).
        short_message: at most 254 octets.
        validity_period: a time of SMPP 3.4 §7.1.1, or empty.
    """

    source: Address
    destination: Address
    short_message: bytes = field(default=b"", repr=False)
    data_coding: int = 0
    esm_class: int = 0
    registered_delivery: int = 0
    validity_period: str = ""
    schedule_time: str = ""
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    replace_if_present: int = 0
    default_message_id: int = 0
    tlvs: TLVs = field(default=(), repr=False)

    def tlv(self, tag: int) -> bytes | None:
        """Give the value of an optional parameter, None when it is not there."""
        return dict(self.tlvs).get(tag)

    @property
    def user_data(self) -> bytes:
        """The text's octets, its header included, wherever they travel."""
        return self.short_message or self.tlv(MESSAGE_PAYLOAD) or b""

    def encoded(self) -> bytes:
        """Give the body's octets.

        Raises:
            MalformedBodyError: a field is longer than SMPP allows.
        """
        if len(self.short_message) > _MOST_IN_SHORT_MESSAGE:
            raise MalformedBodyError("short_message is too long")
        return b"".join(
            (
                _c_string(self.service_type, _SERVICE_TYPE, "service_type"),
                _address(self.source, "source_addr"),
                _address(self.destination, "destination_addr"),
                bytes((self.esm_class, self.protocol_id, self.priority)),
                _c_string(self.schedule_time, _TIME, "schedule_delivery_time"),
                _c_string(self.validity_period, _TIME, "validity_period"),
                bytes((self.registered_delivery, self.replace_if_present, self.data_coding, self.default_message_id)),
                bytes((len(self.short_message),)),
                self.short_message,
                encode_tlvs(self.tlvs),
            )
        )


@dataclass(frozen=True, slots=True)
class Fate:
    """What a query_sm_resp tells (SMPP 3.4 §4.8.2): the state's number and the network's error, 0 for none."""

    message_id: str
    state: int
    error: int


def read_short_message(body: bytes) -> ShortMessage:
    """Read the body of a submit_sm or deliver_sm.

    Raises:
        MalformedBodyError: a mandatory field is missing, too long or cut off.
    """
    fields = _Fields(body)
    service_type = fields.c_string(_SERVICE_TYPE, "service_type")
    source, destination = fields.address("source_addr"), fields.address("destination_addr")
    esm_class, protocol_id, priority = fields.octets(3, "esm_class")
    schedule_time = fields.c_string(_TIME, "schedule_delivery_time")
    validity_period = fields.c_string(_TIME, "validity_period")
    registered_delivery, replace_if_present, data_coding, default_message_id, length = fields.octets(5, "sm_length")
    return ShortMessage(
        source,
        destination,
        short_message=fields.octets(length, "short_message"),
        data_coding=data_coding,
        esm_class=esm_class,
        registered_delivery=registered_delivery,
        validity_period=validity_period,
        schedule_time=schedule_time,
        service_type=service_type,
        protocol_id=protocol_id,
        priority=priority,
        replace_if_present=replace_if_present,
        default_message_id=default_message_id,
        tlvs=fields.tlvs(),
    )


def read_message_id(body: bytes) -> str:
    """Read the body of a submit_sm_resp.

    Raises:
        MalformedBodyError: there is no message id in it.
    """
    message_id = _Fields(body).c_string(_MESSAGE_ID, "message_id")
    if not message_id:
        raise MalformedBodyError("message_id is empty")
    return message_id


def query(message_id: str, source: Address) -> bytes:
    """Give the body of a query_sm (SMPP 3.4 §4.8.1); source is the sender that the submit named."""
    return _c_string(message_id, _MESSAGE_ID, "message_id") + _address(source, "source_addr")


def read_fate(body: bytes) -> Fate:
    """Read the body of a query_sm_resp.

    Raises:
        MalformedBodyError: a field is missing, too long or cut off.
    """
    fields = _Fields(body)
    message_id = fields.c_string(_MESSAGE_ID, "message_id")
    fields.c_string(_TIME, "final_date")
    state, error = fields.octets(2, "message_state")
    return Fate(message_id, state, error)


def encode_tlvs(tlvs: Iterable[tuple[int, bytes]]) -> bytes:
    """Give the octets of optional parameters."""
    return b"".join(_TLV_HEAD.pack(tag, len(value)) + value for tag, value in tlvs)


class _Fields:
    """Reads a body from front to back."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def octets(self, count: int, name: str) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise MalformedBodyError(f"the body ends within {name}")
        self._at += count
        return taken

    def c_string(self, most: int, name: str) -> str:
        end = self._body.find(b"\0", self._at, self._at + most)
        if end < 0:
            raise MalformedBodyError(f"{name} is too long or does not end")
        text = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return text

    def address(self, name: str) -> Address:
        ton, npi = self.octets(2, f"{name}_ton")
        return Address(self.c_string(_ADDRESS, name), ton, npi)

    def tlvs(self) -> TLVs:
        """Read the optional parameters, as far as they are whole."""
        found: list[tuple[int, bytes]] = []
        while len(self._body) - self._at >= _TLV_HEAD.size:
            tag, length = _TLV_HEAD.unpack_from(self._body, self._at)
            begins = self._at + _TLV_HEAD.size
            if begins + length > len(self._body):
                break
            found.append((tag, self._body[begins : begins + length]))
            self._at = begins + length
        return tuple(found)


def _address(address: Address, name: str) -> bytes:
    return bytes((address.ton, address.npi)) + _c_string(address.number, _ADDRESS, name)


def _c_string(text: str, most: int, name: str) -> bytes:
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise MalformedBodyError(f"{name} has a character that SMPP cannot carry") from None
    if b"\0" in octets or len(octets) >= most:
        raise MalformedBodyError(f"{name} is too long or has a NUL")
    return octets + b"\0"
