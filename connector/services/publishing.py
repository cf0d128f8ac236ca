"""How does a journey get from the files into service, and out of service again?

A publication is a row that says which version of a journey takes people in from now on. Rows are only ever added: what
was in service when, and by whose hand, can always be told. People in flight finish on the version they began with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.domain.differences import differences
from connector.domain.journey import Journey
from connector.errors import ConfigurationError
from connector.ports.enrollments import PublicationAction, PublicationRow
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.queue import MAINTENANCE
from connector.ports.time import Clock
from connector.services.journey_versions import JourneyVersions, Version, earlier_version, is_own, taken_back
from connector.services.moving_people import Moved, Mover, Removal
from connector.services.publications import Hand, JourneyFiles, MeanwhileError, Outcome, Word


class Publisher:
    """Puts versions of journeys in service and out of it, one account at a time."""

    def __init__(self, ledger: Ledger, versions: JourneyVersions, mover: Mover, clock: Clock) -> None:
        self._ledger, self._versions, self._mover, self._clock = ledger, versions, mover, clock

    def publish(self, account_id: str, files: JourneyFiles, names: Sequence[str], hand: Hand) -> Sequence[Outcome]:
        """Publish these journeys, or with no names every one that has changed, and retire those without a file.

        What was rolled back or retired is published again, unchanged, only by its name. A journey with a mistake
        stays as it is, and so does one that the account has of its own, unless `hand.replaces_own`.

        Raises:
            ConfigurationError: a name that no file has, or no file at all.
        """
        files.demand(names)
        with self._ledger.begin() as uow:
            current = uow.publications.current(account_id)
            known = sorted({*files.journeys, *files.broken})
            own = set() if names and hand.replaces_own else {
                name for name in {*known, *current} if is_own(uow, account_id, name)
            }  # fmt: skip
            chosen = [name for name in names or known if name not in own]
            left = [self._left_alone(uow, name, current[name]) for name in names or sorted(own) if name in own]
            outcomes, removals = self._publish_all(
                uow, account_id, files, chosen, PublicationAction.PUBLISH, hand, is_named=bool(names)
            )
            gone = () if names else sorted(current.keys() - {*known, *own})
            outcomes += [
                self._take_out(uow, current[name], PublicationAction.REMOVE, hand, self._clock.now())
                for name in gone
                if current[name].journey_version_id is not None
            ]
            self._finish(uow, hand)
        return [*self._moved(outcomes, removals), *left]

    def publish_own(self, account_id: str, files: JourneyFiles, hand: Hand) -> Sequence[Outcome]:
        """Publish journeys of an account's own files, which from then on the shared ones leave alone.

        A journey with a mistake stays as it is.

        Raises:
            ConfigurationError: there is no file.
        """
        files.demand(())
        with self._ledger.begin() as uow:
            names = sorted({*files.journeys, *files.broken})
            outcomes, removals = self._publish_all(
                uow, account_id, files, names, PublicationAction.OWN, hand, is_named=True
            )
            self._finish(uow, hand)
        return self._moved(outcomes, removals)

    def _publish_all(
        self,
        uow: UnitOfWork,
        account_id: str,
        files: JourneyFiles,
        names: Sequence[str],
        action: PublicationAction,
        hand: Hand,
        *,
        is_named: bool,
    ) -> tuple[list[Outcome], dict[str, Removal]]:
        current = uow.publications.current(account_id)
        outcomes, removals = list[Outcome](), dict[str, Removal]()
        for name in names:
            journey, before = files.journeys.get(name), current.get(name)
            self._demand_seen(uow, before, hand)
            if journey is None:
                outcomes.append(self._broken(uow, name, files.broken[name], before))
            else:
                outcome, version = self._publish(uow, account_id, journey, before, action, hand, is_named=is_named)
                outcomes.append(outcome)
                removals |= self._removal(uow, account_id, name, version, hand)
        return outcomes, removals

    def _moved(self, outcomes: Sequence[Outcome], removals: Mapping[str, Removal]) -> list[Outcome]:
        """Move people in flight where that was asked for, now that what they move to is in service."""
        return [
            replace(each, moved=self._move(removals[each.journey])) if each.journey in removals else each
            for each in outcomes
        ]

    def _left_alone(self, uow: UnitOfWork, name: str, before: PublicationRow) -> Outcome:
        number = self._number(uow, before)
        runs = "is retired" if number is None else f"runs its own version {number}"
        return Outcome(
            name, Word.OWN, number, f"the account {runs}; to follow the files: smsctl publish {name} --account …"
        )

    def publish_first(self, account_id: str, files: JourneyFiles, by: str) -> Sequence[Outcome]:
        """Publish what there is for an account that never published anything; do nothing for any other."""
        with self._ledger.begin(write=False) as uow:
            is_new = not uow.publications.current(account_id)
        return self.publish(account_id, files, (), Hand(by)) if is_new and files.journeys else ()

    def roll_back(self, account_id: str, journey: str, to: int | None, hand: Hand) -> Outcome:
        """Put an earlier version in service again: the one before, or the one with this number.

        Raises:
            ConfigurationError: there is no such version, it is in service already, or this program cannot read it.
        """
        with self._ledger.begin() as uow:
            before = uow.publications.current(account_id).get(journey)
            self._demand_seen(uow, before, hand)
            version = earlier_version(uow, self._versions, account_id, journey, to)
            self._put_in(uow, account_id, journey, version, before, PublicationAction.ROLLBACK, hand)
            removals = self._removal(uow, account_id, journey, version, hand)
            instead = self._number(uow, before)
            self._finish(uow, hand)
        why = "" if instead is None else f"instead of version {instead}"
        moved = self._move(removals[journey]) if removals else None
        return Outcome(journey, Word.ROLLED_BACK, version.number, why, moved)

    def move(self, account_id: str, journey: str, hand: Hand) -> Moved:
        """Move people in flight to the version in service."""
        with self._ledger.begin(write=False) as uow:
            service = self._versions.in_service(uow, account_id).get(journey)
            if service is None:
                raise ConfigurationError(f"{journey} is not in service")
        version = Version(service.version_id, service.version, service.journey)
        return self._move(Removal(account_id, journey, version, hand.moves or {}, hand.is_dry_run))

    def retire(self, account_id: str, journey: str, hand: Hand) -> Outcome:
        """Take a journey out of service; those who are in it finish.

        Raises:
            ConfigurationError: it is not in service.
        """
        with self._ledger.begin() as uow:
            publication = uow.publications.current(account_id).get(journey)
            if publication is None or publication.journey_version_id is None:
                raise ConfigurationError(f"{journey} is not in service")
            self._demand_seen(uow, publication, hand)
            outcome = self._take_out(uow, publication, PublicationAction.RETIRE, hand, self._clock.now())
            self._finish(uow, hand)
        return outcome

    def _publish(
        self,
        uow: UnitOfWork,
        account_id: str,
        journey: Journey,
        before: PublicationRow | None,
        action: PublicationAction,
        hand: Hand,
        *,
        is_named: bool,
    ) -> tuple[Outcome, Version | None]:
        """Publish one; give the version that people may be moved to, None when it is not in service."""
        now = self._clock.now()
        row = uow.versions.ensure(account_id, journey.id, journey.hash, journey.source, hand.by, now)
        version = Version(row.id, row.version, journey)
        is_as_owned = (action is PublicationAction.OWN) == is_own(uow, account_id, journey.id)
        if before is not None and before.journey_version_id == row.id and is_as_owned:
            return Outcome(journey.id, Word.UNCHANGED, row.version), version
        taken = None if is_named else taken_back(uow, account_id, journey.id)
        if taken is not None and row.id in taken[1]:
            why = _withheld(row.version, taken[0])
            return Outcome(journey.id, Word.WITHHELD, self._number(uow, before), why), None
        self._put_in(uow, account_id, journey.id, version, before, action, hand)
        why, warnings = self._replaces(uow, before), self._warnings(uow, before, journey)
        return Outcome(journey.id, Word.PUBLISHED, row.version, why, warnings=warnings), version

    def _put_in(
        self,
        uow: UnitOfWork,
        account_id: str,
        journey: str,
        version: Version,
        before: PublicationRow | None,
        action: PublicationAction,
        hand: Hand,
    ) -> None:
        now = self._clock.now()
        uow.publications.add(
            PublicationRow(self._ledger.new_id(), account_id, journey, version.id, action, hand.by, now)
        )
        if version.journey is not None and version.journey.trigger.schedule:
            earlier = None if before is None else self._versions.published(uow, before)
            self._set_timer(uow, account_id, version.journey, earlier, now)
        uow.nudge(MAINTENANCE)  # it may poll for events that nothing needed before

    def _set_timer(
        self, uow: UnitOfWork, account_id: str, journey: Journey, earlier: Version | None, now: datetime
    ) -> None:
        """Have the schedule looked at now, unless it goes on as it was."""
        was = None if earlier is None else earlier.journey
        if was is None or (was.trigger.schedule, was.time_zone) != (journey.trigger.schedule, journey.time_zone):
            uow.polls.ensure(account_id, journey.trigger.event, now)
            uow.polls.next(account_id, journey.trigger.event, now)

    def _removal(
        self, uow: UnitOfWork, account_id: str, journey: str, version: Version | None, hand: Hand
    ) -> Mapping[str, Removal]:
        """Give where people in flight are to be moved once this is committed; nothing when they stay."""
        if hand.moves is None or version is None:
            return {}
        removal = Removal(account_id, journey, version, hand.moves, hand.is_dry_run)
        self._mover.demand_steps(uow, removal)
        return {journey: removal}

    def _move(self, removal: Removal) -> Moved:
        """Move people page by page, each page in a transaction of its own."""
        total, after, is_over = Moved(), "", False
        while not is_over:
            with self._ledger.begin(write=not removal.is_dry_run) as uow:
                moved, after = self._mover.move_page(uow, removal, after, self._clock.now())
                if not removal.is_dry_run:
                    uow.commit()
            total, is_over = total + moved, not after
        return total

    def _take_out(
        self, uow: UnitOfWork, publication: PublicationRow, action: PublicationAction, hand: Hand, now: datetime
    ) -> Outcome:
        account_id, journey = publication.account_id, publication.journey
        uow.publications.add(PublicationRow(self._ledger.new_id(), account_id, journey, None, action, hand.by, now))
        why = "its file is gone; " if action is PublicationAction.REMOVE else ""
        return Outcome(
            journey, Word.RETIRED, None, f"{why}people in it finish on version {self._number(uow, publication)}"
        )

    def _broken(self, uow: UnitOfWork, name: str, mistake: str, before: PublicationRow | None) -> Outcome:
        number = self._number(uow, before)
        stays = "it stays off" if number is None else f"version {number} runs on"
        return Outcome(name, Word.BROKEN, number, f"{stays}; {mistake}")

    def _replaces(self, uow: UnitOfWork, before: PublicationRow | None) -> str:
        number = self._number(uow, before)
        return "" if number is None else f"instead of version {number}"

    def _warnings(self, uow: UnitOfWork, before: PublicationRow | None, journey: Journey) -> tuple[str, ...]:
        version = None if before is None else self._versions.published(uow, before)
        return () if version is None or version.journey is None else differences(version.journey, journey).warnings

    def _number(self, uow: UnitOfWork, publication: PublicationRow | None) -> int | None:
        version = None if publication is None else self._versions.published(uow, publication)
        return None if version is None else version.number

    def _demand_seen(self, uow: UnitOfWork, before: PublicationRow | None, hand: Hand) -> None:
        number = self._number(uow, before) or 0
        if hand.saw is not None and hand.saw != number:
            raise MeanwhileError(f"meanwhile {f'version {number}' if number else 'nothing'} is in service")

    def _finish(self, uow: UnitOfWork, hand: Hand) -> None:
        if not hand.is_dry_run:
            uow.commit()


def _withheld(number: int, back: PublicationRow) -> str:
    what = "rolled back" if back.action is PublicationAction.ROLLBACK else "retired"
    return (
        f"the file still says what was {what} by {back.published_by} at {back.at:%Y-%m-%d %H:%M} UTC "
        f"(version {number}); change it, or publish it again by its name: smsctl publish {back.journey}"
    )
