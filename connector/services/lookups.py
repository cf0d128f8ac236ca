"""How is a gateway asked what kind of number a number is, within its budget, and what then becomes of the texts to it?

A lookup costs money and can be repeated: a worker that dies asks again. What cannot be asked holds nobody up: the texts
go out as they would have without.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from connector.domain.gateway_book import LookupRule
from connector.domain.message import MessageState
from connector.errors import ConfigurationError, PermanentSendError, QueueUnavailableError, SendError
from connector.ports.gateway import SMSGateway
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.messages import StateChange
from connector.ports.number_lookup import LookupAnswer, NumberLookup
from connector.ports.queue import Bucket, SendLimiter, send_lane
from connector.ports.time import Clock
from connector.services.announcing import Moved, announce
from connector.services.number_checks import BEING_LOOKED_UP

log = structlog.get_logger(__name__)

BATCH = 20  # one request each, one after the other: a few seconds, within the lane's lease
BUDGET_SECONDS = 10.0  # of a drain: a gateway that hangs must not keep a worker from everything else
_LEASE = timedelta(minutes=2)
_TRIES = 3  # of a number; texts do not wait longer than two minutes anyway
_ASK_AGAIN = timedelta(seconds=10)
_NEXT_TURN = timedelta(seconds=1)  # for those the rate, or time, keeps back: it is counted by the second
_PER_SECOND = Bucket("lookup", 10.0, 10)  # over all processes: what the strictest vendor allows
_DAY = timedelta(days=1)
_ISO_COUNTRY = 2  # letters of a country; what else a gateway may call it is not kept


@dataclass(frozen=True, slots=True)
class _Asked:
    row: NumberRow
    gateway: str = ""
    answer: LookupAnswer | None = None
    why_not: str = ""
    is_over: bool = False
    is_in_vain: bool = True  # a gateway was asked: false while it was not even its turn


class LookupDesk:
    """Asks about numbers."""

    def __init__(
        self,
        ledger: Ledger,
        gateways: Mapping[str, SMSGateway],
        rule: LookupRule,
        limiter: SendLimiter,
        clock: Clock,
    ) -> None:
        self._ledger, self._rule, self._limiter, self._clock = ledger, rule, limiter, clock
        self._lookups: dict[str, Callable[[str], LookupAnswer]] = {
            slug: gateway.look_up
            for slug, gateway in gateways.items()
            if gateway.capabilities.has_lookup and isinstance(gateway, NumberLookup)
        }

    def drain(self) -> bool:
        """Ask about one batch of numbers; tell whether more may wait."""
        now = self._clock.now()
        with self._ledger.begin() as uow:
            rows = uow.numbers.claim(BATCH, now, now + _LEASE)
            left = {row.account_id: self._left(uow, row.account_id, now) for row in rows}
            uow.commit()
        ends, late = time.monotonic() + BUDGET_SECONDS, list[NumberRow]()
        for row in rows:
            if time.monotonic() >= ends:
                late.append(row)
                continue
            asked = self._ask(row, is_affordable=left[row.account_id] > 0)
            left[row.account_id] -= asked.answer is not None
            self._record(asked)
        for row in late:
            self._record(_Asked(row, why_not="others took all the time", is_in_vain=False))
        return bool(late) or len(rows) == BATCH

    def look_up(self, account_id: str, e164: str, gateway: str | None = None) -> NumberRow:
        """Ask about one number now, whatever is known of it; for operators and programs.

        Raises:
            ConfigurationError: no gateway in use here can be asked, or the day's budget is used up.
            SendError: it could not be asked.
        """
        now = self._clock.now()
        names = [gateway] if gateway else self._names() or list(self._lookups)
        if not names or names[0] not in self._lookups:
            able = ", ".join(self._lookups) or "none"
            raise ConfigurationError(f"no gateway to ask about numbers; those in use that can be asked: {able}")
        with self._ledger.begin(write=False) as uow:
            if self._left(uow, account_id, now) <= 0:
                raise ConfigurationError(f"the {self._rule.per_day} lookups of today are used up (lookups.per_day)")
        answer = self._lookups[names[0]](e164)
        row = NumberRow(account_id, e164, LookupState.WANTED, now)
        known = _known(row, names[0], answer, self._clock.now())
        with self._ledger.begin() as uow:
            uow.lock_numbers(account_id, [e164])
            uow.numbers.save([known])
            uow.commit()
        return known

    def _left(self, uow: UnitOfWork, account_id: str, now: datetime) -> int:
        return self._rule.per_day - uow.numbers.asked_since(account_id, now - _DAY)

    def _names(self) -> list[str]:
        return [name for name in self._rule.gateways if name in self._lookups]

    def _ask(self, row: NumberRow, *, is_affordable: bool) -> _Asked:
        names = self._names()
        if not names:
            return _Asked(row, why_not="no gateway of lookups.gateways can be asked here", is_over=True)
        if not is_affordable:
            return _Asked(row, why_not="the lookups of today are used up", is_over=True)
        why = ""
        for name in names:
            try:
                if not all(self._limiter.take_each([[_PER_SECOND]])):
                    return _Asked(row, why_not="the rate of lookups is used up", is_in_vain=False)
                return _Asked(row, name, self._lookups[name](row.msisdn))
            except QueueUnavailableError:
                return _Asked(row, why_not="Redis is away", is_in_vain=False)
            except PermanentSendError as error:
                why = f"{name}: {error}"
            except SendError as error:
                log.warning("lookup.not_answered", gateway=name, code=error.code)
                why = f"{name}: {error}"
            except Exception as error:  # noqa: BLE001 - a defect over one number must not keep the others from theirs
                log.error("lookup.defect", gateway=name, error=type(error).__name__)
                why = f"{name}: a defect"
        return _in_vain(row, why)

    def _record(self, asked: _Asked) -> None:
        """Write down what came of one number; an answer that cannot be kept counts as none, or it is paid for again."""
        try:
            self._write(asked)
        except Exception as error:  # noqa: BLE001 - whatever it is, the answers about the others are still to be kept
            log.error("lookup.not_recorded", gateway=asked.gateway, error=type(error).__name__)
            try:
                self._write(_in_vain(asked.row, "the answer could not be kept"))
            except Exception as again:  # noqa: BLE001 - its lease ends, and it is asked about again
                log.error("lookup.left_alone", error=type(again).__name__)

    def _write(self, asked: _Asked) -> None:
        with self._ledger.begin() as uow:
            self._note(uow, asked, self._clock.now())
            uow.commit()

    def _note(self, uow: UnitOfWork, asked: _Asked, now: datetime) -> None:
        """Keep an answer, or that there is none; holds the number first, as everybody does who writes of one."""
        row = asked.row
        uow.lock_numbers(row.account_id, [row.msisdn])
        known = uow.numbers.of(row.account_id, [row.msisdn]).get(row.msisdn, row)
        if asked.answer is not None:
            uow.numbers.save([_known(row, asked.gateway, asked.answer, now)])
            self._release(uow, row, "what kind of number it is has been found out", now)
        elif known.state is not LookupState.WANTED:
            self._release(uow, row, f"a receipt has told of its number ({known.source})", now)
        elif asked.is_over:
            log.warning("lookup.skipped", account_id=row.account_id, reason=asked.why_not)
            uow.numbers.save([replace(known, state=LookupState.SKIPPED, known_at=now, source="")])
            self._release(uow, row, f"its number was not looked up: {asked.why_not}", now)
        elif asked.is_in_vain:
            uow.numbers.save([replace(known, attempts=known.attempts + 1, not_before=now + _ASK_AGAIN)])
        else:
            log.info("lookup.put_off", account_id=row.account_id, reason=asked.why_not)
            uow.numbers.save([replace(known, not_before=now + _NEXT_TURN)])

    def _release(self, uow: UnitOfWork, row: NumberRow, reason: str, now: datetime) -> None:
        """Let the texts go on that waited for this."""
        waiting = [
            message
            for message in uow.messages.open_to(row.account_id, row.msisdn)
            if message.state is MessageState.HELD and message.state_reason == BEING_LOOKED_UP
        ]
        changes = [StateChange(each.id, each.state, MessageState.QUEUED, reason, not_before=now) for each in waiting]
        moved = set(uow.messages.move(changes, now))
        announce(uow, [Moved(each, MessageState.QUEUED, reason) for each in waiting if each.id in moved], now)
        for lane in sorted({send_lane(each.gateway, each.purpose.value) for each in waiting}):
            uow.nudge(lane)


def _known(row: NumberRow, gateway: str, answer: LookupAnswer, now: datetime) -> NumberRow:
    return replace(
        row,
        state=LookupState.KNOWN,
        line_type=answer.line_type,
        is_reachable=answer.is_reachable,
        country=answer.country if answer.country and len(answer.country) == _ISO_COUNTRY else None,
        carrier=(answer.carrier or "")[:64],
        source=f"lookup:{gateway}",
        price=answer.price,
        currency=answer.currency,
        known_at=now,
        attempts=0,
        asked_at=now,
    )


def _in_vain(row: NumberRow, why: str) -> _Asked:
    return _Asked(row, why_not=why, is_over=row.attempts + 1 >= _TRIES)


def known_numbers(ledger: Ledger, account_id: str, msisdns: Sequence[str]) -> Mapping[str, NumberRow]:
    """Read what is known of numbers, without asking anybody."""
    with ledger.begin(write=False) as uow:
        return uow.numbers.of(account_id, msisdns)
