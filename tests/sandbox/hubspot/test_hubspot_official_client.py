"""Does HubSpot's own Python client, sent to the dated paths, find here what it expects?"""

import re
from typing import Any

import hubspot
import pytest
import urllib3
from hubspot.crm import contacts, properties
from hubspot.crm.associations import v4 as associations
from hubspot.crm.objects import communications

from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server

PORTAL, TOKEN = 12345, "pat-test"
RULES = [
    (r"^/crm/v[34]/objects/", "/crm/objects/2026-09/"),
    (r"^/crm/v4/associations/", "/crm/associations/2026-09/"),
    (r"^/crm/v3/properties/", "/crm/properties/2026-09/"),
    (r"^/crm/v3/pipelines/", "/crm/pipelines/2026-09/"),
    (r"^/crm/v3/owners", "/crm/owners/2026-09"),
]


def dated(path: str) -> str:
    for pattern, target in RULES:
        new, hits = re.subn(pattern, target, path)
        if hits:
            return new.rstrip("/")
    raise LookupError(path)


def api_factory(package: Any, api_name: str, config: dict[str, Any]) -> Any:
    """The client's undocumented hook, used to send it to dated paths with a time-out."""

    class DatedClient(package.ApiClient):  # type: ignore[misc] # the package is Any
        def call_api(self, resource_path: str, method: str, *args: Any, **kwargs: Any) -> Any:
            if kwargs.get("_request_timeout") is None:
                kwargs["_request_timeout"] = 5
            return super().call_api(dated(resource_path), method, *args, **kwargs)

    configuration = package.Configuration()
    for key, value in config.items():
        setattr(configuration, {"retry": "retries"}.get(key, key), value)
    return getattr(package, api_name)(api_client=DatedClient(configuration=configuration))


@pytest.fixture
def client(server: Server) -> Any:
    return hubspot.Client.create(access_token=TOKEN, host=server.url, retry=urllib3.Retry(0), api_factory=api_factory)


@pytest.fixture
def contact(world: HubSpotWorld) -> str:
    return str(world.create(PORTAL, "contacts", {"firstname": "Ada", "mobilephone": "+12025550143"})["id"])


def sms_input(contact_id: str, text: str, trace_id: str | None = None) -> Any:
    spec = communications.AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=81)
    return communications.SimplePublicObjectBatchInputForCreate(
        associations=[
            communications.PublicAssociationsForObject(to=communications.PublicObjectId(id=contact_id), types=[spec])
        ],
        properties={
            "hs_communication_channel_type": "SMS",
            "hs_communication_logged_from": "CRM",
            "hs_communication_body": text,
            "hs_timestamp": "2026-11-20T10:00:00Z",
        },
        object_write_trace_id=trace_id,
    )


def created(client: Any, *inputs: Any) -> Any:
    batch = communications.BatchInputSimplePublicObjectBatchInputForCreate(inputs=list(inputs))
    return client.crm.objects.communications.batch_api.create(batch)


def test_a_batch_of_messages_is_created_updated_and_read_back(client: Any, world: HubSpotWorld, contact: str) -> None:
    made = created(client, sms_input(contact, "one"), sms_input(contact, "two"))
    assert made.status == "COMPLETE"
    first, second = (row.id for row in made.results)
    client.crm.objects.communications.batch_api.update(
        communications.BatchInputSimplePublicObjectBatchInput(
            inputs=[
                communications.SimplePublicObjectBatchInput(
                    id=first, properties={"hs_communication_body": "one: delivered"}
                )
            ]
        )
    )
    read = client.crm.objects.communications.batch_api.read(
        communications.BatchReadInputSimplePublicObjectId(
            inputs=[communications.SimplePublicObjectId(id=each) for each in (first, second)],
            properties=["hs_communication_body"],
            properties_with_history=[],
        )
    )
    assert [row.properties["hs_communication_body"] for row in read.results] == ["one: delivered", "two"]
    assert [entry["body"] for entry in world.timeline(PORTAL, contact)] == ["two", "one: delivered"]
    assert world.calls["hubspot.communications.batch_create"] == 1


