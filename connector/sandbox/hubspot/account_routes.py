"""How does an app get its tokens, learn whose account it is in, and leave it again?

developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens
"""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.gate import Gate, bearer_token
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.tokens import App, Grant, TokenError

FORM = "application/x-www-form-urlencoded"


def account_routes(gate: Gate, version: str) -> Blueprint:
    """`/oauth/{version}/token...`, `/account-info/{version}/details`, `/appinstalls/{version}/external-install`."""
    routes = Blueprint("account", __name__)
    views = _AccountViews(gate)
    routes.post(f"/oauth/{version}/token")(views.token)
    routes.post(f"/oauth/{version}/token/introspect")(views.introspect)
    routes.post(f"/oauth/{version}/token/revoke")(views.revoke)
    routes.get(f"/account-info/{version}/details")(views.details)
    routes.delete(f"/appinstalls/{version}/external-install")(views.uninstall)
    return routes


class _AccountViews:
    """One method per operation."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._tokens = gate.world.tokens

    def token(self) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            try:
                return self._granted(self._client())
            except TokenError as refused:
                return _refused(refused)

        return self._gate.open_call("oauth.token", work)

    def introspect(self) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            try:
                return self._described(self._client(), _field("token"))
            except TokenError as refused:
                return _refused(refused)

        return self._gate.open_call("oauth.introspect", work)

    def revoke(self) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            try:
                self._client()
                self._tokens.revoke(_field("token"))
            except TokenError as refused:
                return _refused(refused)
            return "", 204

        return self._gate.open_call("oauth.revoke", work)

    def details(self) -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            return _account(portal, self._gate.world.clock.now())

        return self._gate.call("account.details", work)

    def uninstall(self) -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            grant = self._tokens.grant(bearer_token())
            self._tokens.uninstall(portal.id, grant.client_id)
            return "", 204

        return self._gate.call("appinstalls.uninstall", work)

    def _client(self) -> App:
        if request.mimetype != FORM:
            raise TokenError("BAD_REQUEST", "invalid_request", f"Content-Type must be {FORM}")
        app = self._tokens.apps.get(_field("client_id"))
        if app is None:
            raise TokenError("BAD_CLIENT_ID", "invalid_client", "missing or unknown client id")
        if app.client_secret != _field("client_secret"):
            raise TokenError("BAD_CLIENT_SECRET", "invalid_client", "missing or invalid client secret")
        return app

    def _granted(self, app: App) -> dict[str, Any]:
        match request.form.get("grant_type"):
            case "authorization_code":
                return self._tokens.exchange_code(app, _field("code"), _field("redirect_uri"), _field("code_verifier"))
            case "refresh_token":
                return self._tokens.refresh(app, _field("refresh_token"))
            case "client_credentials":
                return self._tokens.issue_app_token(app, _field("scope"))
            case other:
                raise TokenError("BAD_GRANT_TYPE", "unsupported_grant_type", f"grant_type {other} is not supported")

    def _described(self, app: App, token: str) -> dict[str, Any]:
        found = self._tokens.find(token)
        if found is None:
            return {"active": False}
        kind, grant = found
        return {
            "active": True,
            "token_use": kind,
            "token_type": "bearer",
            "client_id": app.client_id,
            "app_id": app.app_id,
            "hub_id": grant.portal_id,
            "hub_domain": f"portal-{grant.portal_id}.example.com",
            "user": "installer@example.com",
            "user_id": 1_000_001,
            "scopes": sorted(grant.scopes or ()),
            **self._expiry(grant),
        }

    def _expiry(self, grant: Grant) -> dict[str, int]:
        if grant.expires_at is None:
            return {}
        return {"expires_in": int((grant.expires_at - self._gate.world.clock.now()).total_seconds())}


def _field(name: str) -> str:
    return request.form.get(name, "")


def _refused(refused: TokenError) -> ResponseReturnValue:
    body = {
        "status": refused.status,
        "message": str(refused),
        "correlationId": str(uuid.uuid4()),
        "error": refused.error,
        "error_description": str(refused),
    }
    return jsonify(body), 400


def _account(portal: Portal, now: datetime) -> dict[str, Any]:
    offset = now.astimezone(ZoneInfo(portal.time_zone)).utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    sign = "-" if seconds < 0 else "+"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return {
        "portalId": portal.id,
        "accountType": "DEVELOPER_TEST",
        "timeZone": portal.time_zone,
        "companyCurrency": portal.currency,
        "additionalCurrencies": [],
        "utcOffset": f"{sign}{hours:02}:{minutes:02}",
        "utcOffsetMilliseconds": seconds * 1000,
        "uiDomain": portal.ui_domain,
        "dataHostingLocation": "na1",
    }
