"""How do services keep the calls by which a CRM's workflows order texts, and tell the CRM what became of them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from connector.errors import CRMError
from connector.ports.crm import CRMAccount


class WaitsFor(StrEnum):
    """What a workflow wants to know before it goes on."""

    NOTHING = "nothing"
    DELIVERED = "delivered"
    REPLY = "reply"


class CallState(StrEnum):
    """How far a call has come."""

    ORDERED = "ordered"  # kept; its text is still to be made
    WAITING = "waiting"  # its text is made, and the workflow waits for what becomes of it
    COMPLETING = "completing"  # the result is known, and the CRM still to be told
    DONE = "done"


@dataclass(frozen=True, slots=True)
class WorkflowCallRow:
    """One call of a workflow's, whatever number of times it was sent.

    Attributes:
        callback_id: the CRM's name for the call; the same for every try of it.
        workflow: the CRM's id of the workflow, or empty.
        object_type: our name of the kind of record the workflow runs on, such as `deal`.
        inputs: what to send to whom, as the admin filled it in; encrypted at rest.
        message_id: the text's id, chosen when the call came.
        result: a word for the workflow, such as `delivered`; empty while nobody knows.
        reply_id: the text that came in and ended the wait.
        expires_at: when the workflow goes on by itself; of a call that does not wait, when its text is worth nothing
            any more.
        not_before: when there is something to be done next.
    """

    id: str
    account_id: str
    callback_id: str
    object_type: str
    object_id: str
    inputs: Mapping[str, Any] = field(repr=False)
    waits_for: WaitsFor
    message_id: str
    received_at: datetime
    expires_at: datetime
    not_before: datetime
    workflow: str = ""
    state: CallState = CallState.ORDERED
    result: str = ""
    reason: str = ""
    reply_id: str | None = None
    attempts: int = 0
    error: str = ""
    completed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CallMove:
    """A move of one call; applied only while the call is still in `from_state`. Ends its lease.

    Attributes:
        result, reason, reply_id: None leaves what is known.
        not_before: None: there is something to be done at once.
        tried: counts one more attempt.
    """

    call_id: str
    from_state: CallState
    to_state: CallState
    result: str | None = None
    reason: str | None = None
    reply_id: str | None = None
    not_before: datetime | None = None
    error: str = ""
    tried: bool = False


class WorkflowCallRepository(Protocol):
    """Calls of workflows."""

    def add(self, call: WorkflowCallRow) -> bool:
        """Insert; False when the account already has a call of this callback id."""
        ...

    def by_callback(self, account_id: str, callback_id: str) -> WorkflowCallRow | None:
        """Read an account's call by the CRM's name for it."""
        ...

    def claim(self, limit: int, now: datetime, lease_until: datetime) -> Sequence[WorkflowCallRow]:
        """Lease up to `limit` calls with something to be done, the longest due first, of whichever account."""
        ...

    def waiting_for(self, message_ids: Sequence[str]) -> Sequence[WorkflowCallRow]:
        """Read, and lock until commit, the calls that wait for what becomes of these texts."""
        ...

    def move(self, moves: Sequence[CallMove], now: datetime) -> Sequence[str]:
        """Apply conditional moves; give the ids of the calls that did move."""
        ...

    def any_due(self, now: datetime) -> bool:
        """Tell whether any could be claimed now."""
        ...


@dataclass(frozen=True, slots=True)
class Completion:
    """What a workflow that waits is told.

    Attributes:
        outputs: the action's output fields; `sms_reply` may hold a person's words.
        is_young: the call came just now: where the CRM knows of nobody who waits, it may not have noted it yet.
    """

    callback_id: str
    outputs: Mapping[str, str] = field(repr=False)
    is_young: bool = False


@dataclass(frozen=True, slots=True)
class CompletionResult:
    """What became of one completion; without an error the workflow has gone on, by this or an earlier call."""

    callback_id: str
    error: CRMError | None = None


@runtime_checkable
class WorkflowCRM(Protocol):
    """A CRM whose workflows can wait for us."""

    def complete_calls(self, account: CRMAccount, completions: Sequence[Completion]) -> Sequence[CompletionResult]:
        """Let up to 100 workflows go on; one result per completion.

        Repeating it is harmless: a workflow that does not wait any more is told nothing, and that is no error; one that
        may not wait yet is to be told later.

        Raises:
            CRMError: nobody can say of any of them.
        """
        ...
