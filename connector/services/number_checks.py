"""Can a number receive a text at all, as far as lookups and receipts have told?

Asked in the transaction that claims a text, so that a landline or a number that does not exist never costs a send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.gateway_book import LookupRule
from connector.domain.message import Purpose
from connector.ports.ledger import UnitOfWork
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.messages import MessageRow
from connector.ports.number_lookup import LineType
from connector.ports.queue import LOOKUPS

BEING_LOOKED_UP = "its number is being looked up"
"""Reason of a hold that ends when the answer is there."""

_ANSWER_WITHIN = timedelta(minutes=2)
"""A text does not wait longer for a lookup: it goes out, as it would have without one."""

_SKIPPED_FOR = timedelta(days=1)
"""A number that could not be asked about is tried again then: tomorrow there are new lookups, and gateways answer."""

ENOUGH_RECEIPTS = 2
"""How often a carrier has to say that a number is dead before texts stay away from it: one may be a mistake."""

_IN_WORDS = {
    LineType.LANDLINE: "a landline",
    LineType.TOLL_FREE: "a toll-free number",
    LineType.INVALID: "no number in service",
}


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a text cannot go to its number; `until` is set when it only waits."""

    reason: str
    until: datetime | None = None


class NumberDesk:
    """Judges numbers by what is known of them, and asks for what is not."""

    def __init__(self, rule: LookupRule) -> None:
        self._rule = rule

    def objections(self, uow: UnitOfWork, rows: Sequence[MessageRow], now: datetime) -> Mapping[str, Objection]:
        """Give what stands against texts, by message id; asks for lookups of numbers nothing is known of."""
        found: dict[str, Objection] = {}
        for account_id in sorted({row.account_id for row in rows}):
            of_account = [row for row in rows if row.account_id == account_id]
            known = uow.numbers.of(account_id, sorted({row.msisdn for row in of_account}))
            wanted = [row for row in of_account if self._is_to_be_asked(row, known.get(row.msisdn), now)]
            self._ask(uow, account_id, wanted, known, now)
            for row in of_account:
                number = known.get(row.msisdn)
                if number is not None and _is_hopeless(number, row.purpose):
                    found[row.id] = Objection(f"the number is {_IN_WORDS[number.line_type]} ({number.source})")
            for row in wanted:
                found[row.id] = Objection(BEING_LOOKED_UP, now + _ANSWER_WITHIN)
        return found

    def _is_to_be_asked(self, row: MessageRow, known: NumberRow | None, now: datetime) -> bool:
        if not self._rule.gateways or row.purpose not in self._rule.purposes or row.tries:
            return False
        if now - row.created_at >= _ANSWER_WITHIN and known is not None and known.state is LookupState.WANTED:
            return False  # it has waited long enough
        if known is None or known.state is LookupState.WANTED:
            return True
        keep = min(self._rule.keep, _SKIPPED_FOR) if known.state is LookupState.SKIPPED else self._rule.keep
        return known.known_at is None or now - known.known_at > keep

    def _ask(
        self,
        uow: UnitOfWork,
        account_id: str,
        rows: Sequence[MessageRow],
        known: Mapping[str, NumberRow],
        now: datetime,
    ) -> None:
        if not rows:
            return
        numbers = sorted({row.msisdn for row in rows})
        wanted = [NumberRow(account_id, number, LookupState.WANTED, now) for number in numbers]
        uow.numbers.want([row for row in wanted if row.msisdn not in known])
        stale = [number for number in numbers if number in known and known[number].state is not LookupState.WANTED]
        uow.numbers.save([row for row in wanted if row.msisdn in stale])
        uow.nudge(LOOKUPS)


def _is_hopeless(number: NumberRow, purpose: Purpose) -> bool:
    """Tell whether a text to a number is money thrown away.

    What carriers say of a number in receipts counts from the second time on, and never against a one-time code:
    somebody is there and waits for it.
    """
    if number.state is not LookupState.KNOWN or number.line_type not in _IN_WORDS:
        return False
    if number.source.startswith("receipt:"):
        return number.attempts >= ENOUGH_RECEIPTS and purpose is not Purpose.OTP
    return True
