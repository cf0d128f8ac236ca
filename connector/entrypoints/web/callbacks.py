"""Where do gateways deliver receipts and replies?"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from connector.entrypoints.web.requests import connector, public_url
from connector.ports.gateway import CallbackRequest
from connector.services.receipts import INBOUND, STATUS

blueprint = Blueprint("callbacks", __name__, url_prefix="/callbacks")

_TAKEN = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""An empty TwiML answer: taken, nothing to say. Gateways that do not speak TwiML ignore it."""


_METHODS = ["GET", "POST"]
"""Some gateways put their receipts into the address; a GET that carries nothing is refused for lack of a signature."""


@blueprint.route("/<gateway>/status", methods=_METHODS)
@blueprint.route("/<gateway>/status/<attempt_id>", methods=_METHODS)
def status(gateway: str, attempt_id: str | None = None) -> Response:
    """Take a receipt; our attempt id is a path segment or the query parameter `attempt_id`."""
    return _take(gateway, STATUS, attempt_id or request.args.get("attempt_id"))


@blueprint.route("/<gateway>/inbound", methods=_METHODS)
def inbound(gateway: str) -> Response:
    """Take an SMS that a person sent."""
    return _take(gateway, INBOUND, None)


def _take(gateway: str, kind: str, attempt_id: str | None) -> Response:
    adapter = connector().gateways.get(gateway)
    if adapter is None:
        abort(404, "no gateway of this name is configured")
    callback = CallbackRequest(request.method, public_url(), dict(request.headers), request.get_data())
    adapter.verify(callback)
    connector().intake.take_callback(gateway, kind, callback, attempt_id)
    return Response(_TAKEN, mimetype="text/xml")
