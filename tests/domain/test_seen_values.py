"""Does a trace show the values a condition saw, and none that are nobody's business?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.domain.seen_values import seen_values

NAMES: dict[str, Any] = {
    "invoice": {"balance_due": Decimal(600), "number": "INV-7", "link": "x" * 300, "dial": "+1 202 555 0143"},
    "contact": {"phone": "+12025550143", "name": "Lea"},
    "last_reply": {"text": "my secret"},
    "now": "2026",
}


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("invoice.balance_due > 500", {"invoice.balance_due": Decimal(600)}),
        ("invoice.number == 'contact.name'", {"invoice.number": "INV-7"}),
        ('"it\\"s" in invoice.number', {"invoice.number": "INV-7"}),
        ("contact.phone", {"contact.phone": "(not shown)"}),
        ("invoice.dial", {"invoice.dial": "(not shown)"}),
        ("last_reply.text == 'x'", {"last_reply.text": "(not shown)"}),
        ("invoice.paid_on < now", {"invoice.paid_on": "(undefined)", "now": "2026"}),
        ("invoice is defined and not contact.name|upper", {"contact.name": "Lea", "invoice": "(a record)"}),
        ("invoice.link", {"invoice.link": "x" * 120}),
        ("deal.amount and true", {}),
    ],
)
def test_each_name_is_shown_with_its_value(source: str, seen: dict[str, object]) -> None:
    assert seen_values(source, NAMES) == seen
