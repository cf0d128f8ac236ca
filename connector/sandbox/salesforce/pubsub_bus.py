"""Which events stand in the pretend organisations' streams, in which order, and for how long?

Change Data Capture for the objects an admin selected, and platform events that are published. Kept for 72 hours
(developer.salesforce.com, Pub/Sub API, "Event Message Durability"). Replay ids are opaque to customers.
"""

import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.changes import Change
from connector.sandbox.salesforce.pubsub_schemas import Schema, change_schema, event_schema, told_value
from connector.sandbox.salesforce.world import SalesforceWorld

KEPT_FOR = timedelta(hours=72)
_TAIL = b"\x00\x00"  # a replay id is longer than its number, so that nobody reads one as the other
_KINDS = {"created": "CREATE", "updated": "UPDATE", "deleted": "DELETE"}
_UNSAID = frozenset({"Id", "IsDeleted", "SystemModstamp"})


@dataclass(frozen=True)
class StoredEvent:
    """One event in a stream."""

    number: int
    topic: str
    id: str
    schema_id: str
    payload: bytes
    at: datetime

    @property
    def replay_id(self) -> bytes:
        """What a customer resumes behind."""
        return replay_id(self.number)


@dataclass
class _OrgStreams:
    selected: set[str] = field(default_factory=set)
    platform: dict[str, Schema] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    events: list[StoredEvent] = field(default_factory=list)
    last: int = 1000  # the first number is not 1: nobody may count on it
    forgotten: int = 0


