"""How does a test or a person act on the emulated gateway over HTTP: write from a phone, bend its word, look in?"""

from dataclasses import asdict

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from connector.sandbox.gateways.control import control_body, exchange_control
from connector.sandbox.twilio.lookup import Line
from connector.sandbox.twilio.refusals import RefusalError
from connector.sandbox.twilio.world import TwilioWorld


def twilio_control(world: TwilioWorld) -> Blueprint:
    """Endpoints under `/_sandbox/twilio`: those of `exchange_control`, and

    `POST replies` {"from", "to", "body"}; `PUT lines/<number>` {"type"?, "carrier_name"?, "is_valid"?, "error_code"?};
    `PUT body-prefix` {"text"}: what is put before every body from now on.
    """
    pages = exchange_control("twilio_control", "/_sandbox/twilio", world)

    @pages.post("/replies")
    def reply() -> ResponseReturnValue:
        body = control_body()
        message = world.reply(str(body["from"]), str(body["to"]), str(body["body"]))
        return jsonify(message.as_json()), 201

    @pages.put("/lines/<number>")
    def set_line(number: str) -> ResponseReturnValue:
        world.lines[number] = line = Line(**control_body())
        return jsonify(asdict(line))

    @pages.put("/body-prefix")
    def set_body_prefix() -> ResponseReturnValue:
        world.body_prefix = str(control_body()["text"])
        return jsonify(text=world.body_prefix)

    @pages.errorhandler(RefusalError)
    def refuse(error: RefusalError) -> ResponseReturnValue:
        return jsonify(error=str(error)), 400

    return pages
