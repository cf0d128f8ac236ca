"""Where do CRMs deliver their webhooks?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from connector.adapters.crm.hubspot.webhooks import UnreadableBatchError
from connector.bootstrap import HUBSPOT
from connector.entrypoints.web.requests import connector, public_url
from connector.services.intake import Delivery

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@blueprint.post("/hubspot")
def hubspot() -> Response:
    """Verify, store, answer; understand later.

    A signed body that is no batch of events is kept for a person to look at and answered 2xx: sent again it would be
    no better.
    """
    door, intake = connector().hubspot_door, connector().intake
    body = request.get_data()
    door.verify(request.method, public_url(), dict(request.headers), body)
    try:
        events = door.split(body)
    except UnreadableBatchError as error:
        intake.take_unreadable(HUBSPOT, body, str(error))
        return jsonify(unreadable=str(error))
    taken = intake.take_events(HUBSPOT, [Delivery(each.portal_id, each.external_id, each.body) for each in events])
    told = f'{{"new":{taken.new},"known":{taken.known},"foreign":{taken.foreign}}}\n'
    return Response(told, mimetype="application/json")  # jsonify would cost a tenth of the whole request
