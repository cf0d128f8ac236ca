"""How do things stand?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.domain.journey import Journey
from connector.errors import Mistake
from connector.ports.ledger import UnitOfWork

_SHOWN = 20  # of reasons and of refused records: what fits a screen


def status_report(
    uow: UnitOfWork, journeys: Mapping[str, Journey], mistakes: Sequence[Mistake], now: datetime
) -> dict[str, Any]:
    """Give accounts, journeys, messages by state, what waits and why, and what the CRM refused, by title."""
    broken = sorted({mistake.file for mistake in mistakes if mistake.severity == "error"})
    return {
        "accounts": [
            {"crm": account.crm, "id": account.external_id, "status": account.status, "reason": account.status_reason}
            for account in uow.accounts.all()
        ],
        "journeys": [
            {"journey": journey.id, "status": "enabled" if journey.enabled else "disabled", "file": journey.file}
            for journey in journeys.values()
        ]
        + [{"journey": "", "status": "broken: run smsctl check", "file": file} for file in broken],
        "messages": dict(uow.messages.counts()),
        "waiting": {f"inbox {source}": count for source, count in uow.inbox.waiting(now).items()}
        | {"enrollments due": uow.enrollments.due_count(now)}
        | {f"write-back {crm}": count for crm, count in uow.records.waiting(now).items()},
        "write_back_put_off": dict(uow.records.put_off_because(_SHOWN)),
        "refused_by_crm": [
            {"record": record.ref, "kind": record.kind.value, "reason": record.error}
            for record in uow.records.refused(None, _SHOWN)
        ],
    }
