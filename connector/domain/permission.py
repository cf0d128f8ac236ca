"""May this message go out now, and if not, why not and until when?

Asked inside the transaction that claims the message, so the answer is about the ledger as it stands then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connector.domain.caps import Cap, next_free
from connector.domain.message import Purpose
from connector.domain.send_window import Opening

_LOOK_AGAIN = timedelta(hours=1)
"""A window that never opens (no zone known) is looked at again hourly: the zone may be filled in; the text expires."""


class Answer(StrEnum):
    """What to do with a message that wants to go out."""

    SEND = "send"
    HOLD = "hold"
    SUPPRESS = "suppress"
    EXPIRE = "expire"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, its reason in one sentence for people, and until when a hold lasts."""

    answer: Answer
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """All that the question depends on.

    Attributes:
        is_keyword_answer: the confirmation of a STOP, a START or a HELP; it goes out whatever else holds.
        journey_has_ended: the enrollment that wanted it is over.
        suppressed_scopes: scopes (`all`, `marketing`) in which the number said never.
        consent: the number's latest word on marketing, `opt_in`, `opt_out`, `doubtful`, or None.
        window: name of the send window.
        opening: whether that window is open now where the reader is.
        caps: each with the times of the earlier texts that count against it.
    """

    purpose: Purpose
    expires_at: datetime | None
    is_keyword_answer: bool
    journey_has_ended: bool
    suppressed_scopes: frozenset[str]
    consent: str | None
    needs_consent: bool
    window: str
    opening: Opening
    caps: Sequence[tuple[Cap, Sequence[datetime]]]


def may_send(case: Circumstances, now: datetime) -> Verdict:
    """Answer for one message; the first rule that objects decides."""
    if case.expires_at is not None and case.expires_at <= now:
        return Verdict(Answer.EXPIRE, "its lifetime is over")
    if case.journey_has_ended:
        return Verdict(Answer.CANCEL, "its journey has ended")
    if case.is_keyword_answer:
        return Verdict(Answer.SEND, "an answer to STOP, START or HELP always goes out")
    return _refused(case) or _held_by_window(case, now) or _held_by_cap(case, now) or _allowed(case)


def _refused(case: Circumstances) -> Verdict | None:
    if "all" in case.suppressed_scopes:
        return Verdict(Answer.SUPPRESS, "the number has opted out")
    if case.purpose is not Purpose.MARKETING:
        return None
    if "marketing" in case.suppressed_scopes:
        return Verdict(Answer.SUPPRESS, "the number has opted out of marketing")
    if case.consent == "doubtful":
        return Verdict(Answer.SUPPRESS, "a reply may have been an opt-out; a person has to look at it")
    if case.needs_consent and case.consent != "opt_in":
        return Verdict(Answer.SUPPRESS, "no consent to marketing is on record for the number")
    return None


def _held_by_window(case: Circumstances, now: datetime) -> Verdict | None:
    if case.opening.is_open:
        return None
    zones = ", ".join(case.opening.zones[:3]) or "no known time zone"
    if case.opening.opens_at is None:
        return Verdict(Answer.HOLD, f"window {case.window} cannot open ({zones})", now + _LOOK_AGAIN)
    return Verdict(Answer.HOLD, f"window {case.window} is closed ({zones})", case.opening.opens_at)


def _held_by_cap(case: Circumstances, now: datetime) -> Verdict | None:
    free = [(cap, next_free((cap,), sent_at, now)) for cap, sent_at in case.caps]
    blocking = [(at, cap) for cap, at in free if at is not None]
    if not blocking:
        return None
    at, cap = max(blocking, key=lambda pair: pair[0])
    return Verdict(Answer.HOLD, f"cap of {cap} is used up", at)


def _allowed(case: Circumstances) -> Verdict:
    closes = case.opening.closes_at
    until = f" until {closes:%Y-%m-%d %H:%M} UTC" if closes else ""
    consent = f", marketing consent is {case.consent}" if case.purpose is Purpose.MARKETING else ""
    caps = ", ".join(f"{len(sent_at)} sent of {cap}" for cap, sent_at in case.caps)
    return Verdict(
        Answer.SEND,
        f"not suppressed{consent}, window {case.window} is open{until}" + (f", {caps}" if caps else ""),
    )
