"""Are records, associations, searches and portal facts read whole, in few calls, on dated paths?"""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from connector.adapters.crm.hubspot.dated_client import DatedClients, dated_path
from connector.adapters.crm.hubspot.properties import DEFINITIONS
from connector.errors import CRMRefusedError
from connector.ports.crm import Link, SearchFilter
from tests.adapters.crm.conftest import PORTAL, TOKEN, HubSpot


def an_invoice(hubspot: HubSpot, status: str, due: str) -> str:
    values = {"hs_invoice_status": status, "hs_due_date": due}
    return str(hubspot.world.create(PORTAL, "invoices", values)["id"])


def test_overdue_invoices_are_found_by_an_iso_time(hubspot: HubSpot) -> None:
    overdue = an_invoice(hubspot, "open", "2026-11-19T00:00:00Z")
    an_invoice(hubspot, "open", "2026-11-21T00:00:00Z")
    an_invoice(hubspot, "paid", "2026-11-19T00:00:00Z")
    found = hubspot.crm.search(
        hubspot.account,
        "invoice",
        [
            SearchFilter("hs_invoice_status", "EQ", "open"),
            SearchFilter("hs_due_date", "LT", "2026-11-20T10:00:00+00:00"),
        ],
        ["hs_due_date", "hs_balance_due"],
    )
    assert found == [(overdue, {"hs_due_date": "2026-11-19T00:00:00.000Z", "hs_balance_due": None})]


def test_a_search_of_many_pages_gives_every_record_once(hubspot: HubSpot) -> None:
    ids = [an_invoice(hubspot, "open", "2026-11-19T00:00:00Z") for _ in range(401)]
    found = hubspot.crm.search(hubspot.account, "invoice", [SearchFilter("hs_due_date", "HAS_PROPERTY")], [])
    assert [crm_id for crm_id, _ in found] == ids
    assert hubspot.calls("invoices.search") == 3


def test_a_search_by_list_takes_any_of_the_values(hubspot: HubSpot) -> None:
    ids = [an_invoice(hubspot, status, "2026-11-19T00:00:00Z") for status in ("open", "draft", "paid")]
    found = hubspot.crm.search(
        hubspot.account, "invoice", [SearchFilter("hs_invoice_status", "IN", ("open", "draft"))], []
    )
    assert [crm_id for crm_id, _ in found] == ids[:2]


@pytest.mark.parametrize("impossible", ["", "abc", "12a", "-7", "²", "9" * 40])
def test_an_id_that_no_record_can_have_maps_to_nothing_and_is_not_asked_for(hubspot: HubSpot, impossible: str) -> None:
    contact = hubspot.contact()
    found = hubspot.crm.read_contacts(hubspot.account, [impossible, contact], {})
    assert list(found) == [contact]
    calls = sum(hubspot.world.calls.values())
    assert hubspot.crm.read_records(hubspot.account, "deal", [impossible], ["dealname"]) == {}
    assert sum(hubspot.world.calls.values()) == calls


def test_associations_carry_the_labels_people_gave_them(hubspot: HubSpot) -> None:
    plain, labelled = hubspot.contact(), hubspot.contact()
    deal = str(hubspot.world.create(PORTAL, "deals", {"dealname": "Roof"}, [("contacts", plain)])["id"])
    label = hubspot.world.add_association_label(PORTAL, "deals", "contacts", "Billing contact")
    spec = {
        "to": {"id": labelled},
        "types": [
            {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3},
            {"associationCategory": "USER_DEFINED", "associationTypeId": label},
        ],
    }
    hubspot.world.associate(PORTAL, "deals", deal, spec)
    links = hubspot.crm.associated_contacts(hubspot.account, "deal", [deal])[deal]
    assert list(links) == [Link(plain), Link(labelled, ("Billing contact",))]


def test_further_pages_of_associations_are_read(hubspot: HubSpot) -> None:
    def page(ids: list[int], after: str | None) -> dict[str, object]:
        to = [{"toObjectId": each, "associationTypes": [{"typeId": 1, "label": "Primary"}]} for each in ids]
        more = {"paging": {"next": {"after": after}}} if after else {}
        return {"results": [{"from": {"id": "7"}, "to": to, **more}]}

    for body in (page([1, 2], "2"), page([3], None)):
        hubspot.faults.arm("hubspot.associations.batch_read", "status", status=200, body=body)
    links = hubspot.crm.associated_contacts(hubspot.account, "deal", ["7"])["7"]
    assert [link.object_id for link in links] == ["1", "2", "3"]
    assert links[0].labels == ("primary",)


