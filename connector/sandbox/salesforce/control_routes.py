"""How does somebody without the page work in the pretend Salesforce, and look behind its API?

What a person would do in Salesforce's own screens goes through `/_sandbox/...` without a token.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce.outbound import Delivery, OutboundMessageSender
from connector.sandbox.salesforce.refusals import RefusalError, bad_request
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.sender_routes import SETTINGS, SenderViews


def control_routes(world: SalesforceWorld, sender: OutboundMessageSender | None) -> Blueprint:
    """Calls by operation, records and timelines, what admins do, and how outbound messages misbehave.

    - GET `/calls`, `/orgs`
    - GET, POST `/records/{org}/{object}` with the fields; GET, PATCH, DELETE `/records/{org}/{object}/{id}`
    - GET `/timeline/{org}/{contact or lead}`
    - POST `/merge/{org}` {master, loser}; `/convert/{org}` {lead, contact?, deal?}
    - POST `/quota/{org}` {limit?, used_elsewhere?}; `/expire/{org}`; `/uninstall/{org}`
    - POST `/rules/{org}` {object, field, pattern, message}; `/locks/{org}` {id, times?}; DELETE `/locks/{org}/{id}`
    - GET `/outbound`; POST {duplicates, shuffle, delay_seconds, batch_size, is_paused}; POST `/outbound/flush`
    """
    pages = Blueprint("sandbox_salesforce", __name__, url_prefix="/_sandbox")
    people = _PeopleViews(world)
    pages.get("/calls")(people.calls)
    pages.get("/orgs")(people.orgs)
    pages.get("/records/<org_id>/<name>")(people.list)
    pages.post("/records/<org_id>/<name>")(people.create)
    pages.get("/records/<org_id>/<name>/<record_id>")(people.read)
    pages.patch("/records/<org_id>/<name>/<record_id>")(people.update)
    pages.delete("/records/<org_id>/<name>/<record_id>")(people.delete)
    pages.get("/timeline/<org_id>/<who_id>")(people.timeline)
    pages.post("/merge/<org_id>")(people.merge)
    pages.post("/convert/<org_id>")(people.convert)
    admins = _AdminViews(world)
    pages.post("/quota/<org_id>")(admins.quota)
    pages.post("/expire/<org_id>")(admins.expire)
    pages.post("/uninstall/<org_id>")(admins.uninstall)
    pages.post("/rules/<org_id>")(admins.rule)
    pages.post("/locks/<org_id>")(admins.lock)
    pages.delete("/locks/<org_id>/<record_id>")(admins.unlock)
    if sender is not None:
        SenderViews(sender, shown=_shown, wanted=_settings, refusal=_wrong).add_to(pages, "/outbound")
    return pages


class _PeopleViews:
    """What people do in Salesforce's screens."""

    def __init__(self, world: SalesforceWorld) -> None:
        self._world = world

    def calls(self) -> ResponseReturnValue:
        return dict(self._world.calls)

    def orgs(self) -> ResponseReturnValue:
        return [
            {"id": org.id, "users": [user.values["Username"] for user in org.rows("User")], "usage": org.usage.header}
            for org in self._world.orgs.values()
        ]

    def list(self, org_id: str, name: str) -> ResponseReturnValue:
        return jsonify(self._world.list(org_id, name))

    def create(self, org_id: str, name: str) -> ResponseReturnValue:
        return self._world.create(org_id, name, _body()), 201

    def read(self, org_id: str, name: str, record_id: str) -> ResponseReturnValue:
        return self._world.get(org_id, name, record_id)

    def update(self, org_id: str, name: str, record_id: str) -> ResponseReturnValue:
        return self._world.update(org_id, name, record_id, _body())

    def delete(self, org_id: str, name: str, record_id: str) -> ResponseReturnValue:
        self._world.delete(org_id, name, record_id)
        return "", 204

    def timeline(self, org_id: str, who_id: str) -> ResponseReturnValue:
        return jsonify(self._world.timeline(org_id, who_id))

    def merge(self, org_id: str) -> ResponseReturnValue:
        body = _body("master", "loser")
        return self._world.merge(org_id, str(body["master"]), str(body["loser"]))

    def convert(self, org_id: str) -> ResponseReturnValue:
        body = _body("lead")
        return self._world.convert(
            org_id, str(body["lead"]), contact_id=body.get("contact"), deal_name=body.get("deal")
        )


class _AdminViews:
    """What admins do, and what befalls an org."""

    def __init__(self, world: SalesforceWorld) -> None:
        self._world = world

    def quota(self, org_id: str) -> ResponseReturnValue:
        usage, body = self._world.org(org_id).usage, _body()
        usage.limit = int(body.get("limit", usage.limit))
        usage.used_elsewhere = int(body.get("used_elsewhere", usage.used_elsewhere))
        return {"used": usage.used, "limit": usage.limit}

    def expire(self, org_id: str) -> ResponseReturnValue:
        self._world.tokens.expire_sessions(self._world.org(org_id).id)
        return "", 204

    def uninstall(self, org_id: str) -> ResponseReturnValue:
        self._world.uninstall_package(org_id)
        return "", 204

    def rule(self, org_id: str) -> ResponseReturnValue:
        body = _body("object", "field", "pattern", "message")
        self._world.add_rule(
            org_id, str(body["object"]), str(body["field"]), str(body["pattern"]), str(body["message"])
        )
        return "", 204

    def lock(self, org_id: str) -> ResponseReturnValue:
        body = _body("id")
        self._world.lock_row(org_id, str(body["id"]), int(body["times"]) if "times" in body else None)
        return "", 204

    def unlock(self, org_id: str, record_id: str) -> ResponseReturnValue:
        self._world.unlock_row(org_id, record_id)
        return "", 204


def _shown(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "at": delivery.at.isoformat(),
        "status": delivery.status,
        "error": delivery.error,
        "acknowledged": delivery.was_acknowledged,
        "notifications": [one.id for one in delivery.notifications],
    }


def _settings() -> dict[str, Any]:
    wanted = _body()
    if unknown := sorted(set(wanted) - set(SETTINGS)):
        raise _wrong(f"no setting {', '.join(unknown)}")
    return wanted


def _wrong(message: str) -> RefusalError:
    return bad_request("INVALID_INPUT", message)


def _body(*required: str) -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or not set(required) <= set(body):
        raise _wrong(f"a JSON object with {', '.join(required) or 'fields'} is needed")
    return body
