"""What does Sinch's number lookup answer, and who gets a token for it?

Source: developers.sinch.com/docs/number-lookup-api-v2. Tokens are fetched as `sinch.token`, numbers asked for as
`sinch.lookup`.
"""

import base64
import re
import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Faults
from connector.sandbox.gateways.skin import operation
from connector.sandbox.gateways.world import GatewayWorld

PROJECT_ID, KEY_ID, KEY_SECRET = "sandbox-project", "sandbox-key", "sandbox-key-secret"
_NUMBER = re.compile(r"\+[1-9]\d{7,14}")
_FEATURES = {"LineType", "SimSwap", "VoIPDetection", "RND"}


def add_lookups(api: Blueprint, world: GatewayWorld, faults: Faults) -> None:
    """Let `api` hand tokens out and look numbers up."""
    tokens: set[str] = set()

    @api.post("/oauth2/token")
    @operation(world, faults, "token")
    def token() -> ResponseReturnValue:
        pair = f"{world.credentials.get('key_id', KEY_ID)}:{world.credentials.get('key_secret', KEY_SECRET)}"
        if request.headers.get("Authorization") != f"Basic {base64.b64encode(pair.encode()).decode()}":
            return jsonify(error="invalid_client"), 401
        if request.form.to_dict() != {"grant_type": "client_credentials"}:
            return jsonify(error="unsupported_grant_type"), 400
        tokens.add(made := secrets.token_urlsafe(24))
        return jsonify(access_token=made, expires_in=3599, scope="", token_type="bearer")  # noqa: S106 - a kind

    @api.post("/v2/projects/<project>/lookups")
    @operation(world, faults, "lookup")
    def lookup(project: str) -> ResponseReturnValue:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in tokens:
            return jsonify(status=401, title="Unauthorized"), 401
        if project != world.credentials.get("project_id", PROJECT_ID):
            return jsonify(status=403, title="Forbidden"), 403
        asked: Any = request.get_json(silent=True)
        if wrong := _what_is_wrong(asked):
            return jsonify(status=400, title="Bad Request", detail=f"{wrong} is invalid"), 400
        return jsonify(_answer(asked))


def _what_is_wrong(asked: Any) -> str:
    if not isinstance(asked, dict) or not set(asked) <= {"number", "features"}:
        return "body"
    features = asked.get("features", [])
    if not isinstance(features, list) or not set(features) <= _FEATURES:
        return "features"
    return "" if _NUMBER.fullmatch(str(asked.get("number"))) else "number"


def _answer(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    line = {
        "carrier": "Sandbox Mobile",
        "type": "Mobile",
        "mobileCountryCode": "310",
        "mobileNetworkCode": "260",
        "ported": False,
    }
    country = "US" if asked["number"].startswith("+1") else "GB"
    return {"number": asked["number"], "countryCode": country, "traceId": secrets.token_hex(16), "line": line}
