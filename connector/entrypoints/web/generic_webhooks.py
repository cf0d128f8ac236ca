"""Where does any other system deliver its signed webhooks?"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from connector.entrypoints.web.requests import connector

blueprint = Blueprint("generic_webhooks", __name__, url_prefix="/webhooks/generic")

_LARGEST = 512 * 1024
"""Bytes. An order of a hundred lines is about 200 kB in the most talkative shop."""


@blueprint.post("/<source>/<account>")
def generic(source: str, account: str) -> Response:
    """Verify, store, answer; understand later. The account's key in the address is no secret and opens nothing."""
    request.max_content_length = _LARGEST
    intake = connector().webhook_intake
    endpoint = intake.endpoint(source, account)
    if endpoint is None:
        abort(404, "there is no such address")
    is_new = intake.take(endpoint, dict(request.headers), request.get_data())
    told = f'{{"new":{int(is_new)},"known":{int(not is_new)}}}\n'
    return Response(told, mimetype="application/json")
