"""What does every API call pass before its own work: faults, session, quota, errors in the vendor's JSON?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from connector.sandbox.api_door import APIDoor
from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.refusals import (
    RefusalError,
    bad_request,
    quota_is_gone,
    row_is_locked,
    session_is_invalid,
)
from connector.sandbox.salesforce.tokens import Approval
from connector.sandbox.salesforce.world import SalesforceWorld

# What a `status` fault says when no body was armed with it.
_FAULT_REFUSALS: dict[int, RefusalError] = {
    400: row_is_locked(),
    401: session_is_invalid(),
    403: quota_is_gone(),
    500: RefusalError(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred."),
    503: RefusalError(503, "SERVER_UNAVAILABLE", "Server is busy, please try again later"),
}


@dataclass(frozen=True)
class Caller:
    """Who calls: the org, and the approval their token came of."""

    org: Org
    approval: Approval

    @property
    def user_id(self) -> str:
        """The user every write is made by."""
        return self.approval.user_id


Work = Callable[[Caller], ResponseReturnValue]


class Gate:
    """Wraps the work of an operation; `calls` of the world count what came in, refused or not."""

    def __init__(self, world: SalesforceWorld, faults: Faults) -> None:
        self.world = world
        self.faults = faults
        self._door = APIDoor("salesforce", world.calls, faults, RefusalError, refused, _FAULT_REFUSALS)

    def call(self, operation: str, work: Work) -> ResponseReturnValue:
        """Run `work` with the org of the caller's session, or answer why not.

        A session may call the org's own host only, and no `.lightning.force.com` host. Every answer after that tells
        the org's usage.
        """

        def admitted() -> ResponseReturnValue:
            approval = self.world.tokens.session(bearer_token())
            org = self.world.org(approval.org_id)
            refuse_other_host(org)
            self.world.org_calls[org.id, f"salesforce.{operation}"] += 1
            answer = make_response(self._worked(Caller(org, approval), work))
            answer.headers["Sforce-Limit-Info"] = org.usage.header
            return answer

        return self.open_call(operation, admitted)

    def _worked(self, caller: Caller, work: Work) -> ResponseReturnValue:
        def permitted() -> ResponseReturnValue:
            with self.world.held():
                caller.org.usage.admit()
                if not {"api", "full"} & set(caller.approval.scopes):
                    raise session_is_invalid("This session is not valid for use with the REST API")
                return work(caller)

        return self._door.answered(permitted)

    def open_call(self, operation: str, work: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
        """Run `work` without a session, as the OAuth endpoints do."""
        return self._door.call(operation, work)

    def meet_row_fault(self, object_name: str, verb: str) -> None:
        """Refuse one row when a fault is armed for `salesforce.row.{object}.{verb}`.

        Of kind `status`; its `body` may give {"errorCode", "message"}, otherwise the row could not be locked.
        """
        fault = self.faults.take(f"salesforce.row.{object_name}.{verb}")
        if fault is None:
            return
        body = fault.options.get("body")
        told: dict[str, Any] = body if isinstance(body, dict) else {}
        if not told:
            raise row_is_locked()
        raise bad_request(str(told.get("errorCode", "UNKNOWN_EXCEPTION")), str(told.get("message", "")))


def refused(refusal: RefusalError) -> Response:
    """The vendor's JSON of a refusal."""
    answer = jsonify(refusal.body())
    answer.status_code = refusal.status
    if refusal.status == 401:
        answer.headers["WWW-Authenticate"] = "Token"
    return answer


def bearer_token() -> str:
    """The token of the Authorization header (`Bearer`, or the older `OAuth`); 401 without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in {"bearer", "oauth"} or not token:
        raise RefusalError(401, "INVALID_AUTH_HEADER", "INVALID_AUTH_HEADER")
    return token


def refuse_other_host(org: Org) -> None:
    """401 on the host of another org's My Domain, and on any Lightning host."""
    host = request.host.partition(":")[0].lower()
    is_others = host.endswith(".my.salesforce.com") and org.instance_host not in {None, host}
    if host.endswith(".lightning.force.com") or is_others:
        raise session_is_invalid()


def json_object() -> dict[str, Any]:
    """The request's JSON object; 415 without the content type, 400 for anything else."""
    if not request.is_json:
        raise RefusalError(415, "UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise bad_request("JSON_PARSER_ERROR", "The HTTP entity body is required, but this request has no JSON object.")
    return body
