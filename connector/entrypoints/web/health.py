"""Is the process alive, and can it do its work?"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from connector.entrypoints.web.requests import connector

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer as long as the process answers at all."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> tuple[Response, int]:
    """Say whether ledger and queue answer; webhooks need the ledger only, sending needs both."""
    checks = connector().checks()
    is_ready = all(result == "ok" for result in checks.values())
    return jsonify(status="ok" if is_ready else "unavailable", checks=checks), 200 if is_ready else 503
