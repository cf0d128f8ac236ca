"""Does HubSpot's documented way of telling each shipped event lead to its record and to the right contact?

One fixture per event: the webhook as HubSpot documents it, or none where a search has to find the record; the record's
properties; and the values that texts and conditions see. `now - 2 days` stands for that time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.crm.hubspot.webhooks import read_notice, split_batch
from connector.adapters.event_files import load_events
from connector.adapters.poll_conditions import parse_condition
from connector.domain.event import ChangeKind, ObjectRef
from connector.domain.event_mapping import EventMapping, OnChange, Poll
from connector.ports.crm import SearchFilter
from connector.ports.ledger import AccountRow
from connector.services.crm_reading import CRMReader, Wanted
from tests.adapters.crm.conftest import PORTAL, HubSpot

ROOT = Path(__file__).parents[3]
FIXTURES = Path(__file__).parent / "fixtures" / "hubspot"
EVENTS = load_events(ROOT / "mappings").catalogue
HUBSPOT = EVENTS.by_crm["hubspot"]
NAMES = sorted(HUBSPOT.events)


def fixture(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def account(hubspot: HubSpot) -> AccountRow:
    return hubspot.row()


def reader(hubspot: HubSpot) -> CRMReader:
    return CRMReader({"hubspot": hubspot.crm}, EVENTS, hubspot.clock)


def put(hubspot: HubSpot, mapping: EventMapping, links: list[tuple[str, str]]) -> str:
    """Put the fixture's record into the portal; a contact's event is about the first contact of `links`."""
    record = {name: value_at(hubspot, value) for name, value in fixture(mapping.name)["record"].items()}
    if mapping.object_type == "contact":
        ((_, contact),) = links
        hubspot.world.update(PORTAL, "contacts", contact, record)
        return contact
    return str(hubspot.world.create(PORTAL, mapping.object_type, record, links)["id"])


def value_at(hubspot: HubSpot, value: str) -> str:
    if not value.startswith("now"):
        return value
    moment = parse_condition(f"x = {value}").at(hubspot.clock.now())
    assert isinstance(moment.value, str)
    return moment.value


def plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, (date, datetime)) else value


def test_every_event_has_a_fixture_and_every_fixture_an_event() -> None:
    assert sorted(path.stem for path in FIXTURES.glob("*.json")) == NAMES


@pytest.mark.parametrize("name", [each for each in NAMES if isinstance(HUBSPOT.events[each].source, OnChange)])
def test_a_documented_webhook_makes_the_event(name: str) -> None:
    delivery = json.dumps([fixture(name)["webhook"]]).encode()
    (raw,) = split_batch(delivery)
    notice = read_notice(json.loads(raw.body))
    assert raw.portal_id == "12345"
    assert notice is not None
    assert name in [each.name for each in HUBSPOT.of_notice(notice)]
    assert notice.kind in {ChangeKind.CREATED, ChangeKind.CHANGED}


@pytest.mark.parametrize("name", NAMES)
def test_the_record_is_read_and_its_contact_found(hubspot: HubSpot, name: str) -> None:
    mapping = HUBSPOT.events[name]
    hubspot.crm.install(hubspot.account)
    contact = hubspot.contact(firstname="Lea", mobilephone="+12025550143")
    record = put(hubspot, mapping, [("contacts", contact)])
    wanted = Wanted(mapping, ObjectRef(mapping.object_type, record))
    reading = reader(hubspot).read_events(account(hubspot), [wanted])
    values = reading.values(wanted)
    assert values is not None
    for kind, expected in fixture(name)["values"].items():
        assert {each: plain(values[kind][each]) for each in expected} == expected
    ids, _ = reading.chosen_contacts(wanted)
    assert ids[0] == contact
    assert reading.contacts[contact].phones


@pytest.mark.parametrize("name", [each for each in NAMES if isinstance(HUBSPOT.events[each].source, Poll)])
def test_a_search_finds_what_no_webhook_tells_and_names_it_the_same_each_time(hubspot: HubSpot, name: str) -> None:
    mapping = HUBSPOT.events[name]
    assert isinstance(mapping.source, Poll)
    contact = hubspot.contact(firstname="Lea")
    record = put(hubspot, mapping, [("contacts", contact)])
    now = hubspot.clock.now()
    filters = [
        SearchFilter(each.property_name, each.operator, each.value)
        for each in (one.at(now) for one in mapping.source.where)
    ]
    found = [
        hubspot.crm.search(hubspot.account, mapping.object_type, filters, mapping.source.once_per) for _ in range(2)
    ]
    assert [[each for each, _ in some] for some in found] == [[record], [record]]
    names = {mapping.source.discriminator(properties) for some in found for _, properties in some}
    assert len(names) == 1
    assert "" not in "|".join(names).split("|"), "nothing that tells two happenings apart is empty"


def test_an_invoice_without_a_contact_is_its_companys_primary_contacts(hubspot: HubSpot) -> None:
    mapping = HUBSPOT.events["invoice.overdue"]
    other, primary = hubspot.contact(firstname="Noor"), hubspot.contact(firstname="Lea")
    company = str(hubspot.world.create(PORTAL, "companies", {"name": "Acme"})["id"])
    hubspot.world.associate(PORTAL, "contacts", other, ("companies", company))
    spec = {"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]}
    hubspot.world.associate(PORTAL, "contacts", primary, spec)
    invoice = put(hubspot, mapping, [("companies", company)])
    wanted = Wanted(mapping, ObjectRef("invoice", invoice))
    ids, how = reader(hubspot).read_events(account(hubspot), [wanted]).chosen_contacts(wanted)
    assert ids == (primary, other)
    assert how == f"associated with company:{company}, the first of its contacts, as invoice:{invoice} has none"


def test_an_invoice_with_a_contact_of_its_own_asks_no_company(hubspot: HubSpot) -> None:
    mapping = HUBSPOT.events["invoice.overdue"]
    own, other = hubspot.contact(firstname="Noor"), hubspot.contact(firstname="Lea")
    company = str(hubspot.world.create(PORTAL, "companies", {"name": "Acme"}, [("contacts", other)])["id"])
    invoice = put(hubspot, mapping, [("contacts", own), ("companies", company)])
    lonely = put(hubspot, mapping, [])
    wanted = [Wanted(mapping, ObjectRef("invoice", each)) for each in (invoice, lonely)]
    reading = reader(hubspot).read_events(account(hubspot), wanted)
    assert reading.chosen_contacts(wanted[0])[0] == (own,)
    assert reading.chosen_contacts(wanted[1]) == ((), f"no contact is associated with invoice:{lonely}")
