"""What stands in the pretend HubSpot, and what changes when somebody works in it?"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from connector.sandbox.changing_world import ChangingWorld
from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.association_types import both_ways
from connector.sandbox.hubspot.changes import Change
from connector.sandbox.hubspot.drafts import Association, Draft, checked_links, draft_create, draft_update
from connector.sandbox.hubspot.limits import RateLimits
from connector.sandbox.hubspot.object_types import ObjectType, object_type
from connector.sandbox.hubspot.portal import Owner, Pipeline, Portal
from connector.sandbox.hubspot.refusals import invalid, not_found
from connector.sandbox.hubspot.timeline import Rows, contact_timeline
from connector.sandbox.hubspot.tokens import Tokens
from connector.sandbox.hubspot.writes import Writer

Ids = list[str]


class HubSpotWorld(ChangingWorld[Change]):
    """Several portals in memory behind one lock; every method may be called from any thread.

    Methods that read or write records take the portal's id and an object type by any of its names, answer
    in the API's JSON shapes, and raise RefusalError where the API would refuse.

    `calls` counts API calls by operation. `search_lag` keeps writes out of searches for that long, as
    HubSpot's index does. `seed` makes the invented ids repeatable.
    """

    def __init__(
        self,
        clock: SandboxClock,
        *,
        seed: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        search_lag: timedelta = timedelta(),
    ) -> None:
        super().__init__()
        self.clock = clock
        self.random = random.Random(seed)
        self.portals: dict[int, Portal] = {}
        self.tokens = Tokens(clock, self.random)
        self.limits = RateLimits(monotonic)
        self.calls: Counter[str] = Counter()
        self.writer = Writer(clock, search_lag)

    # --- portals and what an admin sets up -----------------------------------------------------------

    def add_portal(
        self,
        portal_id: int,
        *,
        token: str | None = None,
        name: str = "",
        time_zone: str = "America/New_York",
        scopes: Iterable[str] | None = None,
        currency: str = "USD",
    ) -> Portal:
        """Open a portal; `token` is a private app's, which never ends; no `scopes` means all."""
        with self.held():
            if portal_id in self.portals:
                raise ValueError(f"portal {portal_id} is there already")
            created_at = self.clock.now()
            portal = Portal(portal_id, name or f"Portal {portal_id}", time_zone, created_at, currency=currency)
            self.portals[portal_id] = portal
            if token is not None:
                self.tokens.add_static(token, portal_id, scopes)
            return portal

    def portal(self, portal_id: int) -> Portal:
        """The portal; 404 when there is none."""
        if portal_id not in self.portals:
            raise not_found(f"portal {portal_id} does not exist")
        return self.portals[portal_id]

    def add_owner(self, portal_id: int, email: str, first_name: str = "", last_name: str = "") -> str:
        """Add a user records can belong to; its owner id."""
        with self.held():
            owner_id = self.writer.next_id()
            owner = Owner(owner_id, email, first_name, last_name, int(owner_id) + 1_000_000)
            self.portal(portal_id).owners[owner_id] = owner
            return owner_id

    def add_task_queue(self, portal_id: int, name: str) -> str:
        """Add a queue that tasks can wait in; its id."""
        with self.held():
            queue_id = self.writer.next_id()
            self.portal(portal_id).task_queues[queue_id] = name
            return queue_id

    def add_pipeline(self, portal_id: int, object_type_name: str, pipeline: Pipeline) -> None:
        """Add or replace a pipeline of deals or tickets."""
        with self.held():
            self.portal(portal_id).pipelines[object_type(object_type_name).name][pipeline.id] = pipeline

    def add_association_label(self, portal_id: int, from_type: str, to_type: str, label: str) -> int:
        """Define a label of the portal's own between two object types; its type id from `from_type`."""
        with self.held():
            start, end = object_type(from_type).name, object_type(to_type).name
            type_id, inverse_id = int(self.writer.next_id()), int(self.writer.next_id())
            pair = both_ways(start, end, type_id, inverse_id, label, "USER_DEFINED")
            self.portal(portal_id).association_types.extend(pair)
            return type_id

    # --- records -------------------------------------------------------------------------------------

    def create(
        self,
        portal_id: int,
        object_type_name: str,
        properties: Mapping[str, Any],
        associations: Iterable[Association] = (),
        source: str = "CRM_UI",
    ) -> dict[str, Any]:
        """Create a record; associations are (object type, id) or in the API's own shape."""
        with self.held():
            portal, kind = self.portal(portal_id), object_type(object_type_name)
            record, changes = self.writer.write_new(
                portal, draft_create(portal, kind, properties, associations), source
            )
            answer = record.as_json()
        self.tell(changes)
        return answer

    def update(
        self,
        portal_id: int,
        object_type_name: str,
        object_id: str,
        properties: Mapping[str, Any],
        source: str = "CRM_UI",
    ) -> dict[str, Any]:
        """Change properties of a record; only values that really differ are changes."""
        with self.held():
            portal, kind = self.portal(portal_id), object_type(object_type_name)
            draft = draft_update(portal, kind, object_id, properties)
            record = portal.record(kind, object_id)
            changes = self.writer.write_over(portal, record, draft, source)
            answer = record.as_json()
        self.tell(changes)
        return answer

    def delete(self, portal_id: int, object_type_name: str, object_id: str, source: str = "CRM_UI") -> None:
        """Put a record into the recycle bin; one that is not there is no error, as in the API."""
        self._remove(portal_id, object_type(object_type_name), object_id, source, "deletion")

    def restore(self, portal_id: int, object_type_name: str, object_id: str, source: str = "CRM_UI") -> None:
        """Take a record out of the recycle bin, without its associations; 404 when it is not there."""
        kind = object_type(object_type_name)
        with self.held():
            portal = self.portal(portal_id)
            record = portal.bin.pop((kind.name, object_id), None)
            if record is None:
                raise not_found(f"{kind.singular} {object_id} is not in the recycle bin")
            portal.records[kind.name][object_id] = record
            changes = [self.writer.change(portal, record, "restore", source)]
        self.tell(changes)

    def forget(self, portal_id: int, contact_id: str, source: str = "CRM_UI") -> None:
        """Delete a contact for good under privacy law: privacyDeletion and deletion are both told."""
        self._remove(portal_id, object_type("contacts"), contact_id, source, "privacyDeletion", "deletion")

    def merge(self, portal_id: int, primary_id: str, merged_id: str, source: str = "CRM_UI") -> dict[str, Any]:
        """Merge one contact into another: its associations move, its id leads to the other from now on."""
        kind = object_type("contacts")
        with self.held():
            portal = self.portal(portal_id)
            kept, gone = portal.record(kind, primary_id), portal.record(kind, merged_id)
            if kept is gone:
                raise invalid(f"Contact {primary_id} cannot be merged with itself")
            self.writer.move_links(portal, gone, kept)
            values = {name: value for name, value in gone.properties.items() if name not in kept.properties}
            self.writer.drop(portal, kind, gone)
            portal.merged_into[gone.id] = kept.id
            merged = ";".join(filter(None, [kept.properties.get("hs_merged_object_ids", ""), gone.id]))
            changes = self.writer.write_over(
                portal, kept, Draft(kind, {**values, "hs_merged_object_ids": merged}), source
            )
            changes.append(self.writer.change(portal, kept, "merge", source, merged_ids=(gone.id,)))
            answer = kept.as_json()
        self.tell(changes)
        return answer

    def get(self, portal_id: int, object_type_name: str, object_id: str) -> dict[str, Any]:
        """One record with every property that is set; 404 when there is none."""
        with self.held():
            return self.portal(portal_id).record(object_type(object_type_name), object_id).as_json()

    def list(self, portal_id: int, object_type_name: str) -> Rows:
        """Every record of a type, oldest first."""
        with self.held():
            records = self.portal(portal_id).records[object_type(object_type_name).name]
            return [record.as_json() for record in records.values()]

    # --- associations and the timeline ---------------------------------------------------------------

    def associate(self, portal_id: int, from_type: str, from_id: str, association: Association) -> None:
        """Join a record to another; `association` as in `create`."""
        with self.held():
            portal, kind = self.portal(portal_id), object_type(from_type)
            record = portal.record(kind, from_id)
            for link, to_id in checked_links(portal, kind, association):
                portal.link(link, record.id, to_id)

    def disassociate(self, portal_id: int, from_type: str, from_id: str, to_type: str, to_id: str) -> None:
        """Take every association between two records away."""
        with self.held():
            self.portal(portal_id).unlink(object_type(from_type).name, from_id, object_type(to_type).name, to_id)

    def associated(self, portal_id: int, from_type: str, from_id: str, to_type: str) -> Ids:
        """Ids of the records of `to_type` joined to a record, in the order they were joined."""
        with self.held():
            portal = self.portal(portal_id)
            return [*portal.linked(object_type(from_type).name, from_id, object_type(to_type).name)]

    def timeline(self, portal_id: int, contact_id: str) -> Rows:
        """Logged messages, tasks and notes of a contact, newest first.

        Each is {id, type: communications|tasks|notes, body, timestamp, properties, associations: {type: [ids]}}.
        """
        with self.held():
            return contact_timeline(self.portal(portal_id), contact_id)

    def _remove(self, portal_id: int, kind: ObjectType, object_id: str, source: str, *kinds: str) -> None:
        with self.held():
            portal = self.portal(portal_id)
            record = portal.find(kind, object_id)
            if record is None:
                return
            self.writer.drop(portal, kind, record)
            if "privacyDeletion" not in kinds:
                portal.bin[kind.name, record.id] = record
            changes = [self.writer.change(portal, record, each, source) for each in kinds]
        self.tell(changes)
