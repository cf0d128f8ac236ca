"""How does HubSpot's own card reach the connector?

Every `hubspot.fetch` is signed (v3) over method, URL and body; HubSpot adds `portalId`, `userId` and `userEmail` to the
query, which the signature covers: so no portal reads another's contacts, and nobody speaks in another's name. v1 and v2
leave parts of the request unsigned and are not taken.
"""

from __future__ import annotations

from typing import Any, cast

import structlog
from flask import Blueprint, Response, g, jsonify, request
from marshmallow import Schema, ValidationError

from connector.bootstrap import HUBSPOT
from connector.domain.account_status import ENDED
from connector.domain.documents import clean_text
from connector.entrypoints.web.api import problems
from connector.entrypoints.web.api.problems import Problem, ProblemError
from connector.entrypoints.web.card_api import acts
from connector.entrypoints.web.card_api.acts import CardUser
from connector.entrypoints.web.card_api.schemas import (
    CardQuerySchema,
    DraftSchema,
    JourneyChangeSchema,
    PersonQuerySchema,
    RecordedConsentSchema,
    ReplySchema,
    SettingsChangeSchema,
)
from connector.entrypoints.web.requests import connector, public_url
from connector.errors import SignatureError

log = structlog.get_logger(__name__)

blueprint = Blueprint("hubspot_card", __name__, url_prefix="/hubspot/card")
blueprint.register_error_handler(Exception, problems.answer)


@blueprint.before_request
def _admit() -> None:
    """Let a signed request of an installed portal in.

    Raises:
        ProblemError: not from HubSpot, or not from a portal that is installed.
    """
    try:
        connector().hubspot_door.verify(request.method, public_url(), dict(request.headers), request.get_data(), "v3")
    except SignatureError as error:
        log.warning("signature.refused", reason=str(error))
        raise ProblemError("unsigned", str(error)) from None
    if any(clean_text(str(part)) != part for part in (request.view_args or {}).values()):
        raise ProblemError("not-found")  # no database has been asked for such a name
    account_id = _account_id(_added("portalId"))
    if account_id is None:
        problem = Problem("not-found", "this portal is not installed here", more={"code": "not_installed"})
        raise ProblemError.of(problem)
    g.card_user = CardUser(account_id, clean_text(_added("userEmail")))


@blueprint.get("/contacts/<crm_id>")
def show(crm_id: str) -> Response:
    """Give a contact's card."""
    return _answer(acts.show(_user(), crm_id, _query(CardQuerySchema())))


@blueprint.get("/contacts/<crm_id>/trace")
def trace(crm_id: str) -> Response:
    """Give every decision about a contact."""
    return _answer(acts.trace(_user(), crm_id))


@blueprint.get("/templates")
def templates() -> Response:
    """Give the templates there are."""
    return _answer(acts.templates(_user()))


@blueprint.post("/contacts/<crm_id>/preview")
def preview(crm_id: str) -> Response:
    """Give a draft as its reader would get it."""
    return _answer(acts.preview(_user(), crm_id, _query(PersonQuerySchema()), _body(DraftSchema())))


@blueprint.post("/contacts/<crm_id>/messages")
def reply(crm_id: str) -> tuple[Response, int]:
    """Queue an answer."""
    return _answer(acts.reply(_user(), crm_id, _query(PersonQuerySchema()), _body(ReplySchema()))), 202


@blueprint.post("/contacts/<crm_id>/consent")
def record_consent(crm_id: str) -> Response:
    """Keep what a rep says of a contact's consent."""
    return _answer(acts.record_consent(_user(), crm_id, _query(PersonQuerySchema()), _body(RecordedConsentSchema())))


@blueprint.get("/settings")
def settings() -> Response:
    """Give the account's settings."""
    return _answer(acts.settings(_user()))


@blueprint.patch("/settings")
def change_settings() -> Response:
    """Change some of them."""
    return _answer(acts.change_settings(_user(), _body(SettingsChangeSchema())))


@blueprint.patch("/journeys/<journey>")
def change_journey(journey: str) -> Response:
    """Put a journey in service, or take it out."""
    return _answer(acts.change_journey(_user(), journey, _body(JourneyChangeSchema())))


def _added(name: str) -> str:
    """Give a parameter that HubSpot adds to the query.

    HubSpot signs the address with all that whoever called `hubspot.fetch` has put into it: one that is there twice
    could be another portal's, and nobody knows which of the two HubSpot said.

    Raises:
        ProblemError: it is there more than once.
    """
    said = request.args.getlist(name)
    if len(said) > 1:
        log.warning("card.said_twice", name=name)
        raise ProblemError("unsigned", f"{name} is in the query more than once")
    return said[0] if said else ""


def _account_id(portal_id: str) -> str | None:
    """Give the account of a portal; None when it is not installed any more, or never was."""
    with connector().ledger.begin(write=False) as uow:
        account_id = uow.accounts.by_external_ids(HUBSPOT, [clean_text(portal_id)]).get(portal_id)
        is_gone = account_id is None or uow.accounts.get(account_id).status in ENDED
        return None if is_gone else account_id


def _user() -> CardUser:
    return cast("CardUser", g.card_user)


def _query(schema: Schema) -> dict[str, Any]:
    return _loaded(schema, request.args.to_dict())


def _body(schema: Schema) -> dict[str, Any]:
    if not request.is_json:
        raise ProblemError("unsupported-media-type", "send Content-Type: application/json")
    return _loaded(schema, request.get_json())


def _loaded(schema: Schema, given: Any) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", schema.load(given))
    except ValidationError as error:
        problem = Problem("invalid", errors=problems.mistakes(error.messages), more={"code": "invalid"})
        raise ProblemError.of(problem) from None


def _answer(said: dict[str, Any]) -> Response:
    response = jsonify(said)
    response.headers["Cache-Control"] = "no-store"
    return response
