"""Who may see the pages for operators, and does a form come from the very visitor it was shown to?

There are no sessions: a password opens the pages (HTTP Basic, any user name), and without one only this machine does.
Browsers send either along with what other sites make them send; so a form carries a token that is bound to a cookie of
the visitor's and to the user name, and that other sites can neither read nor make.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Response, abort, request

from connector.adapters.fingerprints import HMACFingerprints
from connector.entrypoints.web.requests import connector

TOKEN = "token"  # noqa: S105 - the name of a form's field
"""Field of a form that holds its token."""

_COOKIE = "sms_connector_visitor"
_FORM_LIFETIME = timedelta(hours=8)  # a page left open over a working day
_LONGEST_NAME = 40  # of a person, in a trace
_LONGEST_TIME = 12  # digits of seconds since 1970, for the next 30,000 years

_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
)

_THROUGH_A_PROXY = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")
"""Whoever comes through a proxy on this machine has its address and is not on this machine."""


def refusal() -> Response | None:
    """Ask for the password; without one let in only who is on this machine, where the app serves this machine alone.

    A proxy on this machine that adds no header about who came makes everybody look as if they were here. So an app
    that is reached from elsewhere, as its public address says, always asks for the password.
    """
    password = connector().settings.start_page_password
    if not password:
        if not (_is_here() and _is_ours(connector().settings.public_url)):
            abort(403, "set START_PAGE_PASSWORD: PUBLIC_URL or the request is not of this machine alone")
        return None
    given = request.authorization.password if request.authorization is not None else None
    if given is not None and hmac.compare_digest(given.encode(), password.encode()):
        return None
    wanted = {"WWW-Authenticate": 'Basic realm="SMS connector", charset="UTF-8"'}
    return Response("the password is START_PAGE_PASSWORD\n", 401, wanted, mimetype="text/plain")


def sealed(page: Response, *, has_forms: bool = False) -> Response:
    """Let a page run no script, be kept nowhere and be framed by nobody."""
    page.headers.update(_HEADERS)
    page.headers["Content-Security-Policy"] = _POLICY.format(forms="'self'" if has_forms else "'none'")
    return page


def actor() -> str:
    """Name who decides, for the trace."""
    name = "".join(char for char in _user_name() if char.isprintable()).strip()[:_LONGEST_NAME]
    return f"{name or 'somebody'}, on the operators' page"


def visitor() -> str:
    """Give what tells this visitor's browser from others; a new one for a browser that has none yet."""
    return request.cookies.get(_COOKIE) or secrets.token_urlsafe(16)


def remember(page: Response, who: str) -> None:
    """Let the browser keep who it is, for forms of this page only."""
    is_https = request.headers.get("X-Forwarded-Proto", request.scheme) == "https"
    page.set_cookie(_COOKIE, who, path=request.path, httponly=True, samesite="Strict", secure=is_https)


def form_token(who: str) -> str:
    """Make the token of a form that is shown to a visitor."""
    ends = int((connector().clock.now() + _FORM_LIFETIME).timestamp())
    return f"{ends}.{_fingerprints().make(_signed(who, ends))}"


def demand_genuine_form() -> None:
    """Let a form pass that was shown to this very visitor within the last hours; refuse any other with 403."""
    ends, _, fingerprint = request.form.get(TOKEN, "").partition(".")
    who, now = request.cookies.get(_COOKIE, ""), connector().clock.now().timestamp()
    is_time = ends.isascii() and ends.isdigit() and len(ends) <= _LONGEST_TIME and fingerprint.isascii()
    is_fresh = is_time and now <= int(ends) <= now + _FORM_LIFETIME.total_seconds()
    is_from_here = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    if not (who and is_fresh and is_from_here and _fingerprints().matches(fingerprint, _signed(who, int(ends)))):
        abort(403, "this form was not shown to you, or too long ago; open the page anew")


def _fingerprints() -> HMACFingerprints:
    return HMACFingerprints(connector().settings.secret_keys)


def _signed(who: str, ends: int) -> str:
    """Write out what a token stands for; no order of a text looks like it, which share its kind of fingerprint."""
    return f"operators' form\0{who}\0{_user_name()}\0{ends}"


def _user_name() -> str:
    return (request.authorization.username or "") if request.authorization is not None else ""


def _is_here() -> bool:
    """Tell whether the request comes from this machine and was meant for it.

    A page elsewhere can have a browser here ask for it under a name of its own that leads to this machine; so the
    name asked for must be this machine's.
    """
    if any(name in request.headers for name in _THROUGH_A_PROXY):
        return False
    return _is_loopback(request.remote_addr or "") and _is_ours(f"//{request.host}")


def _is_ours(url: str) -> bool:
    """Tell whether an address leads to this machine."""
    host = urlsplit(url).hostname or ""
    return host == "localhost" or _is_loopback(host)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