def test_a_message_to_a_deleted_contact_refuses_the_whole_batch(client: Any, world: HubSpotWorld, contact: str) -> None:
    gone = world.create(PORTAL, "contacts", {"firstname": "Gone"})["id"]
    world.delete(PORTAL, "contacts", gone)
    with pytest.raises(communications.ApiException) as refused:
        created(client, sms_input(contact, "one"), sms_input(gone, "two"))
    assert refused.value.status == 404
    assert world.timeline(PORTAL, contact) == []


def test_with_trace_ids_only_the_row_to_the_deleted_contact_fails(
    client: Any, world: HubSpotWorld, contact: str
) -> None:
    made = created(client, sms_input(contact, "one", "a"), sms_input("999", "two", "b"))
    assert (made.num_errors, [row.context for row in made.errors]) == (
        1,
        [{"toObjectId": ["999"], "objectWriteTraceId": ["b"]}],
    )
    assert [row.object_write_trace_id for row in made.results] == ["a"]
    assert [entry["body"] for entry in world.timeline(PORTAL, contact)] == ["one"]


def test_contacts_are_created_patched_and_found_by_their_searchable_number(client: Any) -> None:
    made = client.crm.contacts.basic_api.create(
        contacts.SimplePublicObjectInputForCreate(
            properties={"firstname": "Ada", "email": "ada@example.com", "mobilephone": "+44 7700 900123"},
            associations=[],
        )
    )
    client.crm.contacts.basic_api.update(made.id, contacts.SimplePublicObjectInput(properties={"lastname": "B"}))
    number = contacts.Filter(property_name="hs_searchable_calculated_mobile_number", operator="EQ", value="7700900123")
    found = client.crm.contacts.search_api.do_search(
        contacts.PublicObjectSearchRequest(
            filter_groups=[contacts.FilterGroup(filters=[number])],
            properties=["lastname", "hs_calculated_mobile_number"],
            limit=10,
        )
    )
    assert found.total == 1
    assert found.results[0].properties["hs_calculated_mobile_number"] == "+447700900123"
    assert found.results[0].properties["lastname"] == "B"


def test_reading_a_batch_names_the_ids_that_are_missing(client: Any, contact: str) -> None:
    read = client.crm.contacts.batch_api.read(
        contacts.BatchReadInputSimplePublicObjectId(
            inputs=[contacts.SimplePublicObjectId(id=each) for each in (contact, "999")],
            properties=["firstname"],
            properties_with_history=[],
        )
    )
    assert [row.id for row in read.results] == [contact]
    assert [(row.category, row.context) for row in read.errors] == [("OBJECT_NOT_FOUND", {"ids": ["999"]})]


def test_contact_batches_are_updated(client: Any, world: HubSpotWorld, contact: str) -> None:
    client.crm.contacts.batch_api.update(
        contacts.BatchInputSimplePublicObjectBatchInput(
            inputs=[contacts.SimplePublicObjectBatchInput(id=contact, properties={"city": "Ghent"})]
        )
    )
    assert world.get(PORTAL, "contacts", contact)["properties"]["city"] == "Ghent"


def test_associations_of_several_deals_are_read_at_once(client: Any, world: HubSpotWorld, contact: str) -> None:
    deal = world.create(PORTAL, "deals", {"dealname": "A"}, [("contacts", contact)])["id"]
    lonely = world.create(PORTAL, "deals", {"dealname": "B"})["id"]
    fetch = associations.PublicFetchAssociationsBatchRequest
    read = client.crm.associations.v4.batch_api.get_page(
        "deals",
        "contacts",
        associations.BatchInputPublicFetchAssociationsBatchRequest(inputs=[fetch(id=deal), fetch(id=lonely)]),
    )
    assert [(row._from.id, [end.to_object_id for end in row.to]) for row in read.results] == [(deal, [contact])]
    assert read.results[0].to[0].association_types[0].type_id == 3
    assert read.errors[0].context == {"fromObjectId": [lonely]}
    page = client.crm.associations.v4.basic_api.get_page("deals", deal, "contacts")
    assert [end.to_object_id for end in page.results] == [contact]


