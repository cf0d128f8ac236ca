"""May a text still be paid for today, and what has it cost?

Each day of an account's clock has its own sums, kept in the transaction that claims a text: what it is expected to cost
counts at once, and is corrected when the gateway tells. A text over a budget waits for the next day, and says so. A
gateway's budget counts the texts of all accounts, whose clocks differ: its days are those of UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from connector.domain.gateway_book import Budget, BudgetScope, GatewayBook
from connector.ports.attempts import AttemptRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.traffic import Spending

log = structlog.get_logger(__name__)

_UTC = ZoneInfo("UTC")

_LOCK = "budget"
"""Claims that count against one budget do it one after the other, or two could spend the last cent. Whoever holds a
gateway's lock asks for those of accounts after it, so that no two claims wait for each other."""

_GATEWAYS = ""  # in place of an account: what a gateway's budget counts is all accounts'

_LOOK_AGAIN = timedelta(hours=1)  # for a price that is missing: somebody has to write it into the file first


@dataclass(frozen=True, slots=True)
class OverBudget:
    """Why a text has to wait, and until when."""

    reason: str
    until: datetime


@dataclass
class _Sum:
    texts: int = 0
    amount: Decimal = Decimal(0)


class BudgetDesk:
    """Keeps budgets. Costs nothing while there are none."""

    def __init__(self, book: GatewayBook) -> None:
        self._book = book

    def held(
        self, uow: UnitOfWork, gateway: str, rows: Sequence[MessageRow], now: datetime
    ) -> Mapping[str, OverBudget]:
        """Give those texts, by message id, that are over a budget; earlier texts of the batch count for later ones."""
        if not self._book.budgets:
            return {}
        days = _Days(uow, now)
        self._lock(uow, gateway, rows)
        spent = list(uow.traffic.spent(sorted({each.isoformat() for row in rows for each in days.both(row)})))
        held: dict[str, OverBudget] = {}
        for row in rows:
            new = self._spending(gateway, row, days)
            objections = (_objection(each, new, spent, days) for each in self._book.budgets)
            objection = next((each for each in objections if each is not None), None)
            if objection is None:
                spent.append(new)
            else:
                held[row.id] = objection
        return held

    def _lock(self, uow: UnitOfWork, gateway: str, rows: Sequence[MessageRow]) -> None:
        """Hold what these texts may count against, and nothing else: claims through other gateways go on meanwhile."""
        budgets = self._book.budgets
        if any(each.scope is BudgetScope.GATEWAY and each.name in {"", gateway} for each in budgets):
            uow.lock_numbers(_GATEWAYS, [f"{_LOCK}:{gateway}"])
        if any(each.scope is not BudgetScope.GATEWAY for each in budgets):
            for account_id in sorted({row.account_id for row in rows}):
                uow.lock_numbers(account_id, [_LOCK])

    def reserve(
        self, uow: UnitOfWork, claims: Sequence[tuple[MessageRow, AttemptRow]], now: datetime
    ) -> Sequence[AttemptRow]:
        """Count claimed texts with what they are expected to cost; give their attempts, which remember it."""
        if not self._book.budgets:
            return [attempt for _, attempt in claims]
        days = _Days(uow, now)
        spendings = [self._spending(attempt.gateway, row, days) for row, attempt in claims]
        uow.traffic.spend(spendings)
        return [
            replace(attempt, estimate=new.amount, spent_on=new.day)
            for (_, attempt), new in zip(claims, spendings, strict=True)
        ]

    def correct(self, before: AttemptRow, after: AttemptRow, journey: str) -> Spending | None:
        """Give what is to be added when the gateway has told what an attempt really cost; None for nothing."""
        if before.estimate is None or before.spent_on is None or after.price is None or after.price == before.price:
            return None
        listed = self._book.prices.get(after.gateway)
        if listed is None or listed.currency != after.currency:
            return None  # sums of one currency cannot take another's
        counted = before.price if before.price is not None else before.estimate
        return _more(after, journey, listed.currency, 0, after.price - counted)

    def give_back(self, attempt: AttemptRow, journey: str) -> Spending | None:
        """Give what is to be added when an attempt certainly did not go out; None for nothing."""
        if attempt.estimate is None or attempt.spent_on is None:
            return None
        listed = self._book.prices.get(attempt.gateway)
        return _more(attempt, journey, listed.currency if listed is not None else "", -1, -attempt.estimate)

    def _spending(self, gateway: str, row: MessageRow, days: _Days) -> Spending:
        price = self._book.price(gateway, row.segments, row.country)
        day, utc_day = (each.isoformat() for each in days.both(row))
        amount, currency = (Decimal(0), "") if price is None else (price.amount, price.currency)
        return Spending(row.account_id, day, gateway, row.journey, currency, 1, amount, utc_day)


