"""Does the pretend Pub/Sub API keep the real one's rules, seen by a client of its own?"""

from __future__ import annotations

import io
import json
import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import fastavro
import grpc
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.pubsub import PubSubServer
from connector.sandbox.salesforce.pubsub_bus import EventBus
from connector.sandbox.salesforce.pubsub_wire import CUSTOM, EARLIEST, SERVICE, message
from connector.sandbox.salesforce.world import SalesforceWorld

ORG, HOST = "00D000000000001EAA", "acme.my.salesforce.com"
DEALS = "/data/OpportunityChangeEvent"
DEAL = {"Name": "Roof", "StageName": "Prospecting", "CloseDate": "2026-12-24"}


@dataclass
class Client:
    """A customer's client, as plain as it can be."""

    world: SalesforceWorld
    bus: EventBus
    server: PubSubServer
    clock: SandboxClock
    channel: Any
    headers: list[tuple[str, str]]
    calls: list[Any] = field(default_factory=list)

    def ask(self, method: str, request: Any, answer: str, headers: list[tuple[str, str]] | None = None) -> Any:
        call = self.channel.unary_unary(
            f"/{SERVICE}/{method}", lambda told: told.SerializeToString(), message(answer).FromString
        )
        return call(request, metadata=self.headers if headers is None else headers, timeout=10)

    def subscribe(self, **first: Any) -> tuple[Any, Callable[..., None]]:
        """Open a stream; give its answers, and how to ask for more."""
        requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        call = self.channel.stream_stream(
            f"/{SERVICE}/Subscribe", lambda told: told.SerializeToString(), message("FetchResponse").FromString
        )(iter(requests.get, None), metadata=self.headers)
        call.add_callback(lambda: self._over(requests))
        self.calls.append(call)
        before = self.server.streams

        def more(**request: Any) -> None:
            requests.put(message("FetchRequest")(**request))

        more(**{"topic_name": DEALS, "num_requested": 10, **first})
        with self.bus.changed:
            self.bus.changed.wait_for(lambda: self.server.streams > before or call.done(), 10)
        return call, more

    def _over(self, requests: queue.SimpleQueue[Any]) -> None:
        requests.put(None)
        self.bus.wake(lambda: None)

    def deal(self, **values: Any) -> str:
        return str(self.world.create(ORG, "Opportunity", {**DEAL, **values})["Id"])

    def code(self, call: Any) -> tuple[str, str]:
        """How a call was refused: its status and the code in its trailers."""
        with pytest.raises(grpc.RpcError) as refused:
            next(call)
        return told(refused.value)


def told(error: Any) -> tuple[str, str]:
    trailers = dict(error.trailing_metadata())
    assert trailers["rpc-id"] in error.details()
    return error.code().name, str(trailers.get("error-code", "")).removeprefix("sfdc.platform.eventbus.grpc.")


@pytest.fixture
def client() -> Iterator[Client]:
    clock = SandboxClock()
    world = SalesforceWorld(clock, seed=1)
    world.add_org(ORG, username="admin@acme.example", instance_host=HOST)
    bus = EventBus(world, clock)
    bus.select(ORG, "Opportunity", "Contact", "Invoice__c")
    token = world.grant(ORG).access_token
    headers = [("accesstoken", token), ("instanceurl", f"https://{HOST}"), ("tenantid", ORG)]
    with PubSubServer(world, bus) as server, grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield Client(world, bus, server, clock, channel, headers)


def test_a_topic_tells_its_schema_and_the_schema_reads_its_events(client: Client) -> None:
    call, _ = client.subscribe()
    deal = client.deal(Amount=900)
    client.world.update(ORG, "Opportunity", deal, {"StageName": "Closed Won", "Amount": None})
    answers = [next(call)]
    while sum(len(each.events) for each in answers) < 2:
        answers.append(next(call))
    made, changed = [event for each in answers for event in each.events]
    topic = client.ask("GetTopic", message("TopicRequest")(topic_name=DEALS), "TopicInfo")
    schema = client.ask("GetSchema", message("SchemaRequest")(schema_id=topic.schema_id), "SchemaInfo")
    parsed = fastavro.parse_schema(json.loads(schema.schema_json))
    first, second = (
        fastavro.schemaless_reader(io.BytesIO(each.event.payload), parsed, None) for each in (made, changed)
    )
    assert topic.can_subscribe
    assert first["StageName"] == "Prospecting"
    header = second["ChangeEventHeader"]
    assert (header["entityName"], header["changeType"], header["recordIds"]) == ("Opportunity", "UPDATE", [deal])
    names = [each["name"] for each in json.loads(schema.schema_json)["fields"]]
    nulled = int(header["nulledFields"][0], 16)
    assert [name for place, name in enumerate(names) if nulled >> place & 1] == ["Amount"]
    assert made.replay_id != changed.replay_id


