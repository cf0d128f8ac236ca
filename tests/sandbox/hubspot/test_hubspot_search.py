"""Does search find what HubSpot's would, within its limits and behind its index?"""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.world import HubSpotWorld

PORTAL, V = 12345, "2026-09"


def find(api: httpx.Client, object_type: str, *filters: dict[str, Any], **more: Any) -> dict[str, Any]:
    groups = [{"filters": list(filters)}] if filters else []
    answer = api.post(f"/crm/objects/{V}/{object_type}/search", json={"filterGroups": groups, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def where(name: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"propertyName": name, "operator": operator, **({} if value is None else {"value": value}), **more}


@pytest.fixture(autouse=True)
def _no_limit(world: HubSpotWorld) -> None:
    world.limits.searches_per_second = None


@pytest.fixture
def invoices(world: HubSpotWorld) -> dict[str, str]:
    rows = {
        "late": ("open", "2026-11-01T00:00:00Z", "90"),
        "soon": ("open", "2026-12-01T00:00:00Z", "900"),
        "paid": ("paid", "2026-11-02T00:00:00Z", "0"),
        "bare": ("draft", "", ""),
    }
    return {
        name: world.create(
            PORTAL, "invoices", {"hs_invoice_status": status, "hs_due_date": due, "hs_balance_due": balance}
        )["id"]
        for name, (status, due, balance) in rows.items()
    }


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (where("hs_invoice_status", "EQ", "open"), {"late", "soon"}),
        (where("hs_invoice_status", "NEQ", "open"), {"paid", "bare"}),
        (where("hs_invoice_status", "IN", values=["paid", "draft"]), {"paid", "bare"}),
        (where("hs_invoice_status", "NOT_IN", values=["paid", "draft"]), {"late", "soon"}),
        (where("hs_due_date", "LT", "2026-11-02T00:00:00Z"), {"late"}),
        (where("hs_due_date", "LTE", "2026-11-02T00:00:00Z"), {"late", "paid"}),
        (where("hs_due_date", "GT", 1793577600000), {"soon"}),
        (where("hs_due_date", "GTE", "1793577600000"), {"soon", "paid"}),
        (where("hs_balance_due", "BETWEEN", "50", highValue="100"), {"late"}),
        (where("hs_balance_due", "GT", "100"), {"soon"}),
        (where("hs_due_date", "HAS_PROPERTY"), {"late", "soon", "paid"}),
        (where("hs_due_date", "NOT_HAS_PROPERTY"), {"bare"}),
    ],
)
def test_each_operator_compares_by_the_propertys_type(
    api: httpx.Client, invoices: dict[str, str], asked: dict[str, Any], expected: set[str]
) -> None:
    found = find(api, "invoices", asked)
    assert {row["id"] for row in found["results"]} == {invoices[name] for name in expected}
    assert found["total"] == len(expected)


def test_filters_of_a_group_must_all_hold_and_one_group_is_enough(api: httpx.Client, invoices: dict[str, str]) -> None:
    overdue = [where("hs_invoice_status", "EQ", "open"), where("hs_due_date", "LT", "2026-11-20T00:00:00Z")]
    assert [row["id"] for row in find(api, "invoices", *overdue)["results"]] == [invoices["late"]]
    either = [{"filters": overdue}, {"filters": [where("hs_invoice_status", "EQ", "paid")]}]
    found = api.post(f"/crm/objects/{V}/invoices/search", json={"filterGroups": either}).json()
    assert [row["id"] for row in found["results"]] == [invoices["late"], invoices["paid"]]


def test_text_compares_without_case_but_in_needs_lower_case(api: httpx.Client, world: HubSpotWorld) -> None:
    world.create(PORTAL, "contacts", {"firstname": "Ada", "email": "ada@example.com"})
    assert find(api, "contacts", where("firstname", "EQ", "ADA"))["total"] == 1
    assert find(api, "contacts", where("firstname", "IN", values=["ada"]))["total"] == 1
    assert find(api, "contacts", where("firstname", "IN", values=["Ada"]))["total"] == 0


@pytest.mark.parametrize(("value", "total"), [("roof", 1), ("ROOF", 1), ("ro*", 1), ("roo", 0), ("2025550143", 0)])
def test_contains_token_looks_for_whole_words(api: httpx.Client, world: HubSpotWorld, value: str, total: int) -> None:
    world.create(PORTAL, "deals", {"dealname": "New roof, 12m"})
    assert find(api, "deals", where("dealname", "CONTAINS_TOKEN", value))["total"] == total
    assert find(api, "deals", where("dealname", "NOT_CONTAINS_TOKEN", value))["total"] == 1 - total


