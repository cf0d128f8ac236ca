"""How is the pretend HubSpot put together and served?"""

import re
import uuid
from dataclasses import dataclass

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from connector.sandbox.clock import SandboxClock
from connector.sandbox.control import control_blueprint
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.account_routes import account_routes
from connector.sandbox.hubspot.association_routes import association_routes
from connector.sandbox.hubspot.authorize_routes import authorize_routes
from connector.sandbox.hubspot.batch_routes import batch_routes
from connector.sandbox.hubspot.callback_routes import callback_routes
from connector.sandbox.hubspot.control_routes import control_routes
from connector.sandbox.hubspot.gate import Gate, refused
from connector.sandbox.hubspot.journal import Journal, journal_routes
from connector.sandbox.hubspot.object_routes import object_routes
from connector.sandbox.hubspot.refusals import RefusalError
from connector.sandbox.hubspot.schema_routes import schema_routes
from connector.sandbox.hubspot.seed import seed_portal
from connector.sandbox.hubspot.webhooks import WebhookSender
from connector.sandbox.hubspot.workflow_actions import WorkflowActions
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server

VERSION = "2026-09"
DEMO_PORTAL = 12345
DEMO_APP = 678
_LEGACY = re.compile(r"^/[a-z-]+(/[a-z-]+)*/v\d+(/|$)")
_DATED = re.compile(r"/\d{4}-\d{2}(/|$)")


def create_app(
    world: HubSpotWorld,
    clock: SandboxClock,
    faults: Faults,
    webhooks: WebhookSender | None = None,
    *,
    version: str = VERSION,
    workflows: WorkflowActions | None = None,
    journal: Journal | None = None,
) -> Flask:
    """The API over a world, on the paths of one dated version, with the sandbox's own control paths.

    What people do in HubSpot's screens and what webhooks did is under `/_sandbox/`, see control_routes.py.
    """
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined] # Flask's default provider has it
    gate = Gate(world, faults)
    for routes in (account_routes, object_routes, batch_routes, association_routes, schema_routes):
        app.register_blueprint(routes(gate, version))
    app.register_blueprint(authorize_routes(world))
    app.register_blueprint(callback_routes(gate, version, workflows))
    if journal is not None:
        app.register_blueprint(journal_routes(gate, journal))
    app.register_blueprint(control_blueprint(clock, faults))
    app.register_blueprint(control_routes(world, webhooks))
    app.register_error_handler(RefusalError, refused)
    app.register_error_handler(HTTPException, lambda error: _http_error(error, version))
    return app


def _http_error(error: HTTPException, version: str) -> ResponseReturnValue:
    """The vendor's JSON for what no route answered."""
    message = error.description or error.name
    if isinstance(error, NotFound):
        message = _unknown_path(request.path, version)
    if isinstance(error, MethodNotAllowed):
        message = f"HTTP 405 Method Not Allowed: {request.method} {request.path}"
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4())}
    return jsonify(body), error.code or 500


def _unknown_path(path: str, version: str) -> str:
    if _LEGACY.match(path):
        return f"{path} is a legacy path; this sandbox speaks dated paths only, such as /crm/objects/{version}/contacts"
    if _DATED.search(path) and f"/{version}/" not in f"{path}/":
        return f"{path} is of another version; this sandbox speaks {version}"
    return f"resource not found: {path}"


@dataclass(frozen=True)
class RunningHubSpot:
    """A pretend HubSpot that is being served: where, and whose token opens it."""

    server: Server
    world: HubSpotWorld
    clock: SandboxClock
    faults: Faults
    webhooks: WebhookSender | None
    portal_id: int
    token: str

    @property
    def url(self) -> str:
        """What HUBSPOT_API_URL is set to."""
        return self.server.url

    def stop(self) -> None:
        """Stop sending webhooks and serving."""
        if self.webhooks is not None:
            self.webhooks.stop()
        self.server.stop()


def run(
    port: int,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    clock: SandboxClock | None = None,
    webhook_url: str | None = None,
    client_secret: str = "",
    client_id: str = "sandbox-client",
    seed: int | None = None,
) -> RunningHubSpot:
    """Serve a world with one seeded portal from threads of this process, and return at once.

    `webhook_url` and `client_secret` switch signed webhooks on. The caller shows `.url` and `.token`, waits,
    and calls `.stop()`.
    """
    clock, faults = clock or SandboxClock(), Faults()
    world = HubSpotWorld(clock, seed=seed)
    token = token or f"pat-sandbox-{world.random.getrandbits(64):016x}"
    world.add_portal(DEMO_PORTAL, token=token, name="Sandbox portal")
    seed_portal(world, DEMO_PORTAL)
    webhooks = None
    if client_secret:
        world.tokens.add_app(client_id, client_secret, DEMO_APP)
    if webhook_url:
        if not client_secret:
            raise ValueError("webhooks need the client secret they are signed with")
        webhooks = WebhookSender(
            world, target_url=webhook_url, app_id=DEMO_APP, client_secret=client_secret, clock=clock
        )
        webhooks.start()
    server = Server(create_app(world, clock, faults, webhooks), host, port).start()
    return RunningHubSpot(server, world, clock, faults, webhooks, DEMO_PORTAL, token)
