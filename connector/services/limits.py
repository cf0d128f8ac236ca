"""Which caps hold for each text of a batch, how full are they, and who else wants what is left?

Asks the ledger once per question for a whole batch, and only about the numbers for which the answer can matter: how
many texts went unanswered, when one of the fewer texts of a silent number has gone; who else waits, when little room
is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.caps import Cap, Contender, Limit, parse_cap
from connector.domain.compliance import Compliance
from connector.domain.keyword_answers import JOURNEY, is_keyword_answer
from connector.domain.message import Purpose
from connector.domain.permission import Answer, Verdict
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow, Rival

_FEW = 2
"""Who else waits is asked for when this many places or fewer are left under a cap: with more, all of them fit."""

_LOOKED_AHEAD = timedelta(days=1)
"""Nobody gives way to a text that may not go for a day: its window or its journey's own cap is closed for long."""

_HIGHEST = 9  # priorities are 1 to 9

SentText = tuple[datetime, Purpose, str]
"""When, for which purpose, by which journey."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A cap, its words, and of which purpose and journey the texts are that it counts; None stands for any."""

    cap: Cap
    words: str
    purpose: Purpose | None = None
    journey: str | None = None

    def counts(self, purpose: Purpose, journey: str) -> bool:
        if self.journey is not None:
            return journey == self.journey
        if self.purpose is not None:
            return purpose is self.purpose
        return purpose is not Purpose.OTP and journey != JOURNEY

    def limit(self, sent: Iterable[SentText], wanted_by: tuple[Contender, ...] = ()) -> Limit:
        times = [at for at, purpose, journey in sent if self.counts(purpose, journey)]
        return Limit(self.cap, self.words, times, wanted_by)