def test_a_number_is_found_in_each_of_its_searchable_forms(api: httpx.Client, world: HubSpotWorld) -> None:
    world.create(PORTAL, "contacts", {"phone": "(202) 555-0143", "mobilephone": "+44 7700 900123"})
    for name, digits in [
        ("hs_searchable_calculated_phone_number", "2025550143"),
        ("hs_searchable_calculated_mobile_number", "7700900123"),
        ("hs_searchable_calculated_international_mobile_number", "447700900123"),
        ("hs_calculated_mobile_number", "+447700900123"),
    ]:
        assert find(api, "contacts", where(name, "EQ", digits))["total"] == 1
    assert find(api, "contacts", where("hs_calculated_phone_number", "HAS_PROPERTY"))["total"] == 0


def test_a_record_is_found_by_what_it_is_joined_to(api: httpx.Client, world: HubSpotWorld) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    deal = world.create(PORTAL, "deals", {"dealname": "A"}, [("contacts", contact)])["id"]
    world.create(PORTAL, "deals", {"dealname": "B"})
    found = find(api, "deals", where("associations.contact", "EQ", contact))
    assert [row["id"] for row in found["results"]] == [deal]


def test_pages_follow_each_other_and_end(api: httpx.Client, world: HubSpotWorld) -> None:
    ids = [world.create(PORTAL, "deals", {"dealname": f"{n:03}"})["id"] for n in range(25)]
    sort = [{"propertyName": "dealname", "direction": "DESCENDING"}]
    first = find(api, "deals", sorts=sort, limit=20, properties=["dealname"])
    second = find(api, "deals", sorts=sort, limit=20, after=first["paging"]["next"]["after"])
    assert [row["id"] for row in first["results"] + second["results"]] == ids[::-1]
    assert first["results"][0]["properties"]["dealname"] == "024"
    assert "paging" not in second


def test_a_query_looks_into_every_property(api: httpx.Client, world: HubSpotWorld) -> None:
    world.create(PORTAL, "contacts", {"firstname": "Ada", "city": "Ghent"})
    assert find(api, "contacts", query="ghent ada")["total"] == 1
    assert find(api, "contacts", query="ghent bob")["total"] == 0


def test_the_index_lags_behind_new_and_changed_records(
    api: httpx.Client, world: HubSpotWorld, clock: SandboxClock
) -> None:
    world.writer.search_lag = timedelta(seconds=30)
    deal = world.create(PORTAL, "deals", {"dealname": "old"})["id"]
    assert find(api, "deals")["total"] == 0
    clock.advance(timedelta(seconds=31))
    world.update(PORTAL, "deals", deal, {"dealname": "new"})
    assert find(api, "deals", where("dealname", "EQ", "old"))["total"] == 1
    assert api.get(f"/crm/objects/{V}/deals/{deal}").json()["properties"]["dealname"] == "new"
    clock.advance(timedelta(seconds=31))
    assert find(api, "deals", where("dealname", "EQ", "new"))["total"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": [where("dealname", "LIKE", "a")]}]},
        {"filterGroups": [{"filters": [where("colour", "EQ", "red")]}]},
        {"filterGroups": [{"filters": [where("dealname", "EQ")]}]},
        {"filterGroups": [{"filters": [where("dealname", "IN", "a")]}]},
        {"filterGroups": [{"filters": [where("amount", "BETWEEN", "1")]}]},
        {"filterGroups": [{"filters": [where("amount", "GT", "much")]}]},
        {"filterGroups": [{"filters": [where("closedate", "GT", "soon")]}]},
        {"filterGroups": [{"filters": [where("associations.contact", "GT", "1")]}]},
        {"filterGroups": [{"filters": [where("dealname", "HAS_PROPERTY")]}] * 6},
        {"filterGroups": [{"filters": [where("dealname", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [where("dealname", "HAS_PROPERTY")] * 5}] * 4},
        {"filterGroups": [{"colour": []}]},
        {"limit": 201},
        {"limit": "many"},
        {"after": 9_999},
        {"sorts": ["dealname", "amount"]},
        {"sorts": ["colour"]},
        {"query": "x" * 3000},
        {"colour": "red"},
        [],
    ],
)
def test_a_search_beyond_the_rules_is_refused(api: httpx.Client, body: Any) -> None:
    answer = api.post(f"/crm/objects/{V}/deals/search", json=body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
