"""How is the same plot simulated: on the ledger in memory, with the events as the live ledger has them?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

from connector.adapters.rendering import Renderer
from connector.domain.event import ObjectRef, Owner
from connector.domain.journey import Journey
from connector.domain.message import Direction
from connector.ports.consents import Mechanism
from connector.ports.ledger import AccountRow
from connector.ports.messages import MessageRow
from connector.rehearsing import Files, build_company
from connector.services.consent import Saying
from connector.services.rehearsal import (
    ConsentSaid,
    EventHappens,
    Happening,
    LinkFollowed,
    PlayedOutside,
    Rehearsal,
    ReplyComes,
)
from tests.rehearsal.happenings import CODE, Cue, Plot
from tests.rehearsal.live import Heard
from tests.rehearsal.telling import Telling, tell
from tests.services.theatre import ACCOUNT, MAPPINGS, NUMBER, OWNER_NUMBER, START

_DIGITS = re.compile(r"(?<=your code is )\d+")
_OWNER = Owner("7", "Sam Okafor", "sam@example.com")


@cache
def _files() -> Files:
    return Files.read(MAPPINGS)


class Played:
    """One simulation."""

    def __init__(self, account: AccountRow, journeys: Sequence[Journey], plot: Plot) -> None:
        self._plot = plot
        self._company = build_company(_files(), journeys, ACCOUNT, START, "null", Renderer(sample_link=""))
        with self._company.ledger.begin() as uow:
            uow.accounts.add(account)
            uow.commit()
        self._rehearsal = Rehearsal(self._company, account, PlayedOutside(lambda each: each.step in plot.failing))

    def play(self, heard: Sequence[Heard], until: datetime) -> Telling:
        """Let everything happen, and give what came of it."""
        if self._plot.has_marketing_consent:
            said = Saying(ACCOUNT, NUMBER, Mechanism.CRM_PROPERTY, "the plot", START)
            self._rehearsal.take(
                ConsentSaid(START, said, lambda desk, uow, each, _: desk.agree_to_marketing(uow, each))
            )
        events = iter(heard)
        for number, cue in enumerate(self._plot.cues):
            self._rehearsal.advance(START + cue.after)
            for each in self._happenings(cue, number, events):
                self._rehearsal.take(each)
        self._rehearsal.advance(until)
        ledger = self._company.ledger
        return tell(ledger.all_messages(), ledger.all_enrollments(), ledger.all_entries())

    def _happenings(self, cue: Cue, number: int, events: Iterator[Heard]) -> Iterator[Happening]:
        at = START + cue.after
        if cue.kind == "event":
            yield _event(next(events))
        elif cue.kind == "click":
            contact = next((each.contact_id for each in self._company.ledger.all_enrollments()), "nobody")
            yield LinkFollowed(at, contact, cue.word)
        else:
            yield ReplyComes(at, NUMBER if cue.kind == "reply" else OWNER_NUMBER, self._words(cue), f"MO{number}")

    def _words(self, cue: Cue) -> str:
        texted = [each for each in self._messages() if each.direction is Direction.OUT and each.sent_at]
        codes = [code for each in texted for code in _DIGITS.findall(each.body)]
        return cue.word.replace(CODE, codes[-1] if codes else "nothing")

    def _messages(self) -> list[MessageRow]:
        return list(self._company.ledger.all_messages())


def _event(heard: Heard) -> EventHappens:
    entry = heard.entry
    who = entry.summary.partition(": ")[2].partition(", ")[2]
    return EventHappens(
        at=heard.at,
        name=entry.data["event"],
        ref=ObjectRef.parse(entry.ref),
        values=entry.data["values"],
        source_id=heard.source_id,
        contact=heard.contact,
        owner=_OWNER,
        how=who,
        is_import=entry.data["is_import"],
        occurred_at=entry.at,
    )
