"""How does a journey fare: who entered, what went out, what came back, what it cost, and which arm leads?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from connector.domain.journey import Journey
from connector.domain.steps import walk
from connector.errors import ConfigurationError
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.reports import EndCount, JourneyFigures, PeopleCount, ReasonCount, TextCount
from connector.ports.time import Clock
from connector.services.journey_versions import JourneyVersions
from connector.services.splits import UNTIL_NOTICED, SplitStanding, split_standing, splits_of

_MOST_REASONS = 20  # more than fits a screen is not read; the rest is added up


@dataclass(frozen=True, slots=True)
class StepTexts:
    """The texts of one step in one state.

    Attributes:
        id: the step's id in the version in service; empty when that has no step at this path.
    """

    step: str
    id: str
    state: str
    texts: int
    segments: int
    sent: int
    replied: int
    clicked: int
    opted_out: int
    cost: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class JourneyReport:
    """One journey in one account; people and texts are those of whoever entered since a time.

    Attributes:
        live: people in the journey now, whenever they entered, by the id or path of the step they stand at.
        ended: people whose way is over, by why.
        cost: by currency, of the texts whose price is known.
        splits: of the version in service.
    """

    account: AccountRow
    journey: str
    since: datetime
    entered: int
    live: Mapping[str, int]
    ended: Mapping[str, int]
    texts: Sequence[StepTexts]
    segments: int
    cost: Mapping[str, Decimal]
    people: PeopleCount
    reasons: Sequence[ReasonCount]
    splits: Sequence[SplitStanding]

    def to_json(self) -> dict[str, Any]:
        """Give the report as `--json` prints it; money as texts, rates as shares of the people who got a text."""
        return {
            "account": {"crm": self.account.crm, "id": self.account.external_id},
            "journey": self.journey,
            "since": self.since.isoformat(),
            "entered": self.entered,
            "live": dict(self.live),
            "ended": dict(self.ended),
            "texts": [asdict(each) | {"cost": _money(each.cost)} for each in self.texts],
            "segments": self.segments,
            "cost": _money(self.cost),
            "people": asdict(self.people) | {"rates": self.rates},
            "held_or_lost": [asdict(reason) for reason in self.reasons],
            "splits": [_split_json(standing) for standing in self.splits],
        }

    @property
    def rates(self) -> Mapping[str, float]:
        """Shares of the people who got a text that replied, followed a link and opted out."""
        counts = {"reply": self.people.replied, "click": self.people.clicked, "opt_out": self.people.opted_out}
        return {name: count / self.people.texted if self.people.texted else 0.0 for name, count in counts.items()}


class JourneyReporter:
    """Makes reports; changes nothing."""

    def __init__(self, ledger: Ledger, figures: JourneyFigures, versions: JourneyVersions, clock: Clock) -> None:
        self._ledger, self._figures, self._versions, self._clock = ledger, figures, versions, clock

    def report(self, journey: str, period: timedelta) -> Sequence[JourneyReport]:
        """Report on a journey in every account that has it, over a period up to now.

        Raises:
            ConfigurationError: no account has the journey; names those there are.
        """
        now = self._clock.now()
        with self._ledger.begin(write=False) as uow:
            accounts = uow.accounts.all()
            known = {account.id: self._known(uow, account.id, journey) for account in accounts}
            concerned = [each for each in accounts if known[each.id] or self._figures.has_any(each.id, journey)]
            if not concerned:
                raise ConfigurationError(self._unknown(uow, accounts, journey))
            return [self._of(uow, account, journey, known[account.id], (now - period, now)) for account in concerned]

    def _known(self, uow: UnitOfWork, account_id: str, journey: str) -> Journey | None:
        """Give the version in service, else the latest there is."""
        in_service = self._versions.in_service(uow, account_id).get(journey)
        if in_service is not None:
            return in_service.journey
        rows = uow.versions.of_journey(account_id, journey)
        version = self._versions.get(uow, account_id, rows[-1].id) if rows else None
        return None if version is None else version.journey

    def _unknown(self, uow: UnitOfWork, accounts: Sequence[AccountRow], journey: str) -> str:
        names = sorted({name for account in accounts for name in self._versions.in_service(uow, account.id)})
        return f"no account has a journey {journey}; in service are {', '.join(names) or 'none'}"

    def _of(
        self,
        uow: UnitOfWork,
        account: AccountRow,
        name: str,
        journey: Journey | None,
        period: tuple[datetime, datetime],
    ) -> JourneyReport:
        since, now = period
        ids = {} if journey is None else {step.path: step.id for step in walk(journey.steps)}
        ends = self._figures.ends(account.id, name, since)
        texts = self._figures.texts(account.id, name, since)
        return JourneyReport(
            account=account,
            journey=name,
            since=since,
            entered=sum(end.people for end in ends),
            live={ids.get(step) or step or "the beginning": n for step, n in self._figures.standing(account.id, name)},
            ended=_ended(ends),
            texts=_steps(texts, ids),
            segments=sum(each.segments for each in texts if each.sent),
            cost=_cost(texts),
            people=self._figures.people(account.id, name, since),
            reasons=_frequent(self._figures.reasons(account.id, name, since)),
            splits=[split_standing(uow, account.id, journey, step, now) for step in splits_of(journey)]
            if journey is not None
            else [],
        )


def _ended(ends: Sequence[EndCount]) -> Mapping[str, int]:
    """Give the most frequent ends by reason, and the others together."""
    over = [end for end in ends if end.status != "live"]
    shown = {end.reason or "no reason is written down": end.people for end in over[:_MOST_REASONS]}
    rest = sum(end.people for end in over[_MOST_REASONS:])
    return shown | ({"other reasons": rest} if rest else {})


def _frequent(reasons: Sequence[ReasonCount]) -> Sequence[ReasonCount]:
    rest: dict[str, int] = {}
    for each in reasons[_MOST_REASONS:]:
        rest[each.state] = rest.get(each.state, 0) + each.texts
    return [*reasons[:_MOST_REASONS], *(ReasonCount(state, "other reasons", count) for state, count in rest.items())]


def _steps(texts: Sequence[TextCount], ids: Mapping[str, str]) -> Sequence[StepTexts]:
    """Put the currencies of each step and state together."""
    rows: dict[tuple[str, str], list[TextCount]] = {}
    for each in texts:
        rows.setdefault((each.step, each.state), []).append(each)
    return [
        StepTexts(
            step=step,
            id=ids.get(step, ""),
            state=state,
            texts=sum(each.texts for each in group),
            segments=sum(each.segments for each in group),
            sent=sum(each.sent for each in group),
            replied=sum(each.replied for each in group),
            clicked=sum(each.clicked for each in group),
            opted_out=sum(each.opted_out for each in group),
            cost=_cost(group),
        )
        for (step, state), group in rows.items()
    ]


def _cost(texts: Sequence[TextCount]) -> Mapping[str, Decimal]:
    cost: dict[str, Decimal] = {}
    for each in texts:
        if each.currency is not None:
            cost[each.currency] = cost.get(each.currency, Decimal(0)) + each.cost
    return cost


def _money(cost: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in cost.items()}


def _split_json(standing: SplitStanding) -> dict[str, Any]:
    rule, verdict, won = standing.step.winner or UNTIL_NOTICED, standing.verdict, standing.won
    return {
        "step": standing.step.id,
        "by": rule.by.value,
        "promotes": standing.step.winner is not None,
        "arms": [asdict(arm) | {"entered": standing.entered[arm.arm]} for arm in verdict.arms],
        "odds": verdict.odds,
        "needed": verdict.needed,
        "standing": verdict.reason,
        "winner": None if won is None else won.arm,
        "since": None if won is None else won.at.isoformat(),
    }
