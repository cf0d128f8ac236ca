"""Does the pretend HubSpot refuse what the real one refuses, in its words?"""

from typing import Any

import httpx
import pytest

from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.world import HubSpotWorld
from tests.waiting import eventually

PORTAL, TOKEN = 12345, "pat-test"
V = "2026-09"
SMS = {
    "hs_communication_channel_type": "SMS",
    "hs_communication_logged_from": "CRM",
    "hs_communication_body": "hello",
    "hs_timestamp": "2026-11-20T10:00:00Z",
}


def linked(to_id: str, type_id: int) -> dict[str, Any]:
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}
    return {"to": {"id": to_id}, "types": [spec]}


def refusal(answer: httpx.Response, status: int, category: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["category"]) == (status, "error", category)
    assert body["message"]
    assert body["correlationId"]
    return body


@pytest.fixture
def contact(world: HubSpotWorld) -> str:
    return str(world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"])


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic pat-test"}])
def test_a_call_without_a_known_token_is_401(api: httpx.Client, header: dict[str, str]) -> None:
    answer = httpx.get(f"{api.base_url}/crm/objects/{V}/contacts", headers=header)
    refusal(answer, 401, "INVALID_AUTHENTICATION")


@pytest.mark.parametrize(
    "path",
    [
        "/crm/v3/objects/contacts",
        "/crm/v4/associations/deals/contacts/batch/read",
        "/crm/v3/owners/",
        "/oauth/v1/token",
        "/webhooks/v3/1/subscriptions",
        "/integrators/timeline/v3/events",
    ],
)
def test_legacy_paths_are_404_and_say_so(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 404
    assert "legacy path" in answer.json()["message"]


def test_another_dated_version_is_404_and_says_so(api: httpx.Client) -> None:
    answer = api.get("/crm/objects/2026-03/contacts")
    assert answer.status_code == 404
    assert "speaks 2026-09" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/", f"/crm/objects/{V}/contacts/", f"/crm/objects/{V}/ghosts", "/crm/lists"])
def test_unknown_paths_are_404_in_json(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()["status"]) == (404, "error")


def test_a_wrong_method_is_405_in_json(api: httpx.Client) -> None:
    answer = api.put(f"/crm/objects/{V}/contacts/batch/create", json={})
    assert (answer.status_code, answer.json()["status"]) == (405, "error")


def test_a_write_without_the_json_content_type_is_415(api: httpx.Client) -> None:
    answer = api.post(f"/crm/objects/{V}/contacts", content=b"{}")
    refusal(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        "{}",
        '{"properties": []}',
        '{"properties": {}, "colour": 1}',
        '{"properties": {"firstname": {"a": 1}}}',
        '{"properties": {}, "associations": [{"to": {}}]}',
        '{"properties": {}, "associations": [{"to": {"id": "1"}, "types": []}]}',
    ],
)
def test_a_misshapen_body_is_400(api: httpx.Client, world: HubSpotWorld, body: str) -> None:
    header = {"Content-Type": "application/json"}
    refusal(api.post(f"/crm/objects/{V}/contacts", content=body, headers=header), 400, "VALIDATION_ERROR")
    assert world.list(PORTAL, "contacts") == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("sms_opt_out", "true", "PROPERTY_DOESNT_EXIST"),
        ("hs_object_id", "7", "READ_ONLY_VALUE"),
        ("hs_calculated_mobile_number", "+12025550143", "READ_ONLY_VALUE"),
        ("lifecyclestage", "friend", "INVALID_OPTION"),
        ("hubspot_owner_id", "4711", "INVALID_OPTION"),
        ("recent_conversion_date", "yesterday", "INVALID_DATE"),
        ("city", "x" * 65_537, "PROPERTY_VALUE_TOO_LONG"),
    ],
)
def test_a_value_that_does_not_fit_names_its_property(
    api: httpx.Client, contact: str, name: str, value: str, code: str
) -> None:
    answer = api.patch(f"/crm/objects/{V}/contacts/{contact}", json={"properties": {name: value, "zip": "1"}})
    body = refusal(answer, 400, "VALIDATION_ERROR")
    assert [(each["code"], each["context"]) for each in body["errors"]] == [(code, {"propertyName": [name]})]
    assert "Property values were not valid" in body["message"]
    assert "zip" not in api.get(f"/crm/objects/{V}/contacts/{contact}").json()["properties"]


