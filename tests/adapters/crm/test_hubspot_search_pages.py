"""Can a search that finds more than fits into memory be read page by page?"""

from __future__ import annotations

from connector.ports.crm import SearchFilter
from tests.adapters.crm.conftest import HubSpot

CUSTOMERS = [SearchFilter("lifecyclestage", "EQ", "customer")]


def test_each_page_goes_on_behind_the_last_id_in_one_call(hubspot: HubSpot) -> None:
    ids = [hubspot.contact(lifecyclestage="customer") for _ in range(201)]
    hubspot.contact(lifecyclestage="lead")
    first = hubspot.crm.search_page(hubspot.account, "contact", CUSTOMERS, [])
    rest = hubspot.crm.search_page(hubspot.account, "contact", CUSTOMERS, [], after=first[-1][0])
    end = hubspot.crm.search_page(hubspot.account, "contact", CUSTOMERS, [], after=rest[-1][0])
    assert [crm_id for crm_id, _ in first] == ids[:200]
    assert [crm_id for crm_id, _ in rest] == ids[200:]
    assert end == []
    assert hubspot.calls("contacts.search") == 3
