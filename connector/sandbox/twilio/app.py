"""What does the emulated gateway answer over HTTP?

Sources: twilio.com/docs/messaging/api/message-resource, twilio.com/docs/lookup/v2-api, which the vendor serves from
another host. Faults are armed for `twilio.messages.create`, `.fetch`, `.list`, `.update` and `.delete`, and for
`twilio.lookup`.
"""

import hmac
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from connector.sandbox.clock import SandboxClock
from connector.sandbox.control import control_blueprint
from connector.sandbox.faults import Fault, Faults, plain_response
from connector.sandbox.twilio.control import twilio_control
from connector.sandbox.twilio.listing import matching, page
from connector.sandbox.twilio.lookup import KNOWN_PARAMETERS, lookup_answer
from connector.sandbox.twilio.refusals import RefusalError, body_of_status
from connector.sandbox.twilio.world import TwilioWorld

if TYPE_CHECKING:
    from collections.abc import Iterator

_MESSAGES = "/2010-04-01/Accounts/<account>/Messages.json"
_MESSAGE = "/2010-04-01/Accounts/<account>/Messages/<sid>.json"
_NUMBER = "/v2/PhoneNumbers/<number>"


def create_app(world: TwilioWorld, clock: SandboxClock, faults: Faults) -> Flask:
    """The gateway's API over `world`, with the sandbox's own control endpoints under `/_sandbox`."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.register_blueprint(control_blueprint(clock, faults))
    app.register_blueprint(twilio_control(world))
    api = _API(world, faults)
    app.add_url_rule(_MESSAGES, "create", api.create, methods=["POST"])
    app.add_url_rule(_MESSAGES, "list", api.listing, methods=["GET"])
    app.add_url_rule(_MESSAGE, "fetch", api.fetch, methods=["GET"])
    app.add_url_rule(_MESSAGE, "update", api.update, methods=["POST"])
    app.add_url_rule(_MESSAGE, "delete", api.delete, methods=["DELETE"])
    app.add_url_rule(_NUMBER, "lookup", api.lookup, methods=["GET"])
    app.register_error_handler(HTTPException, _unknown)
    return app


class _API:
    """The five operations of the message resource, and the lookup of numbers."""

    def __init__(self, world: TwilioWorld, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._running = 0
        self._lock = threading.Lock()

    def create(self, account: str) -> ResponseReturnValue:
        return self._run("messages.create", account, lambda: (self._world.create(request.form).as_json(), 201))

    def fetch(self, account: str, sid: str) -> ResponseReturnValue:
        return self._run("messages.fetch", account, lambda: (self._world.fetch(sid).as_json(), 200))

    def listing(self, account: str) -> ResponseReturnValue:
        number = request.args.get("To") or request.args.get("From")

        def work() -> ResponseReturnValue:
            found = matching(self._world.messages(number), request.args)
            return page(found, request.args, account), 200

        return self._run("messages.list", account, work)

    def update(self, account: str, sid: str) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            if request.form.get("Status") == "canceled":
                return self._world.cancel(sid).as_json(), 200
            if request.form.get("Body") == "":
                return self._world.redact(sid).as_json(), 200
            raise RefusalError(20001, "only an empty Body or Status=canceled")

        return self._run("messages.update", account, work)

    def delete(self, account: str, sid: str) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            self._world.delete(sid)
            return "", 204

        return self._run("messages.delete", account, work)

    def lookup(self, number: str) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            self._world.unknown_fields.update(request.args.keys() - KNOWN_PARAMETERS)
            return lookup_answer(number, request.args, self._world.lines, request.base_url), 200

        return self._run("lookup", None, work)

    def _run(self, name: str, account: str | None, work: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        self._world.count(name)

        def checked() -> ResponseReturnValue:
            try:
                self._authenticate(account)
                return work()
            except RefusalError as refusal:
                return jsonify(refusal.body()), refusal.status

        with self._counted() as running:
            limit = self._world.max_concurrent
            if limit is not None and running > limit:
                answer: ResponseReturnValue = (jsonify(body_of_status(429)), 429)
            else:
                answer = self._faults.run(f"twilio.{name}", checked, _vendor_fault)
            response = _as_response(answer)
            response.headers["Twilio-Concurrent-Requests"] = str(running)
            return response

    @contextmanager
    def _counted(self) -> "Iterator[int]":
        with self._lock:
            self._running += 1
            running = self._running
        try:
            yield running
        finally:
            with self._lock:
                self._running -= 1

    def _authenticate(self, account: str | None) -> None:
        given = request.authorization
        name = (given.username if given else None) or ""
        known = {self._world.account_sid: self._world.auth_token, **self._world.api_keys}
        password = (given.password if given else None) or ""
        if name not in known or not hmac.compare_digest(known[name].encode(), password.encode()):
            raise RefusalError(20003)
        if account not in {None, self._world.account_sid}:
            raise RefusalError(20404)


def _as_response(answer: ResponseReturnValue) -> Response:
    return current_app.make_response(answer)


def _vendor_fault(fault: Fault) -> Response:
    if "body" in fault.options:
        return plain_response(fault)
    response = jsonify(body_of_status(fault.status))
    response.status_code = fault.status
    response.headers.update(fault.options.get("headers", {}))
    return response


def _unknown(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    return jsonify(body_of_status(status)), status
