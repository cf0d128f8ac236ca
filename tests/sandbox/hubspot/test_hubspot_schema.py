"""Are properties, groups, pipelines and owners listed and kept as HubSpot's are?"""

import httpx
import pytest

from connector.sandbox.hubspot.property_definitions import PropertyDefinition
from connector.sandbox.hubspot.values import ValueRefusedError, kept_value, webhook_value
from connector.sandbox.hubspot.world import HubSpotWorld

PORTAL, V = 12345, "2026-09"
GROUP = {"name": "sms_connector", "label": "SMS"}
LAST_REPLY = {
    "name": "sms_last_reply_at",
    "label": "Last reply",
    "type": "datetime",
    "fieldType": "date",
    "groupName": "sms_connector",
}


def test_a_group_is_added_listed_and_read(api: httpx.Client) -> None:
    assert api.post(f"/crm/properties/{V}/contacts/groups", json=GROUP).status_code == 201
    names = [each["name"] for each in api.get(f"/crm/properties/{V}/contacts/groups").json()["results"]]
    assert names == ["contactinformation", "sms_connector"]
    assert api.get(f"/crm/properties/{V}/contacts/groups/sms_connector").json()["label"] == "SMS"
    assert api.get(f"/crm/properties/{V}/contacts/groups/nowhere").status_code == 404


def test_an_added_property_takes_values_until_it_is_archived(api: httpx.Client, world: HubSpotWorld) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    api.post(f"/crm/properties/{V}/contacts/groups", json=GROUP)
    assert api.post(f"/crm/properties/{V}/contacts", json=LAST_REPLY).status_code == 201
    body = {"properties": {"sms_last_reply_at": "2026-11-20T10:00:00Z"}}
    assert api.patch(f"/crm/objects/{V}/contacts/{contact}", json=body).status_code == 200
    assert api.delete(f"/crm/properties/{V}/contacts/sms_last_reply_at").status_code == 204
    assert api.patch(f"/crm/objects/{V}/contacts/{contact}", json=body).status_code == 400


def test_a_batch_with_a_property_that_exists_is_refused_whole(api: httpx.Client) -> None:
    api.post(f"/crm/properties/{V}/contacts/groups", json=GROUP)
    inputs = [LAST_REPLY, LAST_REPLY | {"name": "email", "type": "string", "fieldType": "text"}]
    answer = api.post(f"/crm/properties/{V}/contacts/batch/create", json={"inputs": inputs})
    assert (answer.status_code, answer.json()["category"]) == (409, "OBJECT_ALREADY_EXISTS")
    assert api.get(f"/crm/properties/{V}/contacts/sms_last_reply_at").status_code == 404


def test_stage_properties_offer_the_portals_stages(api: httpx.Client) -> None:
    listed = {each["name"]: each for each in api.get(f"/crm/properties/{V}/deals").json()["results"]}
    assert {"value": "closedwon", "label": "Closed Won"}.items() <= listed["dealstage"]["options"][5].items()
    assert [each["value"] for each in listed["pipeline"]["options"]] == ["default"]
    status = api.get(f"/crm/properties/{V}/invoices/hs_invoice_status").json()
    assert [each["value"] for each in status["options"]] == ["draft", "open", "paid", "voided"]
    assert status["modificationMetadata"]["readOnlyDefinition"] is True


def test_stages_are_listed_in_order_and_closed_ones_say_so(api: httpx.Client) -> None:
    stages = api.get(f"/crm/pipelines/{V}/deals/default/stages").json()["results"]
    assert [each["displayOrder"] for each in stages] == list(range(7))
    assert stages[5]["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert api.get(f"/crm/pipelines/{V}/contacts").status_code == 400


def test_owners_come_in_pages_and_by_email(api: httpx.Client, world: HubSpotWorld) -> None:
    first, second = (world.add_owner(PORTAL, f"{each}@example.com") for each in "ab")
    page = api.get(f"/crm/owners/{V}", params={"limit": 1}).json()
    rest = api.get(f"/crm/owners/{V}", params={"after": page["paging"]["next"]["after"]}).json()
    assert [each["id"] for each in page["results"] + rest["results"]] == [first, second]
    by_email = api.get(f"/crm/owners/{V}", params={"email": "b@example.com"}).json()["results"]
    assert [each["id"] for each in by_email] == [second]
    assert api.get(f"/crm/owners/{V}", params={"limit": "all"}).status_code == 400


@pytest.mark.parametrize(
    ("value_type", "raw", "kept"),
    [
        ("string", 7, "7"),
        ("string", None, ""),
        ("bool", True, "true"),
        ("bool", "FALSE", "false"),
        ("number", " 1.50 ", "1.50"),
        ("number", 3, "3"),
        ("date", "2026-11-20", "2026-11-20"),
        ("date", "1795132800000", "2026-11-20"),
        ("datetime", 0, "1970-01-01T00:00:00.000Z"),
        ("datetime", "1795168800123", "2026-11-20T10:00:00.123Z"),
    ],
)
def test_values_are_kept_in_one_form(value_type: str, raw: object, kept: str) -> None:
    assert kept_value(PropertyDefinition("x", "X", value_type), raw) == kept


@pytest.mark.parametrize(
    ("value_type", "raw"),
    [
        ("bool", "yes"),
        ("number", "1,5"),
        ("number", "Infinity"),
        ("date", "20.11.2026"),
        ("date", "1795168800000"),
        ("datetime", "9" * 30),
        ("string", ["a"]),
    ],
)
def test_values_of_another_type_are_refused(value_type: str, raw: object) -> None:
    with pytest.raises(ValueRefusedError):
        kept_value(PropertyDefinition("x", "X", value_type), raw)


def test_several_checkboxes_may_be_ticked() -> None:
    boxes = PropertyDefinition("x", "X", "enumeration", "checkbox")
    assert kept_value(boxes, "a;b", {"a", "b"}) == "a;b"
    with pytest.raises(ValueRefusedError, match="c was not one"):
        kept_value(boxes, "a;c", {"a", "b"})


def test_webhooks_carry_times_in_milliseconds_and_cleared_ones_empty() -> None:
    at = PropertyDefinition("x", "X", "datetime")
    assert webhook_value(at, "2026-11-20T10:00:00.123Z") == "1795168800123"
    assert webhook_value(at, "") == ""


def test_a_number_nobody_can_parse_has_digits_and_no_international_form(world: HubSpotWorld) -> None:
    properties = world.create(PORTAL, "contacts", {"phone": "+x 12"})["properties"]
    assert properties["hs_searchable_calculated_phone_number"] == "12"
    assert "hs_calculated_phone_number" not in properties
