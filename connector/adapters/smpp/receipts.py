"""What does a receipt of an SMPP gateway say, in the words of the specification?

Optional parameters first (SMPP 3.4 §5.3.2.12, .35, .31), else the text form of appendix B,
`id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…`, whose widths and cases every vendor varies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from connector.adapters.smpp.pdu import MESSAGE_STATE, NETWORK_ERROR_CODE, RECEIPTED_MESSAGE_ID, ShortMessage

_KIND = 0x3C  # the bits of esm_class that tell what a deliver_sm is (SMPP 3.4 §5.2.12)
_RECEIPT, _ACKNOWLEDGED, _ON_ITS_WAY = 0x04, 0x08, 0x20

STAT_OF_STATE = MappingProxyType(
    {
        0: "SCHEDLD",  # SMPP 5.0
        1: "ENROUTE",
        2: "DELIVRD",
        3: "EXPIRED",
        4: "DELETED",
        5: "UNDELIV",
        6: "ACCEPTD",
        7: "UNKNOWN",
        8: "REJECTD",
        9: "SKIPPED",  # SMPP 5.0
    }
)
"""The text form's word for each number of message_state (SMPP 3.4 §5.2.28)."""

_ID = re.compile(r"(?:^|\s)id:\s*(\S+)", re.IGNORECASE)
_STAT = re.compile(r"\bstat:\s*([A-Za-z]+)", re.IGNORECASE)
_ERR = re.compile(r"\berr:\s*([0-9A-Za-z]+)", re.IGNORECASE)
_QUOTE = re.compile(r"\btext:", re.IGNORECASE)  # what follows was written by people
_MOST_DIGITS = 40  # an id of 128 bits has 39; a longer one is no number


class ReceiptIds(StrEnum):
    """How a gateway writes ids in receipts, compared with its answers to submit_sm."""

    SAME = "same"
    DECIMAL = "decimal"  # answers in hexadecimal, receipts in decimal
    HEX = "hex"  # answers in decimal, receipts in hexadecimal

    def of_answer(self, message_id: str) -> str:
        """Give an answer's id in the form we keep: as it is, or as a decimal number where the two differ."""
        return self._kept(message_id, {ReceiptIds.DECIMAL: 16, ReceiptIds.HEX: 10})

    def of_receipt(self, message_id: str) -> str:
        """Give a receipt's id in the form we keep."""
        return self._kept(message_id, {ReceiptIds.DECIMAL: 10, ReceiptIds.HEX: 16})

    def _kept(self, message_id: str, bases: dict[ReceiptIds, int]) -> str:
        if self is ReceiptIds.SAME:
            return message_id
        number = _number(message_id, bases[self])
        return message_id if number is None else str(number)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt.

    Attributes:
        message_id: as the receipt writes it.
        stat: a word of `STAT_OF_STATE`, or the vendor's own; in capitals.
        error: the network's code, None for none.
    """

    message_id: str
    stat: str
    error: str | None = None


def is_receipt(message: ShortMessage) -> bool:
    """Tell a receipt from a text that somebody wrote.

    A message that names the id of another one is a receipt even when its gateway forgot to say so in esm_class.
    """
    return message.esm_class & _KIND in {_RECEIPT, _ACKNOWLEDGED, _ON_ITS_WAY} or (
        message.tlv(RECEIPTED_MESSAGE_ID) is not None and message.tlv(MESSAGE_STATE) is not None
    )


def read_receipt(message: ShortMessage) -> Receipt | None:
    """Read a receipt; None when it does not say which message it is about."""
    text = _QUOTE.split(message.user_data.decode("latin-1"), maxsplit=1)[0]
    message_id = (message.tlv(RECEIPTED_MESSAGE_ID) or b"").split(b"\0")[0].decode("latin-1") or _found(_ID, text)
    if not message_id:
        return None
    state = message.tlv(MESSAGE_STATE)
    stat = STAT_OF_STATE.get(state[0], f"STATE {state[0]}") if state else _found(_STAT, text).upper()
    return Receipt(message_id, stat, _network_error(message) or _error(_found(_ERR, text)))


def same_id(one: str, other: str) -> bool:
    """Tell whether two ids may be the same one, written differently.

    Case and leading zeros aside, in hexadecimal here and decimal there if they are long enough, or cut off at either
    end. Only to be asked about ids of texts to one number: short ids of different messages may look alike.
    """
    return bool(_forms(one) & _forms(other)) or _is_cut(one, other) or _is_cut(other, one)


def _forms(message_id: str) -> set[str]:
    """Give the ways an id may be written."""
    bare = message_id.strip().lower().removeprefix("0x").lstrip("0")
    forms = {bare} if bare else set()
    for base, back in ((10, "{:x}"), (16, "{}")):
        number = _number(bare, base)
        other = back.format(number) if number else ""
        if min(len(bare), len(other)) >= _SHORTEST_CONVERTED:
            forms.add(other)
    return forms


_SHORTEST_CONVERTED = 6  # digits in either base: counters give out both 10 and 16 within the hour, and 0x10 is 16
_SHORTEST_CUT = 8  # digits: of fewer, two texts to one number may well share them


def _is_cut(short: str, long: str) -> bool:
    return _SHORTEST_CUT <= len(short) < len(long) and (
        long.lower().startswith(short.lower()) or long.lower().endswith(short.lower())
    )


def _number(text: str, base: int) -> int | None:
    text = text.strip().lower().removeprefix("0x")
    allowed = "0123456789abcdef"[:base]
    if not text or len(text) > _MOST_DIGITS or any(char not in allowed for char in text):
        return None
    return int(text, base)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""


def _network_error(message: ShortMessage) -> str | None:
    """Read network_error_code: one octet of network type, two of code."""
    value = message.tlv(NETWORK_ERROR_CODE) or b""
    return _error(str(int.from_bytes(value[1:3]))) if len(value) >= 3 else None


def _error(code: str) -> str | None:
    return code if code.strip("0") else None
