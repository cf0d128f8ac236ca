"""What would a journey do for one person, minute by minute?"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from connector.domain.journey import Journey
from connector.domain.message import Direction
from connector.domain.script import Cue, Script, ScriptedClick, ScriptedEvent, ScriptedReply
from connector.domain.steps import walk
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.consents import Mechanism
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow
from connector.ports.messages import MessageRow
from connector.services.consent import ConsentDesk, Saying
from connector.services.rehearsal import (
    Company,
    ConsentSaid,
    EventHappens,
    Happening,
    LinkFollowed,
    PlayedOutside,
    Rehearsal,
    ReplyComes,
)

ACCOUNT_ID = "simulation"

ANSWERS_AFTER = timedelta(minutes=5)
"""How long after a text a reply or click comes that is not told to come at a time of its own."""

ANSWERS_AGAIN_AFTER = timedelta(minutes=1)
"""How long after an answer the next one comes, when no text came in between."""

_CODE = re.compile(r"\{\{\s*code\s*\}\}")
_DIGITS = re.compile(r"(?<!\d)\d{3,10}(?!\d)")


@dataclass(frozen=True, slots=True)
class SimulatedText:
    """A text that went out, or would have."""

    at: datetime
    step: str
    recipient: str
    body: str
    encoding: str
    segments: int
    state: str
    state_reason: str
    gateway: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What happened.

    Attributes:
        entries: the timeline, in order; every decision with file, line, path and the values it saw.
        texts: by the id of their message.
        replies: texts the person sent, by the id of their message.
        outcome: how the enrollment stands at the end, in words; why there is none, when there is none.
    """

    entries: tuple[TimelineEntry, ...]
    texts: Mapping[str, SimulatedText]
    replies: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class _Cued:
    """A cue whose time is known; what it says is made out when it comes, for it may quote a text sent until then.

    Attributes:
        is_an_answer: its time is that of the text it answers; the script names none.
    """

    at: datetime
    cue: Cue
    is_an_answer: bool = False


class Simulation:
    """Plays one script."""

    def __init__(self, company: Company, journey: Journey, script: Script) -> None:
        """`company` plays on an empty ledger, its clock set to the script's start."""
        self._company, self._script = company, script
        settings = {name: value for name, value in script.account.items() if name != "name"}
        self._account = AccountRow(
            ACCOUNT_ID, crm_of(company), "0", str(script.account.get("name", "")), "active", "", settings, script.at
        )
        self._failing = {step.path for step in walk(journey.steps) if {step.id, step.path} & script.fails}
        self._rehearsal = Rehearsal(company, self._account, PlayedOutside(self._fails, script.answers))
        self._contact = _contact_row(script, self._account)
        self._ids = count(1)
        self._waiting = deque(cue for cue in script.cues if not isinstance(cue, ScriptedEvent) and cue.after is None)
        self._to_come = sorted(
            (_Cued(script.at + cue.after, cue) for cue in script.cues if cue.after is not None),
            key=lambda each: each.at,
        )
        self._answered_at, self._has_answered = script.at - timedelta(seconds=1), False

    def run(self, until: datetime) -> Transcript:
        """Play to the end, or up to a time."""
        self._prepare()
        self._rehearsal.take(self._happening(self._script.start, self._script.at))
        while (moment := self._next_moment()) is not None and moment <= until:
            self._rehearsal.advance(moment)
            while self._to_come and self._to_come[0].at <= moment:
                next_one = self._to_come.pop(0)
                self._rehearsal.take(self._happening(next_one.cue, next_one.at))
            self._cue_answer()
        return self._transcript()

    def _prepare(self) -> None:
        script, now = self._script, self._script.at
        with self._company.ledger.begin() as uow:
            uow.accounts.add(self._account)
            uow.contacts.save(self._contact)
            uow.commit()
        if self._contact.msisdn is None:
            return
        said = Saying(ACCOUNT_ID, self._contact.msisdn, Mechanism.CRM_PROPERTY, "the script", now, self._contact.id)
        if script.contact.has_marketing_consent:
            self._rehearsal.take(ConsentSaid(now, said, lambda desk, uow, each, _: desk.agree_to_marketing(uow, each)))
        if script.contact.is_opted_out:
            self._rehearsal.take(ConsentSaid(now, said, ConsentDesk.opt_out))

    def _next_moment(self) -> datetime | None:
        due = self._rehearsal.next_due()
        times = [each for each in (due, self._to_come[0].at if self._to_come else None) if each is not None]
        return min(times, default=None)

    def _cue_answer(self) -> None:
        """Let the next answer without a time of its own come soon after a text, or after one that brought no text."""
        if not self._waiting or any(each.is_an_answer for each in self._to_come):
            return
        cue, now = self._waiting[0], self._company.clock.now()
        got = [text.sent_at for text in self._texts_to(_who(cue)) if text.sent_at and text.sent_at > self._answered_at]
        if got:
            at = max(got) + ANSWERS_AFTER
        elif self._has_answered:
            at = now + ANSWERS_AGAIN_AFTER
        else:
            return
        self._waiting.popleft()
        self._answered_at, self._has_answered = max([now, *got]), True
        self._to_come = sorted([*self._to_come, _Cued(at, cue, is_an_answer=True)], key=lambda each: each.at)

    def _happening(self, cue: Cue, at: datetime) -> Happening:
        if isinstance(cue, ScriptedEvent):
            source, owner = f"simulated-{next(self._ids)}", self._script.owner
            return EventHappens(at, cue.name, cue.ref, cue.values, source, self._contact, owner, "as the script says")
        if isinstance(cue, ScriptedClick):
            return LinkFollowed(at, self._contact.id, cue.link)
        number = self._owner_phone() if cue.is_owners else self._contact.msisdn
        return ReplyComes(at, number or "", self._words(cue), f"reply-{next(self._ids)}")

    def _owner_phone(self) -> str | None:
        return next(iter(self._script.account.get("owner_phones", {}).values()), None)

    def _words(self, cue: ScriptedReply) -> str:
        if not _CODE.search(cue.text):
            return cue.text
        codes = [found for text in self._texts_to(_who(cue)) for found in _DIGITS.findall(text.body)]
        return _CODE.sub(codes[-1] if codes else "", cue.text)

    def _texts_to(self, recipient: str) -> list[MessageRow]:
        """Give the texts that went to the contact, or to the owner: each answers only what they themselves got."""
        return [
            each
            for each in self._company.ledger.all_messages()
            if each.direction is Direction.OUT and each.recipient == recipient
        ]

    def _fails(self, message: MessageRow) -> bool:
        return message.step in self._failing

    def _transcript(self) -> Transcript:
        messages = list(self._company.ledger.all_messages())
        enrollments = list(self._company.ledger.all_enrollments())
        entries = tuple(self._company.ledger.all_entries())
        return Transcript(
            entries,
            {each.id: _text(each) for each in messages if each.direction is Direction.OUT},
            {each.id: each.body for each in messages if each.direction is Direction.IN},
            _outcome(enrollments[0].status, enrollments[0].exit_reason, enrollments[0].waits_for)
            if enrollments
            else _refusal(entries),
        )


