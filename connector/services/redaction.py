"""Which vendors are to forget what they were given to send, and have they?

A text whose fate is known needs no copy of its body at the vendor; what is left there is found by its id. Emptying a
body twice harms nobody: a worker that dies leaves its batch to the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

import structlog

from connector.errors import PermanentSendError, QueueUnavailableError, SendError
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import Redactor, SMSGateway
from connector.ports.ledger import Ledger
from connector.ports.queue import Bucket, SendLimiter
from connector.ports.time import Clock

log = structlog.get_logger(__name__)

BATCH = 50  # one request each, eight at once: a second, and a minute and a half when every one times out
_AT_ONCE = 8  # vendors count requests under way per account, and sending needs them more
_PER_SECOND = 50.0  # per gateway over all processes: half of what the largest senders send, which is caught up at night
_LEASE = timedelta(minutes=5)
_NEXT_TURN = timedelta(seconds=5)  # for those the rate keeps back
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=12)  # between tries; each waits as long as all before it
_GIVEN_UP_AFTER = timedelta(days=7)  # vendors stop trying a handset after two or three days; the rest is for outages


def redacting(gateways: Mapping[str, SMSGateway]) -> frozenset[str]:
    """Name the gateways that are configured to forget."""
    return frozenset(slug for slug, gateway in gateways.items() if _redactor(gateway) is not None)


class RedactionDesk:
    """Has vendors forget bodies."""

    def __init__(self, ledger: Ledger, gateways: Mapping[str, SMSGateway], limiter: SendLimiter, clock: Clock) -> None:
        self._ledger, self._limiter, self._clock = ledger, limiter, clock
        self._gateways = gateways

    def drain(self) -> bool:
        """Work one batch of attempts; tell whether more may be due."""
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            if not uow.attempts.any_to_redact(now):
                return False
        with self._ledger.begin() as uow:
            rows = uow.attempts.to_redact(now, BATCH, now + _LEASE)
            uow.commit()
        granted = self._permitted(rows)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="redact") as pool:
            ends = dict(zip([row.id for row in granted], pool.map(self._redact, granted), strict=True))
        self._note(rows, ends)
        return len(granted) == BATCH

    def _permitted(self, rows: Sequence[AttemptRow]) -> list[AttemptRow]:
        try:
            grants = self._limiter.take_each([[_bucket(row.gateway)] for row in rows], is_urgent=False)
        except QueueUnavailableError:
            return []
        return [row for row, is_granted in zip(rows, grants, strict=True) if is_granted]

    def _redact(self, row: AttemptRow) -> _End:
        """Have one body forgotten; in a thread of its own."""
        gateway = self._gateways.get(row.gateway)
        redactor = None if gateway is None else _redactor(gateway)
        if redactor is None or not row.provider_message_id:
            return _End.NOT_ASKED
        try:
            redactor.redact(row.provider_message_id)
        except PermanentSendError as error:
            log.error("redaction.refused", gateway=row.gateway, attempt_id=row.id, code=error.code)
            return _End.REFUSED
        except SendError as error:
            log.info("redaction.not_yet", gateway=row.gateway, attempt_id=row.id, code=error.code)
            return _End.LATER
        except Exception as error:  # noqa: BLE001 - a defect over one text must not leave the others where they are
            log.error("redaction.defect", gateway=row.gateway, attempt_id=row.id, error=type(error).__name__)
            return _End.LATER
        return _End.DONE

    def _note(self, rows: Sequence[AttemptRow], ends: Mapping[str, _End]) -> None:
        """Write down when each is tried next; reads the rows again, since a receipt may have come meanwhile."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            known = uow.attempts.many([row.id for row in rows])
            uow.attempts.save([replace(row, redact_at=_next(row, ends.get(row.id), now)) for row in known.values()])
            uow.commit()


class _End(Enum):
    DONE = "done"
    NOT_ASKED = "not asked"  # its gateway is not in use any more, or not to forget any more
    REFUSED = "refused"
    LATER = "later"


def _next(row: AttemptRow, end: _End | None, now: datetime) -> datetime | None:
    """Say when to try again; None: not any more. Without an end it has not been its turn."""
    if end is None:
        return now + _NEXT_TURN
    if end is not _End.LATER:
        return None
    since = now - (row.settled_at or row.requested_at)
    if since >= _GIVEN_UP_AFTER:
        log.error("redaction.given_up", gateway=row.gateway, attempt_id=row.id)
        return None
    return now + min(max(since, _SHORTEST), _LONGEST)


def _redactor(gateway: SMSGateway) -> Redactor | None:
    return gateway if isinstance(gateway, Redactor) and gateway.redacts else None


def _bucket(gateway: str) -> Bucket:
    return Bucket(f"redact:{gateway}", _PER_SECOND, int(_PER_SECOND))
