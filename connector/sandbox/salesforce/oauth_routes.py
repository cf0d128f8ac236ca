"""How does an app get, renew and end its tokens over HTTP?"""

import base64
import binascii
import hashlib
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce.gate import Gate
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import RefusalError
from connector.sandbox.salesforce.tokens import DEFAULT_SCOPES, App, Approval, Issued, TokenError

_SCOPES = frozenset({"api", "refresh_token", "offline_access", "id", "openid", "profile", "email", "web", "full"})


def oauth_routes(gate: Gate) -> Blueprint:
    """`/services/oauth2/...` and the identity URL."""
    routes = Blueprint("oauth", __name__)
    views = _OAuthViews(gate)
    routes.get("/services/oauth2/authorize")(views.authorize)
    routes.post("/services/oauth2/token")(views.token)
    routes.route("/services/oauth2/revoke", methods=["GET", "POST"])(views.revoke)
    routes.route("/services/oauth2/userinfo", methods=["GET", "POST"])(views.userinfo)
    routes.get("/id/<org_id>/<user_id>")(views.identity)
    return routes


class _OAuthViews:
    """One method per endpoint."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def authorize(self) -> ResponseReturnValue:
        """A person who says yes at once, unless the world denies approval."""
        return self._gate.open_call("oauth.authorize", self._authorize)

    def token(self) -> ResponseReturnValue:
        kind = request.form.get("grant_type", "")
        known = kind if kind in {"authorization_code", "refresh_token"} else "other"
        return self._gate.open_call(f"oauth.token.{known}", lambda: self._token(kind))

    def revoke(self) -> ResponseReturnValue:
        def work() -> ResponseReturnValue:
            if self._world.tokens.revoke(request.values.get("token", "")):
                return ""
            return _told(TokenError("unsupported_token_type", "this token type is not supported"))

        return self._gate.open_call("oauth.revoke", work)

    def userinfo(self) -> ResponseReturnValue:
        return self._gate.open_call("oauth.userinfo", lambda: self._about(None))

    def identity(self, org_id: str, user_id: str) -> ResponseReturnValue:
        return self._gate.open_call("oauth.identity", lambda: self._about((org_id, user_id)))

    # --- authorize -----------------------------------------------------------------------------------

    def _authorize(self) -> ResponseReturnValue:
        asked = request.args
        app = self._world.tokens.apps.get(asked.get("client_id", ""))
        if app is None:
            return _error_page("invalid_client_id", "client identifier invalid")
        back = asked.get("redirect_uri", "")
        if not back or (app.redirect_uris and back not in app.redirect_uris):
            return _error_page("redirect_uri_mismatch", "redirect_uri must match configuration")
        try:
            answer = {"code": self._agree(app, back)}
        except TokenError as refusal:
            answer = {"error": refusal.error, "error_description": refusal.description}
        if "state" in asked:
            answer["state"] = asked["state"]
        return redirect(f"{back}{'&' if '?' in back else '?'}{urlencode(answer, quote_via=quote)}")

    def _agree(self, app: App, back: str) -> str:
        asked = request.args
        if asked.get("response_type") != "code":
            raise TokenError("unsupported_response_type", "response type not supported")
        challenge = asked.get("code_challenge")
        if app.needs_pkce and not challenge:
            raise TokenError("invalid_request", "missing required code challenge")
        if challenge and asked.get("code_challenge_method") != "S256":
            raise TokenError("invalid_request", "invalid code challenge method")
        scopes = asked.get("scope", "").split() or list(DEFAULT_SCOPES)
        if not _SCOPES.issuperset(scopes):
            raise TokenError("invalid_scope", "the requested scope is not allowed")
        if self._world.denies_approval:
            raise TokenError("access_denied", "end-user denied authorization")
        org, user_id = self._who()
        return self._world.tokens.issue_code(app, org.id, user_id, back, challenge, scopes)

    def _who(self) -> tuple[Org, str]:
        """Who sits at the browser: the user of `login_hint`, else the first of the host's org or of any."""
        hint, host = request.args.get("login_hint"), request.host.partition(":")[0].lower()
        orgs = list(self._world.orgs.values())
        if not hint:
            org = next((each for each in orgs if each.instance_host == host), orgs[0])
            return org, org.user_id
        for org in orgs:
            for user in org.rows("User"):
                if user.values["Username"].lower() == hint.lower():
                    return org, user.id
        raise TokenError("access_denied", "end-user denied authorization")

    # --- token ---------------------------------------------------------------------------------------

    def _token(self, kind: str) -> ResponseReturnValue:
        try:
            app = self._app()
            issued = self._issued(app, kind)
        except TokenError as refusal:
            return _told(refusal)
        return self._answer(app, issued)

    def _issued(self, app: App, kind: str) -> Issued:
        if kind == "authorization_code":
            return self._exchanged(app)
        if kind == "refresh_token":
            return self._refreshed(app)
        raise TokenError("unsupported_grant_type", "grant type not supported")

    def _exchanged(self, app: App) -> Issued:
        form = request.form
        back, verifier = form.get("redirect_uri", ""), form.get("code_verifier")
        issued = self._world.tokens.exchange_code(app, form.get("code", ""), back, verifier)
        self._refuse_inactive(issued.approval)
        return issued

    def _refreshed(self, app: App) -> Issued:
        token = request.form.get("refresh_token", "")
        approval = self._world.tokens.approval_of_refresh(token)
        if approval is not None:
            self._refuse_inactive(approval)
        return self._world.tokens.refresh(app, token)

    def _refuse_inactive(self, approval: Approval) -> None:
        org = self._world.org(approval.org_id)
        if not org.is_active:
            raise TokenError("inactive_org", "organization is inactive")
        if not org.user(approval.user_id).values["IsActive"]:
            raise TokenError("inactive_user", "user is inactive")

    def _app(self) -> App:
        """The app whose credentials stand in the form or in a Basic header."""
        client_id, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
        scheme, _, basic = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            client_id, secret = _basic(basic)
        app = self._world.tokens.apps.get(client_id)
        if app is None:
            raise TokenError("invalid_client_id", "client identifier invalid")
        if app.client_secret is not None and app.client_secret != secret:
            raise TokenError("invalid_client", "invalid client credentials")
        return app

    def _answer(self, app: App, issued: Issued) -> ResponseReturnValue:
        approval = issued.approval
        org = self._world.org(approval.org_id)
        stamp = str(int(self._world.clock.now().timestamp() * 1000))
        identity = _identity_url(approval)
        signed = hashlib.sha256(f"{app.client_secret}{identity}{stamp}".encode()).digest()
        body: dict[str, Any] = {"access_token": issued.access_token}
        if issued.refresh_token is not None:
            body["refresh_token"] = issued.refresh_token
        body |= {
            "signature": base64.b64encode(signed).decode(),
            "scope": " ".join(approval.scopes),
            "instance_url": instance_url(org),
            "id": identity,
            "token_type": "Bearer",
            "issued_at": stamp,
        }
        answer = jsonify(body)
        answer.headers["Cache-Control"] = "no-cache, no-store"
        return answer

    # --- who is it -----------------------------------------------------------------------------------

    def _about(self, named: tuple[str, str] | None) -> ResponseReturnValue:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"}:
            return Response("Missing_OAuth_Token", 403, content_type="text/plain")
        try:
            approval = self._world.tokens.session(token)
        except RefusalError:
            return Response("Bad_OAuth_Token", 403, content_type="text/plain")
        if named is not None and named != (approval.org_id, approval.user_id):
            return Response("Wrong_Org", 403, content_type="text/plain")
        org = self._world.org(approval.org_id)
        return _profile(org, org.user(approval.user_id), _identity_url(approval), is_identity=named is not None)


