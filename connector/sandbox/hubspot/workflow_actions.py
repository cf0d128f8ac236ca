"""How does a workflow call the app's action, wait for it, and go on?

Rules (developers.hubspot.com, "Custom workflow actions"): the call is signed v2; any 4xx but 429 fails the action, 429
is tried again after its `Retry-After` (milliseconds, as for a workflow's webhooks), 5xx and silence are tried again
with backoff for up to three days, always under the same `callbackId`. An answer of BLOCK waits until the app completes
the callback or its time runs out. A callback that nobody waits under cannot be completed.
"""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any

import httpx

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.refusals import invalid, not_found
from connector.sandbox.hubspot.signing import sign_v2, sign_v3

ACTION_ID, ACTION_VERSION = 91, 1
ANSWER_WITHIN = 5.0  # seconds; the vendor names none for actions, its webhooks have five
USUAL_WAIT = timedelta(weeks=1)  # of a BLOCK that names no time
# Up to three days; the vendor documents their end and no steps.
RETRY_AFTER = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 240, 720, 1440, 1740))

_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_STATE, _EXPIRES = "hs_execution_state", "hs_expiration_duration"

JSON = dict[str, Any]


class Stands(StrEnum):
    """How far one execution of the action has come."""

    CALLING = "calling"  # no answer yet that counts
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass
class Execution:
    """One execution of the action, for one record.

    Attributes:
        outputs: the output fields the workflow goes on with.
        statuses: of the answers to every try of its call; None where there was none.
        due_at: when its call is tried again; None when it is not.
    """

    callback_id: str
    portal_id: int
    body: JSON
    started_at: datetime
    stands: Stands = Stands.CALLING
    outputs: JSON = field(default_factory=dict)
    expires_at: datetime | None = None
    statuses: list[int | None] = field(default_factory=list)
    answers: list[JSON] = field(default_factory=list)
    completions: int = 0
    due_at: datetime | None = None


