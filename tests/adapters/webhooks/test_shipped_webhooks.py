"""Does every event of the shipped file of webhooks come out of the payload that its system documents?"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.event_files import load_events
from connector.domain.webhook_sources import NamedBy, OnWebhook
from connector.ports.inbox import InboxRow
from connector.services.crm_reading import Reading
from connector.services.happenings import WEBHOOK, Happening, delivered
from tests.adapters.journeys.conftest import ROOT

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
SHELF = load_events(ROOT / "mappings")
TOPICS = {
    "cart.created": "checkouts/create",
    "cart.changed": "checkouts/update",
    "order.created": "orders/create",
    "order.fulfillment_changed": "orders/fulfilled",
}
"""What Shopify's header says, by the event that is made of it."""

PAIRS = [(path.parent.name, path.stem) for path in sorted(FIXTURES.glob("*/*.json"))]


def understood(source: str, event: str, **changes: Any) -> Happening:
    body = json.loads((FIXTURES / source / f"{event}.json").read_text()) | changes
    type_ = TOPICS[event] if source == "shopify" else ""
    row = InboxRow("r", None, WEBHOOK, "x", json.dumps(body).encode(), {"source": source, "type": type_}, NOW)
    return delivered(row, SHELF.catalogue)


def values(source: str, event: str, **changes: Any) -> dict[str, Any]:
    """What texts and conditions see of the record the event is about."""
    found = Reading().values(understood(source, event, **changes).told[event])
    assert found is not None
    (record,) = found.values()
    return record


def test_the_shipped_file_has_no_mistakes() -> None:
    assert SHELF.mistakes == ()


def test_every_event_of_every_system_has_a_documented_payload_and_there_are_no_others() -> None:
    described = {
        (event.source.source, event.name)
        for event in SHELF.catalogue.webhooks.events
        if isinstance(event.source, OnWebhook)
    }
    assert described == set(PAIRS)


@pytest.mark.parametrize(("source", "event"), PAIRS)
def test_a_payload_makes_its_event_with_a_value_for_every_name_and_somebody_it_concerns(
    source: str, event: str
) -> None:
    wanted = understood(source, event).told[event]
    assert wanted.told is not None
    assert {name.by for name in wanted.told.people} >= {NamedBy.EMAIL, NamedBy.NUMBER}
    missing = {name for name, value in values(source, event).items() if value is None}
    assert missing <= {"fulfillment", "tracking_link", "tracking_number", "due_at", "due_on"}, missing
    assert understood(source, event).occurred_at is not None or source == "shopify"


def test_stripe_amounts_and_times_are_read_in_their_units() -> None:
    invoice = values("stripe", "invoice.overdue")
    assert invoice["balance_due"] == Decimal("1249.50")
    assert invoice["currency"] == "USD"
    assert invoice["due_on"] == date(2026, 11, 19)
    assert values("stripe", "payment.failed")["amount"] == Decimal(4900)  # yen have no smaller unit


def test_a_paid_invoice_of_stripe_ends_reminders_and_payment_journeys_alike() -> None:
    assert set(understood("stripe", "invoice.paid").told) == {"invoice.paid", "payment.succeeded"}


def test_an_invoice_that_is_no_longer_open_is_not_overdue() -> None:
    body = json.loads((FIXTURES / "stripe" / "invoice.overdue.json").read_text())
    body["data"]["object"]["status"] = "void"
    assert understood("stripe", "invoice.overdue", data=body["data"]).useless.startswith("ignored")


def test_a_checkout_changes_only_when_it_is_completed() -> None:
    assert understood("shopify", "cart.changed", completed_at=None).useless.startswith("ignored")
    assert values("shopify", "cart.changed")["status"] == "completed"


@pytest.mark.parametrize(
    ("tag", "word"), [("InTransit", "in_transit"), ("Delivered", "delivered"), ("Exception", "delayed")]
)
def test_aftership_says_in_our_words_where_a_parcel_is(tag: str, word: str) -> None:
    body = json.loads((FIXTURES / "aftership" / "order.fulfillment_changed.json").read_text())
    assert values("aftership", "order.fulfillment_changed", msg=body["msg"] | {"tag": tag})["fulfillment"] == word


def test_the_shop_and_the_carrier_mean_the_same_order() -> None:
    shop, carrier = (values(source, "order.fulfillment_changed") for source in ("shopify", "aftership"))
    assert shop["id"] == carrier["id"]


def test_a_form_names_its_sender_wherever_the_question_stands() -> None:
    wanted = understood("typeform", "form.submitted").told["form.submitted"]
    assert wanted.told is not None
    assert [(name.by, name.text) for name in wanted.told.people] == [
        (NamedBy.EMAIL, "lea.hartmann@example.com"),
        (NamedBy.NUMBER, "+12025550143"),
    ]


def test_an_invitee_who_cancels_is_the_one_who_booked() -> None:
    booked = understood("calendly", "appointment.booked").told["appointment.booked"]
    cancelled = understood("calendly", "appointment.cancelled").told["appointment.cancelled"]
    assert booked.ref == cancelled.ref
    source = SHELF.catalogue.webhooks.sources["calendly"]
    bodies = [(FIXTURES / "calendly" / f"appointment.{name}.json").read_bytes() for name in ("booked", "cancelled")]
    assert source.identity(bodies[0]) != source.identity(bodies[1])