def test_groups_and_properties_are_added_once(client: Any) -> None:
    group = properties.PropertyGroupCreate(name="sms_connector", label="SMS", display_order=-1)
    client.crm.properties.groups_api.create("contacts", group)
    options = [properties.OptionInput(label=each, value=each, hidden=False) for each in ("true", "false")]
    wanted = properties.PropertyCreate(
        name="sms_opt_out",
        label="SMS opt-out",
        type="bool",
        field_type="booleancheckbox",
        group_name="sms_connector",
        options=options,
    )
    batch = properties.BatchInputPropertyCreate(inputs=[wanted])
    assert client.crm.properties.batch_api.create("contacts", batch).results[0].name == "sms_opt_out"
    read = client.crm.properties.core_api.get_by_name("contacts", "sms_opt_out")
    assert (read.type, read.group_name, read.hubspot_defined) == ("bool", "sms_connector", False)
    with pytest.raises(properties.ApiException) as refused:
        client.crm.properties.core_api.create("contacts", wanted)
    assert refused.value.status == 409
    with pytest.raises(properties.ApiException) as refused:
        client.crm.properties.groups_api.create("contacts", group)
    assert refused.value.status == 409
    assert len(client.crm.properties.core_api.get_all("contacts").results) > 20


def test_owners_and_pipelines_are_listed(client: Any, world: HubSpotWorld) -> None:
    owner = world.add_owner(PORTAL, "sam@example.com", "Sam", "Okafor")
    listed = client.crm.owners.owners_api.get_page()
    assert [(each.id, each.email, each.first_name) for each in listed.results] == [(owner, "sam@example.com", "Sam")]
    assert client.crm.owners.owners_api.get_by_id(int(owner)).last_name == "Okafor"
    deals = client.crm.pipelines.pipelines_api.get_all("deals").results
    assert ("closedwon", "Closed Won") in [(stage.id, stage.label) for stage in deals[0].stages]
    assert client.crm.pipelines.pipelines_api.get_by_id("tickets", "0").stages[0].label == "New"


def test_generic_objects_serve_invoices_and_tasks(client: Any, world: HubSpotWorld, contact: str) -> None:
    invoice = world.create(PORTAL, "invoices", {"hs_invoice_status": "open"}, [("contacts", contact)])["id"]
    read = client.crm.objects.basic_api.get_by_id(
        "invoices", invoice, properties=["hs_invoice_status", "hs_due_date"], associations=["contacts"]
    )
    assert (read.properties["hs_invoice_status"], read.properties["hs_due_date"]) == ("open", None)
    assert [each.id for each in read.associations["contacts"].results] == [contact]
    page = client.crm.objects.basic_api.get_page("invoices", limit=1)
    assert ([each.id for each in page.results], page.paging) == ([invoice], None)


def test_an_armed_429_reaches_the_client_as_the_vendor_says_it(client: Any, faults: Faults, contact: str) -> None:
    faults.arm("hubspot.contacts.get", "status", status=429)
    with pytest.raises(contacts.ApiException) as refused:
        client.crm.contacts.basic_api.get_by_id(contact)
    assert refused.value.status == 429
    assert "ten_secondly_rolling" in refused.value.body


def test_a_silent_server_ends_in_the_clients_timeout(client: Any, faults: Faults, contact: str) -> None:
    faults.arm("hubspot.contacts.*", "timeout")
    with pytest.raises(urllib3.exceptions.MaxRetryError):
        client.crm.contacts.basic_api.get_by_id(contact, _request_timeout=0.2)
