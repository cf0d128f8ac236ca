"""Which batches does Sinch take, list and cancel, and what does it report about them?

Source: developers.sinch.com/docs/sms/api-reference (batches, delivery reports, status codes).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.sinch_reports import status_and_code, summary
from connector.sandbox.gateways.skin import operation
from connector.sandbox.gateways.world import GatewayWorld

SERVICE_PLAN_ID, API_TOKEN = "sandbox-plan", "sandbox-token"

_KINDS = {"none", "summary", "full", "per_recipient", "per_recipient_final"}
_NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
_SENDER = re.compile(r"\+?\d{3,15}|[A-Za-z0-9 ]{1,11}")
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9._-]{1,16})\}")
_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("type", "from", "body", "delivery_report", "expire_at", "callback_url", "client_reference"), str),
    "to": list,
    "parameters": dict,
}
_LONGEST_BODY, _LONGEST_REFERENCE, _LONGEST_LIFE = 2000, 2048, timedelta(days=3)
_LISTED_FOR = timedelta(days=1)  # how far back a list goes that names no start


class RefusedError(Exception):
    """What Sinch does not do: HTTP `status`, error word and text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text = status, code, text


def add_batches(api: Blueprint, world: GatewayWorld, faults: Faults) -> None:
    """Let `api` take, list, show and cancel batches, and report about them."""
    one = "/xms/v1/<plan>/batches/<batch_id>"

    @api.post("/xms/v1/<plan>/batches")
    @operation(world, faults, "send")
    def send(plan: str) -> ResponseReturnValue:
        return _answer(world, plan, lambda: _as_json(_take(world)), 201)

    @api.get("/xms/v1/<plan>/batches")
    @operation(world, faults, "find")
    def listing(plan: str) -> ResponseReturnValue:
        return _answer(world, plan, lambda: _list(world))

    @api.get(one)
    @operation(world, faults, "find")
    def show(plan: str, batch_id: str) -> ResponseReturnValue:
        return _answer(world, plan, lambda: _as_json(_batch(world, batch_id)))

    @api.delete(one)
    @operation(world, faults, "cancel")
    def cancel(plan: str, batch_id: str) -> ResponseReturnValue:
        def work() -> Mapping[str, Any]:
            world.cancel(_batch(world, batch_id).id)
            return _as_json(_batch(world, batch_id))

        return _answer(world, plan, work)

    @api.get(f"{one}/delivery_report")
    @operation(world, faults, "find")
    def report(plan: str, batch_id: str) -> ResponseReturnValue:
        return _answer(world, plan, lambda: summary(_batch(world, batch_id), request.args.get("type", "summary")))

    @api.get(f"{one}/delivery_report/<recipient>")
    @operation(world, faults, "find")
    def recipient_report(plan: str, batch_id: str, recipient: str) -> ResponseReturnValue:
        return _answer(world, plan, lambda: _recipient_report(_batch(world, batch_id), recipient))


