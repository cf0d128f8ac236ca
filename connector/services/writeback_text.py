"""What does a record on a contact's timeline say to the rep who reads it?

Plain text; the CRM's adapter escapes it. The last line is our reference, by which a record whose creation was never
answered is found again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from connector.domain.keyword_answers import HELP_ANSWER, START_CONFIRMATION, STOP_CONFIRMATION, is_keyword_answer
from connector.domain.message import MessageState
from connector.ports.messages import MessageRow
from connector.services.shown_texts import shown_body

STATE_WORDS: Mapping[MessageState, str] = {
    MessageState.HELD: "held",
    MessageState.QUEUED: "waiting to be sent",
    MessageState.DISPATCHING: "being sent",
    MessageState.UNKNOWN: "perhaps sent, asking the gateway",
    MessageState.ACCEPTED: "accepted by the gateway",
    MessageState.SENT: "sent, not yet confirmed",
    MessageState.DELIVERED: "delivered",
    MessageState.UNDELIVERED: "not delivered",
    MessageState.EXPIRED: "expired",
    MessageState.FAILED: "failed",
    MessageState.CANCELLED: "cancelled, not sent",
    MessageState.SUPPRESSED: "not sent",
    MessageState.DEAD_LETTER: "given up, please look",
    MessageState.RECEIVED: "received",
}
"""What people read instead of a state."""

EXPLAINED = frozenset(
    {
        MessageState.HELD,
        MessageState.UNKNOWN,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
        MessageState.CANCELLED,
        MessageState.SUPPRESSED,
        MessageState.DEAD_LETTER,
    }
)
"""States a rep asks "why?" about; the reasons of the others are for the trace."""

_ANSWERS: Mapping[str, str] = {
    STOP_CONFIRMATION: "Automatic confirmation of the opt-out",
    START_CONFIRMATION: "Automatic confirmation of the opt-in",
    HELP_ANSWER: "Automatic answer to a request for help",
}


def message_text(message: MessageRow, ref: str) -> str:
    """Say what was sent to whom, how it stands and why."""
    return _lines(
        f"SMS to {message.recipient} · {_status(message)}",
        f"Why: {message.state_reason}" if message.state in EXPLAINED and message.state_reason else "",
        "",
        shown_body(message),
        "",
        _origin(message),
        _size_and_engagement(message),
        f"Ref {ref}",
    )


def reply_text(message: MessageRow, note: str, ref: str) -> str:
    """Say what somebody wrote back, and what we made of it."""
    return _lines(f"SMS from {message.recipient} · {_status(message)}", "", shown_body(message), "", note, f"Ref {ref}")


def consent_text(payload: Mapping[str, Any], ref: str) -> str:
    """Say how somebody opted out or in, and what follows."""
    return _lines(payload["headline"], "", payload["how"], payload["effect"], "", f"Ref {ref}")


def task_text(payload: Mapping[str, Any], ref: str) -> str:
    """Say what a person is asked to do."""
    body = payload.get("body") or ""
    return _lines(body, "", f"Ref {ref}") if body else f"Ref {ref}"


def note_text(text: str, ref: str) -> str:
    """Say what a journey notes."""
    return _lines(text, "", f"Ref {ref}")


def _lines(*lines: str) -> str:
    """Join lines; an empty one parts paragraphs, and two never follow each other."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept)


def _status(message: MessageRow) -> str:
    word = STATE_WORDS[message.state]
    if message.state is MessageState.HELD:
        return f"{word} until {_time(message.not_before, message.created_at)}"
    return f"{word} {_time(message.updated_at or message.created_at, message.sent_at or message.created_at)}"


def _time(at: datetime, beside: datetime) -> str:
    """Give the time of day, with the day where it is not the one the record stands at."""
    return f"{at:%H:%M} UTC" if at.date() == beside.date() else f"{at:%Y-%m-%d %H:%M} UTC"


def _origin(message: MessageRow) -> str:
    if is_keyword_answer(message.journey, message.step):
        return _ANSWERS[message.step]
    step = f", {message.step}" if message.step else ""
    return f"Journey {message.journey}{step}" if message.journey else ""


def _size_and_engagement(message: MessageRow) -> str:
    return " · ".join(_facts(message))


def _facts(message: MessageRow) -> Iterable[str]:
    yield f"{message.segments} segment" + ("" if message.segments == 1 else "s")
    beside = message.sent_at or message.created_at
    if message.replied_at:
        yield f"replied {_time(message.replied_at, beside)}"
    if message.clicked_at:
        yield f"clicked {_time(message.clicked_at, beside)}"
    if message.opted_out_at:
        yield f"opted out {_time(message.opted_out_at, beside)}"
