"""What is one SMS to us, and by which words do we name its state, purpose and errors?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Direction(StrEnum):
    """Which way an SMS travels, seen from us."""

    OUT = "out"
    IN = "in"


class Purpose(StrEnum):
    """Why a text is sent; decides consent rule, send window, caps, send policy and lane."""

    OTP = "otp"
    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"


class SendPolicy(StrEnum):
    """What to do with an attempt nobody can tell the fate of."""

    AT_MOST_ONCE = "at_most_once"
    AT_LEAST_ONCE = "at_least_once"


def default_policy(purpose: Purpose) -> SendPolicy:
    """Resend an unknown attempt only when a second copy does less harm than none: one-time codes."""
    return SendPolicy.AT_LEAST_ONCE if purpose is Purpose.OTP else SendPolicy.AT_MOST_ONCE


LIFETIMES: Mapping[Purpose, timedelta] = {
    Purpose.OTP: timedelta(minutes=10),  # as long as codes are usually good for
    Purpose.TRANSACTIONAL: timedelta(hours=48),  # outlasts a night and a gateway's bad day
    Purpose.MARKETING: timedelta(hours=96),  # outlasts a long weekend without a send window
}
"""How long a text is worth sending when nobody says otherwise; a text held for longer expires."""


class MessageState(StrEnum):
    """Where a message stands; see `domain.receipt` for the legal moves between these."""

    HELD = "held"  # waits for a window, a cap or a time; `not_before` says until when
    QUEUED = "queued"
    DISPATCHING = "dispatching"  # claimed; an attempt row exists
    UNKNOWN = "unknown"  # may have gone out; reconciliation asks
    ACCEPTED = "accepted"  # the gateway has it
    SENT = "sent"  # it left the gateway
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPPRESSED = "suppressed"
    DEAD_LETTER = "dead_letter"
    RECEIVED = "received"  # the one state of an inbound message


OPEN_STATES = frozenset({MessageState.HELD, MessageState.QUEUED, MessageState.DISPATCHING})
"""States in which the gateway does not certainly have the text yet."""

FINAL_STATES = frozenset(
    {
        MessageState.DELIVERED,
        MessageState.UNDELIVERED,
        MessageState.EXPIRED,
        MessageState.FAILED,
        MessageState.CANCELLED,
        MessageState.SUPPRESSED,
        MessageState.DEAD_LETTER,
        MessageState.RECEIVED,
    }
)


class ErrorClass(StrEnum):
    """What a gateway's error means to us, whatever its own code says."""

    TRANSIENT = "transient"
    PERMANENT_NUMBER = "permanent_number"
    PERMANENT_CONTENT = "permanent_content"
    OPTED_OUT = "opted_out"
    SENDER_OR_REGISTRATION = "sender_or_registration"
    ACCOUNT_OR_CREDIT = "account_or_credit"
    THROTTLED = "throttled"
    CONFIG = "config"
    UNKNOWN = "unknown"


class Engagement(StrEnum):
    """Facts beside the state: a delivered message can be replied to and opted out of."""

    REPLIED = "replied"
    CLICKED = "clicked"
    OPTED_OUT = "opted_out"
    ESCALATED = "escalated"
