"""What does a CRM's record card see of a contact's texts?"""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, request

from connector.entrypoints.web.requests import connector, public_url

blueprint = Blueprint("cards", __name__, url_prefix="/cards")


@blueprint.get("/hubspot/contacts/<crm_id>")
def hubspot_contact(crm_id: str) -> Response:
    """Give a contact's conversation and the trace of every decision.

    Signed by HubSpot (v3) like every `hubspot.fetch`; the portal is the signed query parameter `portalId`, so that no
    portal can read another's contacts; v1 and v2 leave parts of the request unsigned and are not taken.
    """
    connector().hubspot_door.verify(request.method, public_url(), dict(request.headers), request.get_data(), "v3")
    card = connector().hubspot_card(request.args.get("portalId", ""), crm_id)
    if card is None:
        abort(404, "this portal has no such contact here")
    return jsonify(card)
