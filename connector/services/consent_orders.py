"""How does a program of the account's tell us who agreed to what, and hear how things stand?

A program speaks for its company, not for the person: what it blocked it may unblock, and an opt-out that the person
made by SMS stands until the person takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector.errors import ConnectorError
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope, Suppression
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.time import Clock
from connector.services.consent import ConsentDesk, OptIn, Saying
from connector.services.message_desk import number_of


class OptOutStandsError(ConnectorError):
    """An opt-out that a program may not take back: the person or the staff made it."""


@dataclass(frozen=True, slots=True)
class ConsentOrder:
    """What a program says of a number.

    Attributes:
        number: as typed.
        kind: `opt_in` or `opt_out`.
        source: where it knows it from; the same source never counts twice.
        wording: what the person said or ticked, in their words.
        asked: the text that asked for it.
    """

    account_id: str
    number: str = field(repr=False)
    kind: ConsentKind
    scope: Scope
    source: str
    wording: str = field(default="", repr=False)
    asked: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ConsentStanding:
    """How a number stands.

    Attributes:
        suppressions: the standing "never"s.
        marketing: its latest word about marketing, or None.
        history: all evidence, oldest first.
    """

    msisdn: str = field(repr=False)
    suppressions: Sequence[Suppression]
    marketing: ConsentKind | None
    history: Sequence[ConsentEvent]


class ConsentOrders:
    """Takes a program's word, and tells how numbers stand."""

    def __init__(self, ledger: Ledger, desk: ConsentDesk, clock: Clock) -> None:
        self._ledger, self._desk, self._clock = ledger, desk, clock

    def standing(self, account_id: str, number: str) -> ConsentStanding:
        """Tell how a number stands.

        Raises:
            UnusableOrderError: it is no number.
        """
        with self._ledger.begin(write=False) as uow:
            return _standing(uow, account_id, number_of(uow, account_id, number, "number"))

    def record(self, uow: UnitOfWork, order: ConsentOrder) -> ConsentStanding | OptOutStandsError:
        """Keep what a program says, with all that follows; tell how the number stands then.

        That an opt-out stands which no program made is given back, to be raised after the commit: the timeline keeps
        that somebody wanted it lifted.

        Raises:
            UnusableOrderError: it is no number.
        """
        msisdn = number_of(uow, order.account_id, order.number, "number")
        uow.lock_numbers(order.account_id, [msisdn])
        said = self._saying(order, msisdn)
        if order.kind is ConsentKind.OPT_OUT:
            self._desk.opt_out(uow, said, said.at, order.scope)
        elif not (self._is_lifted if order.scope is Scope.ALL else self._is_agreed)(uow, said):
            return OptOutStandsError("an opt-out that was not made by a program stands")
        return _standing(uow, order.account_id, msisdn)

    def _is_lifted(self, uow: UnitOfWork, said: Saying) -> bool:
        return self._desk.opt_in(uow, said, said.at) is not OptIn.BLOCK_STANDS

    def _is_agreed(self, uow: UnitOfWork, said: Saying) -> bool:
        """Take an opt-in to marketing, which is evidence; False when a block of it stands that no program made."""
        standing = _suppression(uow, said.account_id, said.msisdn)
        if standing is not None and standing.mechanism != Mechanism.API:
            return False
        if self._desk.agree_to_marketing(uow, said):
            uow.consents.lift(said.account_id, said.msisdn, Scope.MARKETING)
        return True

    def _saying(self, order: ConsentOrder, msisdn: str) -> Saying:
        return Saying(
            account_id=order.account_id,
            msisdn=msisdn,
            mechanism=Mechanism.API,
            source=order.source,
            at=self._clock.now(),
            wording=order.wording,
            asked=order.asked,
        )


def _suppression(uow: UnitOfWork, account_id: str, msisdn: str) -> Suppression | None:
    found = uow.consents.suppressions(account_id, [msisdn]).get(msisdn, ())
    return next((each for each in found if each.scope is Scope.MARKETING), None)


def _standing(uow: UnitOfWork, account_id: str, msisdn: str) -> ConsentStanding:
    return ConsentStanding(
        msisdn=msisdn,
        suppressions=uow.consents.suppressions(account_id, [msisdn]).get(msisdn, ()),
        marketing=uow.consents.marketing_consent(account_id, [msisdn]).get(msisdn),
        history=uow.consents.history(account_id, msisdn),
    )
