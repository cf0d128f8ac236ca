"""How does a test or a person act on the emulated gateway over HTTP: write from a phone, bend receipts, look in?"""

from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.twilio.handsets import bubble
from connector.sandbox.twilio.refusals import RefusalError
from connector.sandbox.twilio.world import TwilioWorld


def twilio_control(world: TwilioWorld) -> Blueprint:
    """Endpoints under `/_sandbox/twilio`.

    `POST replies` {"from", "to", "body"}; `GET phones/<number>`; `PATCH phones/<number>` {"is_on", "is_blocking"};
    `GET|POST|DELETE receipts` {"kind", "times"?, options}; `GET calls`. Mistakes answer 400.
    """
    pages = Blueprint("twilio_control", __name__, url_prefix="/_sandbox/twilio")

    @pages.post("/replies")
    def reply() -> ResponseReturnValue:
        body = _body()
        message = world.reply(str(body["from"]), str(body["to"]), str(body["body"]))
        return jsonify(message.as_json()), 201

    @pages.get("/phones/<number>")
    def show_phone(number: str) -> ResponseReturnValue:
        return jsonify([bubble(message) for message in world.conversation(number)])

    @pages.patch("/phones/<number>")
    def change_phone(number: str) -> ResponseReturnValue:
        handset, body = world.add_handset(number), _body()
        handset.is_on = bool(body.get("is_on", handset.is_on))
        handset.is_blocking = bool(body.get("is_blocking", handset.is_blocking))
        return jsonify(number=number, is_on=handset.is_on, is_blocking=handset.is_blocking)

    @pages.get("/receipts")
    def show_receipts() -> ResponseReturnValue:
        return jsonify(world.receipts.armed())

    @pages.post("/receipts")
    def arm_receipts() -> ResponseReturnValue:
        world.receipts.arm(**_body())
        return jsonify(world.receipts.armed()), 201

    @pages.delete("/receipts/<kind>")
    def disarm_receipts(kind: str) -> ResponseReturnValue:
        world.receipts.disarm(kind)
        return "", 204

    @pages.get("/calls")
    def show_calls() -> ResponseReturnValue:
        return jsonify(world.calls)

    @pages.errorhandler(KeyError)
    @pages.errorhandler(TypeError)
    @pages.errorhandler(ValueError)
    @pages.errorhandler(RefusalError)
    def refuse(error: Exception) -> ResponseReturnValue:
        return jsonify(error=str(error)), 400

    return pages


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ValueError("a JSON object is needed")  # noqa: TRY004 - the caller's body, not a type of ours
    return body
