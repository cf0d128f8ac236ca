"""Does a trace show the values a condition saw, and none that are nobody's business?"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.domain.seen_values import seen_values

NAMES: dict[str, Any] = {
    "invoice": {"balance_due": Decimal(600), "number": "INV-7", "link": "x" * 300, "dial": "+1 202 555 0143"},
    "contact": {
        "phone": "+12025550143",
        "name": "Lea",
        "id": "9001202555",
        "whatsapp": "2025550143",
        "notes": "call (202) 555-0143 after six",
        "Fax_2": "0143",
        "phones": {"first": "0143"},
        "street": "Main St 202, 1043",
    },
    "deal": {"amount": Decimal(12025550143)},
    "vars": {"numbers": ["+12025550143"], "valid": "12025550143", "said": "I am ill", "tries": 2},
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
        ("ticket.subject and true", {}),
        ("contact.id", {"contact.id": "9001202555"}),
        ("contact.whatsapp", {"contact.whatsapp": "(not shown)"}),
        ("contact.notes", {"contact.notes": "(not shown)"}),
        ("contact.Fax_2", {"contact.Fax_2": "(not shown)"}),
        ("contact.phones.first", {"contact.phones.first": "(not shown)"}),
        ("contact.street", {"contact.street": "Main St 202, 1043"}),
        ("deal.amount > 1", {"deal.amount": Decimal(12025550143)}),
        ("vars.numbers", {"vars.numbers": "(a list)"}),
        ("vars.valid", {"vars.valid": "(not shown)"}),
        ("vars.valid == '12025550143'", {"vars.valid": "(not shown)"}),
        ("vars.said", {"vars.said": "(not shown)"}),
        ("vars.said == 'ill'", {"vars.said": "(not shown)"}),
        ("vars.said == 'I am ill' and vars.tries < 3", {"vars.said": "I am ill", "vars.tries": 2}),
        ("vars.gone", {"vars.gone": "(undefined)"}),
    ],
)
def test_each_name_is_shown_with_its_value(source: str, seen: dict[str, object]) -> None:
    assert seen_values(source, NAMES) == seen