class _Days:
    """Which day it is by the clocks of the accounts, and by UTC."""

    def __init__(self, uow: UnitOfWork, now: datetime) -> None:
        self._uow, self._now = uow, now
        self._zones: dict[str, ZoneInfo] = {}

    def both(self, row: MessageRow) -> tuple[date, date]:
        """Give a text's day by its account's clock, and by UTC."""
        return self._now.astimezone(self._zone(row.account_id)).date(), _utc_day(self._now)

    def end(self, budget: Budget, account_id: str) -> datetime:
        """Give a budget's next midnight, in UTC."""
        zone = _UTC if budget.scope is BudgetScope.GATEWAY else self._zone(account_id)
        tomorrow = self._now.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), zone).astimezone(self._now.tzinfo)

    def later(self) -> datetime:
        """Give when to look again for what somebody has to change."""
        return self._now + _LOOK_AGAIN

    def _zone(self, account_id: str) -> ZoneInfo:
        if account_id not in self._zones:
            name = self._uow.accounts.get(account_id).settings.get("time_zone")
            self._zones[account_id] = _zone_called(account_id, str(name or "UTC"))
        return self._zones[account_id]


def _zone_called(account_id: str, name: str) -> ZoneInfo:
    """Give a time zone; UTC when there is none of that name: one account's setting must not hold everybody's texts."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # unknown; no name at all; the name of a folder
        log.warning("budget.unknown_time_zone", account_id=account_id)
        return _UTC


def _utc_day(at: datetime) -> date:
    return at.astimezone(_UTC).date()


def _objection(budget: Budget, new: Spending, spent: Sequence[Spending], days: _Days) -> OverBudget | None:
    """Say why a budget keeps a text back; None when it does not."""
    if _name(budget.scope, new) is None or budget.name not in {"", _name(budget.scope, new)}:
        return None
    money = budget.per_day_spend
    if money is not None and budget.per_day_texts is None and new.currency != money.currency:
        told = f"{_in_words(budget, new)} cannot be kept: {new.gateway} has no price in {money.currency}"
        return OverBudget(told, days.later())
    if not _is_over(budget, new, spent):
        return None
    return OverBudget(f"{_in_words(budget, new)} is used up for today", days.end(budget, new.account_id))


def _is_over(budget: Budget, new: Spending, spent: Sequence[Spending]) -> bool:
    total = _Sum()
    for each in (*spent, new):
        if _counts(budget, each, new):
            total.texts += each.texts
            if budget.per_day_spend is not None and each.currency == budget.per_day_spend.currency:
                total.amount += each.amount
    if budget.per_day_texts is not None and total.texts > budget.per_day_texts:
        return True
    return budget.per_day_spend is not None and total.amount > budget.per_day_spend.amount


def _counts(budget: Budget, each: Spending, new: Spending) -> bool:
    """Tell whether what was spent counts against the same budget, on the same day, as a new text."""
    if _name(budget.scope, each) != _name(budget.scope, new):
        return False
    if budget.scope is BudgetScope.GATEWAY:
        return each.utc_day == new.utc_day
    return (each.account_id, each.day) == (new.account_id, new.day)


def _name(scope: BudgetScope, spending: Spending) -> str | None:
    """Give by which name a budget of this scope knows a text; None when it has nothing to do with it."""
    if scope is BudgetScope.GATEWAY:
        return spending.gateway
    return spending.account_id if scope is BudgetScope.ACCOUNT else spending.journey or None


def _in_words(budget: Budget, new: Spending) -> str:
    limits = [] if budget.per_day_texts is None else [f"{budget.per_day_texts} texts"]
    if budget.per_day_spend is not None:
        limits.append(f"{budget.per_day_spend.amount} {budget.per_day_spend.currency}")
    whose = {
        BudgetScope.GATEWAY: f"through {new.gateway}",
        BudgetScope.ACCOUNT: "of the account",
        BudgetScope.JOURNEY: f"of the journey {new.journey}",
    }[budget.scope]
    return f"the daily budget {whose} ({' and '.join(limits)})"


def _more(attempt: AttemptRow, journey: str, currency: str, texts: int, amount: Decimal) -> Spending:
    utc_day = _utc_day(attempt.requested_at).isoformat()
    day = attempt.spent_on or utc_day
    return Spending(attempt.account_id, day, attempt.gateway, journey, currency, texts, amount, utc_day)
