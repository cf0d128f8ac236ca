"""How is the web application put together?"""

from __future__ import annotations

import structlog
from flask import Flask, Response, jsonify, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from connector.bootstrap import Connector
from connector.entrypoints.web import (
    accounts_page,
    api,
    callbacks,
    dead_letters_page,
    generic_webhooks,
    health,
    install,
    journeys_page,
    links,
    salesforce,
    start_page,
    webhooks,
    workflow_actions,
)
from connector.entrypoints.web.api import problems
from connector.entrypoints.web.card_api import hubspot as hubspot_card
from connector.errors import QueueUnavailableError, SignatureError, UnsignedCallbackError

log = structlog.get_logger(__name__)

_LARGEST_BODY = 1024 * 1024  # a full HubSpot batch is about 60 kB; a megabyte leaves room and bounds the harm


def create_app(connector: Connector) -> Flask:
    """Make the application over a composed connector."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    app.extensions["connector"] = connector
    for module in (
        webhooks,
        salesforce,
        generic_webhooks,
        callbacks,
        hubspot_card,
        workflow_actions,
        health,
        links,
        start_page,
        dead_letters_page,
        accounts_page,
        journeys_page,
        install,
    ):
        app.register_blueprint(module.blueprint)
    api.register(app)
    app.register_error_handler(SignatureError, _not_from_them)
    app.register_error_handler(UnsignedCallbackError, _send_it_again)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SQLAlchemyError, _our_fault)
    app.register_error_handler(QueueUnavailableError, _our_fault)
    return app


def _not_from_them(error: SignatureError) -> tuple[Response, int]:
    log.warning("signature.refused", reason=str(error))
    return jsonify(error="signature", message=str(error)), 401


def _send_it_again(error: UnsignedCallbackError) -> tuple[Response, int]:
    """Answer 503 to a callback that could not be checked: sent again, it can."""
    log.warning("callback.unchecked", reason=str(error))
    return jsonify(error="unavailable", message="not checked, please send it again"), 503


def _refused(error: HTTPException) -> tuple[Response, int]:
    if request.path.startswith(f"{api.PREFIX}/"):  # a path or method there that no blueprint has
        refusal = problems.answer(error)
        return refusal, refusal.status_code
    return jsonify(error=(error.name or "").lower(), message=error.description), error.code or 500


def _our_fault(error: Exception) -> tuple[Response, int]:
    """Answer 503, so that the sender tries again; nothing was stored."""
    log.error("request.not_stored", error=type(error).__name__)
    return jsonify(error="unavailable", message="not stored, please send it again"), 503