def written(at: datetime) -> str:
    """A time as Sinch writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _answer(
    world: GatewayWorld, plan: str, work: Callable[[], Mapping[str, Any]], status: int = 200
) -> ResponseReturnValue:
    try:
        _authenticate(world, plan)
        return jsonify(work()), status
    except RefusedError as refusal:
        return jsonify(code=refusal.code, text=refusal.text), refusal.status


def _authenticate(world: GatewayWorld, plan: str) -> None:
    if request.headers.get("Authorization") != f"Bearer {world.credentials.get('api_token', API_TOKEN)}":
        raise RefusedError(401, "unauthorized", "Unauthorized")
    if plan != world.credentials.get("service_plan_id", SERVICE_PLAN_ID):
        raise RefusedError(403, "forbidden", "Forbidden")


def _take(world: GatewayWorld) -> Message:
    if world.is_throttled():
        raise RefusedError(429, "too_many_requests", "Throttled")
    order = request.get_json(silent=True)
    if not isinstance(order, dict):
        raise RefusedError(400, "syntax_invalid_json", "The body is no JSON object")
    expires_at = _check(order, world.clock.now())
    sender = order.get("from", "+12025550100")
    return world.take(
        to=_e164(order["to"][0]),
        sender=_e164(sender) if _NUMBER.fullmatch(sender) else sender,
        body=_filled_in(order),
        callback_url=order.get("callback_url"),
        reference=order.get("client_reference"),
        valid_for=None if expires_at is None else expires_at - world.clock.now(),
        details=order,
    )


def _check(order: Mapping[str, Any], now: datetime) -> datetime | None:
    for name, value in order.items():
        if name not in _TYPES or type(value) is not _TYPES[name]:
            raise RefusedError(400, "syntax_invalid_parameter_format", f"{name} is unknown or of the wrong type")
    for name in ("to", "body"):
        if not order.get(name):
            raise RefusedError(400, "syntax_constraint_violation", f"{name} may not be empty")
    checks = {
        "type": order.get("type", "mt_text") == "mt_text",
        "to": len(order["to"]) == 1 and bool(_NUMBER.fullmatch(str(order["to"][0]))),
        "from": bool(_SENDER.fullmatch(order.get("from", "123"))),
        "body": len(order["body"]) <= _LONGEST_BODY,
        "delivery_report": order.get("delivery_report", "none") in _KINDS,
        "client_reference": len(order.get("client_reference", "")) <= _LONGEST_REFERENCE,
        "callback_url": urlsplit(order.get("callback_url", "https://")).scheme in {"http", "https"},
    }
    for name, is_right in checks.items():
        if not is_right:
            raise RefusedError(400, "syntax_constraint_violation", f"{name} is not what it may be")
    return _expiry(order, now)


def _expiry(order: Mapping[str, Any], now: datetime) -> datetime | None:
    if "expire_at" not in order:
        return None
    moment = _moment(order["expire_at"], "expire_at")
    if not now < moment <= now + _LONGEST_LIFE + timedelta(seconds=5):  # what the request took to get here
        raise RefusedError(400, "syntax_constraint_violation", "expire_at is within three days from now")
    return moment


def _filled_in(order: Mapping[str, Any]) -> str:
    """The body with its parameters' values put in."""

    def value(match: re.Match[str]) -> str:
        values = order.get("parameters", {}).get(match[1], {})
        if "default" not in values:
            raise RefusedError(400, "syntax_constraint_violation", f"parameters.{match[1]} is missing")
        return str(values["default"])

    return _PLACEHOLDER.sub(value, order["body"])


def _list(world: GatewayWorld) -> Mapping[str, Any]:
    known = {"client_reference", "start_date", "end_date", "from", "page", "page_size"}
    if unknown := set(request.args) - known:
        raise RefusedError(400, "syntax_invalid_parameter_format", f"{min(unknown)} is unknown")
    now = world.clock.now()
    start = _moment(request.args.get("start_date", written(now - _LISTED_FOR)), "start_date")
    end = _moment(request.args.get("end_date", written(now + timedelta(seconds=1))), "end_date")
    reference = request.args.get("client_reference")
    taken = world.messages() if reference is None else world.by_reference(reference)
    found = [_as_json(each) for each in reversed(taken) if each.is_outbound and start <= each.created_at < end]
    page, size = int(request.args.get("page", "0")), int(request.args.get("page_size", "30"))
    return {"page": page, "page_size": size, "count": len(found), "batches": found[page * size : (page + 1) * size]}


def _recipient_report(message: Message, recipient: str) -> Mapping[str, Any]:
    if _e164(recipient) != message.to:
        raise RefusedError(404, "not_found", "No such recipient")
    status, code = status_and_code(message.status, message.error_code)
    return {
        "type": "recipient_delivery_report_sms",
        "batch_id": message.id,
        "recipient": message.to,
        "code": code,
        "status": status,
        "at": written(message.updated_at),
        **({} if message.reference is None else {"client_reference": message.reference}),
    }


def _batch(world: GatewayWorld, batch_id: str) -> Message:
    message = world.message(batch_id)
    if message is None or message.is_inbound:
        raise RefusedError(404, "not_found", "No such batch")
    return message


def _as_json(message: Message) -> Mapping[str, Any]:
    return {
        "id": message.id,
        "to": [message.to],
        "from": message.sender,
        "canceled": message.status == "cancelled",
        "created_at": written(message.created_at),
        "modified_at": written(message.updated_at),
        **{name: value for name, value in message.details.items() if name not in {"to", "from"}},
    }


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(400, "syntax_invalid_parameter_format", name) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _e164(number: str) -> str:
    return number if number.startswith("+") else f"+{number}"