def instance_url(org: Org) -> str:
    """Where the org's API is: its My Domain, or the address this request came to."""
    return f"https://{org.instance_host}" if org.instance_host else request.host_url.rstrip("/")


def _identity_url(approval: Approval) -> str:
    return f"{request.host_url.rstrip('/')}/id/{approval.org_id}/{approval.user_id}"


def _profile(org: Org, user: Record, url: str, *, is_identity: bool) -> dict[str, Any]:
    values = user.values
    common = {
        "user_id": user.id,
        "organization_id": org.id,
        "email": values["Email"],
        "zoneinfo": values["TimeZoneSidKey"],
    }
    urls = {"rest": f"{instance_url(org)}/services/data/v{{version}}/", "custom_domain": instance_url(org)}
    if is_identity:
        named = {"id": url, "asserted_user": True, "username": values["Username"], "display_name": values["Name"]}
        state = {"active": values["IsActive"], "user_type": "STANDARD", "timezone": values["TimeZoneSidKey"]}
        return {**named, **common, **state, "urls": urls, "language": "en_US", "locale": "en_US"}
    named = {"sub": url, "preferred_username": values["Username"], "name": values["Name"], "email_verified": True}
    return {**named, **common, "active": values["IsActive"], "user_type": "STANDARD", "urls": urls}


def _basic(text: str) -> tuple[str, str]:
    try:
        client_id, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError("invalid_client", "invalid client credentials") from None
    return client_id, secret


def _told(refusal: TokenError) -> ResponseReturnValue:
    return {"error": refusal.error, "error_description": refusal.description}, 400


def _error_page(error: str, description: str) -> Response:
    """What the person sees when the app is not known well enough to send them back."""
    return Response(f"error={error}&error_description={quote(description)}", 400, content_type="text/html")
