"""How does a workflow of HubSpot's that waits for us go on?

`POST /automation/actions/callbacks/2026-09/complete` lets up to 100 go on at once; `typedOutputs` is required in that
version, and the scope is `automation` (developers.hubspot.com, "Custom workflow actions"). A callback that is over,
because it was completed before or its time ran out, is refused; the whole batch is then, so the others are sent apart.
So is one that HubSpot has not noted yet, since its call was answered a moment ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.hubspot.calls import PortalCalls
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import MISSING_SCOPES, CRMAccount
from connector.ports.workflows import Completion, CompletionResult

_OVER = frozenset({404, 409, 410})
"""Statuses that say that nobody waits under a callback id any more."""

_UNKNOWN = 404
"""The status that says so too of a callback id that HubSpot has not noted yet."""


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
            return self._one_by_one(account, completions)
        return [CompletionResult(each.callback_id) for each in completions]

    def _send(self, account: CRMAccount, body: dict[str, Any]) -> None:
        self.calls.make(account, "complete workflow actions", lambda api: api.callbacks.complete_batch(body))

    def _one_by_one(self, account: CRMAccount, completions: Sequence[Completion]) -> list[CompletionResult]:
        """Send each alone; what keeps one from being told for now is not run into again by those that follow."""
        results: list[CompletionResult] = []
        passing: CRMError | None = None
        for each in completions:
            if passing is None:
                try:
                    results.append(self._apart(account, each))
                except CRMError as error:
                    passing = error
            if passing is not None:
                results.append(CompletionResult(each.callback_id, passing))
        return results

    def _apart(self, account: CRMAccount, completion: Completion) -> CompletionResult:
        body, callback_id = _said(completion), completion.callback_id
        try:
            self.calls.make(
                account, "complete a workflow action", lambda api: api.callbacks.complete(callback_id, body)
            )
        except CRMRefusedError as error:
            if error.status == _UNKNOWN and completion.is_young:
                return CompletionResult(callback_id, CRMUnavailableError("HubSpot has not noted yet that it waits"))
            return CompletionResult(callback_id, None if error.status in _OVER else error)
        return CompletionResult(callback_id)


def _said(completion: Completion) -> dict[str, Any]:
    return {"outputFields": {**completion.outputs, "hs_execution_state": "SUCCESS"}, "typedOutputs": {}}
