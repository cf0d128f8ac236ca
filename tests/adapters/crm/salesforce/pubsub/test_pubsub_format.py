"""Is what the Pub/Sub API puts on the wire read as it is published?"""

from __future__ import annotations

import io
import json
from typing import Any

import fastavro
import grpc
import pytest

from connector.adapters.crm.salesforce.pubsub import wire
from connector.adapters.crm.salesforce.pubsub.bitmaps import changed_names
from connector.adapters.crm.salesforce.pubsub.errors import translated
from connector.adapters.crm.salesforce.pubsub.events import EventSchema, read_event
from connector.errors import (
    CRMDisconnectedError,
    CRMError,
    CRMRefusedError,
    CRMUnavailableError,
    PlaceLostError,
)
from connector.sandbox.salesforce import pubsub_wire

ORG, EVENT = "00D000000000001EAA", "0a1b2c3d-0000-4000-8000-000000000001"
DEALS = ("006000000000001AAA", "006000000000002AAA")
TEXT: list[Any] = ["null", "string"]
NAME: dict[str, Any] = {
    "name": "Name",
    "type": [
        "null",
        "string",
        {
            "type": "record",
            "name": "Switchable_PersonName",
            "fields": [{"name": each, "type": TEXT} for each in ("Salutation", "FirstName", "LastName")],
        },
    ],
}
ADDRESS = {"type": "record", "name": "Address", "fields": [{"name": "City", "type": TEXT}]}
FIELDS: list[dict[str, Any]] = [
    {"name": "ChangeEventHeader", "type": "string"},
    {"name": "AccountId", "type": TEXT},
    {"name": "StageName", "type": TEXT},
    NAME,
    {"name": "MailingAddress", "type": ["null", ADDRESS]},
]
LISTS = ("recordIds", "nulledFields", "diffFields", "changedFields")


def list_of_text(name: str) -> dict[str, Any]:
    return {"name": name, "type": {"type": "array", "items": "string"}}


HEADER = {
    "type": "record",
    "name": "ChangeEventHeader",
    "fields": [
        {"name": "entityName", "type": "string"},
        {"name": "changeType", "type": "string"},
        {"name": "changeOrigin", "type": "string", "default": ""},
        {"name": "commitTimestamp", "type": "long"},
        *map(list_of_text, LISTS),
    ],
}
SCHEMA = {
    "type": "record",
    "name": "OpportunityChangeEvent",
    "namespace": "com.sforce.eventbus",
    "fields": [
        {"name": "ChangeEventHeader", "type": HEADER},
        {"name": "StageName", "type": TEXT},
        {"name": "Description", "type": TEXT},
        {"name": "CloseDate", "type": ["null", "long"], "doc": "Data:DateOnly"},
        {"name": "Due__c", "type": ["null", "long"], "doc": "Data:DateTime:00N000000000001"},
        {"name": "Amount", "type": ["null", "double"], "doc": "Data:Currency"},
        {"name": "IsPrivate", "type": ["null", "boolean"]},
        {"name": "MailingAddress", "type": ["null", ADDRESS]},
        {"name": "OtherAddress", "type": ["null", "com.sforce.eventbus.Address"]},
    ],
}


def change(header: dict[str, Any], **values: Any) -> list[dict[str, Any]]:
    """The bodies of a change event, as the adapter keeps them."""
    told = {"entityName": "Opportunity", "changeType": "UPDATE", "commitTimestamp": 1_763_640_000_500}
    out = io.BytesIO()
    whole = {**dict.fromkeys(LISTS, ()), **told, **header}
    fastavro.schemaless_writer(out, fastavro.parse_schema(SCHEMA), {"ChangeEventHeader": whole, **values})
    event = read_event(ORG, EVENT, out.getvalue(), EventSchema(json.dumps(SCHEMA)))
    assert event.unreadable == ""
    return [json.loads(row.body) for row in event.rows]


# Protocol buffers


def test_a_request_is_the_bytes_of_the_published_interface() -> None:
    request = wire.FetchRequest(topic_name="/data/X", replay_preset=wire.CUSTOM, replay_id=b"ab", num_requested=100)
    assert request.SerializeToString() == b"\x0a\x07/data/X\x10\x02\x1a\x02ab\x20\x64"


def test_a_response_is_read_from_the_bytes_of_the_published_interface() -> None:
    event = b"\x0a\x01u\x12\x01s\x1a\x01p\x22\x06\x0a\x01k\x12\x01v"
    consumed = b"\x0a" + bytes([len(event)]) + event + b"\x12\x01r"
    response = wire.FetchResponse.FromString(
        b"\x0a" + bytes([len(consumed)]) + consumed + b"\x12\x02tt\x1a\x02id\x20\x05"
    )
    (found,) = response.events
    assert (found.event.id, found.event.schema_id, found.event.payload, found.replay_id) == ("u", "s", b"p", b"r")
    assert (response.latest_replay_id, response.rpc_id, response.pending_num_requested) == (b"tt", "id", 5)


@pytest.mark.parametrize("name", ["SchemaRequest", "SchemaInfo", "FetchRequest", "FetchResponse"])
def test_connector_and_sandbox_wrote_the_same_interface_down(name: str) -> None:
    def fields(message: Any) -> list[tuple[str, int, int, bool]]:
        return [(each.name, each.number, each.type, each.is_repeated) for each in message.DESCRIPTOR.fields]

    assert fields(getattr(wire, name)) == fields(pubsub_wire.message(name))


# Bitmaps


