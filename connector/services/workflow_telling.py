"""Which workflows wait for a text that has just moved, or been answered, and with what result do they go on?

In the transaction of the move itself, so that a crash can forget none of them; the CRM is told by the workflows lane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from connector.domain.message import Direction, MessageState
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.queue import WORKFLOWS
from connector.ports.workflows import CallMove, CallState, WaitsFor, WorkflowCallRow

BY = "workflow:"
"""Begins `ordered_by` of a text that a workflow ordered."""

_LOOKED_BACK = 20  # texts to and from a number among which the one that a reply answers would be

_SETTLES = timedelta(seconds=2)
"""HubSpot has to have noted that the workflow waits before it can be told to go on: our answer to its call takes part
of a second to arrive."""

_STILL_HERE = frozenset({MessageState.HELD, MessageState.QUEUED})

_RESULTS: Mapping[MessageState, str] = {
    MessageState.UNDELIVERED: "undelivered",
    MessageState.EXPIRED: "expired",
    MessageState.FAILED: "failed",
    MessageState.DEAD_LETTER: "failed",
    MessageState.CANCELLED: "failed",
    MessageState.SUPPRESSED: "suppressed",
}
"""Ends of a text that end every wait for it."""


def tell_workflow_moves(uow: UnitOfWork, moves: Sequence[tuple[MessageRow, MessageState, str]], now: datetime) -> None:
    """Let workflows go on whose texts came to what they wait for; each move is the row before, its state and why."""
    about = {row.id: (state, reason) for row, state, reason in moves if row.ordered_by.startswith(BY)}
    if not about:
        return
    ends = []
    for call in uow.workflow_calls.waiting_for(sorted(about)):
        state, reason = about[call.message_id]
        result = _result(call, state)
        if result:
            ends.append(end_of_wait(call, result, reason, now))
        elif state is MessageState.HELD:  # who knows until when is the text itself, and the lane looks at it
            ends.append(CallMove(call.id, call.state, call.state))
    if uow.workflow_calls.move(ends, now):
        uow.nudge(WORKFLOWS)


def tell_workflow_reply(uow: UnitOfWork, reply: MessageRow, now: datetime, *, is_opt_out: bool) -> None:
    """Let workflows go on whose text a reply may answer: every one of the conversation that still waits.

    A text that is still with us cannot have been answered.
    """
    recent = uow.messages.conversation(reply.account_id, reply.msisdn, _LOOKED_BACK, reply.id)
    ids = [
        row.id
        for row in recent
        if row.direction is Direction.OUT and row.ordered_by.startswith(BY) and row.state not in _STILL_HERE
    ]
    result = "opted_out" if is_opt_out else "replied"
    ends = [end_of_wait(call, result, "", now, reply.id) for call in uow.workflow_calls.waiting_for(ids)]
    if uow.workflow_calls.move(ends, now):
        uow.nudge(WORKFLOWS)


def end_of_wait(
    call: WorkflowCallRow, result: str, reason: str, now: datetime, reply_id: str | None = None
) -> CallMove:
    """End a call's wait; the CRM is told as soon as it can have noted that there was one."""
    tells_at = max(now, call.received_at + _SETTLES)
    return CallMove(call.id, call.state, CallState.COMPLETING, result, reason, reply_id=reply_id, not_before=tells_at)


def _result(call: WorkflowCallRow, state: MessageState) -> str:
    """Give the result that a state means to a call; empty while it still waits."""
    if state is MessageState.DELIVERED:
        return "delivered" if call.waits_for is WaitsFor.DELIVERED else ""
    return _RESULTS.get(state, "")
