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

    def record(self, uow: UnitOfWork, order: ConsentOrder) -> ConsentStanding:
        """Keep what a program says, with all that follows; tell how the number stands then.

        Raises:
            UnusableOrderError: it is no number.
            OptOutStandsError: an opt-out that was not made by a program.
        """
        msisdn = number_of(uow, order.account_id, order.number, "number")
        uow.lock_numbers(order.account_id, [msisdn])
        if order.scope is Scope.MARKETING:
            self._about_marketing(uow, order, msisdn)
        else:
            self._about_everything(uow, order, msisdn)
        return _standing(uow, order.account_id, msisdn)

    def _about_everything(self, uow: UnitOfWork, order: ConsentOrder, msisdn: str) -> None:
        said, now = self._saying(order, msisdn), self._clock.now()
        if order.kind is ConsentKind.OPT_OUT:
            self._desk.opt_out(uow, said, now)
        elif self._desk.opt_in(uow, said, now) is OptIn.BLOCK_STANDS:
            raise OptOutStandsError("an opt-out that was not made by a program stands")

    def _about_marketing(self, uow: UnitOfWork, order: ConsentOrder, msisdn: str) -> None:
        """An opt-in to marketing is evidence; an opt-out of it holds in countries that ask for no evidence too."""
        if order.kind is ConsentKind.OPT_OUT:
            event = self._event(order, msisdn)
            if uow.consents.record(event):
                uow.consents.suppress(event)
            return
        standing = _suppression(uow, order.account_id, msisdn)
        if standing is not None and standing.mechanism != Mechanism.API:
            raise OptOutStandsError("an opt-out that was not made by a program stands")
        if self._desk.agree_to_marketing(uow, self._saying(order, msisdn), asked=order.asked):
            uow.consents.lift(order.account_id, msisdn, Scope.MARKETING)

    def _saying(self, order: ConsentOrder, msisdn: str) -> Saying:
        return Saying(
            account_id=order.account_id,
            msisdn=msisdn,
            mechanism=Mechanism.API,
            source=order.source,
            at=self._clock.now(),
            wording=order.wording,
        )

    def _event(self, order: ConsentOrder, msisdn: str) -> ConsentEvent:
        return ConsentEvent(
            id=self._ledger.new_id(),
            account_id=order.account_id,
            msisdn=msisdn,
            kind=order.kind,
            scope=order.scope,
            mechanism=Mechanism.API.value,
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
