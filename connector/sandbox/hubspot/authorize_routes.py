"""What does an admin see who is asked to install an app, and what does the browser bring back?

`GET /oauth/authorize` shows who asks for what; `POST` to the same address carries the admin's answer: `portal` and
`decision`, `allow` or `deny`. A request that names no known app, another address to go back to than the app's, or no
scope is refused on the page itself, as HubSpot does: nobody is sent to an address nobody registered
(developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens).
"""

from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template_string, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as AnyResponse

from connector.sandbox.hubspot.tokens import App
from connector.sandbox.hubspot.world import HubSpotWorld

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Connect an app to the sandbox's HubSpot</title>
<h1>Connect app {{ app.app_id }} to your account?</h1>
<p>It asks for:</p>
<ul>{% for scope in scopes %}<li>{{ scope }}</li>{% endfor %}</ul>
<form method="post">
  <label>Account <select name="portal">
    {% for portal in portals %}<option value="{{ portal.id }}">{{ portal.name }} ({{ portal.id }})</option>{% endfor %}
  </select></label>
  <button name="decision" value="allow">Connect app</button>
  <button name="decision" value="deny">Cancel</button>
</form></html>
"""


def authorize_routes(world: HubSpotWorld) -> Blueprint:
    """`/oauth/authorize`, for browsers."""
    routes = Blueprint("authorize", __name__)

    @routes.get("/oauth/authorize")
    def ask() -> ResponseReturnValue:
        app, scopes = _asked(world)
        if isinstance(app, Response):
            return app
        portals = sorted(world.portals.values(), key=lambda portal: portal.id)
        return render_template_string(_PAGE, app=app, scopes=scopes, portals=portals)

    @routes.post("/oauth/authorize")
    def answer() -> ResponseReturnValue:
        app, scopes = _asked(world)
        if isinstance(app, Response):
            return app
        if request.form.get("decision") != "allow":
            return _back({"error": "access_denied", "error_description": "The user denied access"})
        portal = world.portal(int(request.form["portal"]))
        code = world.tokens.issue_code(
            app.client_id, portal.id, request.args["redirect_uri"], scopes, request.args.get("code_challenge")
        )
        return _back({"code": code})

    return routes


def _asked(world: HubSpotWorld) -> tuple[App | Response, list[str]]:
    """Who asks for what; in place of the app the page that refuses it."""
    asked = request.args
    app = world.tokens.apps.get(asked.get("client_id", ""))
    if app is None:
        return _refused("This app does not exist."), []
    if asked.get("redirect_uri") not in app.redirect_uris:
        return _refused("redirect_uri isn't valid"), []
    scopes = [*asked.get("scope", "").split(), *asked.get("optional_scope", "").split()]
    if "oauth" not in scopes:
        return _refused("Authorization failed because the scopes do not match the app's."), []
    if "code_challenge" in asked and asked.get("code_challenge_method") != "S256":
        return _refused("code_challenge_method must be S256"), []
    return app, scopes


def _refused(why: str) -> Response:
    return Response(why, 400, mimetype="text/plain")


def _back(told: dict[str, str]) -> AnyResponse:
    if state := request.args.get("state"):
        told = {**told, "state": state}
    return redirect(f"{request.args['redirect_uri']}?{urlencode(told)}")