class BatchLimits:
    """The limits of one account's texts that are judged together; later texts see the earlier ones sent."""

    def __init__(
        self, uow: UnitOfWork, compliance: Compliance, account_id: str, messages: Sequence[MessageRow], now: datetime
    ) -> None:
        self._uow, self._compliance, self._account_id, self._now = uow, compliance, account_id, now
        self._known: dict[tuple[Purpose, str, tuple[str, ...]], tuple[_Rule, ...]] = {}
        capped = [each for each in messages if not is_keyword_answer(each.journey, each.step)]
        self._in_batch = Counter(message.msisdn for message in capped)
        self._sent = self._sent_texts(capped)
        self._silent = self._silent_numbers(capped)
        self._rivals = self._open_texts(capped)
        self._judged: dict[str, Verdict] = {}

    def of(self, message: MessageRow) -> Sequence[Limit]:
        """Give every limit on one text, as things stand in the batch by now."""
        if is_keyword_answer(message.journey, message.step):
            return ()
        sent, rivals = self._sent.get(message.msisdn, ()), self._rivals.get(message.msisdn, ())
        first = sorted(self._contenders(message, rivals), key=lambda pair: -pair[1].priority)
        return [
            rule.limit(sent, tuple(each for rival, each in first if rule.counts(rival.purpose, rival.journey)))
            for rule in self._all_rules(message)
        ]

    def note(self, message: MessageRow, verdict: Verdict) -> None:
        """Take into account what was decided about a text."""
        self._judged[message.id] = verdict
        if verdict.answer is Answer.SEND:
            self._sent.setdefault(message.msisdn, []).append((self._now, message.purpose, message.journey))

    def _all_rules(self, message: MessageRow) -> Iterator[_Rule]:
        yield from self._rules(message)
        if message.purpose is Purpose.MARKETING and message.msisdn in self._silent:
            yield from self._fatigue_rules(self._silent[message.msisdn])

    def _rules(self, message: MessageRow) -> tuple[_Rule, ...]:
        key = message.purpose, message.journey if message.caps else "", message.caps
        if key not in self._known:
            self._known[key] = tuple(_rules(self._compliance, message))
        return self._known[key]

    def _fatigue_rules(self, unanswered: int) -> Iterator[_Rule]:
        fatigue = self._compliance.fatigue
        for cap in fatigue.caps if fatigue is not None else ():
            words = f"no answer to the last {unanswered} marketing texts: {cap}"
            yield _Rule(cap, words, Purpose.MARKETING)

    def _sent_texts(self, messages: Sequence[MessageRow]) -> dict[str, list[SentText]]:
        rules = [rule for message in messages for rule in self._rules(message)]
        if not rules:
            return {}
        spans = [rule.cap.per for rule in rules]
        if any(message.purpose is Purpose.MARKETING for message in messages):
            spans += [rule.cap.per for rule in self._fatigue_rules(0)]
        numbers = sorted({message.msisdn for message in messages if self._rules(message)})
        found = self._uow.messages.sent_times(self._account_id, numbers, self._now - max(spans))
        return {number: list(texts) for number, texts in found.items()}

    def _silent_numbers(self, messages: Sequence[MessageRow]) -> Mapping[str, int]:
        """Count the unanswered texts of numbers that would be at the end of the caps for those who do not answer."""
        fatigue = self._compliance.fatigue
        asked = {
            message.msisdn
            for message in messages
            if message.purpose is Purpose.MARKETING
            and any(self._room(rule, message) <= 0 for rule in self._fatigue_rules(0))
        }
        if fatigue is None or not asked:
            return {}
        found = self._uow.messages.unanswered(
            self._account_id, sorted(asked), Purpose.MARKETING, self._now - fatigue.within
        )
        return {number: count for number, count in found.items() if count >= fatigue.after}

    def _open_texts(self, messages: Sequence[MessageRow]) -> Mapping[str, Sequence[Rival]]:
        """Read who else waits for the numbers with little room."""
        tight = {
            message.msisdn
            for message in messages
            if message.priority < _HIGHEST
            and any(rule.journey is None and self._room(rule, message) <= _FEW for rule in self._all_rules(message))
        }
        if not tight:
            return {}
        return self._uow.messages.rivals(self._account_id, sorted(tight), self._now + _LOOKED_AHEAD)

    def _room(self, rule: _Rule, message: MessageRow) -> int:
        """Count the places left for a text after those of its batch."""
        used = rule.limit(self._sent.get(message.msisdn, ())).used(self._now)
        return rule.cap.count - used - (self._in_batch[message.msisdn] - 1)

    def _contenders(self, message: MessageRow, rivals: Iterable[Rival]) -> Iterator[tuple[Rival, Contender]]:
        """Give those who come first and have neither been sent nor turned away in this batch."""
        for rival in rivals:
            verdict = self._judged.get(rival.message_id)
            if rival.priority <= message.priority or (verdict is not None and verdict.until is None):
                continue
            wants_at = rival.not_before if verdict is None or verdict.until is None else verdict.until
            if wants_at < self._now + _LOOKED_AHEAD:
                yield rival, Contender(rival.message_id, rival.journey, rival.priority, wants_at)


def _rules(compliance: Compliance, message: MessageRow) -> Iterator[_Rule]:
    """Give the caps of a text's purpose, of its journey, and of all texts together."""
    purpose, journey = message.purpose, message.journey
    for cap in compliance.caps_for(purpose):
        yield _Rule(cap, f"cap of {cap} for {purpose} texts", purpose=purpose)
    for cap in map(parse_cap, message.caps):
        yield _Rule(cap, f"cap of {cap} for the journey {journey}", journey=journey)
    if purpose is not Purpose.OTP:
        for cap in compliance.overall:
            yield _Rule(cap, f"cap of {cap} for all texts")


def first_come(messages: Sequence[MessageRow]) -> Sequence[MessageRow]:
    """Put a batch in the order in which it is judged: higher priority first, else as the lane gave it, oldest due."""
    return sorted(messages, key=lambda message: -message.priority)
