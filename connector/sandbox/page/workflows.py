"""How does a person let a workflow of the pretend HubSpot text somebody, and see which branch it takes?"""

import threading
from typing import Any

from connector.sandbox.hubspot.workflow_actions import Stands, WorkflowActions

KEPT = 12  # runs shown; what a person scrolls through
LOOK_EVERY = 1.0  # seconds between looks for calls that are due again
WAITS = ("nothing", "delivered", "reply")
MOST_BODY = 1600

JSON = dict[str, Any]


class Workflows:
    """Runs of the "Send SMS" action for contacts of one portal; a thread sends calls again that went unanswered."""

    def __init__(self, actions: WorkflowActions, portal_id: int) -> None:
        self._actions = actions
        self._portal_id = portal_id
        self._runs: list[JSON] = []
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self, contact_id: str, body: str, wait_for: str) -> str:
        """Let a workflow reach the action with a contact; the callback id. ValueError with a sentence to show."""
        if not body.strip() or len(body) > MOST_BODY:
            raise ValueError(f"A workflow's text has between 1 and {MOST_BODY} characters.")
        if wait_for not in WAITS:
            raise ValueError(f"A workflow waits for one of {', '.join(WAITS)}.")
        inputs = {"message_kind": "text", "body": body, "purpose": "transactional", "wait_for": wait_for}
        callback_id = self._actions.run(self._portal_id, "CONTACT", contact_id, inputs)
        self._runs = [*self._runs, {"id": callback_id, "contact": contact_id, "waits_for": wait_for}][-KEPT:]
        return callback_id

    def as_json(self) -> list[JSON]:
        """All runs kept, newest first."""
        return [each | self._standing(each["id"]) for each in reversed(self._runs)]

    @property
    def version(self) -> tuple[str, ...]:
        """Differs when a run has come further."""
        return tuple(self._actions.execution(each["id"]).stands for each in self._runs)

    def start(self) -> None:
        """Send calls again as they come due."""
        self._thread = threading.Thread(target=self._repeat, name="sandbox-workflows", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        self._actions.stop()

    def _repeat(self) -> None:
        while not self._stopped.wait(LOOK_EVERY):
            self._actions.retry_due()

    def _standing(self, callback_id: str) -> JSON:
        execution = self._actions.execution(callback_id)
        outputs = execution.outputs
        return {
            "at": execution.started_at.isoformat(),
            "stands": str(execution.stands),
            "result": str(outputs.get("sms_result", "")) if execution.stands is not Stands.WAITING else "",
            "reason": str(outputs.get("sms_reason", "")),
            "reply": str(outputs.get("sms_reply", "")),
        }
