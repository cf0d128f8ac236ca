"""What is told of a play, so that two of them can be compared: without ids, which no two plays share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from connector.domain.message import Direction, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.enrollments import EnrollmentRow
from connector.ports.messages import MessageRow

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LINK = re.compile(r"https://\S+/l/\w{11}")
_CODE = re.compile(r"(?<=your code is )\d+|^\d{3,}$")

Told = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """What came of a play.

    Attributes:
        kinds: of timeline entries.
        paths: of the steps they are about.
        states: that texts have come to.
    """

    texts: list[Told]
    enrollments: list[Told]
    timeline: list[Told]
    kinds: frozenset[EntryKind]
    paths: frozenset[str]
    states: frozenset[MessageState]


def tell(
    messages: Iterable[MessageRow], enrollments: Iterable[EnrollmentRow], entries: Iterable[TimelineEntry]
) -> Telling:
    """Tell it, everything in an order of its own."""
    rows, lines = list(messages), list(entries)
    return Telling(
        sorted(map(_text, rows), key=repr),
        sorted(map(_enrollment, enrollments), key=repr),
        sorted(map(_entry, lines), key=repr),
        frozenset(entry.kind for entry in lines),
        frozenset(entry.path for entry in lines),
        frozenset(row.state for row in rows),
    )


def differences(simulated: Telling, lived: Telling) -> list[str]:
    """Say what only one of two plays has."""
    found = []
    for name in ("texts", "enrollments", "timeline"):
        ours, theirs = Counter(getattr(simulated, name)), Counter(getattr(lived, name))
        found += [f"only simulated: {each}" for each in (ours - theirs).elements()]
        found += [f"only lived: {each}" for each in (theirs - ours).elements()]
    return found


def _text(row: MessageRow) -> Told:
    body = _CODE.sub("<code>", _LINK.sub("<link>", row.body))
    when = (row.created_at, row.sent_at, row.expires_at)
    what = (row.journey, row.step, row.recipient, row.msisdn, row.purpose, body, row.encoding, row.segments)
    is_ours = row.direction is Direction.OUT
    return (*when, *what, row.state, row.state_reason, row.gateway if is_ours else "", row.priority)


def _enrollment(row: EnrollmentRow) -> Told:
    when = (row.started_at, row.ended_at, row.due_at)
    return (*when, row.journey, row.key, row.epoch, row.subject, row.status, row.exit_reason, row.waits_for)


def _entry(entry: TimelineEntry) -> Told:
    return (entry.at, entry.kind, entry.path, entry.line, _ID.sub("<id>", entry.summary), entry.file, entry.ref)
