"""Where do Salesforce organisations deliver their outbound messages?"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from connector.adapters.crm.salesforce.outbound_messages import ACKNOWLEDGED, UnreadableDeliveryError
from connector.bootstrap import SALESFORCE
from connector.entrypoints.web.requests import connector
from connector.services.intake import Delivery

blueprint = Blueprint("salesforce", __name__, url_prefix="/salesforce")


@blueprint.post("/outbound-messages/<secret>")
def outbound_messages(secret: str) -> Response:
    """Check where it comes from, store, acknowledge; understand later.

    What comes to a good address and is no outbound message is kept for a person to look at and acknowledged: sent
    again for a day it would be no better.
    """
    at, intake = connector(), connector().intake
    organization_id = at.salesforce_organization(secret)
    if organization_id is None:
        abort(404, "there is no such address")
    body = request.get_data()
    try:
        told = at.salesforce_door.open(body, organization_id)
    except UnreadableDeliveryError as error:
        intake.take_unreadable(SALESFORCE, body, str(error), organization_id)
    else:
        intake.take_events(
            SALESFORCE, [Delivery(organization_id, each.external_id, each.body) for each in told.notifications]
        )
    return Response(ACKNOWLEDGED, mimetype="text/xml")
