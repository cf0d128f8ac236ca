"""How does an admin install the connector in a browser, connect it again, and learn what came of it?

Whoever the CRM lets through its consent page may connect an account that is there. An account that is not is taken
from the operator, or from anybody where INSTALL_OPEN says so.
"""

from __future__ import annotations

from typing import Any

import structlog
from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from connector.bootstrap import SALESFORCE
from connector.entrypoints.web import operators
from connector.entrypoints.web.requests import connector
from connector.errors import (
    ConfigurationError,
    CRMDisconnectedError,
    CRMError,
    InstallRefusedError,
    QueueUnavailableError,
)
from connector.services.installing import LIFETIME, Return, Visitor

log = structlog.get_logger(__name__)

blueprint = Blueprint("install", __name__, url_prefix="/install")

NAMES = {"hubspot": "HubSpot", "salesforce": "Salesforce"}
"""What people call the CRMs."""

_COOKIE = "sms_connector_install"
_LONGEST_WORD = 64  # of a CRM's error
_PER_SECOND, _AT_ONCE = 1.0, 60  # a marketplace's best day brings an installation a minute
_LONGEST_HOST = 255  # RFC 1035
_SALESFORCE_PAGES = "https://login.salesforce.com https://test.salesforce.com https://*.my.salesforce.com"


@blueprint.get("/")
def choose() -> Response:
    """Show from where one can install."""
    return _page("install.html", offered=[(crm, NAMES[crm]) for crm in connector().installer.offered()])


@blueprint.get("/<crm>")
def begin(crm: str) -> AnyResponse:
    """Send the browser to the CRM's consent page.

    Query: `host`, Salesforce's login page; `account`, ours to be connected again; `operator=1` asks for the password,
    which an account nobody knows yet takes where installing is not open.
    """
    refusal = operators.refusal() if request.args.get("operator") else None
    if refusal is not None:
        return refusal
    host, account_id = request.args.get("host", "")[:_LONGEST_HOST], request.args.get("account") or None
    if crm == SALESFORCE and crm in connector().installer.offered() and "host" not in request.args:
        return _choice_of_login_page(account_id)
    if not (_is_operator() or _has_room()):
        return _refused(crm, InstallRefusedError("Too many people install at once. Please try again in a minute."), 429)
    try:
        begun = connector().installer.begin(crm, _visitor(), host, account_id)
    except (InstallRefusedError, ConfigurationError) as error:
        return _refused(crm, error)
    answer = redirect(begun.url)
    answer.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    answer.set_cookie(
        _COOKIE,
        begun.state,
        max_age=LIFETIME,
        path=blueprint.url_prefix or "/",
        httponly=True,
        samesite="Lax",  # the way back begins on the CRM's page
        secure=_is_https(),
    )
    return answer


@blueprint.get("/<crm>/callback")
def finish(crm: str) -> Response:
    """Take what the browser brings back, and show what came of it."""
    asked = request.args
    back = Return(
        state=asked.get("state", ""),
        kept_state=request.cookies.get(_COOKIE, ""),
        code=asked.get("code", ""),
        error="".join(char for char in asked.get("error", "") if char.isprintable())[:_LONGEST_WORD],
    )
    try:
        installed = connector().installer.finish(crm, back)
    except (InstallRefusedError, ConfigurationError, CRMError) as error:
        page = _refused(crm, error)
    else:
        log.info("install.done", crm=crm, external_id=installed.added.account.external_id, is_new=installed.is_new)
        page = _page("installed.html", installed=installed, name=NAMES[crm])
    page.delete_cookie(_COOKIE, path=blueprint.url_prefix or "/")
    return page


@blueprint.get("/reconnect/<account_id>")
def reconnect(account_id: str) -> Response:
    """Show whether an account has to be connected again, and the way there; whose it is, to the operator only.

    Its address is what a customer's admin gets sent. It also stands, less its first part, in the addresses of webhooks,
    which other systems know: so the page says nothing there that names the account.
    """
    try:
        account = connector().installer.account(account_id)
    except InstallRefusedError as error:
        return _refused("", error, 404)
    is_named = _is_operator()
    host = str(account.settings.get("instance_url") or "").removeprefix("https://") if is_named else ""
    return _page(
        "reconnect.html",
        account=account,
        name=NAMES.get(account.crm),
        host=host or None,
        is_offered=account.crm in connector().installer.offered(),
        is_named=is_named,
    )


def _choice_of_login_page(account_id: str | None) -> Response:
    page = _page("install_salesforce.html", account_id=account_id, operator=request.args.get("operator"))
    policy = page.headers["Content-Security-Policy"]
    # Browsers hold a form to this list on the redirects that follow it, too.
    page.headers["Content-Security-Policy"] = policy.replace(
        "form-action 'none'", f"form-action 'self' {_SALESFORCE_PAGES}"
    )
    return page


def _visitor() -> Visitor:
    if _is_operator():
        return Visitor(may_bring_new=True, by=operators.actor())
    return Visitor(may_bring_new=connector().settings.install_open)


def _has_room() -> bool:
    """Keep strangers, who leave a row each, to a number a ledger does not notice; without Redis there is room."""
    try:
        return connector().rate_limiter.take("install", rate=_PER_SECOND, burst=_AT_ONCE) == 1
    except QueueUnavailableError:
        return True


def _is_operator() -> bool:
    try:
        return operators.refusal() is None
    except HTTPException:
        return False


def _is_https() -> bool:
    return connector().settings.public_url.startswith("https://")


def _refused(crm: str, error: Exception, status: int = 400) -> Response:
    """Show why nothing came of it, in words for whoever sits there."""
    log.warning("install.refused", crm=crm, error=type(error).__name__, code=getattr(error, "code", ""))
    if isinstance(error, CRMDisconnectedError):
        why = "The CRM does not take the token it has just given. Please install again."
    elif isinstance(error, CRMError):
        status, why = 502, f"{NAMES.get(crm, 'The CRM')} does not answer as it should. Please try again in a minute."
    elif isinstance(error, ConfigurationError):
        status, why = 503, "This connector is not set up to be installed from there. Its operator has to mend it."
    else:
        why = str(error)
    may_begin = crm in connector().installer.offered()
    page = _page("install_refused.html", why=why, crm=crm if may_begin else "", name=NAMES.get(crm, ""))
    page.status_code = status
    return page


def _page(template: str, **values: Any) -> Response:
    return operators.sealed(Response(render_template(template, **values)))
