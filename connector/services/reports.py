"""How do things stand?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from connector.ports.ledger import UnitOfWork
from connector.services.journey_status import JourneyStatus

_SHOWN = 20  # of reasons and of refused records: what fits a screen
_IN_PART_FOR = timedelta(days=7)  # a record that was written but for a part is shown: long enough for a weekly look


def status_report(uow: UnitOfWork, journeys: Sequence[JourneyStatus], now: datetime) -> dict[str, Any]:
    """Give accounts, journeys, messages by state, what waits, what was not done and what the CRM refused, by title."""
    return {
        "accounts": [
            {"crm": account.crm, "id": account.external_id, "status": account.status, "reason": account.status_reason}
            for account in uow.accounts.all()
        ],
        "journeys": [_journey(journey) for journey in journeys],
        "messages": dict(uow.messages.counts()),
        "waiting": {f"inbox {source}": count for source, count in uow.inbox.waiting(now).items()}
        | {"enrollments due": uow.enrollments.due_count(now)}
        | {f"write-back {crm}": count for crm, count in uow.records.waiting(now).items()},
        "write_back_put_off": dict(uow.records.put_off_because(_SHOWN)),
        "not_done": [
            {"what": effect.kind.value, "channel": effect.channel, "step": effect.path, "reason": effect.error}
            for effect in uow.effects.failed(None, _SHOWN)
        ],
        "refused_by_crm": [
            {"record": record.ref, "kind": record.kind.value, "reason": record.error}
            for record in uow.records.refused(None, _SHOWN, now - _IN_PART_FOR)
        ],
    }


def _journey(journey: JourneyStatus) -> dict[str, Any]:
    return {
        "account": journey.account,
        "journey": journey.journey,
        "status": journey.status + (", file edited since" if journey.is_edited else ""),
        "version": journey.version,
        "since": None if journey.since is None else journey.since.isoformat(timespec="seconds"),
        "people": journey.people,
        "mistake": journey.mistake,
    }
