"""May a text still be paid for today, and what has it cost?

Each day of an account's clock has its own sums, kept in the transaction that claims a text: what it is expected to cost
counts at once, and is corrected when the gateway tells. A text over a budget waits for the next day, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from connector.domain.gateway_book import Budget, BudgetScope, GatewayBook
from connector.ports.attempts import AttemptRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.traffic import Spending

_LOCK = "budget"
"""Claims of one account that count against budgets do it one after the other, or two could spend the last cent."""


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
        for account_id in sorted({row.account_id for row in rows} | {""}):  # "" stands for budgets of gateways
            uow.lock_numbers(account_id, [_LOCK])
        spent = list(uow.traffic.spent(sorted({days.of(row.account_id).isoformat() for row in rows})))
        held: dict[str, OverBudget] = {}
        for row in rows:
            new = self._spending(gateway, row, days)
            full = next((each for each in self._book.budgets if _is_over(each, new, spent)), None)
            if full is None:
                spent.append(new)
            else:
                held[row.id] = OverBudget(f"{_in_words(full, new)} is used up for today", days.end(row.account_id))
        return held

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
        day = days.of(row.account_id).isoformat()
        amount, currency = (Decimal(0), "") if price is None else (price.amount, price.currency)
        return Spending(row.account_id, day, gateway, row.journey, currency, 1, amount)


class _Days:
    """Which day it is by the clocks of the accounts."""

    def __init__(self, uow: UnitOfWork, now: datetime) -> None:
        self._uow, self._now = uow, now
        self._zones: dict[str, ZoneInfo] = {}

    def of(self, account_id: str) -> date:
        return self._now.astimezone(self._zone(account_id)).date()

    def end(self, account_id: str) -> datetime:
        """Give the next midnight, in UTC."""
        tomorrow = self.of(account_id) + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self._zone(account_id)).astimezone(self._now.tzinfo)

    def _zone(self, account_id: str) -> ZoneInfo:
        if account_id not in self._zones:
            name = self._uow.accounts.get(account_id).settings.get("time_zone")
            self._zones[account_id] = ZoneInfo(str(name or "UTC"))
        return self._zones[account_id]


def _is_over(budget: Budget, new: Spending, spent: Sequence[Spending]) -> bool:
    if _name(budget.scope, new) is None or budget.name not in {"", _name(budget.scope, new)}:
        return False
    total = _Sum()
    for each in (*spent, new):
        if each.day == new.day and _counts(budget, each, new):
            total.texts += each.texts
            if budget.per_day_spend is not None and each.currency == budget.per_day_spend.currency:
                total.amount += each.amount
    if budget.per_day_texts is not None and total.texts > budget.per_day_texts:
        return True
    return budget.per_day_spend is not None and total.amount > budget.per_day_spend.amount


def _counts(budget: Budget, each: Spending, new: Spending) -> bool:
    """Tell whether what was spent counts against the same budget as a new text."""
    same_account = budget.scope is BudgetScope.GATEWAY or each.account_id == new.account_id
    return same_account and _name(budget.scope, each) == _name(budget.scope, new)


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
    return Spending(attempt.account_id, attempt.spent_on or "", attempt.gateway, journey, currency, texts, amount)
