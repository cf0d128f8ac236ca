"""Which way does each text of a batch go: through which gateway, from which sender, and why?

A text is routed when it is about to be claimed, and again when its choice has grown old or its gateway failed it. A
text whose way leads elsewhere moves to that gateway's lane; one that has no way waits, and says for what.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connector.domain.candidates import lot
from connector.domain.circuit import down_for
from connector.domain.gateway_book import GatewayBook
from connector.domain.routing import Choice, NoRoute, Wanted, choose
from connector.domain.scoring import Scores
from connector.domain.sender_rules import named_senders
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.services.gateway_health import HealthBoard
from connector.services.route_scores import Scoring
from connector.services.tried_gateways import tried_gateways

_GOOD_FOR = timedelta(minutes=1)
"""How long a choice holds: a text that waited longer is weighed anew, since gateways change within minutes."""

_TRY_AGAIN = timedelta(seconds=15)  # a way that is closed now may be open then: circuits rest for five seconds or more
_SELDOM = timedelta(
    minutes=15
)  # a text that found no way for hours is looked at as often: each look is told in its trace
_NONE = frozenset[str]()
_SHARE_OF_WAIT = 0.1  # a text waits at most a tenth longer than the outage that keeps it


@dataclass(frozen=True, slots=True)
class Way:
    """How a text goes.

    Attributes:
        carrier: of its recipient, empty when not known.
        is_new: it was chosen just now.
        numbers: what the choice went by, for the trace; empty where there was nothing to choose.
    """

    gateway: str
    sender: str | None
    reason: str
    carrier: str = ""
    is_new: bool = False
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoWay:
    """Why a text cannot go through any gateway now, and when to look again.

    Attributes:
        until: None when looking again does not help: somebody has to change a file or the text.
    """

    reason: str
    until: datetime | None
    numbers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Made:
    """Choices that were made by the same scores and shares: by the text, but for its id, and the usual gateway."""

    scores: Scores | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    choices: dict[tuple[Wanted, str], Choice | NoRoute] = field(default_factory=dict)


class Router:
    """Chooses ways. For one thread.

    Args of the constructor:
        usual: gateway of accounts that name none, for purposes without a route.
        configured: gateways that can be used in this installation.
    """

    def __init__(
        self,
        book: GatewayBook,
        usual: str,
        configured: Collection[str],
        health: HealthBoard,
        scores: Scoring,
    ) -> None:
        self._book, self._usual, self._configured = book, usual, frozenset(configured)
        self._health, self._scores = health, scores
        self._made = _Made()
        self._owned: tuple[datetime, Mapping[str, frozenset[str]]] | None = None
        self._has_choices = any(len(rule.gateways) > 1 for rule in book.routes.values())

    def refresh(self) -> None:
        """Read anew what choices go by; before a transaction begins, or its locks would wait for the reading."""
        self._scores.refresh()
        self._health.shares()

    def ways(self, uow: UnitOfWork, rows: Sequence[MessageRow], now: datetime) -> Mapping[str, Way | NoWay]:
        """Give the way of every text, by message id."""
        shares = self._health.shares()
        tried = tried_gateways(uow, [row for row in rows if row.tries])
        carriers = self._carriers(uow, rows)
        fresh = {
            row.id: Way(row.gateway, row.sender, "", carriers.get((row.account_id, row.msisdn), ""))
            for row in rows
            if self._holds(row, tried.get(row.id, ()), shares, now)
        }
        rest = [row for row in rows if row.id not in fresh]
        if not rest:
            return fresh
        senders, owned = self._conversations(uow, rest), self._owners(uow, now)
        return fresh | {
            row.id: self._way(
                row,
                Wanted(
                    message_id=row.id,
                    purpose=row.purpose,
                    country=row.country,
                    carrier=carriers.get((row.account_id, row.msisdn), ""),
                    segments=row.segments,
                    route=row.route,
                    sender=row.wanted_sender,
                    conversation_sender=senders.get((row.account_id, row.msisdn)),
                    tried=tried.get(row.id, frozenset()),
                    own=owned.get(row.account_id, _NONE),
                    foreign=_foreign(owned, row.account_id),
                ),
                shares,
                now,
            )
            for row in rest
        }

    def explain(self, wanted: Wanted, now: datetime) -> Way | NoWay:
        """Choose as for a text that was made just now, without one."""
        way = self._chosen(wanted, self._usual, self._health.shares())
        return self._no_way(way, wanted, self._usual, now, now) if isinstance(way, NoRoute) else way

    def others(self, row: MessageRow, tried: Collection[str]) -> bool:
        """Tell whether another gateway, not tried yet, could take a text now."""
        shares = self._health.shares()
        gateways = self._book.route_for(row.purpose, row.route).gateways
        if not any(shares.get(gateway, 0.0) > 0 for gateway in gateways if gateway not in tried):
            return False
        owned = {} if self._owned is None else self._owned[1]
        wanted = Wanted(
            message_id=row.id,
            purpose=row.purpose,
            country=row.country,
            segments=row.segments,
            route=row.route,
            sender=row.wanted_sender,
            tried=frozenset(tried),
            own=owned.get(row.account_id, _NONE),
            foreign=_foreign(owned, row.account_id),
        )
        choice = choose(self._book, wanted, shares, self._scores.scores(), row.gateway)
        return isinstance(choice, Choice) and choice.gateway not in tried

    def _holds(self, row: MessageRow, tried: Collection[str], shares: Mapping[str, float], now: datetime) -> bool:
        """Tell whether the choice made for a text still stands; not once its gateway has failed with it."""
        if row.gateway in tried or row.routed_at is None or not timedelta() <= now - row.routed_at < _GOOD_FOR:
            return False
        return shares.get(row.gateway, 0.0) > 0

    def _carriers(self, uow: UnitOfWork, rows: Sequence[MessageRow]) -> Mapping[tuple[str, str], str]:
        """Give the carriers of numbers, as far as they are known; without a choice they do not matter."""
        if not self._has_choices:
            return {}
        return {
            (account_id, number): known.carrier
            for account_id, numbers in _by_account(rows).items()
            for number, known in uow.numbers.of(account_id, numbers).items()
        }

    def _owners(self, uow: UnitOfWork, now: datetime) -> Mapping[str, frozenset[str]]:
        """Give the senders that accounts name as theirs, by account; nobody owns any while no sender is listed."""
        if not self._book.senders:
            return {}
        if self._owned is None or not timedelta() <= now - self._owned[0] < _GOOD_FOR:
            named = {each.id: named_senders(each.settings) for each in uow.accounts.all()}
            self._owned = now, {account_id: senders for account_id, senders in named.items() if senders}
        return self._owned[1]

    def _conversations(self, uow: UnitOfWork, rows: Sequence[MessageRow]) -> Mapping[tuple[str, str], str]:
        """Give the sender people know us by; there is nothing to keep to while no sender is listed."""
        if not self._book.senders:
            return {}
        return {
            (account_id, number): sender
            for account_id, numbers in _by_account(rows).items()
            for number, sender in uow.messages.last_senders(account_id, numbers).items()
        }

    def _way(self, row: MessageRow, wanted: Wanted, shares: Mapping[str, float], now: datetime) -> Way | NoWay:
        usual = row.gateway if row.gateway in self._configured else self._usual
        way = self._chosen(wanted, usual, shares)
        return self._no_way(way, wanted, usual, row.alive_since, now) if isinstance(way, NoRoute) else way

    def _chosen(self, wanted: Wanted, usual: str, shares: Mapping[str, float]) -> Way | NoRoute:
        scores = self._scores.scores()
        choice = self._alike(wanted, usual, shares, scores)
        if isinstance(choice, NoRoute) and not choice.is_final:
            # Each of those that answer slowly gets less at a time; when there are no others, that is slowing enough.
            choice = choose(
                self._book, wanted, {name: float(share > 0) for name, share in shares.items()}, scores, usual
            )
        if isinstance(choice, NoRoute):
            return choice
        numbers = choice.numbers if len(choice.numbers["candidates"]) > 1 else {}
        return Way(choice.gateway, choice.sender, choice.reason, wanted.carrier, is_new=True, numbers=numbers)

    def _no_way(self, found: NoRoute, wanted: Wanted, usual: str, since: datetime, now: datetime) -> NoWay:
        """Say until when a text waits that was made at `since`."""
        if found.is_final:
            return NoWay(found.reason, None, found.numbers)
        return NoWay(found.reason, self._opens_at(wanted, usual, since, now), found.numbers)

    def _alike(self, wanted: Wanted, usual: str, shares: Mapping[str, float], scores: Scores) -> Choice | NoRoute:
        """Choose, or give the choice made for a text just like this one, as long as scores and shares stand.

        Choosing takes longer than all else that is done to route a text. Only texts for which a lot decides, a trial
        or a circuit that is open in part, are each chosen for by themselves.
        """
        rule = self._book.route_for(wanted.purpose, wanted.route)
        is_drawn = any(0 < share < 1 for share in shares.values()) or lot(wanted.message_id, "trial") < rule.explore
        if is_drawn:
            return choose(self._book, wanted, shares, scores, usual)
        if self._made.scores is not scores or self._made.shares != shares:
            self._made = _Made(scores, shares)
        alike = replace(wanted, message_id=""), usual
        if alike not in self._made.choices:
            self._made.choices[alike] = choose(self._book, wanted, shares, scores, usual)
        return self._made.choices[alike]

    def _opens_at(self, wanted: Wanted, usual: str, since: datetime, now: datetime) -> datetime:
        """Say when to look again: once a gateway that could take the text is tried again, and less and less often.

        What grows is the shorter of the text's own wait and the outage: a text that was made days ago for today has not
        waited for a gateway all the time.
        """
        gateways = self._book.route_for(wanted.purpose, wanted.route).gateways or (usual,)
        known = [self._health.of(gateway) for gateway in gateways if gateway in self._configured]
        down = {each.until: down_for(each, now) for each in known if each.until is not None}
        until, waited = min(down, default=now), min([now - since, *down.values()])
        return max(until, now + min(max(waited * _SHARE_OF_WAIT, _TRY_AGAIN), _SELDOM))


def _foreign(owned: Mapping[str, frozenset[str]], account_id: str) -> frozenset[str]:
    """Give the senders that only other accounts own."""
    others = _NONE.union(*(senders for owner, senders in owned.items() if owner != account_id))
    return others - owned.get(account_id, _NONE)


def _by_account(rows: Sequence[MessageRow]) -> Mapping[str, list[str]]:
    numbers: dict[str, set[str]] = {}
    for row in rows:
        numbers.setdefault(row.account_id, set()).add(row.msisdn)
    return {account_id: sorted(found) for account_id, found in sorted(numbers.items())}
