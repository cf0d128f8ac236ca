"""What does a file for `smsctl simulate --event` say is to be played?

YAML or JSON. Values are written as in the CRM and read as the event file reads them; what is left out gets a plausible
value, so that an empty file plays a journey too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connector.adapters.journey_world import World, sample_names
from connector.adapters.plausible_times import placed
from connector.adapters.time_zones import time_zones
from connector.adapters.yaml_file import Document, Trail, read_file, read_yaml
from connector.adapters.yaml_shapes import Shape, closest, listed, quoted, shape_of, spoken
from connector.adapters.yaml_values import Anything, Duration, Items, TextList, Words, YesNo
from connector.domain.durations import parse_duration
from connector.domain.event import ObjectRef, Owner
from connector.domain.event_mapping import EventMapping
from connector.domain.journey import Journey
from connector.domain.msisdn import normalise
from connector.domain.record_values import convert_record
from connector.domain.script import Cue, Script, ScriptedClick, ScriptedContact, ScriptedEvent, ScriptedReply
from connector.domain.steps import texts_sent, walk
from connector.errors import ConfigurationError, InvalidNumberError, MappingError, Mistake

_OWN_KEYS = frozenset({"event", "at", "contact", "owner", "account", "fails", "answers", "then"})
_CUE_KEYS = frozenset({"after", "event", "reply", "click"})
_CONTACT_KEYS = frozenset({"id", "phone", "locale", "time_zone", "country", "marketing", "opted_out"})
_AFTER = re.compile(r"\s*after\s+([0-9]+\s+[a-z]+)\s*:\s*(.+)", re.IGNORECASE | re.DOTALL)
_OWNER_PHONE = "+12025550199"  # reserved for fiction
_YEARS = range(2000, 2201)  # others are slips, and whatever a journey adds to one of these is a date still


class ScriptShape(Shape):
    """The file itself; beside these, the records of the event."""

    what = "a script (event, at, contact, owner, account, fails, answers, then, and the event's records)"

    event = Words()
    at = Words()
    contact = Anything()
    owner = Anything()
    account = Anything()
    fails = TextList()
    answers = Anything()
    then = Items("a list of what happens (- after: 2 hours)")


class PersonShape(Shape):
    """`contact`, as far as it is not what texts see of it."""

    what = "a contact"

    marketing = YesNo()
    opted_out = YesNo()


class CueShape(Shape):
    """One entry of `then`."""

    what = "something that happens (after: …, with reply, owner_reply, event or click)"

    after = Duration()
    event = Words()
    reply = Words()
    owner_reply = Words()
    click = Words(allow_none=True)


def load_script(path: Path | None, journey: Journey, world: World, now: datetime) -> Script:
    """Read a script for a journey; no file at all is a script of plausible values.

    Raises:
        MappingError: every mistake with file, line and column.
    """
    document = read_yaml("{}", "no file") if path is None else read_file(path)
    reader = _ScriptReader(document, journey, world, now)
    script = reader.read()
    if reader.mistakes or script is None:
        raise MappingError(reader.mistakes)
    return script


def with_answers(script: Script, replies: Sequence[str], clicks: Sequence[str]) -> Script:
    """Add replies and clicks of the command line: `STOP`, or `after 2 hours: STOP`.

    Raises:
        ConfigurationError: what stands behind `after` is no duration.
    """
    said = [_reply(text) for text in replies]
    followed = [ScriptedClick(link) for link in clicks]
    return replace(script, cues=(*script.cues, *said, *followed))


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a time such as 2026-11-20 15:30, on this zone's clock when it names no offset.

    Raises:
        ValueError: says what is wrong with it.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{quoted(text)} is no time: expected one such as 2026-11-20T15:30+01:00") from None
    if moment.year not in _YEARS:
        raise ValueError(f"{quoted(text)} is not between the years {_YEARS[0]} and {_YEARS[-1]}")
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _reply(text: str) -> ScriptedReply:
    found = _AFTER.fullmatch(text)
    if found is None:
        return ScriptedReply(text)
    try:
        return ScriptedReply(found[2], parse_duration(found[1]))
    except ValueError as error:
        raise ConfigurationError(f"--reply {text}: {error}") from None


class _ScriptReader:
    def __init__(self, document: Document, journey: Journey, world: World, now: datetime) -> None:
        self.document, self.journey, self.world, self.at = document, journey, world, now
        self.mistakes: list[Mistake] = []

    def read(self) -> Script | None:
        top = self.document.value or {}
        if not isinstance(top, dict):
            self._say((), f"expected {ScriptShape.what}, found {spoken(top)}")
            return None
        name = str(top.get("event") or self.journey.trigger.event)
        mapping = self._mapping(name, ("event",))
        if mapping is None:
            return None
        names = sample_names(self.world, self.journey.crm, name, None, {})
        records = tuple(mapping.read)
        found = shape_of(ScriptShape(), self.document, (), top, self.mistakes, also=records)
        if found is None:
            return None
        owner, phone = self._owner(top.get("owner"), names["owner"])
        told = self._texts(("account",), top.get("account"))
        account = {**names["account"], **told, "owner_phones": {owner.email: phone} if phone else {}}
        zone = self._zone(("account", "time_zone"), account["time_zone"])
        self.at = self._moment(found.get("at"), zone)
        names = placed(names, name, self.at)
        start = ScriptedEvent(timedelta(0), name, *self._record(mapping, (), top, names))
        return Script(
            at=self.at,
            start=start,
            contact=self._contact(top.get("contact"), names["contact"], account),
            owner=owner,
            account=account,
            fails=self._failing(found.get("fails", ())),
            answers=self._answers(top.get("answers")),
            cues=tuple(self._cues(found.get("then", []), start)),
        )

    def _mapping(self, name: str, trail: Trail) -> EventMapping | None:
        found = self.world.catalogue.find(name, self.journey.crm)
        if found:
            return found[0]
        known = self.world.catalogue.names(self.journey.crm)
        self._say(trail, f"no event is named {quoted(name)}", closest(name, known) or f"there are {listed(known)}")
        return None

    def _record(
        self, mapping: EventMapping, trail: Trail, given: Mapping[str, Any], usual: Mapping[str, Any]
    ) -> tuple[ObjectRef, dict[str, dict[str, Any]]]:
        values: dict[str, dict[str, Any]] = {}
        for record, reads in mapping.read.items():
            told = self._texts((*trail, record), given.get(record))
            for unknown in told.keys() - reads.keys() - {"id"}:
                hint = closest(unknown, reads) or f"there are {listed(sorted(reads))}"
                self._say((*trail, record, unknown), f"{mapping.name} reads no {quoted(f'{record}.{unknown}')}", hint)
            # What is told under one name holds for every name that reads the same property.
            changed = {reads[name].property_name: text for name, text in told.items() if name in reads}
            read = convert_record(reads, changed, {})
            known = usual.get(record, {}) if isinstance(usual.get(record), Mapping) else {}
            values[record] = {**known, **{n: v for n, v in read.items() if reads[n].property_name in changed}}
            if "id" in told:
                values[record]["id"] = told["id"]
        record = mapping.object_type.rpartition(".")[2]  # of a webhook the system stands before it
        record_id = str(values.get(record, {}).get("id") or "1")
        return ObjectRef(mapping.object_type, record_id), values

    def _contact(self, raw: Any, usual: Mapping[str, Any], account: Mapping[str, Any]) -> ScriptedContact:
        told = self._texts(("contact",), raw)
        flags = shape_of(
            PersonShape(), self.document, ("contact",), raw if isinstance(raw, dict) else {}, self.mistakes, also=told
        )
        for unknown in told.keys() - usual.keys() - _CONTACT_KEYS:
            hint = closest(unknown, [*usual, *_CONTACT_KEYS]) or f"there are {listed(sorted({*usual, *_CONTACT_KEYS}))}"
            self._say(("contact", unknown), f"a contact has no {quoted(unknown)}", hint)
        self._zone(("contact", "time_zone"), told.get("time_zone", ""))
        seen = {**usual, **{name: value for name, value in told.items() if name in usual}}
        return ScriptedContact(
            crm_id=str(seen.get("id", "1")),
            msisdn=self._number(told.get("phone", str(usual.get("phone", "+12025550143"))), told, account),
            locale=told.get("locale"),
            time_zone=told.get("time_zone", None if "phone" in told else account.get("time_zone")),
            country=told.get("country"),
            attributes=seen,
            has_marketing_consent=bool((flags or {}).get("marketing", True)),
            is_opted_out=bool((flags or {}).get("opted_out", False)),
        )

    def _number(self, text: str, told: Mapping[str, str], account: Mapping[str, Any]) -> str | None:
        if not text:
            return None
        try:
            return normalise(
                text, [region for region in (told.get("country"), account.get("default_region")) if region]
            ).e164
        except InvalidNumberError as exc:
            self._say(("contact", "phone"), str(exc), "write it with its country code, such as +12025550143")
            return None

    def _owner(self, raw: Any, usual: Mapping[str, Any]) -> tuple[Owner, str]:
        """Give the owner and their phone, which is empty when the script says that there is none."""
        told = {**usual, "phone": _OWNER_PHONE, **self._texts(("owner",), raw)}
        return Owner(str(told["id"]), str(told["name"]), str(told["email"])), str(told["phone"])

    def _moment(self, text: str | None, zone: ZoneInfo) -> datetime:
        try:
            return self.at if text is None else read_moment(text, zone)
        except ValueError as error:
            self._say(("at",), str(error))
            return self.at

    def _zone(self, trail: Trail, name: str) -> ZoneInfo:
        if name and name not in time_zones():
            self._say(trail, f"{quoted(name)} is no IANA time zone", closest(name, time_zones()))
            return ZoneInfo("UTC")
        return ZoneInfo(name or "UTC")

    def _failing(self, names: Sequence[str]) -> frozenset[str]:
        known = {name: None for step in walk(self.journey.steps) if texts_sent(step) for name in (step.id, step.path)}
        for name in names:
            if name not in known:
                hint = closest(name, known) or f"there are {listed(list(known))}"
                self._say(("fails",), f"{self.journey.id} has no step {quoted(name)} that sends a text", hint)
        return frozenset(names)

    def _answers(self, raw: Any) -> Mapping[str, Any]:
        if raw is None or isinstance(raw, dict):
            return raw or {}
        self._say(("answers",), f"expected endpoints with their answers, found {spoken(raw)}")
        return {}

    def _cues(self, items: list[Any], start: ScriptedEvent) -> list[Cue]:
        cues = [self._cue(("then", number), item, start) for number, item in enumerate(items)]
        return [cue for cue in cues if cue is not None]

    def _cue(self, trail: Trail, raw: Any, start: ScriptedEvent) -> Cue | None:
        name = str(raw.get("event")) if isinstance(raw, dict) and "event" in raw else None
        mapping = None if name is None else self._mapping(name, (*trail, "event"))
        records = () if mapping is None else tuple(mapping.read)
        found = shape_of(CueShape(), self.document, trail, raw, self.mistakes, also=records)
        if found is None:
            return None
        kinds = [key for key in ("reply", "owner_reply", "event", "click") if key in raw]
        if len(kinds) != 1:
            self._say(trail, "expected one of reply, owner_reply, event and click")
            return None
        if kinds[0] in {"reply", "owner_reply"}:
            return ScriptedReply(found[kinds[0]], found.get("after"), is_owners=kinds == ["owner_reply"])
        if kinds == ["click"]:
            return ScriptedClick(found.get("click") or "", found.get("after"))
        if mapping is None:
            return None
        ref, values = self._record(mapping, trail, raw, self._usual(mapping.name, start))
        return ScriptedEvent(found.get("after", timedelta(0)), mapping.name, ref, values)

    def _usual(self, event: str, start: ScriptedEvent) -> dict[str, Any]:
        """Give what a later event says of its records when the script says nothing: what the first one said of them."""
        usual = placed(sample_names(self.world, self.journey.crm, event, None, {}), event, self.at)
        return {**usual, **{record: {**usual.get(record, {}), **told} for record, told in start.values.items()}}

    def _texts(self, trail: Trail, raw: Any) -> dict[str, str]:
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self._say(trail, f"expected names with values, found {spoken(raw)}")
            return {}
        wrong = [name for name, value in raw.items() if not isinstance(value, str | None)]
        for name in wrong:
            self._say((*trail, name), f"expected a text, found {spoken(raw[name])}")
        return {name: value or "" for name, value in raw.items() if name not in wrong}

    def _say(self, trail: Trail, message: str, suggestion: str | None = None) -> None:
        self.mistakes.append(self.document.mistake(trail, message, suggestion))
