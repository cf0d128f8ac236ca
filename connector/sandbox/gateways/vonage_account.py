"""What do both of Vonage's APIs share here: the account, who may ask, and what is on record?

Source: developer.vonage.com/api/reports. Records are given by id or by the time of the request, which may span 24
hours, in pages of 1000.
"""

import base64
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.retries import RetryPolicy, doubling
from connector.sandbox.gateways.skin import operation
from connector.sandbox.gateways.world import GatewayWorld

API_KEY, API_SECRET, SIGNATURE_SECRET = "abcd1234", "Ab1cD2eF3gH4iJ5k", "sandbox-signature-secret"
RETRY = RetryPolicy(doubling(5, 900, 102))  # 5 s doubling to 15 min, then every 15 min until 24 hours are over

_LONGEST_WINDOW = timedelta(hours=24)
_BY_ID = frozenset({"account_id", "product", "direction", "id", "include_message", "show_concatenated"})
_BY_TIME = (_BY_ID - {"id"}) | {"date_start", "date_end", "status", "cursor", "iv"}


@dataclass(frozen=True)
class Record:
    """What a skin says of one message or part on record."""

    message_id: str
    status: str
    error_code: str
    price: str | None


class UnprocessableError(Exception):
    """A parameter of a reports request that Vonage refuses; `name` and `reason`."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


def is_account(world: GatewayWorld) -> bool:
    """Whether the request carries the account's Basic authentication."""
    pair = f"{key_of(world)}:{world.credentials.get('api_secret', API_SECRET)}"
    expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode())


def key_of(world: GatewayWorld) -> str:
    """The account's API key."""
    return world.credentials.get("api_key", API_KEY)


def problem(status: int, kind: str, title: str, **more: Any) -> ResponseReturnValue:
    """A refusal in Vonage's shape: `type`, `title`, and what else there is to say."""
    body = {"type": f"https://developer.vonage.com/api-errors{kind}", "title": title, **more}
    return jsonify({**body, "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf"}), status


def add_reports(
    api: Blueprint,
    world: GatewayWorld,
    faults: Faults,
    product: str,
    on_record: Callable[[Message], Sequence[Record]],
    page_size: int = 1000,
) -> None:
    """Let `api` answer `GET /v2/reports/records` about `product`, as `<slug>.find`."""

    @api.get("/v2/reports/records")
    @operation(world, faults, "find")
    def records() -> ResponseReturnValue:
        if not is_account(world):
            return problem(401, "#unauthorized", "Unauthorized", detail="You did not provide correct credentials.")
        if request.args.get("account_id") != key_of(world):
            return problem(403, "#forbidden", "Forbidden", detail="User not authorized to query the requested data.")
        rows = [(message, row) for message in world.messages() if message.is_outbound for row in on_record(message)]
        try:
            return jsonify(_answer(world, rows, product, page_size))
        except UnprocessableError as error:
            wrong = [{"name": error.name, "reason": error.reason}]
            return problem(422, "#invalid-params", "Unprocessable entity", invalid_parameters=wrong)


def _answer(
    world: GatewayWorld, rows: Sequence[tuple[Message, Record]], product: str, page_size: int
) -> Mapping[str, Any]:
    _check(product)
    if "id" in request.args:
        wanted = request.args["id"].split(",")
        found = [(message, row) for message, row in rows if row.message_id in wanted]
        missing = set(wanted) - {row.message_id for _, row in found}
        return _page(world, found, product, {"ids_not_found": ",".join(sorted(missing))} if missing else {})
    start, end = _window(world.clock.now())
    found = [(message, row) for message, row in rows if start <= message.created_at.replace(microsecond=0) < end]
    first = int(request.args.get("cursor", "0"))
    more: dict[str, Any] = {}
    if first + page_size < len(found):
        further = urlencode({**request.args.to_dict(), "cursor": first + page_size, "iv": "sandbox"})
        more = {"_links": {"next": {"href": f"https://api.nexmo.com/v2/reports/records?{further}"}}}
    status = {"request_status": "TRUNCATED" if more else "SUCCESS"}
    return _page(world, found[first : first + page_size], product, {**status, **more})


def _check(product: str) -> None:
    known = _BY_ID if "id" in request.args else _BY_TIME
    for name in request.args:
        if name not in known:
            raise UnprocessableError(name, "Unsupported parameter")
    for name, values in (("product", {product}), ("direction", {"outbound"})):
        if request.args.get(name) not in values:
            raise UnprocessableError(name, "Missing or unsupported value")


def _window(now: datetime) -> tuple[datetime, datetime]:
    start, end = _moment("date_start"), _moment("date_end")
    if start > now:
        raise UnprocessableError("date_start", "must be in the past")
    if not start < end <= start + _LONGEST_WINDOW:
        raise UnprocessableError("date_end", "must be up to 24 hours after date_start")
    return start, end


def _moment(name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(request.args[name])
    except (KeyError, ValueError) as error:
        raise UnprocessableError(name, "Missing or unreadable") from error
    if moment.tzinfo is None:
        raise UnprocessableError(name, "without an offset")
    return moment


def _page(
    world: GatewayWorld, rows: Sequence[tuple[Message, Record]], product: str, more: Mapping[str, Any]
) -> Mapping[str, Any]:
    has_bodies = request.args.get("include_message") == "true"
    records = [_as_json(world, message, row, has_bodies) for message, row in rows]
    head = {"request_status": "SUCCESS", "account_id": key_of(world), "direction": "outbound", "product": product}
    return {**head, "items_count": len(records), "records": records, **more}


def _as_json(world: GatewayWorld, message: Message, row: Record, has_body: bool) -> dict[str, Any]:
    return {
        "account_id": key_of(world),
        "message_id": row.message_id,
        "client_ref": message.reference,
        "direction": "outbound",
        "from": message.sender.removeprefix("+"),
        "to": message.to.removeprefix("+"),
        **({"message_body": message.body} if has_body else {}),
        "network": "23410",
        "country": "GB",
        "date_received": message.created_at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        "status": row.status,
        "error_code": row.error_code,
        "currency": "EUR",
        "total_price": row.price,
    }
