"""How is the pretend Salesforce put together and served?"""

import re

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from connector.sandbox.clock import SandboxClock
from connector.sandbox.control import control_blueprint
from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.collection_routes import collection_routes
from connector.sandbox.salesforce.control_routes import control_routes
from connector.sandbox.salesforce.gate import Gate, refused
from connector.sandbox.salesforce.metadata_routes import metadata_routes
from connector.sandbox.salesforce.oauth_routes import oauth_routes
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from connector.sandbox.salesforce.query_routes import query_routes
from connector.sandbox.salesforce.record_routes import record_routes
from connector.sandbox.salesforce.refusals import RefusalError
from connector.sandbox.salesforce.schema_routes import schema_routes
from connector.sandbox.salesforce.search_routes import search_routes
from connector.sandbox.salesforce.shown import VERSION
from connector.sandbox.salesforce.world import SalesforceWorld

_ROUTES = (oauth_routes, record_routes, collection_routes, query_routes, search_routes, schema_routes, metadata_routes)
_OTHER_VERSION = re.compile(r"/services/data/v(\d+)\.\d+(/|$)")
RETIRED_VERSION = 30  # versions up to here are gone


def create_app(
    world: SalesforceWorld, clock: SandboxClock, faults: Faults, sender: OutboundMessageSender | None = None
) -> Flask:
    """Every org's API on one address; the token tells which org a call is for.

    What people do in Salesforce's screens and what was sent is under `/_sandbox/`, see control_routes.py. Faults are
    armed by operation: `salesforce.oauth.token.refresh_token`, `salesforce.sobjects.Task.create` (get, update,
    delete, upsert, describe, deleted, updated), `salesforce.collections.create` (update, delete,
    `SMS_Message__c.upsert`, `Contact.retrieve`), `salesforce.query`, `query_all`, `query_more`, `search`, `limits`,
    `salesforce.metadata.upsertMetadata`, and for single rows `salesforce.row.Task.create`.
    """
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    gate = Gate(world, faults)
    for routes in _ROUTES:
        app.register_blueprint(routes(gate))
    app.register_blueprint(control_blueprint(clock, faults))
    app.register_blueprint(control_routes(world, sender))
    app.register_error_handler(RefusalError, refused)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _http_error(error: HTTPException) -> ResponseReturnValue:
    """The vendor's JSON for what no route answered."""
    if isinstance(error, MethodNotAllowed):
        text = f"HTTP Method '{request.method}' not allowed. Allowed are {','.join(sorted(error.valid_methods or ()))}"
        return jsonify([{"errorCode": "METHOD_NOT_ALLOWED", "message": text}]), 405
    if not isinstance(error, NotFound):
        return jsonify([{"errorCode": "UNKNOWN_EXCEPTION", "message": error.name}]), error.code or 500
    other = _OTHER_VERSION.match(request.path)
    if other and int(other[1]) <= RETIRED_VERSION:
        text = f"API version {other[1]}.0 is retired; use /services/data/v{VERSION}"
        return jsonify([{"errorCode": "UNSUPPORTED_API_VERSION", "message": text}]), 410
    text = "The requested resource does not exist"
    if other and f"{other[1]}.0" != VERSION:
        text += f"; this sandbox speaks version {VERSION}"
    return jsonify([{"errorCode": "NOT_FOUND", "message": text}]), 404
