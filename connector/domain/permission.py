"""May this message go out now, and if not, why not and until when?

Asked inside the transaction that claims the message, so the answer is about the ledger as it stands then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connector.domain.caps import Limit
from connector.domain.message import Purpose
from connector.domain.send_window import Opening

_LOOK_AGAIN = timedelta(hours=1)
"""A window that never opens (no zone known) is looked at again hourly: the zone may be filled in; the text expires."""

_AFTER_RIVAL = timedelta(minutes=15)
"""A text that gives way is looked at again this long after its rival may go: by then the rival has gone, or cannot."""

_RIVAL_MAY_BE_GONE = timedelta(hours=3)
"""And at the latest after this: the rival may have been cancelled meanwhile. Each look is a line in the trace."""

_MOST_PATIENCE = timedelta(days=1)
"""How long a text gives way in all: a rival that has not gone within a day is held up by something else."""


class Answer(StrEnum):
    """What to do with a message that wants to go out."""

    SEND = "send"
    HOLD = "hold"
    SUPPRESS = "suppress"
    EXPIRE = "expire"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, its reason in one sentence for people, and until when a hold lasts.

    Attributes:
        gives_way_to: id of the message that the last room under a cap is kept for; empty when none is.
    """

    answer: Answer
    reason: str
    until: datetime | None = None
    gives_way_to: str = ""


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
        limits: every cap that holds, how full it is and who else wants what is left of it.
        has_given_way: whether it has waited for others as long as a text has to.
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
    limits: Sequence[Limit]
    has_given_way: bool = False


def may_send(case: Circumstances, now: datetime) -> Verdict:
    """Answer for one message; the first rule that objects decides."""
    if case.expires_at is not None and case.expires_at <= now:
        return Verdict(Answer.EXPIRE, "its lifetime is over")
    if case.journey_has_ended:
        return Verdict(Answer.CANCEL, "its journey has ended")
    if case.is_keyword_answer:
        return Verdict(Answer.SEND, "an answer to STOP, START or HELP always goes out")
    return (
        _refused(case)
        or _held_by_window(case, now)
        or _held_by_cap(case, now)
        or _held_for_another(case, now)
        or _allowed(case, now)
    )


def patience(created_at: datetime, expires_at: datetime | None) -> timedelta:
    """Say how long a text gives way to others: a day, but never so long that half of its lifetime goes by."""
    return _MOST_PATIENCE if expires_at is None else min(_MOST_PATIENCE, (expires_at - created_at) / 2)


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
    full = [(at, limit) for limit in case.limits if (at := limit.opens_at(now)) is not None]
    if not full:
        return None
    at, limit = max(full, key=lambda pair: pair[0])
    return Verdict(Answer.HOLD, f"{limit.rule} is used up ({limit.used(now)} sent)", at)


def _held_for_another(case: Circumstances, now: datetime) -> Verdict | None:
    if case.has_given_way:
        return None
    for limit in case.limits:
        rival = limit.crowded_out_by(now)
        if rival is not None:
            look_again = min(max(rival.wants_at, now) + _AFTER_RIVAL, limit.reopens_at(now), now + _RIVAL_MAY_BE_GONE)
            reason = f"gives way to {rival.journey} (priority {rival.priority}) under the {limit.rule}"
            return Verdict(Answer.HOLD, reason, look_again, rival.message_id)
    return None


def _allowed(case: Circumstances, now: datetime) -> Verdict:
    closes = case.opening.closes_at
    parts = ["not suppressed"]
    if case.purpose is Purpose.MARKETING:
        parts.append(f"marketing consent is {case.consent}")
    parts.append(f"window {case.window} is open" + (f" until {closes:%Y-%m-%d %H:%M} UTC" if closes else ""))
    parts += [f"{limit.rule} has room ({limit.used(now)} sent)" for limit in case.limits]
    if case.has_given_way:
        parts.append("has given way to others long enough")
    return Verdict(Answer.SEND, ", ".join(parts))