def test_stages_and_owners_are_remembered_for_five_minutes(hubspot: HubSpot) -> None:
    owner = hubspot.world.add_owner(PORTAL, "sam.okafor@example.com", "Sam", "Okafor")
    for _ in range(3):
        assert hubspot.crm.stage_labels(hubspot.account, "deal")["closedwon"] == "Closed Won"
        assert hubspot.crm.owners(hubspot.account)[owner].name == "Sam Okafor"
    assert (hubspot.calls("pipelines.list"), hubspot.calls("owners.list")) == (1, 1)
    late = hubspot.world.add_owner(PORTAL, "ada@example.com")
    hubspot.clock.advance(timedelta(minutes=5))
    assert hubspot.crm.owners(hubspot.account)[late].name == "ada@example.com"


def test_every_page_of_owners_is_read(hubspot: HubSpot) -> None:
    ids = [hubspot.world.add_owner(PORTAL, f"user{n}@example.com") for n in range(101)]
    assert list(hubspot.crm.owners(hubspot.account)) == ids
    assert hubspot.calls("owners.list") == 2


def test_install_makes_our_properties_once_and_tells_the_portals_facts(hubspot: HubSpot) -> None:
    facts = hubspot.crm.install(hubspot.account)
    assert facts["time_zone"] == "America/New_York"
    assert facts["currency"] == "USD"
    assert facts["name"] == f"HubSpot {PORTAL}"
    assert (hubspot.calls("properties.create"), hubspot.calls("property_groups.create")) == (len(DEFINITIONS), 1)
    hubspot.crm.install(hubspot.account)
    assert (hubspot.calls("properties.create"), hubspot.calls("property_groups.create")) == (len(DEFINITIONS), 1)


def test_a_property_another_process_made_meanwhile_is_no_failure(hubspot: HubSpot) -> None:
    hubspot.faults.arm("hubspot.properties.create", "status", status=409, body={"category": "OBJECT_ALREADY_EXISTS"})
    hubspot.crm.install(hubspot.account)


def test_a_property_hubspot_refuses_is_told(hubspot: HubSpot) -> None:
    hubspot.faults.arm("hubspot.properties.create", "status", status=400, body={"message": "too many properties"})
    with pytest.raises(CRMRefusedError, match="too many properties"):
        hubspot.crm.install(hubspot.account)


def test_a_text_that_only_looks_like_a_time_is_searched_as_it_is(hubspot: HubSpot) -> None:
    deal = str(hubspot.world.create(PORTAL, "deals", {"dealname": "THE TALL TOWER TERRACE"})["id"])
    wanted = [SearchFilter("dealname", "EQ", "THE TALL TOWER TERRACE")]
    assert [crm_id for crm_id, _ in hubspot.crm.search(hubspot.account, "deal", wanted, [])] == [deal]


def test_a_path_without_a_dated_twin_fails_loudly() -> None:
    assert dated_path("/crm/v3/owners/", "2026-09") == "/crm/owners/2026-09"
    with pytest.raises(LookupError, match="no dated path"):
        dated_path("/crm/v3/timeline/events", "2026-09")


def test_a_portals_clients_are_kept_until_its_token_changes() -> None:
    clients = DatedClients("https://hubspot.example", "2026-09")
    first = clients.of_portal("1", TOKEN)
    assert clients.of_portal("1", TOKEN) is first
    assert clients.of_portal("2", "other") is not first
    renewed = clients.of_portal("1", "renewed")
    assert renewed is not first
    assert renewed.batches.api_client.configuration.access_token == "renewed"


def test_portals_not_called_for_long_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.adapters.crm.hubspot.dated_client._KEPT_PORTALS", 2)
    clients = DatedClients("https://hubspot.example", "2026-09")
    first, second = clients.of_portal("1", TOKEN), clients.of_portal("2", TOKEN)
    clients.of_portal("1", TOKEN)
    clients.of_portal("3", TOKEN)
    assert clients.of_portal("1", TOKEN) is first
    assert clients.of_portal("2", TOKEN) is not second


def test_all_clients_share_one_pool_without_retries() -> None:
    clients = DatedClients("https://hubspot.example", "2026-09")
    one, two = clients.of_portal("1", TOKEN), clients.of_portal("2", TOKEN)
    pools = {each.api_client.rest_client.pool_manager for each in (one.batches, one.owners, two.searches)}
    assert len(pools) == 1
    assert pools.pop().connection_pool_kw["retries"].total == 0


def test_answers_are_not_logged_even_at_debug(hubspot: HubSpot, caplog: pytest.LogCaptureFixture) -> None:
    contact = hubspot.contact(firstname="Maya", mobilephone="+12025550143")
    with caplog.at_level(logging.DEBUG):
        hubspot.crm.read_contacts(hubspot.account, [contact], {})
    assert "Maya" not in caplog.text
    assert TOKEN not in caplog.text
