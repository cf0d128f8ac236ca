"""How does a workflow of HubSpot's that waits for us go on?

`POST /automation/actions/callbacks/2026-09/complete` lets up to 100 go on at once; `typedOutputs` is required in that
version, and the scope is `automation` (developers.hubspot.com, "Custom workflow actions"). A callback that is over,
because it was completed before or its time ran out, is refused; the whole batch is then, so the others are sent apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.hubspot.calls import PortalCalls
from connector.errors import CRMRefusedError
from connector.ports.crm import MISSING_SCOPES, CRMAccount
from connector.ports.workflows import Completion, CompletionResult

_OVER = frozenset({404, 409, 410})
"""Statuses that say that nobody waits under a callback id any more."""


@dataclass(frozen=True, slots=True)
class PortalWorkflows:
    """Completes callbacks; repeating it is harmless."""

    calls: PortalCalls

    def complete(self, account: CRMAccount, completions: Sequence[Completion]) -> list[CompletionResult]:
        """Let workflows go on, together, or one by one when HubSpot refuses them together."""
        try:
            self._send(account, {"inputs": [{"callbackId": each.callback_id, **_said(each)} for each in completions]})
        except CRMRefusedError as error:
            if error.category == MISSING_SCOPES:
                raise
            return [self._apart(account, each) for each in completions]
        return [CompletionResult(each.callback_id) for each in completions]

    def _send(self, account: CRMAccount, body: dict[str, Any]) -> None:
        self.calls.make(account, "complete workflow actions", lambda api: api.callbacks.complete_batch(body))

    def _apart(self, account: CRMAccount, completion: Completion) -> CompletionResult:
        body, callback_id = _said(completion), completion.callback_id
        try:
            self.calls.make(
                account, "complete a workflow action", lambda api: api.callbacks.complete(callback_id, body)
            )
        except CRMRefusedError as error:
            return CompletionResult(callback_id, None if error.status in _OVER else error)
        return CompletionResult(callback_id)


def _said(completion: Completion) -> dict[str, Any]:
    return {"outputFields": {**completion.outputs, "hs_execution_state": "SUCCESS"}, "typedOutputs": {}}
