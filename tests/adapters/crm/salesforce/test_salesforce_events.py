"""Do the shipped journeys get from Salesforce what they get from HubSpot?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.event_files import load_events
from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.event_mapping import CRMEvents, EventMapping, FieldSource, Poll, ValueKind
from connector.domain.record_values import convert_record
from connector.ports.crm import SearchFilter
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce

MAPPINGS = Path(__file__).parents[4] / "mappings"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def events() -> CRMEvents:
    shelf = load_events(MAPPINGS)
    assert shelf.mistakes == ()
    return shelf.catalogue.by_crm["salesforce"]


def test_every_event_has_the_names_hubspots_has(events: CRMEvents) -> None:
    hubspot = load_events(MAPPINGS).catalogue.by_crm["hubspot"]
    shared = events.events.keys() & hubspot.events.keys()
    wanted = {"deal.stage_changed", "ticket.priority_changed", "contact.created", "invoice.overdue", "invoice.paid"}
    assert wanted <= shared
    for name in shared:
        theirs, ours = hubspot.events[name].read, events.events[name].read
        assert {record: set(reads) for record, reads in ours.items()} == {
            record: set(reads) for record, reads in theirs.items()
        }, name
    assert events.contact.names() == hubspot.contact.names()


@pytest.mark.parametrize(
    ("notice", "named"),
    [
        (ChangeNotice(ObjectRef("deal", "1"), ChangeKind.CHANGED, NOW, "StageName", "New"), ["deal.stage_changed"]),
        (ChangeNotice(ObjectRef("ticket", "1"), ChangeKind.CHANGED, NOW, "Priority"), ["ticket.priority_changed"]),
        (ChangeNotice(ObjectRef("lead", "1"), ChangeKind.CREATED, NOW), ["lead.created", "contact.created"]),
        (ChangeNotice(ObjectRef("contact", "1"), ChangeKind.CHANGED, NOW, "SMS_Opt_Out__c", "true"), []),
    ],
)
def test_notices_make_their_events(events: CRMEvents, notice: ChangeNotice, named: list[str]) -> None:
    assert [each.name for each in events.of_notice(notice)] == named


def values(salesforce: Salesforce, mapping: EventMapping, record_id: str) -> dict[str, Any]:
    """What conditions and texts see of a record."""
    object_type = mapping.object_type
    raw = salesforce.crm.read_records(salesforce.account, object_type, [record_id], mapping.properties(object_type))
    if not raw:
        names = [source.property_name for source in mapping.read[object_type].values()]
        raw = salesforce.crm.read_records(salesforce.account, object_type, [record_id], names)
    labels = salesforce.crm.stage_labels(salesforce.account, object_type)
    return convert_record(mapping.read[object_type], raw[record_id], labels)


def test_a_deal_is_read_as_the_journeys_want_it(salesforce: Salesforce, events: CRMEvents) -> None:
    salesforce.world.add_choice(ORG, "OpportunityStage", "demo", label="Demo booked")
    deal = salesforce.deal("Roof", StageName="demo", Amount=1250.5, NextStep="Call", CurrencyIsoCode="EUR")
    read = values(salesforce, events.events["deal.stage_changed"], deal)
    assert (read["id"], read["name"], read["next_step"]) == (deal, "Roof", "Call")
    assert (read["stage"], read["stage_label"]) == ("demo", "Demo booked")
    assert (read["amount"], read["currency"]) == (Decimal("1250.5"), "EUR")
    assert read["closes_at"] == datetime(2026, 12, 24, tzinfo=UTC)


def test_an_urgent_ticket_is_as_urgent_as_in_hubspot(salesforce: Salesforce, events: CRMEvents) -> None:
    ticket = str(salesforce.world.create(ORG, "Case", {"Subject": "Leak", "Priority": "High"})["Id"])
    read = values(salesforce, events.events["ticket.priority_changed"], ticket)
    assert (read["subject"], read["priority"], read["stage"]) == ("Leak", "HIGH", "New")
    assert read["respond_by"] is None


def found(salesforce: Salesforce, mapping: EventMapping) -> list[str]:
    """What a poll finds at noon."""
    assert isinstance(mapping.source, Poll)
    now = salesforce.clock.now()
    conditions = [each.at(now) for each in mapping.source.where]
    filters = [SearchFilter(each.property_name, each.operator, each.value) for each in conditions]
    rows = salesforce.crm.search(salesforce.account, "invoice", filters, mapping.source.once_per)
    assert all(set(held) == set(mapping.source.once_per) for _, held in rows)
    return [crm_id for crm_id, _ in rows]


def test_overdue_and_paid_invoices_are_found_whatever_their_status_is_called(
    salesforce: Salesforce, events: CRMEvents
) -> None:
    today = salesforce.clock.now().date()

    def invoice(days: int, balance: float, status: str) -> str:
        due = (today + timedelta(days=days)).isoformat()
        fields = {"Name": f"I{days}", "Due_Date__c": due, "Balance__c": balance, "Status__c": status}
        return str(salesforce.world.create(ORG, "Invoice__c", fields)["Id"])

    overdue, paid = invoice(-3, 120.5, "Open"), invoice(-4, 0, "Paid")
    invoice(5, 80, "Open")
    invoice(-60, 80, "Open")
    assert found(salesforce, events.events["invoice.overdue"]) == [overdue]
    assert found(salesforce, events.events["invoice.paid"]) == [paid]
    salesforce.clock.advance(timedelta(days=3))
    assert found(salesforce, events.events["invoice.paid"]) == []
    read = values(salesforce, events.events["invoice.overdue"], overdue)
    assert (read["number"], read["status"], read["balance_due"]) == ("I-3", "open", Decimal("120.5"))
    assert read["due_on"] == today - timedelta(days=3)
    assert isinstance(read["due_on"], date)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (ValueKind.UPPER, "High", "HIGH"),
        (ValueKind.LOWER, " Paid ", "paid"),
        (ValueKind.UPPER, None, None),
        (ValueKind.LOWER, "", None),
    ],
)
def test_a_word_is_read_in_the_capitals_a_journey_compares(kind: ValueKind, raw: str | None, value: object) -> None:
    assert convert_record({"word": FieldSource("W", kind)}, {"W": raw}, {}) == {"word": value}
