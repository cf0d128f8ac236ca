"""Which account's CRM is searched next, for what, and when again?

Whoever waits longest has its turn first, with one search; the account's other searches wait behind those of the others.
Searches are planned where they are missing and forgotten where nobody needs them any more, so that a round writes what
is due and no more. A search that fails is put off and keeps no other from its turn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

import structlog

from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.time import Clock
from connector.services.crm_reading import acting_for
from connector.services.disconnecting import disconnect
from connector.services.poll_planning import plan_missing

log = structlog.get_logger(__name__)

PLANNED_EVERY = timedelta(minutes=1)
"""How long somebody who became an account may wait while there is always something due; otherwise a round plans."""

_SPREAD = 0.1  # accounts connected together do not search together for ever


class Search(Protocol):
    """What an account is searched for."""

    @property
    def name(self) -> str:
        """As the polls of the ledger call it."""
        ...


S = TypeVar("S", bound=Search)


@dataclass(frozen=True, slots=True)
class Turn(Generic[S]):
    """A search that is to be made now, and the account as it is now, without its tokens."""

    account: AccountRow
    search: S


class SearchTurns(Generic[S]):
    """Gives turns for the searches of one kind, and takes over what became of them.

    Args of the constructor:
        searches: gives what an active account is searched for, the most urgent first; raises a `CRMError` where the
            account's settings do not let us say.
        kind: of the polls, as `ports.polls` has it.
        lease: how long a turn is nobody else's.
    """

    def __init__(
        self,
        ledger: Ledger,
        searches: Callable[[UnitOfWork, AccountRow], Sequence[S]],
        kind: str,
        lease: timedelta,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._ledger, self._searches, self._kind, self._lease = ledger, searches, kind, lease
        self._clock, self._rng = clock, rng
        self._planned_at: datetime | None = None
        self._unknown: dict[str, CRMError] = {}
        self._told: set[tuple[str, date]] = set()

    def take(self, now: datetime, most: int) -> Sequence[Turn[S]]:
        """Lease the turns of up to `most` accounts that were due at a time; none when nothing was."""
        has_planned = self._planned_at is None or not timedelta() <= now - self._planned_at < PLANNED_EVERY
        if has_planned:
            self._plan(now)
        turns = self._claim(now, most)
        if not turns and not has_planned and self._plan(now):
            turns = self._claim(now, most)
        self._tell_unknown(now)
        return turns

    def _plan(self, now: datetime) -> bool:
        """Plan the searches that are missing, at once; tell whether any was."""
        self._planned_at = now
        return plan_missing(self._ledger, self._kind, self._all_wanted, now)

    def _all_wanted(self, uow: UnitOfWork) -> Iterator[tuple[str, str]]:
        for account in uow.accounts.connected():
            yield from ((account.id, search.name) for search in self._wanted(uow, account))

    def _wanted(self, uow: UnitOfWork, account: AccountRow) -> Sequence[S]:
        try:
            return self._searches(uow, account)
        except CRMError as error:
            self._unknown[account.id] = error
            return ()

    def _tell_unknown(self, now: datetime) -> None:
        """Show a person, once a day, whose settings do not let us say what to search for; what was told is not written
        again with every round.
        """
        unknown, self._unknown = self._unknown, {}
        self._told = {(account_id, day) for account_id, day in self._told if day == now.date()}
        untold = {each: error for each, error in unknown.items() if (each, now.date()) not in self._told}
        if not untold:
            return
        with self._ledger.begin() as uow:
            new = [each for each, error in untold.items() if uow.timeline.add([_unknown(each, error, now)])]
            uow.commit()
        for account_id in new:
            log.warning("search.unknown", account_id=account_id, status=untold[account_id].status)
        self._told |= {(each, now.date()) for each in untold}

    def _claim(self, now: datetime, most: int) -> Sequence[Turn[S]]:
        turns: list[Turn[S]] = []
        with self._ledger.begin() as uow:
            while not turns and (due := uow.polls.claim(now, self._clock.now() + self._lease, most, self._kind)):
                by_account = _by_account(due)
                accounts = {each.id: each for each in uow.accounts.connected(by_account.keys())}
                for account_id, names in by_account.items():
                    turns += self._turn(uow, account_id, accounts.get(account_id), names, now)
            uow.commit()
        return turns

    def _turn(
        self, uow: UnitOfWork, account_id: str, account: AccountRow | None, names: Collection[str], now: datetime
    ) -> Iterable[Turn[S]]:
        """Give the most urgent search of an account that is due; give back the others, forget what nobody needs."""
        wanted = [] if account is None else [each for each in self._wanted(uow, account) if each.name in names]
        for name in {*names} - {each.name for each in wanted}:
            uow.polls.drop(account_id, name)
        for each in wanted[1:]:
            uow.polls.next(account_id, each.name, now)
        return [Turn(account, each) for each in wanted[:1] if account is not None]

    def after(self, every: timedelta) -> timedelta:
        """Give how long the next search waits: a little less each time than `every`, that accounts drift apart."""
        return every * (1 - _SPREAD * self._rng.random())

    def make(self, turn: Turn[S], every: timedelta, search: Callable[[Turn[S]], int], **told: Any) -> int:
        """Make a search and give what it gives; one that fails is tried again, and 0.

        Args:
            turn: as it was taken.
            every: after which it is tried again, where the CRM does not say.
            search: makes it, keeps what it finds and says when the next one is.
            told: how it is told that the CRM refuses it, once a day: `summary` and other fields of a `TimelineEntry`.
        """
        try:
            return search(turn)
        except CRMError as error:
            self._failed(turn, every, error, told)
        except Exception as error:  # noqa: BLE001 - whatever one account holds, the others are to be searched
            log.error("search.broke", account_id=turn.account.id, search=turn.search.name, error=type(error).__name__)
            with self._ledger.begin() as uow:
                uow.polls.next(turn.account.id, turn.search.name, self._clock.now() + every)
                uow.commit()
        return 0

    def _failed(self, turn: Turn[S], every: timedelta, error: CRMError, told: Mapping[str, Any]) -> None:
        """Say when a search is tried again, a little later than the CRM says that accounts drift apart."""
        account, name, now = turn.account, turn.search.name, self._clock.now()
        log.warning("search.failed", account_id=account.id, search=name, status=error.status, category=error.category)
        wait = error.retry_after * (1 + _SPREAD * self._rng.random()) if error.retry_after else self.after(every)
        with self._ledger.begin() as uow:
            if isinstance(error, CRMDisconnectedError):
                disconnect(uow, acting_for(account), error, now)
            elif isinstance(error, CRMRefusedError):
                uow.timeline.add([_refusal(turn, error, now, **told)])
            uow.polls.next(account.id, name, now + wait)
            uow.commit()


def _by_account(due: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for account_id, name in due:
        found.setdefault(account_id, []).append(name)
    return found


def _unknown(account_id: str, error: CRMError, now: datetime) -> TimelineEntry:
    return TimelineEntry(
        account_id=account_id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject="poll:settings",
        discriminator=f"unknown:{now.date()}",
        at=now,
        summary=f"The account's settings do not let us say what to search its CRM for, so it is not searched: {error}",
        data={"category": error.category},
    )


def _refusal(turn: Turn[S], error: CRMRefusedError, now: datetime, summary: str, **told: Any) -> TimelineEntry:
    """Show a person, once a day, that a search is refused; for a missing scope the account lives on without it."""
    return TimelineEntry(
        account_id=turn.account.id,
        kind=EntryKind.ATTENTION_NEEDED,
        subject=f"poll:{turn.search.name}",
        discriminator=f"refused:{now.date()}",
        at=now,
        summary=f"{summary}: {error}",
        data={"search": turn.search.name, "category": error.category},
        **told,
    )