@pytest.mark.parametrize(
    ("object_type", "name", "value"),
    [
        ("deals", "dealstage", "moon"),
        ("deals", "pipeline", "moon"),
        ("deals", "amount", "much"),
        ("deals", "amount", "NaN"),
        ("tickets", "hs_ticket_priority", "urgent"),
        ("tickets", "hs_pipeline_stage", "9"),
        ("invoices", "hs_invoice_status", "overdue"),
        ("communications", "hs_communication_channel_type", "FAX"),
        ("communications", "hs_communication_logged_from", "API"),
        ("tasks", "hs_task_status", "DONE"),
    ],
)
def test_only_listed_options_are_taken(api: httpx.Client, object_type: str, name: str, value: str) -> None:
    answer = api.post(f"/crm/objects/{V}/{object_type}", json={"properties": {name: value}})
    body = refusal(answer, 400, "VALIDATION_ERROR")
    assert body["errors"][0]["context"] == {"propertyName": [name]}


@pytest.mark.parametrize("missing", ["hs_communication_channel_type", "hs_communication_logged_from", "hs_timestamp"])
def test_a_message_needs_channel_source_and_time(api: httpx.Client, missing: str) -> None:
    properties = {name: value for name, value in SMS.items() if name != missing}
    body = refusal(
        api.post(f"/crm/objects/{V}/communications", json={"properties": properties}), 400, "VALIDATION_ERROR"
    )
    assert body["context"] == {"properties": [missing]}


def test_a_second_contact_with_the_same_email_is_409(api: httpx.Client, world: HubSpotWorld) -> None:
    first = world.create(PORTAL, "contacts", {"email": "ada@example.com"})["id"]
    again = {"properties": {"email": "ADA@example.com"}}
    assert first in refusal(api.post(f"/crm/objects/{V}/contacts", json=again), 409, "CONFLICT")["message"]
    world.delete(PORTAL, "contacts", first)
    assert api.post(f"/crm/objects/{V}/contacts", json=again).status_code == 201


@pytest.mark.parametrize("operation", ["create", "read", "update", "archive"])
def test_a_batch_holds_at_most_a_hundred(api: httpx.Client, operation: str) -> None:
    row = {"create": {"properties": SMS}, "update": {"id": "1", "properties": {}}}.get(operation, {"id": "1"})
    for inputs in ([], [row] * 101):
        answer = api.post(f"/crm/objects/{V}/communications/batch/{operation}", json={"inputs": inputs})
        refusal(answer, 400, "VALIDATION_ERROR")


def test_one_bad_row_refuses_the_whole_batch(api: httpx.Client, world: HubSpotWorld, contact: str) -> None:
    good = {"properties": SMS, "associations": [linked(contact, 81)]}
    bad = {"properties": SMS | {"colour": "red"}}
    answer = api.post(f"/crm/objects/{V}/communications/batch/create", json={"inputs": [good, bad]})
    refusal(answer, 400, "VALIDATION_ERROR")
    assert world.list(PORTAL, "communications") == []


def test_with_trace_ids_bad_rows_of_an_update_are_named(api: httpx.Client, world: HubSpotWorld, contact: str) -> None:
    other = world.create(PORTAL, "contacts", {"firstname": "Ben"})["id"]
    inputs = [
        {"id": contact, "properties": {"city": "Ghent"}, "objectWriteTraceId": "a"},
        {"id": other, "properties": {"colour": "red"}, "objectWriteTraceId": "b"},
        {"id": "999", "properties": {"city": "Ghent"}, "objectWriteTraceId": "c"},
    ]
    answer = api.post(f"/crm/objects/{V}/contacts/batch/update", json={"inputs": inputs})
    body = answer.json()
    assert (answer.status_code, body["numErrors"]) == (207, 2)
    assert [row["objectWriteTraceId"] for row in body["results"]] == ["a"]
    assert [row["context"] for row in body["errors"]] == [{"ids": ["999"]}, {"objectWriteTraceId": ["b"]}]


def test_an_id_twice_in_an_update_is_refused(api: httpx.Client, contact: str) -> None:
    row = {"id": contact, "properties": {"city": "Ghent"}}
    answer = api.post(f"/crm/objects/{V}/contacts/batch/update", json={"inputs": [row, row]})
    assert contact in refusal(answer, 400, "VALIDATION_ERROR")["message"]


def test_a_message_is_never_joined_to_an_invoice(api: httpx.Client, world: HubSpotWorld) -> None:
    invoice = world.create(PORTAL, "invoices", {"hs_invoice_status": "open"})["id"]
    message = world.create(PORTAL, "communications", SMS)["id"]
    for type_id in (81, 177, 178, 9999):
        answer = api.post(
            f"/crm/objects/{V}/communications", json={"properties": SMS, "associations": [linked(invoice, type_id)]}
        )
        assert answer.status_code in {400, 404}
    by_default = api.put(f"/crm/objects/{V}/communications/{message}/associations/default/invoices/{invoice}")
    refusal(by_default, 400, "VALIDATION_ERROR")