class WorkflowActions:
    """Runs the action and keeps what came of it. Thread-safe.

    To be changed at any time: `signs` (`v2` or `v3`), `duplicates` (further copies of each call).
    """

    def __init__(
        self,
        *,
        target_url: str,
        client_secret: str,
        clock: SandboxClock,
        signs: str = "v2",
        answer_within: float = ANSWER_WITHIN,
    ) -> None:
        self.target_url, self.client_secret = target_url, client_secret
        self.signs, self.duplicates = signs, 0
        self._clock = clock
        self._client = httpx.Client(timeout=answer_within, follow_redirects=False, trust_env=False)
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._executions: dict[str, Execution] = {}

    def run(
        self, portal_id: int, object_type: str, object_id: str, inputs: Mapping[str, Any], *, workflow_id: int = 3
    ) -> str:
        """Let a workflow reach the action with a record; the callback id, when its call has been answered or not."""
        with self._lock:
            callback_id = f"ap-{portal_id}-{ACTION_ID}-{workflow_id}-{next(self._numbers)}"
            body = {
                "callbackId": callback_id,
                "origin": {
                    "portalId": portal_id,
                    "actionDefinitionId": ACTION_ID,
                    "actionDefinitionVersion": ACTION_VERSION,
                },
                "context": {"source": "WORKFLOWS", "workflowId": workflow_id},
                "object": {"objectId": int(object_id), "objectType": object_type, "properties": {}},
                "inputFields": dict(inputs),
            }
            self._executions[callback_id] = Execution(callback_id, portal_id, body, self._clock.now())
        for _ in range(1 + self.duplicates):
            self.call(callback_id)
        return callback_id

    def call(self, callback_id: str) -> int | None:
        """Send an execution's call, once more if it was sent before; the status of the answer, None without one."""
        execution = self._executions[callback_id]
        status, answer, pause = self._post(json.dumps(execution.body).encode())
        with self._lock:
            execution.statuses.append(status)
            execution.answers.append(answer)
            if execution.stands is Stands.CALLING:
                self._take(execution, status, answer, pause)
        return status

    def retry_due(self) -> list[str]:
        """Send the calls again whose time has come; their callback ids."""
        now = self._clock.now()
        with self._lock:
            due = [each for each in self._executions.values() if each.due_at is not None and each.due_at <= now]
            for each in due:
                each.due_at = None
        for each in due:
            self.call(each.callback_id)
        return [each.callback_id for each in due]

    def execution(self, callback_id: str) -> Execution:
        """How an execution stands now; one whose wait is over has gone on by itself."""
        with self._lock:
            execution = self._executions[callback_id]
            self._look(execution)
            return execution

    def complete(self, portal_id: int, completions: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Let the workflows of a portal go on that wait under these callback ids; 404 and none when one does not."""
        with self._lock:
            waiting = [self._waiting(portal_id, callback_id) for callback_id, _ in completions]
            for execution, (_, outputs) in zip(waiting, completions, strict=True):
                execution.completions += 1
                execution.stands = Stands.DONE
                execution.outputs = dict(outputs)

    def stop(self) -> None:
        """Close connections."""
        self._client.close()

    def _waiting(self, portal_id: int, callback_id: str) -> Execution:
        execution = self._executions.get(callback_id)
        if execution is not None:
            self._look(execution)
        if execution is None or execution.portal_id != portal_id or execution.stands is not Stands.WAITING:
            raise not_found(f"No callback {callback_id} waits to be completed", context={"callbackId": [callback_id]})
        return execution

    def _look(self, execution: Execution) -> None:
        is_over = execution.expires_at is not None and execution.expires_at <= self._clock.now()
        if execution.stands is Stands.WAITING and is_over:
            execution.stands, execution.outputs = Stands.EXPIRED, {}

    def _take(self, execution: Execution, status: int | None, answer: JSON, pause: timedelta | None) -> None:
        """Take an answer for what the documentation says it means."""
        now = self._clock.now()
        if status is None or status >= 500 or status == 429:
            tries = len(execution.statuses)
            if tries > len(RETRY_AFTER):
                execution.stands = Stands.FAILED
            else:
                execution.due_at = now + (pause or RETRY_AFTER[tries - 1])
        elif status >= 400:
            execution.stands = Stands.FAILED
        else:
            self._go_on(execution, answer.get("outputFields") or {}, now)

    def _go_on(self, execution: Execution, outputs: JSON, now: datetime) -> None:
        state = outputs.get(_STATE, "SUCCESS")
        execution.due_at = None
        if state == "BLOCK":
            execution.stands = Stands.WAITING
            execution.expires_at = now + _duration(outputs.get(_EXPIRES))
        else:
            execution.stands = Stands.FAILED if state == "FAIL_CONTINUE" else Stands.DONE
            execution.outputs = outputs

    def _post(self, body: bytes) -> tuple[int | None, JSON, timedelta | None]:
        try:
            answer = self._client.post(self.target_url, content=body, headers=self._headers(body))
        except httpx.HTTPError:
            return None, {}, None
        told = answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else {}
        asked = answer.headers.get("Retry-After", "")
        pause = timedelta(milliseconds=int(asked)) if asked.isdigit() else None
        return answer.status_code, told if isinstance(told, dict) else {}, pause

    def _headers(self, body: bytes) -> dict[str, str]:
        common = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "HubSpot Workflows - sandbox"}
        if self.signs == "v2":
            signature = sign_v2("POST", self.target_url, body, self.client_secret)
            return common | {"X-HubSpot-Signature-Version": "v2", "X-HubSpot-Signature": signature}
        stamp = int(self._clock.now().timestamp() * 1000)
        signature = sign_v3("POST", self.target_url, body, stamp, self.client_secret)
        return common | {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": str(stamp)}


def _duration(text: Any) -> timedelta:
    """Read an ISO 8601 duration; 400 for what is none."""
    if text is None:
        return USUAL_WAIT
    found = _DURATION.fullmatch(str(text))
    if found is None or not any(found.groups()):
        raise invalid(f"{_EXPIRES} is no ISO 8601 duration")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
