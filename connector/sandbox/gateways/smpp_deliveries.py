"""What does the pretend SMSC show on phones, and how does it write receipts and the texts that people write?"""

import struct
from collections.abc import Iterable

from connector.sandbox.gateways import smpp_wire as wire
from connector.sandbox.gateways.smpp_wire import Message

STATES = {
    "ENROUTE": 1,
    "DELIVRD": 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
"""Numbers of message_state by the words of receipts."""

_RECEIPT = 0x04


def receipt_body(message: Message, stat: str, form: str, error: int, id_: str) -> bytes:
    """Write the deliver_sm of a receipt; arguments as `SMPPServer.receipt` has them."""
    text = f"id:{id_} sub:001 dlvrd:001 submit date:2611210900 done date:2611210901 stat:{stat} err:{error:03} text:"
    tlvs = {0x001E: id_.encode() + b"\0", 0x0427: bytes((STATES.get(stat, 7),))}
    if error:
        tlvs[0x0423] = b"\x03" + error.to_bytes(2)
    return wire.deliver(
        message.destination,
        message.source,
        text.encode() if form != "tlv" else b"",
        esm_class=_RECEIPT,
        tlvs=tlvs if form != "text" else None,
    )


def text_bodies(from_: str, to: str, text: str, form: str, reference: int) -> list[bytes]:
    """Write the deliver_sm of a text somebody wrote, one for each part; `form` as `SMPPServer.reply` has it."""
    data_coding, octets = wire.write_text(text)
    most = 134 if data_coding else 153
    if form == "payload":
        return [wire.deliver(from_, to, b"", data_coding=data_coding, tlvs={0x0424: octets})]
    if len(octets) <= most:
        return [wire.deliver(from_, to, octets, data_coding=data_coding)]
    parts = [octets[start : start + most] for start in range(0, len(octets), most)]
    total = len(parts)
    bodies = []
    for number, part in enumerate(parts, 1):
        if form == "sar":
            tlvs = {0x020C: struct.pack(">H", reference), 0x020E: bytes((total,)), 0x020F: bytes((number,))}
            bodies.append(wire.deliver(from_, to, part, data_coding=data_coding, tlvs=tlvs))
            continue
        wide = form == "udh16"
        head = b"\x06\x08\x04" + struct.pack(">H", reference) if wide else bytes((5, 0, 3, reference % 256))
        body = head + bytes((total, number)) + part
        bodies.append(wire.deliver(from_, to, body, data_coding=data_coding, esm_class=0x40))
    return bodies


def shown_texts(messages: Iterable[Message]) -> list[str]:
    """Give what phones show, long texts put together, in the order of their first parts."""
    shown: dict[object, str] = {}
    for message in messages:
        key = (message.destination, message.header[:-1]) if message.header else message.id
        shown[key] = shown.get(key, "") + message.text
    return list(shown.values())