def test_reading_changing_or_finding_what_is_not_there_is_404(api: httpx.Client) -> None:
    refusal(api.get(f"/crm/objects/{V}/contacts/999"), 404, "OBJECT_NOT_FOUND")
    refusal(api.patch(f"/crm/objects/{V}/contacts/999", json={"properties": {}}), 404, "OBJECT_NOT_FOUND")
    refusal(api.get(f"/crm/objects/{V}/contacts/999/associations/deals"), 404, "OBJECT_NOT_FOUND")
    refusal(api.get(f"/crm/properties/{V}/contacts/colour"), 404, "OBJECT_NOT_FOUND")
    refusal(api.get(f"/crm/owners/{V}/999"), 404, "OBJECT_NOT_FOUND")
    refusal(api.get(f"/crm/pipelines/{V}/deals/moon"), 404, "OBJECT_NOT_FOUND")
    assert api.delete(f"/crm/objects/{V}/contacts/999").status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"name": "SMS Opt Out"},
        {"groupName": "nowhere"},
        {"type": "truth"},
        {"fieldType": "date"},
        {"options": []},
        {"options": [{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}]},
        {"colour": "red"},
    ],
)
def test_a_property_that_makes_no_sense_is_refused(api: httpx.Client, change: dict[str, Any]) -> None:
    wanted = {
        "name": "sms_opt_out",
        "label": "SMS opt-out",
        "type": "bool",
        "fieldType": "booleancheckbox",
        "groupName": "contactinformation",
        "options": [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}],
    }
    refusal(api.post(f"/crm/properties/{V}/contacts", json=wanted | change), 400, "VALIDATION_ERROR")
    assert api.post(f"/crm/properties/{V}/contacts", json=wanted).status_code == 201


def test_hubspots_own_properties_cannot_be_archived(api: httpx.Client) -> None:
    refusal(api.delete(f"/crm/properties/{V}/contacts/email"), 400, "VALIDATION_ERROR")


def test_a_missing_scope_is_403_and_named(api: httpx.Client, world: HubSpotWorld) -> None:
    world.add_portal(777, token="narrow", scopes=["crm.objects.contacts.read"])
    header = {"Authorization": "Bearer narrow"}
    assert api.get(f"/crm/objects/{V}/contacts", headers=header).status_code == 200
    for path, scope in [("objects/{}/deals", "crm.objects.deals.read"), ("owners/{}", "crm.objects.owners.read")]:
        body = refusal(api.get(f"/crm/{path.format(V)}", headers=header), 403, "MISSING_SCOPES")
        assert body["errors"][0]["context"] == {"requiredGranularScopes": [scope]}


def test_one_portals_token_does_not_see_another_portals_records(
    api: httpx.Client, world: HubSpotWorld, contact: str
) -> None:
    world.add_portal(777, token="other")
    answer = api.get(f"/crm/objects/{V}/contacts/{contact}", headers={"Authorization": "Bearer other"})
    refusal(answer, 404, "OBJECT_NOT_FOUND")


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (401, "INVALID_AUTHENTICATION"),
        (403, "MISSING_SCOPES"),
        (423, "LOCKED"),
        (429, "RATE_LIMITS"),
        (477, "MIGRATION_IN_PROGRESS"),
        (500, "INTERNAL_ERROR"),
    ],
)
def test_armed_statuses_answer_in_the_vendors_words(
    api: httpx.Client, faults: Faults, contact: str, status: int, category: str
) -> None:
    faults.arm("hubspot.contacts.get", "status", status=status)
    answer = api.get(f"/crm/objects/{V}/contacts/{contact}")
    refusal(answer, status, category)
    assert ("Retry-After" in answer.headers) == (status == 477)
    assert api.get(f"/crm/objects/{V}/contacts/{contact}").status_code == 200


def test_gateway_errors_are_no_json(api: httpx.Client, faults: Faults) -> None:
    faults.arm("hubspot.*", "status", status=502, headers={"Retry-After": "3"})
    answer = api.get(f"/crm/owners/{V}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "3")
    assert answer.headers["Content-Type"].startswith("text/html")


def test_work_done_before_a_timeout_stays_done(
    api: httpx.Client, faults: Faults, world: HubSpotWorld, contact: str
) -> None:
    faults.arm("hubspot.communications.batch_create", "accept_then_timeout")
    inputs = {"inputs": [{"properties": SMS, "associations": [linked(contact, 81)]}]}
    with pytest.raises(httpx.ReadTimeout):
        api.post(f"/crm/objects/{V}/communications/batch/create", json=inputs, timeout=0.2)
    timeline = eventually(lambda: world.timeline(PORTAL, contact), "the work is done")
    assert [each["body"] for each in timeline] == ["hello"]
