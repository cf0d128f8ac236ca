"""How does a person or a test push the sandbox's clock and arm its faults over HTTP?"""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults


def control_blueprint(clock: SandboxClock, faults: Faults) -> Blueprint:
    """`/_sandbox/clock` (GET, POST {"advance_seconds": n}) and `/_sandbox/faults` (GET, POST, DELETE).

    POST to faults takes {"operation", "kind", "times"?} and the options of the kind. Mistakes answer 400.
    """
    pages = Blueprint("sandbox_control", __name__, url_prefix="/_sandbox")
    # A cut connection is an exception that must reach the server, not become a 500 page.
    pages.record(lambda state: state.app.config.update(PROPAGATE_EXCEPTIONS=True))

    @pages.get("/clock")
    def show_clock() -> Response:
        return jsonify(_clock_face(clock))

    @pages.post("/clock")
    def push_clock() -> Response | tuple[Response, int]:
        try:
            clock.advance(timedelta(seconds=float(_body()["advance_seconds"])))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            return jsonify(error=f"advance_seconds: {error}"), 400
        return jsonify(_clock_face(clock))

    @pages.get("/faults")
    def show_faults() -> Response:
        return jsonify(faults.armed())

    @pages.post("/faults")
    def arm_fault() -> tuple[Response, int]:
        try:
            faults.arm(**_body())
        except (TypeError, ValueError) as error:
            return jsonify(error=str(error)), 400
        return jsonify(faults.armed()), 201

    @pages.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        faults.clear()
        return "", 204

    return pages


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ValueError("a JSON object is needed")  # noqa: TRY004 - a mistake of the caller's body, not of a type
    return body


def _clock_face(clock: SandboxClock) -> dict[str, Any]:
    return {"now": clock.now().isoformat(), "offset_seconds": clock.offset.total_seconds()}
