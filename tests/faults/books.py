"""Do the ledger's books of a text agree: its state, its trace, and the sums it counts in?"""

from __future__ import annotations

from collections.abc import Sequence

from connector.domain.message import MessageState
from connector.domain.timeline import EntryKind
from connector.ports.messages import MessageRow
from tests.faults.proving import Proving


def check_trace(proving: Proving, text: MessageRow) -> None:
    """What is told of it ends where it stands, names every gateway that was tried, and calls a person who is needed."""
    row, entries = proving.row(text), proving.trace(text)
    moves = [entry for entry in entries if entry.kind is EntryKind.MESSAGE_MOVED]
    # Time stands still, so that what two processes wrote at one moment has no order.
    assert row.state in {move.data["state"] for move in moves if move.at == moves[-1].at}
    assert all(entry.summary for entry in entries)
    tried = {attempt.gateway for attempt in proving.attempts(text)}
    assert tried <= {entry.data.get("gateway") for entry in entries}
    called = [entry for entry in entries if entry.kind is EntryKind.ATTENTION_NEEDED]
    assert bool(called) == (row.state is MessageState.DEAD_LETTER)


def check_sums(proving: Proving, texts: Sequence[MessageRow]) -> None:
    """Budgets count what may have gone out, once each."""
    attempts = [attempt for text in texts for attempt in proving.attempts(text)]
    undone = [attempt for attempt in attempts if attempt.state is MessageState.FAILED]
    assert all(attempt.error_class for attempt in undone)
    assert proving.counted() == len(attempts) - len(undone)
    assert proving.opted_out == []
