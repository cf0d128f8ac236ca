"""What does an operator see who opens the connector's address in a browser?"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, render_template, request

from connector.entrypoints.web.requests import connector

blueprint = Blueprint("start_page", __name__)

_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_THROUGH_A_PROXY = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")
"""Whoever comes through a proxy on this machine has its address and is not on this machine."""


@blueprint.get("/")
def show() -> Response:
    """Show journeys, mistakes, lanes and gateways; nothing about any contact."""
    refusal = _refusal()
    if refusal is not None:
        return refusal
    checks = connector().checks()
    overview = connector().overview() if all(word == "ok" for word in checks.values()) else None
    page = Response(render_template("start_page.html", checks=checks, overview=overview))
    page.headers.update(_HEADERS)
    return page


def _refusal() -> Response | None:
    """Ask for the password; without one let in only who is on this machine."""
    password = connector().settings.start_page_password
    if not password:
        if not _is_here():
            abort(403, "set START_PAGE_PASSWORD to open this page from another machine")
        return None
    given = request.authorization.password if request.authorization is not None else None
    if given is not None and hmac.compare_digest(given.encode(), password.encode()):
        return None
    wanted = {"WWW-Authenticate": 'Basic realm="SMS connector", charset="UTF-8"'}
    return Response("the password is START_PAGE_PASSWORD\n", 401, wanted, mimetype="text/plain")


def _is_here() -> bool:
    """Tell whether the request comes from this machine and was meant for it.

    A page elsewhere can have a browser here ask for it under a name of its own that leads to this machine; so the
    name asked for must be this machine's.
    """
    if any(name in request.headers for name in _THROUGH_A_PROXY):
        return False
    asked = urlsplit(f"//{request.host}").hostname or ""
    return _is_loopback(request.remote_addr or "") and (asked == "localhost" or _is_loopback(asked))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
