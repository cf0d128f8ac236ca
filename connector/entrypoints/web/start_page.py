"""What does an operator see who opens the connector's address in a browser?"""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from connector.entrypoints.web import operators
from connector.entrypoints.web.requests import connector

blueprint = Blueprint("start_page", __name__)


@blueprint.get("/")
def show() -> Response:
    """Show journeys, mistakes, gateways and lanes; nothing about any contact."""
    refusal = operators.refusal()
    if refusal is not None:
        return refusal
    checks = connector().checks()
    overview = connector().overview() if all(word == "ok" for word in checks.values()) else None
    return operators.sealed(Response(render_template("start_page.html", checks=checks, overview=overview)))
