"""How do the parts of a long SMS that a person wrote become one again, where a gateway hands them over one by one?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from connector.ports.gateway import IncomingSMS
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.pieces import PieceRow
from connector.ports.time import Clock

log = structlog.get_logger(__name__)

COMPLETE_WITHIN = timedelta(minutes=3)
"""Parts come within seconds of each other; a text that lacks one is read as it is, or a STOP in it would be lost."""

_BATCH = 50
_LOCK = "pieces"  # in place of an account: whose number was written to is found out with the whole text

TakeReply = Callable[[UnitOfWork, IncomingSMS, str, datetime], str]


class PieceDesk:
    """Puts parts together, and hands whole texts on."""

    def __init__(self, take_reply: TakeReply) -> None:
        self._take_reply = take_reply

    def take(self, uow: UnitOfWork, sms: IncomingSMS, gateway: str, now: datetime) -> str:
        """Take an SMS, whole or in part; give a word for what it came to."""
        if sms.piece is None:
            return self._take_reply(uow, sms, gateway, now)
        row = PieceRow(gateway, sms, now)
        uow.lock_numbers(_LOCK, [sms.from_])  # two parts that come at once would else each miss the other one
        uow.pieces.add(row)
        pieces = uow.pieces.of(row)
        if len(pieces) < sms.piece.total:
            return f"part {sms.piece.number} of {sms.piece.total} is kept"
        return self._put_together(uow, pieces, now)

    def take_incomplete(self, ledger: Ledger, clock: Clock) -> int:
        """Read texts whose other parts have not come in time as they are; give how many."""
        now = clock.now()
        with ledger.begin(write=False) as uow:
            late = uow.pieces.older_than(now - COMPLETE_WITHIN, _BATCH)
        return sum(self._take_late(ledger, row, now) for row in late)

    def _take_late(self, ledger: Ledger, row: PieceRow, now: datetime) -> bool:
        """Read one in a transaction of its own, so that a poisoned one harms no other; False when it has been read."""
        try:
            with ledger.begin() as uow:
                uow.lock_numbers(_LOCK, [row.sms.from_])
                pieces = uow.pieces.of(row)
                if pieces:
                    self._put_together(uow, pieces, now)
                uow.commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, the others are to be read
            log.error("incoming.not_read", gateway=row.gateway, error=type(error).__name__)
            self._put_off(ledger, row, now)
            return False
        return bool(pieces)

    def _put_off(self, ledger: Ledger, row: PieceRow, now: datetime) -> None:
        """Look at a text that cannot be read when the others have had their turn; it is kept, it may say STOP."""
        try:
            with ledger.begin() as uow:
                uow.pieces.put_off([row], now)
                uow.commit()
        except Exception as error:  # noqa: BLE001 - then it comes first again; the others of this batch are still read
            log.error("incoming.not_put_off", gateway=row.gateway, error=type(error).__name__)

    def _put_together(self, uow: UnitOfWork, pieces: Sequence[PieceRow], now: datetime) -> str:
        first = pieces[0]
        whole = replace(first.sms, body="".join(each.sms.body for each in pieces), piece=None)
        outcome = self._take_reply(uow, whole, first.gateway, now)
        uow.pieces.drop(pieces)
        return outcome