class EventBus:
    """The streams of every org of a world."""

    def __init__(self, world: SalesforceWorld, clock: SandboxClock) -> None:
        self._world, self._clock = world, clock
        self._streams: dict[str, _OrgStreams] = {}
        self.changed = threading.Condition()
        world.on_change(self.hear)

    # --- what admins and programs do -----------------------------------------------------------------

    def select(self, org_id: str, *object_names: str) -> None:
        """Choose objects for Change Data Capture."""
        with self.changed:
            self._of(org_id).selected.update(object_names)

    def define(self, org_id: str, event: str, *fields: str) -> None:
        """Make a platform event such as `Order_Shipped__e` with fields of text."""
        with self.changed:
            schema = event_schema(event, fields)
            streams = self._of(org_id)
            streams.platform[event], streams.schemas[schema.id] = schema, schema.text

    def publish(self, org_id: str, event: str, **values: str) -> str:
        """Publish a platform event; its UUID."""
        org = self._world.org(org_id)
        at = int(self._clock.now().timestamp() * 1000)
        schema = self._of(org_id).platform[event]
        payload = schema.write({"CreatedDate": at, "CreatedById": org.user_id, **values})
        return self._store(org.id, f"/event/{event}", schema, payload)

    def gap(self, org_id: str, object_name: str, change_type: str, record_ids: Iterable[str] = ()) -> str:
        """Tell of changes without their content, as Salesforce does when it cannot; the UUID."""
        definition = self._world.org(org_id).definition(object_name)
        schema = change_schema(definition)
        header = self._header(definition.name, list(record_ids) or ["000000000000000AAA"], change_type, "")
        return self._store(org_id, _topic(definition.name), schema, schema.change(header, {}))

    def garble(self, org_id: str, object_name: str) -> str:
        """Put an event into a stream whose content does not fit its schema; the UUID."""
        name = self._world.org(org_id).definition(object_name)
        return self._store(org_id, _topic(name.name), change_schema(name), b"\xff\xff\xff\xff\xff\xff")

    def hear(self, change: Change) -> None:
        """Put a change into its stream."""
        org = self._world.org(change.org_id)
        if change.object_name not in self._of(org.id).selected or (change.kind == "updated" and not change.fields):
            return
        definition, record = org.objects[change.object_name], org.find(change.record_id)
        schema, kind = change_schema(definition), _KINDS[change.kind]
        values = dict(record.values) if record is not None else {}
        names = {each.name for each in definition.fields.values()} - _UNSAID
        if kind == "UPDATE":
            names &= {*change.fields, "LastModifiedDate", "LastModifiedById"}
        fields = [each for each in definition.fields.values() if each.name in names and kind != "DELETE"]
        told = {each.name: told_value(each, values.get(each.name)) for each in fields}
        header = self._header(definition.name, [change.record_id], kind, change.user_id)
        if kind == "UPDATE":
            header["changedFields"] = schema.bitmaps(names)
            header["nulledFields"] = schema.bitmaps(name for name in names if told.get(name) is None)
        self._store(org.id, _topic(definition.name), schema, schema.change(header, told))

    # --- what the API asks ---------------------------------------------------------------------------

    def schema_of(self, org_id: str, topic: str) -> str | None:
        """The id of the schema a topic's next event has; None when there is no such topic."""
        with self.changed:
            streams = self._of(org_id)
            for name, platform in streams.platform.items():
                if topic == f"/event/{name}":
                    return platform.id
            for name in streams.selected:
                if topic == _topic(name):
                    schema = change_schema(self._world.org(org_id).definition(name))
                    streams.schemas[schema.id] = schema.text
                    return schema.id
        return None

    def schema(self, org_id: str, schema_id: str) -> str | None:
        """A schema, of events long gone too."""
        return self._of(org_id).schemas.get(schema_id)

    def tip(self, org_id: str) -> int:
        """The number of the newest event."""
        return self._of(org_id).last

    def is_kept(self, org_id: str, number: int) -> bool:
        """Whether what follows a number is still there."""
        with self.changed:
            streams = self._forgetting(org_id)
            return streams.forgotten < number <= streams.last

    def oldest(self, org_id: str) -> int:
        """The number before the oldest event."""
        with self.changed:
            return self._forgetting(org_id).forgotten

    def after(self, org_id: str, topic: str, number: int, most: int) -> Sequence[StoredEvent]:
        """Events of a topic behind a number, oldest first."""
        with self.changed:
            events = self._forgetting(org_id).events
            return [each for each in events if each.topic == topic and each.number > number][:most]

    def wake(self, decide: Callable[[], None]) -> None:
        """Change something that streams wait for."""
        with self.changed:
            decide()
            self.changed.notify_all()

    def _of(self, org_id: str) -> _OrgStreams:
        return self._streams.setdefault(self._world.org(org_id).id, _OrgStreams())

    def _forgetting(self, org_id: str) -> _OrgStreams:
        streams, limit = self._of(org_id), self._clock.now() - KEPT_FOR
        while streams.events and streams.events[0].at < limit:
            streams.forgotten = streams.events.pop(0).number
        return streams

    def _header(self, name: str, record_ids: list[str], change_type: str, user_id: str) -> dict[str, Any]:
        return {
            "entityName": name,
            "recordIds": record_ids,
            "changeType": change_type,
            "changeOrigin": "",
            "transactionKey": str(uuid.uuid4()),
            "sequenceNumber": 1,
            "commitTimestamp": int(self._clock.now().timestamp() * 1000),
            "commitNumber": 1,
            "commitUser": user_id,
            "nulledFields": [],
            "diffFields": [],
            "changedFields": [],
        }

    def _store(self, org_id: str, topic: str, schema: Schema, payload: bytes) -> str:
        event_id = str(uuid.uuid4())
        with self.changed:
            streams = self._of(org_id)
            streams.schemas[schema.id] = schema.text
            streams.last += 3  # numbers are not consecutive
            streams.events.append(StoredEvent(streams.last, topic, event_id, schema.id, payload, self._clock.now()))
            self.changed.notify_all()
        return event_id


def replay_id(number: int) -> bytes:
    """The replay id of a number."""
    return number.to_bytes(8, "big") + _TAIL


def number_of(replay: bytes) -> int | None:
    """The number of a replay id; None for what never was one."""
    return int.from_bytes(replay[:8], "big") if len(replay) == 10 and replay.endswith(_TAIL) else None


def _topic(object_name: str) -> str:
    name = object_name.removesuffix("__c")
    return f"/data/{name}{'__' if name != object_name else ''}ChangeEvent"
