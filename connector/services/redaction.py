"""Which vendors are to forget what they were given to send, and have they?

A text whose fate is known needs no copy of its body at the vendor; what is left there is found by its id. Emptying a
body twice harms nobody: a worker that dies leaves its batch to the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

import structlog

from connector.errors import AmbiguousSendError, PermanentSendError, SendError
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import Redactor, SMSGateway
from connector.ports.ledger import Ledger
from connector.ports.queue import Bucket, SendLimiter
from connector.ports.time import Clock
from connector.services.asking import ask_each, permitted

log = structlog.get_logger(__name__)

BATCH = 50  # one request each, some at once: a second
_PER_SECOND = 50.0  # per gateway over all processes: half of what the largest senders send, which is caught up at night
_LEASE = timedelta(minutes=5)
_NEXT_TURN = timedelta(seconds=5)  # for those the rate keeps back, and those of a gateway that hangs
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
        granted = permitted(self._limiter, rows, _bucket)
        told = ask_each(granted, self._redact, lambda end: end is _End.SILENT)
        ends = {row.id: end for row, end in zip(granted, told, strict=True) if end is not None}
        self._note(rows, ends)
        return len(ends) == BATCH

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
            return _End.SILENT if _is_silence(error) else _End.LATER
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
    SILENT = "silent"  # later too, and the gateway does not answer at all just now


def _next(row: AttemptRow, end: _End | None, now: datetime) -> datetime | None:
    """Say when to try again; None: not any more. Without an end it has not been its turn."""
    if end is None:
        return now + _NEXT_TURN
    if end not in {_End.LATER, _End.SILENT}:
        return None
    since = now - (row.settled_at or row.requested_at)
    if since >= _GIVEN_UP_AFTER:
        log.error("redaction.given_up", gateway=row.gateway, attempt_id=row.id)
        return None
    return now + min(max(since, _SHORTEST), _LONGEST)


_NEVER_REACHED = frozenset({"connect_timeout", "connect_error", "pool_timeout"})  # words of transports


def _is_silence(error: SendError) -> bool:
    """Tell a gateway that hangs from one that says "not yet", which is an answer like any other."""
    return isinstance(error, AmbiguousSendError) or error.code in _NEVER_REACHED


def _redactor(gateway: SMSGateway) -> Redactor | None:
    return gateway if isinstance(gateway, Redactor) and gateway.redacts else None


def _bucket(gateway: str) -> Bucket:
    return Bucket(f"redact:{gateway}", _PER_SECOND, int(_PER_SECOND))
