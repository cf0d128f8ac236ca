"""What do we store of a deliver_sm before we answer it, and how is it read later?

Stored is a JSON object:

- `deliver_sm`: the body as it came, in hexadecimal, so that a mistake in reading it can be mended afterwards;
- `id`: ours, for a text that somebody wrote; SMPP gives it none;
- `message_id`, `attempt_id`: which text a receipt is about, where the process that sent it knew.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from connector.adapters.smpp.issued import IssuedIds
from connector.adapters.smpp.link import Parcel
from connector.adapters.smpp.pdu import MalformedBodyError, ShortMessage, read_short_message
from connector.adapters.smpp.receipts import ReceiptIds, is_receipt, read_receipt
from connector.adapters.sms.reading import json_object, words
from connector.ports.gateway import CallbackRequest

STATUS, INBOUND = "status", "inbound"
"""The kinds of callbacks, as the ledger's inbox names them."""

_URL = "smpp:deliver_sm"
_REPEATED_WITHIN = 3600.0  # seconds: a gateway repeats what we did not answer within minutes
_LOST_WITHIN = 10.0  # seconds: an answer written so long before its connection ended may have died with it
_MOST_REMEMBERED = 10_000  # texts that people wrote; a few megabytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored deliver_sm; see the module for the fields."""

    message: ShortMessage
    id: str = ""
    message_id: str = ""
    attempt_id: str = ""


def restored(request: CallbackRequest) -> Delivery | None:
    """Read what was stored; None when it is not a deliver_sm that can be read."""
    stored = json_object(request.body)
    try:
        message = read_short_message(bytes.fromhex(words(stored.get("deliver_sm"))))
    except (MalformedBodyError, ValueError):
        return None
    return Delivery(message, *(words(stored.get(name)) for name in ("id", "message_id", "attempt_id")))


def stored_receipt(body: bytes, message: ShortMessage, issued: IssuedIds, ids: ReceiptIds) -> CallbackRequest:
    """Give what is stored of a receipt; the same receipt gives the same bytes, so that it is kept once."""
    receipt = read_receipt(message)
    if receipt is None:
        return _stored(body)
    known = issued.find(message.source.number, ids.of_receipt(receipt.message_id))
    return _stored(body, message_id=known.message_id, attempt_id=known.attempt_id) if known else _stored(body)


def stored_text(body: bytes, id_: str) -> CallbackRequest:
    """Give what is stored of a text somebody wrote."""
    return _stored(body, id=id_)


def read_or_none(body: bytes) -> ShortMessage | None:
    """Read a deliver_sm; None when it is malformed, which is stored all the same."""
    try:
        return read_short_message(body)
    except MalformedBodyError:
        return None


def kind_of(message: ShortMessage | None) -> str:
    """Tell whether it is a receipt; what cannot be read may be a text, and of those none may be lost."""
    return STATUS if message is not None and is_receipt(message) else INBOUND


@dataclass(slots=True)
class _Seen:
    id: str
    at: float
    answer: Parcel | None
    over_at: Callable[[], float | None]


class Repeats:
    """Tells a text that a gateway delivers again from one that somebody wrote again. Safe to use from many threads.

    SMPP gives an incoming text no id and no time. A gateway repeats what it has no answer to, so the same octets are
    the same text when the answer to the first was not written, or the connection it came over ended soon after that.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._seen: OrderedDict[bytes, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def id_of(self, body: bytes, over_at: Callable[[], float | None]) -> str:
        """Give the id of a text that has just come.

        Args:
            body: the deliver_sm.
            over_at: tells later when its connection ended, by the monotonic clock; None while it stands.
        """
        digest, now = hashlib.sha256(body).digest(), time.monotonic()
        with self._lock:
            before = self._seen.pop(digest, None)
            is_repeat = before is not None and now - before.at < _REPEATED_WITHIN and _is_unanswered(before)
            id_ = before.id if is_repeat and before is not None else self._new_id()
            self._seen[digest] = _Seen(id_, now, None, over_at)
            if len(self._seen) > _MOST_REMEMBERED:
                self._seen.popitem(last=False)
        return id_

    def answered(self, body: bytes, answer: Parcel) -> None:
        """Note the answer that goes back for a text."""
        with self._lock:
            seen = self._seen.get(hashlib.sha256(body).digest())
            if seen is not None:
                seen.answer = answer


def _is_unanswered(seen: _Seen) -> bool:
    begun_at = seen.answer.begun_at if seen.answer is not None else None
    if begun_at is None:
        return True
    over_at = seen.over_at()
    return over_at is not None and over_at - begun_at < _LOST_WITHIN


def _stored(body: bytes, **facts: str) -> CallbackRequest:
    text = json.dumps({"deliver_sm": body.hex(), **facts}, sort_keys=True)
    return CallbackRequest("SMPP", _URL, {"content-type": "application/json"}, text.encode())
