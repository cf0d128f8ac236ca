"""How does the app let workflows go on over HTTP?

developers.hubspot.com, "Custom workflow actions": one callback or a batch of up to 100, with the scope `automation`; in
version 2026-09 `typedOutputs` has to be there. A batch with one callback that nobody waits under is refused whole.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.gate import Gate, batch_inputs, json_object
from connector.sandbox.hubspot.portal import Portal
from connector.sandbox.hubspot.refusals import invalid, not_found
from connector.sandbox.hubspot.workflow_actions import WorkflowActions

SCOPE = "automation"
# What the action of marketplace/hubspot declares; HubSpot takes no others.
OUTPUTS = frozenset({"sms_result", "sms_reason", "sms_message_id", "sms_reply", "hs_execution_state"})
_FIELDS = ("outputFields", "typedOutputs")


def callback_routes(gate: Gate, version: str, actions: WorkflowActions | None) -> Blueprint:
    """`/automation/actions/callbacks/{version}/complete` and `.../{callbackId}/complete`."""
    routes = Blueprint("workflow_callbacks", __name__, url_prefix=f"/automation/actions/callbacks/{version}")

    @routes.post("/<callback_id>/complete")
    def complete(callback_id: str) -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            body = json_object(_FIELDS, _FIELDS)
            _known(actions).complete(portal.id, [(callback_id, _outputs(body))])
            return "", 204

        return gate.call("automation.callback_complete", work, scope=SCOPE)

    @routes.post("/complete")
    def complete_batch() -> ResponseReturnValue:
        def work(portal: Portal) -> ResponseReturnValue:
            wanted = ("callbackId", *_FIELDS)
            rows = batch_inputs(json_object(("inputs",), ("inputs",)), wanted, wanted)
            _known(actions).complete(portal.id, [(str(row["callbackId"]), _outputs(row)) for row in rows])
            return "", 204

        return gate.call("automation.callback_complete_batch", work, scope=SCOPE)

    return routes


def _known(actions: WorkflowActions | None) -> WorkflowActions:
    if actions is None:
        raise not_found("No workflow of this portal has called an action")
    return actions


def _outputs(row: Mapping[str, Any]) -> Mapping[str, Any]:
    outputs, typed = row["outputFields"], row["typedOutputs"]
    if not isinstance(outputs, dict) or not isinstance(typed, dict):
        raise invalid("Invalid input JSON: outputFields and typedOutputs must be objects")
    if unknown := sorted(set(outputs) - OUTPUTS):
        raise invalid(f"outputFields has unknown fields: {', '.join(unknown)}")
    if any(not isinstance(value, str) for value in outputs.values()):
        raise invalid("Every value of outputFields must be a string")
    return outputs
