"""Which text is a receipt about, when the gateway writes its id differently in receipts than it did in its answer?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from connector.adapters.smpp.receipts import same_id

_MOST_NUMBERS = 50_000  # some twenty megabytes; at ten texts a second most receipts arrive within the hour this covers
_MOST_IDS = 40  # of one number: the parts of a few long texts


@dataclass(frozen=True, slots=True)
class Issued:
    """An id that the gateway gave, and the attempt it gave it for; empty where it is the id of a part."""

    message_id: str
    attempt_id: str


class IssuedIds:
    """Remembers the ids given of late, by the number the text went to. Safe to use from many threads.

    A help, not a record: after a restart it is empty, and receipts then find their text by the ledger alone.
    """

    def __init__(self, most_numbers: int = _MOST_NUMBERS) -> None:
        self._most_numbers = most_numbers
        self._by_number: OrderedDict[str, tuple[Issued, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def note(self, number: str, issued: Issued) -> None:
        """Remember an id given for a text to a number, which is written with digits only."""
        with self._lock:
            self._by_number[number] = (*self._by_number.pop(number, ()), issued)[-_MOST_IDS:]
            if len(self._by_number) > self._most_numbers:
                self._by_number.popitem(last=False)

    def find(self, number: str, message_id: str) -> Issued | None:
        """Look up the id that a receipt from a number names; None when none is it, or several may be."""
        with self._lock:
            known = self._by_number.get(number.lstrip("+0"), ())
        exact = [issued for issued in known if issued.message_id == message_id]
        alike = exact or [issued for issued in known if same_id(issued.message_id, message_id)]
        return alike[0] if len(alike) == 1 else None
