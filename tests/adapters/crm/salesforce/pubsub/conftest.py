"""Salesforce's Pub/Sub API as the sandbox serves it on loopback, and the adapter that listens to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from connector.adapters.crm.salesforce.pubsub.client import PubSubStream, PubSubStreams
from connector.ports.change_streams import MOST, Batch, StreamedEvent
from connector.sandbox.salesforce.pubsub import PubSubServer
from connector.sandbox.salesforce.pubsub_bus import EventBus
from tests.adapters.crm.salesforce.conftest import ORG, Salesforce

DEALS, CONTACTS, ORDERS = "/data/OpportunityChangeEvent", "/data/ContactChangeEvent", "/event/Order_Shipped__e"


@dataclass
class Stage:
    """An organisation with streams, and somebody who listens."""

    salesforce: Salesforce
    bus: EventBus
    server: PubSubServer
    streams: PubSubStreams

    def open(self, topic: str = DEALS, place: str = "", room: int = MOST) -> PubSubStream:
        """Listen, and be sure that the server knows; a stream from now on begins when it has been heard of."""
        before = self.server.streams
        stream = self.streams.open(self.salesforce.account, topic, place)
        stream.ask(room)
        self.until_streams(before + 1)
        return stream

    def until_streams(self, count: int) -> None:
        """Wait until that many streams are open at the server."""
        with self.bus.changed:
            assert self.bus.changed.wait_for(lambda: self.server.streams == count, 10)

    def change(self, deal: str, **values: object) -> None:
        self.salesforce.world.update(ORG, "Opportunity", deal, dict(values))

    def days_pass(self, days: int) -> None:
        """Let time pass, and get a session for the new day."""
        self.salesforce.clock.advance(timedelta(days=days))
        self.salesforce.crm.tokens.renewed(self.salesforce.account.account_id, self.token)

    @property
    def token(self) -> str:
        return self.salesforce.crm.tokens.current(self.salesforce.account.account_id)


def heard(stream: PubSubStream, events: int) -> tuple[list[StreamedEvent], Batch]:
    """Wait for so many events; give them and the last batch."""
    found: list[StreamedEvent] = []
    while True:
        batch = stream.wait()
        assert batch is not None
        found += batch.events
        if len(found) >= events:
            return found, batch


@pytest.fixture
def stage(salesforce: Salesforce) -> Iterator[Stage]:
    bus = EventBus(salesforce.world, salesforce.clock)
    bus.select(ORG, "Opportunity", "Contact")
    bus.define(ORG, "Order_Shipped__e", "Record_Id__c", "Object__c", "Field__c", "Value__c", "Note__c")
    with PubSubServer(salesforce.world, bus) as server:
        streams = PubSubStreams(server.url, salesforce.crm.tokens)
        yield Stage(salesforce, bus, server, streams)
        streams.close()
