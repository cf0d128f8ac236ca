"""Where do HubSpot's workflows order texts?

By the documentation custom actions are signed v2, which has no time in it: a call can be sent again, and is then known
by its callback id. Where HubSpot signs v3 as well, v3 decides. Nowhere else is v2 taken.
"""

from __future__ import annotations

from typing import Any

import structlog
from flask import Blueprint, Response, jsonify, request

from connector.entrypoints.web.requests import connector, public_url
from connector.services.workflow_orders import UnreadableCallError

log = structlog.get_logger(__name__)

blueprint = Blueprint("workflow_actions", __name__, url_prefix="/hubspot/actions")


@blueprint.before_request
def _admit() -> None:
    """Let HubSpot in.

    Raises:
        SignatureError: not from HubSpot.
    """
    connector().hubspot_door.verify(request.method, public_url(), dict(request.headers), request.get_data(), "v3", "v2")


@blueprint.post("/send-sms")
def send_sms() -> tuple[Response, int]:
    """Keep a call, commit, answer; whom it is for is found out after that.

    What is no call is answered 400, which HubSpot does not try again.
    """
    orders, body = connector().workflow_orders, _body()
    try:
        answer = connector().committer.run(lambda uow: orders.take(uow, body))
    except UnreadableCallError as error:
        log.warning("workflow.unreadable", reason=str(error))
        return jsonify(error="unreadable", message=str(error)), 400
    return jsonify(answer.to_json()), 200


@blueprint.route("/templates", methods=["GET", "POST"])
def templates() -> Response:
    """Give the templates an admin may choose from; what was typed so far comes in the body, or as `q`."""
    body = _body() if request.method == "POST" else {"fetchOptions": {"q": request.args.get("q", "")}}
    return jsonify(connector().workflow_orders.options(body))


def _body() -> Any:
    return request.get_json(force=True, silent=True)
