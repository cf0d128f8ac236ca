"""How is the web application put together?"""

from __future__ import annotations

import structlog
from flask import Flask, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from connector.bootstrap import Connector
from connector.entrypoints.web import callbacks, cards, health, links, start_page, webhooks
from connector.errors import QueueUnavailableError, SignatureError

log = structlog.get_logger(__name__)

_LARGEST_BODY = 1024 * 1024  # a full HubSpot batch is about 60 kB; a megabyte leaves room and bounds the harm


def create_app(connector: Connector) -> Flask:
    """Make the application over a composed connector."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    app.extensions["connector"] = connector
    for module in (webhooks, callbacks, cards, health, links, start_page):
        app.register_blueprint(module.blueprint)
    app.register_error_handler(SignatureError, _not_from_them)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(SQLAlchemyError, _our_fault)
    app.register_error_handler(QueueUnavailableError, _our_fault)
    return app


def _not_from_them(error: SignatureError) -> tuple[Response, int]:
    log.warning("signature.refused", reason=str(error))
    return jsonify(error="signature", message=str(error)), 401


def _refused(error: HTTPException) -> tuple[Response, int]:
    return jsonify(error=(error.name or "").lower(), message=error.description), error.code or 500


def _our_fault(error: Exception) -> tuple[Response, int]:
    """Answer 503, so that the sender tries again; nothing was stored."""
    log.error("request.not_stored", error=type(error).__name__)
    return jsonify(error="unavailable", message="not stored, please send it again"), 503