def test_an_update_that_changes_nothing_and_an_object_nobody_selected_make_no_event(client: Client) -> None:
    deal = client.deal()
    call, _ = client.subscribe()
    client.world.update(ORG, "Opportunity", deal, {"StageName": "Prospecting"})
    client.world.create(ORG, "Account", {"Name": "Globex"})
    client.server.keepalive()
    assert list(next(call).events) == []


def test_a_custom_objects_topic_has_two_underscores(client: Client) -> None:
    topic = client.ask("GetTopic", message("TopicRequest")(topic_name="/data/Invoice__ChangeEvent"), "TopicInfo")
    assert topic.tenant_guid == ORG


def test_a_stream_begins_at_the_tip_at_the_oldest_event_or_behind_one(client: Client) -> None:
    client.deal(Name="One")
    oldest, _ = client.subscribe(replay_preset=EARLIEST)
    first = next(oldest).events[0]
    client.deal(Name="Two")
    behind, _ = client.subscribe(replay_preset=CUSTOM, replay_id=first.replay_id)
    assert next(behind).events[0].event.id == next(oldest).events[0].event.id
    tip, _ = client.subscribe()
    client.server.keepalive()
    answer = next(tip)
    assert list(answer.events) == []
    assert answer.latest_replay_id > first.replay_id


def test_events_are_forgotten_after_three_days(client: Client) -> None:
    client.deal()
    client.clock.advance(timedelta(hours=73))
    token = client.world.grant(ORG).access_token
    client.headers[0] = ("accesstoken", token)
    oldest, _ = client.subscribe(replay_preset=EARLIEST)
    client.server.keepalive()
    assert list(next(oldest).events) == []


@pytest.mark.parametrize(
    ("first", "status", "code"),
    [
        ({"topic_name": ""}, "INVALID_ARGUMENT", "topic.validation.empty"),
        ({"topic_name": "/data/CaseChangeEvent"}, "NOT_FOUND", "topic.not.found"),
        ({"num_requested": 0}, "INVALID_ARGUMENT", "subscription.fetch.requested.events.invalid"),
        ({"num_requested": 101}, "INVALID_ARGUMENT", "subscription.fetch.overflow"),
        ({"replay_preset": CUSTOM}, "INVALID_ARGUMENT", "subscription.fetch.replayid.validation.failed"),
        (
            {"replay_preset": CUSTOM, "replay_id": b"1007"},
            "INVALID_ARGUMENT",
            "subscription.fetch.replayid.corrupted",
        ),
    ],
)
def test_a_first_request_that_breaks_a_rule_is_refused(
    client: Client, first: dict[str, Any], status: str, code: str
) -> None:
    call, _ = client.subscribe(**first)
    assert client.code(call) == (status, code)


def test_a_stream_keeps_to_its_topic(client: Client) -> None:
    call, more = client.subscribe()
    more(topic_name="/data/ContactChangeEvent", num_requested=1)
    assert client.code(call) == ("INVALID_ARGUMENT", "subscription.fetch.topic.mismatch")


def test_requests_add_up_to_what_is_pending(client: Client) -> None:
    call, more = client.subscribe(num_requested=60)
    more(num_requested=40)
    client.deal()
    assert next(call).pending_num_requested in {59, 99}  # the second request may come a moment later
    more(num_requested=2)
    assert client.code(call) == ("INVALID_ARGUMENT", "subscription.fetch.overflow")


@pytest.mark.parametrize(
    ("header", "value", "code"),
    [
        ("accesstoken", "", "service.auth.headers.invalid"),
        ("accesstoken", "00D000000000001!dead", "service.auth.error"),
        ("instanceurl", "", "service.auth.headers.invalid"),
        ("instanceurl", "https://other.my.salesforce.com", "service.auth.error"),
        ("tenantid", ORG[:15], "service.auth.headers.invalid"),
        ("tenantid", "00D000000000002EAA", "service.auth.error"),
    ],
)
def test_a_call_without_the_orgs_own_headers_is_refused(client: Client, header: str, value: str, code: str) -> None:
    headers = [(name, value if name == header else given) for name, given in client.headers]
    with pytest.raises(grpc.RpcError) as refused:
        client.ask("GetTopic", message("TopicRequest")(topic_name=DEALS), "TopicInfo", headers)
    assert told(refused.value) == ("UNAUTHENTICATED", code)


def test_a_schema_nobody_ever_had_is_refused(client: Client) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        client.ask("GetSchema", message("SchemaRequest")(schema_id="x"), "SchemaInfo")
    assert told(refused.value) == ("INVALID_ARGUMENT", "schema.validation.failed")


def test_an_idle_stream_is_told_where_it_stands_by_itself(client: Client) -> None:
    with PubSubServer(client.world, client.bus, keepalive=0.01) as server:
        channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")
        other = Client(client.world, client.bus, server, client.clock, channel, client.headers)
        call, _ = other.subscribe()
        assert next(call).latest_replay_id == next(call).latest_replay_id
        call.cancel()
        channel.close()