def _who(cue: Cue) -> str:
    """Give whose texts an answer answers, as `MessageRow.recipient` says it."""
    return "owner" if isinstance(cue, ScriptedReply) and cue.is_owners else "contact"


def crm_of(company: Company) -> str:
    """Give the CRM that the events of a catalogue come from; of several the first."""
    return next(iter(company.catalogue.by_crm), "")


def _contact_row(script: Script, account: AccountRow) -> ContactRow:
    who = script.contact
    return ContactRow(
        id="contact",
        account_id=account.id,
        crm=account.crm,
        crm_id=who.crm_id,
        msisdn=who.msisdn,
        msisdn_reason="phone" if who.msisdn else "the contact has no phone number",
        time_zone=who.time_zone,
        locale=who.locale,
        country=who.country,
        owner_id=None if script.owner is None else script.owner.owner_id,
        attributes=who.attributes,
        read_at=script.at,
    )


def _text(message: MessageRow) -> SimulatedText:
    return SimulatedText(
        at=message.sent_at or message.created_at,
        step=message.step,
        recipient=message.recipient,
        body=message.body,
        encoding=message.encoding,
        segments=message.segments,
        state=message.state.value,
        state_reason=message.state_reason,
        gateway=message.gateway,
        country=message.country,
    )


def _outcome(status: str, reason: str, waits_for: str) -> str:
    return f"waits for {waits_for}" if status == "live" else f"ended: {reason}"


def _refusal(entries: Sequence[TimelineEntry]) -> str:
    refused = [entry.summary for entry in entries if entry.kind is EntryKind.NOT_ENROLLED]
    return refused[-1] if refused else "no journey takes this event"


def to_json(transcript: Transcript) -> dict[str, Any]:
    """Give a transcript for programs."""
    return {
        "outcome": transcript.outcome,
        "texts": [
            {**{name: getattr(text, name) for name in _SHOWN}, "at": text.at.isoformat(), "id": message_id}
            for message_id, text in transcript.texts.items()
        ],
        "entries": [
            {
                "at": entry.at.isoformat(),
                "kind": entry.kind.value,
                "summary": entry.summary,
                "path": entry.path,
                "file": entry.file,
                "line": entry.line,
                "data": _plain(entry.data),
            }
            for entry in transcript.entries
        ],
    }


_SHOWN = ("step", "recipient", "body", "encoding", "segments", "state", "state_reason", "gateway", "country")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
