"""How does a test or a person act on a pretend gateway over HTTP: write from a phone, bend receipts, look in?"""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.gateways.exchange import Exchange
from connector.sandbox.gateways.handsets import bubble
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.world import GatewayWorld


def gateway_control(world: GatewayWorld) -> Blueprint:
    """Endpoints under `/_sandbox/gateways/<slug>`: those of `exchange_control`, and

    `POST replies` {"from", "to", "body", "signing"?}; `GET messages[?number=]`; `GET|PUT limit`
    {"max_per_second": n or null}.
    """
    slug = world.skin.slug
    pages = exchange_control(f"{slug}_control", f"/_sandbox/gateways/{slug}", world)

    @pages.post("/replies")
    def reply() -> ResponseReturnValue:
        body = control_body()
        signing = str(body.get("signing", "signed"))
        message = world.reply(str(body["from"]), str(body["to"]), str(body["body"]), signing)
        return jsonify(_as_json(message)), 201

    @pages.get("/messages")
    def show_messages() -> ResponseReturnValue:
        return jsonify([_as_json(message) for message in world.messages(request.args.get("number"))])

    @pages.get("/limit")
    def show_limit() -> ResponseReturnValue:
        return jsonify(max_per_second=world.max_per_second)

    @pages.put("/limit")
    def set_limit() -> ResponseReturnValue:
        limit = control_body()["max_per_second"]
        world.max_per_second = None if limit is None else int(limit)
        return jsonify(max_per_second=world.max_per_second)

    return pages


def exchange_control(name: str, prefix: str, world: Exchange[Any]) -> Blueprint:
    """What every pretend gateway lets be done, under `prefix`.

    `GET|PATCH phones/<number>` {"is_on", "is_blocking"}; `GET|POST receipts` {"kind", "times"?, options} and
    `DELETE receipts/<kind>`; `GET|PUT outages` {"prefixes": ["+44"]}; `GET calls`. Mistakes answer 400.
    """
    pages = Blueprint(name, __name__, url_prefix=prefix)
    _phones(pages, world)
    _receipts(pages, world)
    _outages(pages, world)

    @pages.get("/calls")
    def show_calls() -> ResponseReturnValue:
        return jsonify(world.calls)

    @pages.errorhandler(KeyError)
    @pages.errorhandler(TypeError)
    @pages.errorhandler(ValueError)
    def refuse(error: Exception) -> ResponseReturnValue:
        return jsonify(error=str(error)), 400

    return pages


def _phones(pages: Blueprint, world: Exchange[Any]) -> None:
    @pages.get("/phones/<number>")
    def show_phone(number: str) -> ResponseReturnValue:
        return jsonify([bubble(message) for message in world.conversation(number)])

    @pages.patch("/phones/<number>")
    def change_phone(number: str) -> ResponseReturnValue:
        handset, body = world.add_handset(number), control_body()
        handset.is_on = bool(body.get("is_on", handset.is_on))
        handset.is_blocking = bool(body.get("is_blocking", handset.is_blocking))
        return jsonify(number=number, is_on=handset.is_on, is_blocking=handset.is_blocking)


def _receipts(pages: Blueprint, world: Exchange[Any]) -> None:
    @pages.get("/receipts")
    def show_receipts() -> ResponseReturnValue:
        return jsonify(world.receipts.armed())

    @pages.post("/receipts")
    def arm_receipts() -> ResponseReturnValue:
        world.receipts.arm(**control_body())
        return jsonify(world.receipts.armed()), 201

    @pages.delete("/receipts/<kind>")
    def disarm_receipts(kind: str) -> ResponseReturnValue:
        world.receipts.disarm(kind)
        return "", 204


def _outages(pages: Blueprint, world: Exchange[Any]) -> None:
    @pages.get("/outages")
    def show_outages() -> ResponseReturnValue:
        return jsonify(sorted(world.outages))

    @pages.put("/outages")
    def set_outages() -> ResponseReturnValue:
        prefixes = control_body()["prefixes"]
        if not isinstance(prefixes, list) or not all(str(one).startswith("+") for one in prefixes):
            raise ValueError("prefixes is a list of calling prefixes, each with its plus")
        world.outages = {str(one) for one in prefixes}
        return jsonify(sorted(world.outages))


def control_body() -> dict[str, Any]:
    """The request's JSON object; ValueError when it is none."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ValueError("a JSON object is needed")  # noqa: TRY004 - the caller's body, not a type of ours
    return body


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "to": message.to,
        "sender": message.sender,
        "body": message.body,
        "status": message.status,
        "segments": message.segments,
        "reference": message.reference,
        "error_code": message.error_code,
        "is_inbound": message.is_inbound,
        "created_at": message.created_at.isoformat(),
    }
