"""Are records joined by the right association types, both ways?"""

import httpx
import pytest

from connector.sandbox.hubspot.association_types import HUBSPOT_DEFINED
from connector.sandbox.hubspot.refusals import RefusalError
from connector.sandbox.hubspot.world import HubSpotWorld

PORTAL, V = 12345, "2026-09"


def types_between(api: httpx.Client, start: str, start_id: str, end: str) -> dict[int, list[tuple[int, str | None]]]:
    rows = api.get(f"/crm/objects/{V}/{start}/{start_id}/associations/{end}").json()["results"]
    return {row["toObjectId"]: [(t["typeId"], t["label"]) for t in row["associationTypes"]] for row in rows}


@pytest.mark.parametrize(
    ("start", "end", "type_id", "inverse"),
    [
        ("communications", "contacts", 81, 82),
        ("communications", "tickets", 83, 84),
        ("communications", "deals", 85, 86),
        ("communications", "companies", 87, 88),
        ("contacts", "deals", 4, 3),
        ("contacts", "tickets", 15, 16),
        ("contacts", "invoices", 178, 177),
        ("tasks", "contacts", 204, 203),
        ("tasks", "deals", 216, 215),
        ("tasks", "tickets", 230, 229),
    ],
)
def test_the_default_types_have_hubspots_numbers(start: str, end: str, type_id: int, inverse: int) -> None:
    numbers = {(t.from_type, t.to_type): t.type_id for t in HUBSPOT_DEFINED if t.label is None}
    assert (numbers[start, end], numbers[end, start]) == (type_id, inverse)


def test_no_type_joins_messages_and_invoices() -> None:
    assert not [t for t in HUBSPOT_DEFINED if {t.from_type, t.to_type} == {"communications", "invoices"}]


def test_every_type_has_its_way_back() -> None:
    there = {(t.from_type, t.to_type, t.type_id, t.inverse_id) for t in HUBSPOT_DEFINED}
    assert there == {(end, start, back, type_id) for start, end, type_id, back in there}


def test_a_primary_company_carries_the_default_type_too(api: httpx.Client, world: HubSpotWorld) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    company = world.create(PORTAL, "companies", {"name": "Works"})["id"]
    primary = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    answer = api.put(f"/crm/objects/{V}/contacts/{contact}/associations/companies/{company}", json=primary)
    assert (answer.status_code, answer.json()["labels"]) == (201, ["Primary"])
    assert types_between(api, "contacts", contact, "companies") == {int(company): [(1, "Primary"), (279, None)]}
    assert types_between(api, "companies", company, "contacts") == {int(contact): [(2, "Primary"), (280, None)]}


def test_a_portals_own_label_is_read_beside_the_default(api: httpx.Client, world: HubSpotWorld) -> None:
    type_id = world.add_association_label(PORTAL, "deals", "contacts", "Decision maker")
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    deal = world.create(PORTAL, "deals", {"dealname": "A"})["id"]
    spec = {"associationCategory": "USER_DEFINED", "associationTypeId": type_id}
    world.associate(PORTAL, "deals", deal, {"to": {"id": contact}, "types": [spec]})
    assert types_between(api, "deals", deal, "contacts") == {int(contact): [(3, None), (type_id, "Decision maker")]}
    labels = api.get(f"/crm/associations/{V}/deals/contacts/labels").json()["results"]
    assert {"category": "USER_DEFINED", "typeId": type_id, "label": "Decision maker"} in labels


def test_associations_are_made_by_default_in_batches_and_taken_away(api: httpx.Client, world: HubSpotWorld) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    first, second = (world.create(PORTAL, "tickets", {"subject": each})["id"] for each in "ab")
    assert api.put(f"/crm/objects/{V}/tickets/{first}/associations/default/contacts/{contact}").status_code == 200
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 16}]
    row = {"from": {"id": second}, "to": {"id": contact}, "types": spec}
    made = api.post(f"/crm/associations/{V}/tickets/contacts/batch/create", json={"inputs": [row]})
    assert made.status_code == 201
    assert world.associated(PORTAL, "contacts", contact, "tickets") == [first, second]
    api.delete(f"/crm/objects/{V}/tickets/{first}/associations/contacts/{contact}")
    assert world.associated(PORTAL, "contacts", contact, "tickets") == [second]


def test_a_type_that_leads_elsewhere_is_refused(api: httpx.Client, world: HubSpotWorld) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    ticket = world.create(PORTAL, "tickets", {"subject": "a"})["id"]
    deal = world.create(PORTAL, "deals", {"dealname": "a"})["id"]
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 4}]
    answer = api.put(f"/crm/objects/{V}/contacts/{contact}/associations/tickets/{deal}", json=spec)
    assert answer.status_code == 400
    assert world.associated(PORTAL, "contacts", contact, "deals") == []
    assert world.associated(PORTAL, "contacts", contact, "tickets") == []
    with pytest.raises(RefusalError, match="does not exist"):
        world.associate(PORTAL, "contacts", contact, ("deals", ticket))


def test_long_association_lists_come_in_pages(api: httpx.Client, world: HubSpotWorld) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    deals = [int(world.create(PORTAL, "deals", {"dealname": "a"}, [("contacts", contact)])["id"]) for _ in range(3)]
    path = f"/crm/objects/{V}/contacts/{contact}/associations/deals"
    first = api.get(path, params={"limit": 2}).json()
    rest = api.get(path, params={"limit": 2, "after": first["paging"]["next"]["after"]}).json()
    assert [row["toObjectId"] for row in first["results"] + rest["results"]] == deals
    assert "paging" not in rest
    assert api.get(path, params={"limit": 501}).status_code == 400
