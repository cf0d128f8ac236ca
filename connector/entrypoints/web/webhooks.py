"""Where do CRMs deliver their webhooks?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from connector.entrypoints.web.requests import connector, public_url

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.post("/hubspot")
def hubspot() -> Response:
    """Verify, store, answer; understand later."""
    taken = connector().hubspot_door.take(request.method, public_url(), request.headers, request.get_data())
    return jsonify(new=taken.new, known=taken.known, foreign=taken.foreign)
