"""What do the records of all parts of one SMS say about the whole?

A long SMS is delivered when all its parts are; the first part that certainly failed decides otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connector.adapters.sms.reading import money, words
from connector.adapters.sms.vonage_codes import DELIVERY_ERRORS, delivery_code, state_of
from connector.adapters.sms.vonage_reports import Record, message_id_of
from connector.domain.message import MessageState
from connector.domain.segments import Encoding, measure
from connector.ports.gateway import StatusReport

_ENDED_BADLY = frozenset({MessageState.UNDELIVERED, MessageState.FAILED, MessageState.EXPIRED})
_PART_ROOM = {Encoding.GSM7: 153, Encoding.UCS2: 67}  # 140 octets less a header of 6 (3GPP TS 23.040)


def verdict(records: Sequence[Record], attempt_id: str, body: str) -> StatusReport:
    """Give one report for the parts on record, at least one; unknown when some parts were never taken."""
    parts = sorted(records, key=lambda record: (words(record.get("date_received")), message_id_of(record)))
    decisive = next((part for part in parts if _state(part) in _ENDED_BADLY), None)
    decisive = decisive or next((part for part in parts if _state(part) is not MessageState.DELIVERED), parts[0])
    is_whole = len(parts) >= fewest_parts(body)
    code = delivery_code(words(decisive.get("error_code")))
    price, currency = _price(parts)
    return StatusReport(
        provider_message_id=message_id_of(decisive),
        state=_state(decisive) if is_whole or _state(decisive) in _ENDED_BADLY else MessageState.UNKNOWN,
        raw_status=words(decisive.get("status")) if is_whole else f"{len(parts)} parts only",
        attempt_id=attempt_id,
        error_code=code,
        error_class=DELIVERY_ERRORS.class_of(code),
        segments=len(parts) if is_whole else None,
        price=price,
        currency=currency,
        carrier=words(decisive.get("network")) or None,
    )


def fewest_parts(body: str) -> int:
    """Give how many parts a text takes at the least; where a part ends early, more."""
    cut = measure(body)
    return 1 if cut.count <= 1 else -(-cut.units // _PART_ROOM[cut.encoding])


def _state(record: Record) -> MessageState:
    return state_of(words(record.get("status")))


def _price(parts: Sequence[Record]) -> tuple[Decimal | None, str | None]:
    prices = [money(words(part.get("total_price"))) for part in parts]
    known = [price for price in prices if price is not None]
    if len(known) < len(parts):
        return None, None
    return sum(known, Decimal()), words(parts[0].get("currency")) or None
