"""Through which gateways has each text been tried already?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow


def tried_gateways(uow: UnitOfWork, rows: Sequence[MessageRow]) -> Mapping[str, frozenset[str]]:
    """Give the gateways by message id, since the text was made or a person had it sent again; absent when none."""
    if not rows:
        return {}
    since = {row.id: row.alive_since for row in rows}
    tried: dict[str, set[str]] = {}
    for attempt in uow.attempts.of_messages(sorted(since)):
        if attempt.requested_at >= since[attempt.message_id]:
            tried.setdefault(attempt.message_id, set()).add(attempt.gateway)
    return {message_id: frozenset(gateways) for message_id, gateways in tried.items()}
