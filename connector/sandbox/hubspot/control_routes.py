"""How does somebody without the page work in the pretend HubSpot, and look behind its API?

What a person would do in HubSpot's own screens goes through `/_sandbox/...` without a token, so that the
changes come from CRM_UI (or the `source` given) and not from an app.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.gate import checked_object
from connector.sandbox.hubspot.refusals import invalid
from connector.sandbox.hubspot.webhooks import Delivery, WebhookSender
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.sender_routes import SETTINGS, SenderViews


def control_routes(world: HubSpotWorld, webhooks: WebhookSender | None) -> Blueprint:
    """Calls by operation, records and timelines of a portal, webhook deliveries and how they misbehave.

    - GET `/calls`
    - GET, POST `/records/{portal}/{type}` with {properties, associations: [[type, id]], source}
    - GET, PATCH, DELETE `/records/{portal}/{type}/{id}`
    - GET `/timeline/{portal}/{contact}`
    - GET `/webhooks`; POST {duplicates, shuffle, delay_seconds, batch_size, is_paused}; POST `/webhooks/flush`
    """
    pages = Blueprint("sandbox_hubspot", __name__, url_prefix="/_sandbox")
    people = _PeopleViews(world)
    pages.get("/calls")(people.calls)
    pages.get("/records/<int:portal_id>/<name>")(people.list)
    pages.post("/records/<int:portal_id>/<name>")(people.create)
    pages.get("/records/<int:portal_id>/<name>/<object_id>")(people.read)
    pages.patch("/records/<int:portal_id>/<name>/<object_id>")(people.update)
    pages.delete("/records/<int:portal_id>/<name>/<object_id>")(people.delete)
    pages.get("/timeline/<int:portal_id>/<contact_id>")(people.timeline)
    if webhooks is not None:
        SenderViews(webhooks, shown=_shown, wanted=_settings, refusal=invalid).add_to(pages, "/webhooks")
    return pages


class _PeopleViews:
    """What people do in HubSpot's screens."""

    def __init__(self, world: HubSpotWorld) -> None:
        self._world = world

    def calls(self) -> ResponseReturnValue:
        return dict(self._world.calls)

    def list(self, portal_id: int, name: str) -> ResponseReturnValue:
        return jsonify(self._world.list(portal_id, name))

    def create(self, portal_id: int, name: str) -> ResponseReturnValue:
        body = _write_body()
        joined = [(str(other), str(other_id)) for other, other_id in body.get("associations", [])]
        return self._world.create(portal_id, name, body["properties"], joined, body.get("source", "CRM_UI")), 201

    def read(self, portal_id: int, name: str, object_id: str) -> ResponseReturnValue:
        return self._world.get(portal_id, name, object_id)

    def update(self, portal_id: int, name: str, object_id: str) -> ResponseReturnValue:
        body = _write_body()
        return self._world.update(portal_id, name, object_id, body["properties"], body.get("source", "CRM_UI"))

    def delete(self, portal_id: int, name: str, object_id: str) -> ResponseReturnValue:
        self._world.delete(portal_id, name, object_id)
        return "", 204

    def timeline(self, portal_id: int, contact_id: str) -> ResponseReturnValue:
        return jsonify(self._world.timeline(portal_id, contact_id))


def _shown(delivery: Delivery) -> Mapping[str, Any]:
    sent = {"at": delivery.at.isoformat(), "status": delivery.status, "error": delivery.error}
    return {**sent, "events": delivery.events}


def _settings() -> dict[str, Any]:
    return checked_object(request.get_json(silent=True), SETTINGS)


def _write_body() -> dict[str, Any]:
    allowed = ("properties", "associations", "source")
    return checked_object(request.get_json(silent=True), allowed, ("properties",))
