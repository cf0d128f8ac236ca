"""Which splits have an arm that has won by now?

Looked at every few minutes, for each account on a timer of the ledger: `domain.split_verdict` may be asked as often as
one likes. People are counted when their time in the arm is over, in the order in which they entered, so that whoever
answers fast weighs no more than whoever answers late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from connector.domain.account_status import AccountStatus
from connector.domain.journey import Journey
from connector.domain.split_verdict import SplitVerdict, Trials, compare
from connector.domain.steps import Metric, Split, Winner, walk
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.splits import ArmCount, WinnerRow
from connector.ports.time import Clock
from connector.services.journey_versions import JourneyVersions
from connector.services.poll_planning import plan_missing

log = structlog.get_logger(__name__)

_KIND = "split"
_EVERY = timedelta(minutes=5)
"""Between two looks: an arm that wins a few minutes late costs a handful of people the better text."""

_AT_ONCE = 20  # accounts whose splits are counted within one lease, each in some milliseconds

_RARELY = timedelta(days=1)
"""Between two looks at what needs none any more: a split that is decided or gone."""

UNTIL_NOTICED = Winner(Metric.REPLY_RATE, 0)
"""How a split is counted that promotes no winner, for the report."""


@dataclass(frozen=True, slots=True)
class SplitStanding:
    """How a split stands.

    Attributes:
        entered: by arm, everybody in it, also those whose time is not over.
        won: the winner that was promoted, or None.
    """

    journey: Journey
    step: Split
    verdict: SplitVerdict
    entered: Mapping[str, int]
    won: WinnerRow | None


class SplitJudge:
    """Promotes the winners of splits."""

    def __init__(self, ledger: Ledger, versions: JourneyVersions, clock: Clock) -> None:
        self._ledger, self._versions, self._clock = ledger, versions, clock

    def judge_due(self) -> int:
        """Look at every split whose time has come; give how many arms have won."""
        now, won = self._clock.now(), 0
        plan_missing(self._ledger, _KIND, self._timers, now)
        while due := self._claim(now):
            won += sum(self._judge(account_id, timer, now) for account_id, timer in due)
        return won

    def _timers(self, uow: UnitOfWork) -> Iterator[tuple[str, str]]:
        for account_id in uow.accounts.with_status(tuple(AccountStatus)):
            yield from ((account_id, timer) for timer in self._splits(uow, account_id))

    def _claim(self, now: datetime) -> Sequence[tuple[str, str]]:
        with self._ledger.begin() as uow:
            due = uow.polls.claim(now, now + _EVERY, _AT_ONCE, _KIND)
            uow.commit()
        return due

    def _splits(self, uow: UnitOfWork, account_id: str) -> Mapping[str, tuple[Journey, Split]]:
        """Give the splits of an account that are to promote a winner, by timer."""
        journeys = [each.journey for each in self._versions.in_service(uow, account_id).values()]
        return {
            _timer(journey, step): (journey, step)
            for journey in journeys
            for step in splits_of(journey)
            if step.winner is not None
        }

    def _judge(self, account_id: str, timer: str, now: datetime) -> bool:
        with self._ledger.begin() as uow:
            found = self._splits(uow, account_id).get(timer)
            standing = None if found is None else split_standing(uow, account_id, *found, now)
            if standing is None or standing.won is not None:
                uow.polls.next(account_id, timer, now + _RARELY)
                uow.commit()
                return False
            has_won = _promote(uow, account_id, standing, now)
            uow.commit()
        return has_won


def splits_of(journey: Journey) -> Iterator[Split]:
    """Give the splits of a journey, in file order."""
    return (step for step in walk(journey.steps) if isinstance(step, Split))


def split_standing(uow: UnitOfWork, account_id: str, journey: Journey, step: Split, now: datetime) -> SplitStanding:
    """Count a split of a journey and say how it stands."""
    rule = step.winner or UNTIL_NOTICED
    counts = uow.splits.count(account_id, journey.id, step.id, rule.by, now - rule.within, rule.within)
    of_arm = {arm.name: counts.get(arm.name, ArmCount(0, 0, 0)) for arm in step.arms}
    verdict = compare(
        {name: Trials(count.people, count.hits) for name, count in of_arm.items()},
        rule.after,
        lowest_wins=rule.by is Metric.OPT_OUT_RATE,
    )
    entered = {name: count.entered for name, count in of_arm.items()}
    return SplitStanding(journey, step, verdict, entered, uow.splits.winner(account_id, journey.id, step.id))


def _promote(uow: UnitOfWork, account_id: str, standing: SplitStanding, now: datetime) -> bool:
    """Write down that an arm has won, with the evidence, if one has; new contacts get it from then on."""
    journey, step, verdict = standing.journey, standing.step, standing.verdict
    if verdict.winner is None:
        return False
    evidence = _evidence(step, verdict)
    if not uow.splits.win(account_id, journey.id, step.id, WinnerRow(verdict.winner, now, evidence)):
        return False
    uow.timeline.add(
        [
            TimelineEntry(
                account_id=account_id,
                kind=EntryKind.ARM_WON,
                subject=f"split:{journey.id}:{step.id}",
                discriminator="",
                at=now,
                summary=f"{journey.id}: new contacts get {verdict.winner} from now on: {verdict.reason}",
                path=step.path,
                file=journey.file,
                line=step.place.line,
                data={"arm": verdict.winner, **evidence},
            )
        ]
    )
    log.info("split.won", account_id=account_id, journey=journey.id, step=step.id, arm=verdict.winner)
    return True


def _evidence(step: Split, verdict: SplitVerdict) -> dict[str, Any]:
    metric = {} if step.winner is None else {"by": step.winner.by.value}
    arms = {
        result.arm: {name: value for name, value in asdict(result).items() if name != "arm"} for result in verdict.arms
    }
    return metric | {"odds": verdict.odds, "needed": verdict.needed, "arms": arms}


def _timer(journey: Journey, step: Split) -> str:
    return f"{_KIND}:{journey.id}:{step.id}"