@pytest.mark.parametrize(
    ("bitmaps", "names"),
    [
        ([], []),
        (["0x06"], ["AccountId", "StageName"]),
        (["0x0004"], ["StageName"]),
        (["0x02", "3-0x06"], ["AccountId", "FirstName", "LastName"]),
        (["4-0x1"], ["MailingCity"]),
        (["0x08"], ["Salutation", "FirstName", "LastName"]),
        (["0x06", "0x04"], ["AccountId", "StageName"]),
    ],
)
def test_a_bitmap_names_fields_in_the_order_of_the_schema(bitmaps: list[str], names: list[str]) -> None:
    assert changed_names(FIELDS, bitmaps) == names


@pytest.mark.parametrize("bitmap", ["0x20", "StageName", "9-0x1", "3-0x8", "0xZZ"])
def test_a_bitmap_that_fits_no_schema_is_an_error(bitmap: str) -> None:
    with pytest.raises(ValueError, match=r"bitmap|invalid literal"):
        changed_names(FIELDS, [bitmap])


# Events


def test_records_that_changed_alike_come_in_one_event_and_are_a_row_each() -> None:
    told = change({"recordIds": DEALS, "changedFields": ["0x02"]}, StageName="Closed Won")
    assert [(each["fields"]["Id"], each["changed"], each["fields"]["StageName"]) for each in told] == [
        (deal, ["StageName"], "Closed Won") for deal in DEALS
    ]


def test_values_are_written_as_outbound_messages_write_them() -> None:
    (told,) = change(
        {"recordIds": DEALS[:1], "changedFields": ["0x02"]},
        StageName="New", CloseDate=1_798_070_400_000, Due__c=1_763_640_000_500, Amount=900.0, IsPrivate=False,
    )  # fmt: skip
    assert told["fields"] == {
        "Id": DEALS[0],
        "StageName": "New",
        "CloseDate": "2026-12-24",
        "Due__c": "2025-11-20T12:00:00.500Z",
        "Amount": "900",
        "IsPrivate": "false",
    }
    assert told["origin"] == ""
    assert told["committed_at"] == "2025-11-20T12:00:00.500Z"


def test_a_second_address_which_only_names_its_kind_is_read_as_the_first() -> None:
    header = {"recordIds": DEALS[:1], "changedFields": ["7-0x1", "8-0x1"]}
    told = change(header, MailingAddress={"City": "Troy"}, OtherAddress={"City": "Albany"})
    assert [each["changed"] for each in told] == [["MailingCity"], ["OtherCity"]]
    assert told[0]["fields"] == {"Id": DEALS[0], "MailingCity": "Troy", "OtherCity": "Albany"}


def test_a_long_text_comes_as_a_difference_which_is_no_value() -> None:
    header = {"recordIds": DEALS[:1], "changedFields": ["0x04"], "diffFields": ["0x04"]}
    (told,) = change(header, Description="--- a\n+++ b")
    assert told["changed"] == ["Description"]
    assert "Description" not in told["fields"]


def test_a_record_taken_out_of_the_bin_is_told_without_fields() -> None:
    (told,) = change({"recordIds": DEALS[:1], "changeType": "UNDELETE"})
    assert (told["change_type"], told["changed"]) == ("UNDELETE", [])


def test_what_lacks_its_parts_is_unreadable_and_not_an_error() -> None:
    schema = {**SCHEMA, "fields": [{"name": "ChangeEventHeader", "type": {**HEADER, "fields": HEADER["fields"][:1]}}]}
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), {"ChangeEventHeader": {"entityName": "Case"}})
    event = read_event(ORG, EVENT, out.getvalue(), EventSchema(json.dumps(schema)))
    assert event.unreadable == "a part of it is missing"
    assert [row.external_id for row in event.rows] == [f"{ORG}:{EVENT}"]


@pytest.mark.parametrize("text", ["", "[]", '{"type": "record"}', '{"type": "nonsense", "name": "X", "fields": []}'])
def test_a_schema_that_is_none_says_so(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        EventSchema(text)


# Errors


class Refusal:
    """A call that failed."""

    def __init__(self, status: Any, code: str) -> None:
        self._status, self._trailers = status, (("error-code", f"sfdc.platform.eventbus.grpc.{code}"),) if code else ()

    def code(self) -> Any:
        return self._status

    def trailing_metadata(self) -> Any:
        return self._trailers


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        ("UNAUTHENTICATED", "service.auth.error", CRMDisconnectedError),
        ("UNAUTHENTICATED", "", CRMDisconnectedError),
        ("UNAUTHENTICATED", "service.auth.headers.invalid", CRMRefusedError),
        ("INVALID_ARGUMENT", "subscription.fetch.replayid.corrupted", PlaceLostError),
        ("INVALID_ARGUMENT", "subscription.fetch.replayid.validation.failed", PlaceLostError),
        ("NOT_FOUND", "topic.not.found", CRMRefusedError),
        ("PERMISSION_DENIED", "", CRMRefusedError),
        ("RESOURCE_EXHAUSTED", "subscription.limit.exceeded", CRMUnavailableError),
        ("UNAVAILABLE", "", CRMUnavailableError),
        ("INTERNAL", "something.new", CRMUnavailableError),
    ],
)
def test_a_failure_means_what_its_code_says(status: str, code: str, meaning: type[CRMError]) -> None:
    found = translated("stream", Refusal(getattr(grpc.StatusCode, status), code))
    assert type(found) is meaning
    assert str(found) == f"stream: {code or status}"
