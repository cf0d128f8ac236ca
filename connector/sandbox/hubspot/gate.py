"""What does every API call pass before its own work: faults, token, limits, scopes, errors in the vendor's JSON?"""

import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from connector.sandbox.api_door import APIDoor
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.limits import too_many
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.refusals import RefusalError, invalid
from connector.sandbox.hubspot.tokens import NO_CREDENTIALS, Grant
from connector.sandbox.hubspot.world import HubSpotWorld

LARGEST_BATCH = 100

# What a `status` fault says when no body was armed with it. Gateways in front of the API answer in HTML.
_FAULT_REFUSALS: dict[int, RefusalError] = {
    401: RefusalError(401, "INVALID_AUTHENTICATION", NO_CREDENTIALS),
    403: RefusalError(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call."),
    423: RefusalError(423, "LOCKED", "The resource is locked; try again in 2 seconds."),
    429: too_many(),
    477: RefusalError(477, "MIGRATION_IN_PROGRESS", "This account is being moved to another data center."),
    500: RefusalError(500, "INTERNAL_ERROR", "internal error"),
}
_FAULT_HEADERS = {477: {"Retry-After": "60"}}

Work = Callable[[Portal], ResponseReturnValue]


class Gate:
    """Wraps the work of an operation; `calls` of the world count what came in, refused or not."""

    def __init__(self, world: HubSpotWorld, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self._door = APIDoor("hubspot", world.calls, faults, RefusalError, refused, _FAULT_REFUSALS, _FAULT_HEADERS)

    def call(
        self, operation: str, work: Work, *, scope: str | None = None, is_search: bool = False
    ) -> ResponseReturnValue:
        """Run `work` with the portal of the caller's token, or answer why not."""

        def admitted() -> ResponseReturnValue:
            grant = self.world.tokens.grant(bearer_token())
            headers = self.world.limits.admit(grant.portal_id, is_search=is_search)
            answer = make_response(self._worked(grant, work, scope))
            answer.headers.update(headers)
            return answer

        return self.open_call(operation, admitted)

    def _worked(self, grant: Grant, work: Work, scope: str | None) -> ResponseReturnValue:
        def permitted() -> ResponseReturnValue:
            if scope and grant.scopes is not None and scope not in grant.scopes:
                raise missing_scope(scope)
            with self.world.held():
                return work(self.world.portal(grant.portal_id))

        return self._door.answered(permitted)

    def open_call(self, operation: str, work: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        """Run `work` without a token, as the OAuth endpoints do."""
        return self._door.call(operation, work)


def refused(refusal: RefusalError) -> Response:
    """The vendor's JSON of a refusal."""
    answer = jsonify(refusal.body(str(uuid.uuid4())))
    answer.status_code = refusal.status
    answer.headers.update(refusal.headers)
    return answer


def bearer_token() -> str:
    """The token of the Authorization header; 401 without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise RefusalError(401, "INVALID_AUTHENTICATION", NO_CREDENTIALS)
    return token


def missing_scope(scope: str) -> RefusalError:
    """403 with the scope the app would need."""
    return RefusalError(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": [scope]},
            }
        ],
    )


def json_object(allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Any]:
    """The request's JSON object; 415 without the content type, 400 for unknown or missing keys."""
    if not request.is_json:
        raise RefusalError(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json")
    return checked_object(request.get_json(silent=True), allowed, required)


def checked_object(body: Any, allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Any]:
    """`body` when it is an object with these keys; 400 otherwise."""
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: an object is needed")
    if unknown := sorted(set(body) - set(allowed)):
        raise invalid(f"Invalid input JSON: unknown field {', '.join(unknown)}")
    if missing := sorted(set(required) - set(body)):
        raise invalid(f"Some required fields were not set: [{', '.join(missing)}]", context={"missing": missing})
    return body


def batch_inputs(
    body: Mapping[str, Any], allowed: Collection[str], required: Collection[str] = (), most: int = LARGEST_BATCH
) -> list[dict[str, Any]]:
    """The `inputs` of a batch body: between 1 and `most` objects."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise invalid("Invalid input JSON: inputs must be a list that is not empty")
    if len(inputs) > most:
        raise invalid(f"The maximum number of inputs supported in a batch request is {most}, was: {len(inputs)}")
    return [checked_object(each, allowed, required) for each in inputs]
