"""Which moves between message states are legal, and where does a receipt leave a message?

The transitions form a table of ranks so that any order of the same receipts ends in the same state: rank never
falls, `delivered` absorbs, and of two bad ends the one with the higher rank in `_BAD_END_RANK` is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from connector.domain.message import MessageState as S

_PROGRESS: Mapping[S, int] = {S.DISPATCHING: 0, S.UNKNOWN: 1, S.ACCEPTED: 2, S.SENT: 3}
"""How far a claimed message is known to have come; `unknown` ranks below `accepted` since any receipt tells more."""

_BAD_END_RANK: Mapping[S, int] = {S.EXPIRED: 4, S.FAILED: 5, S.UNDELIVERED: 6}
"""Of two bad ends the later stage wins: the carrier's `undelivered` knows more than the gateway's `failed`."""

_DELIVERED_RANK = 7

_RANK: Mapping[S, int] = {**_PROGRESS, **_BAD_END_RANK, S.DELIVERED: _DELIVERED_RANK}

RECEIPT_STATES = frozenset({S.UNKNOWN, S.ACCEPTED, S.SENT, S.DELIVERED, *_BAD_END_RANK})
"""States a gateway's receipt or a status query may name."""

_OWN_MOVES: Mapping[S, frozenset[S]] = {
    S.HELD: frozenset({S.QUEUED, S.CANCELLED, S.SUPPRESSED, S.EXPIRED}),
    S.QUEUED: frozenset({S.HELD, S.DISPATCHING, S.CANCELLED, S.SUPPRESSED, S.EXPIRED, S.FAILED, S.DEAD_LETTER}),
    S.DISPATCHING: frozenset({S.QUEUED, S.UNKNOWN, S.ACCEPTED, S.SENT, S.FAILED, S.DEAD_LETTER, S.EXPIRED}),
    S.UNKNOWN: frozenset({S.QUEUED, S.DEAD_LETTER, S.EXPIRED}),
    S.DEAD_LETTER: frozenset({S.QUEUED, S.HELD, S.FAILED}),
}
"""Moves we make ourselves, beside those that receipts bring; the arrows of the design's picture."""

_MAY_COME_BACK = frozenset({S.DISPATCHING, S.UNKNOWN, S.ACCEPTED, S.SENT})
"""From here a receipt that says "not delivered, for a passing reason" may lead back to `queued` instead of to its end,
once in a message's life."""

_BAD_ENDS = frozenset(_BAD_END_RANK)


def may_move(current: S, target: S) -> bool:
    """Tell whether we may move a message of our own accord from `current` to `target`."""
    return target in _OWN_MOVES.get(current, frozenset())


def may_resend(current: S, reported: S) -> bool:
    """Tell whether a message may go back to `queued` instead of into the bad end that a receipt reports."""
    return current in _MAY_COME_BACK and reported in _BAD_ENDS


def after_attempt(current: S, reported: S, *, is_latest: bool, was_settled: bool) -> S:
    """Give a message's state after a receipt about one of its attempts.

    A delivery is one whichever attempt brought it. Otherwise only the latest attempt speaks for the message: an older
    one was given up for a reason, and the text is on its way again. While the text waits to be sent again, the attempt
    whose end led to that has said all it can.

    Args:
        current: of the message.
        reported: of the attempt.
        is_latest: the receipt is about the message's latest attempt.
        was_settled: an earlier receipt had ended that attempt already.
    """
    if reported is S.DELIVERED:
        return after_receipt(current, reported)
    if not is_latest or (was_settled and current in {S.QUEUED, S.HELD}):
        return current
    return after_receipt(current, reported)


def of_parts(parts: Collection[S]) -> S:
    """Give the state of a long text whose parts are told of one by one.

    It is delivered when all parts are; the worst part decides when one has failed, since half a text is none; until
    then it is as far as its last part.
    """
    bad = [part for part in parts if part in _BAD_ENDS]
    if bad:
        return max(bad, key=lambda part: _RANK[part])
    return min(parts, key=lambda part: _RANK.get(part, 0), default=S.UNKNOWN)


def after_receipt(current: S, reported: S) -> S:
    """Give the state after a receipt that reports `reported`; the same state when the receipt adds nothing.

    Commutative and idempotent over any sequence of receipts that starts from a claimed message. A receipt also moves
    a message back from `queued` (a retry is waiting) or `dead_letter`, since it proves that the text did go out;
    it never moves one that was cancelled or suppressed before any attempt.
    """
    if reported not in RECEIPT_STATES or reported is S.UNKNOWN:
        return current
    if current in {S.QUEUED, S.HELD, S.DEAD_LETTER}:
        return reported
    if current not in _RANK:
        return current
    return reported if _RANK[reported] > _RANK[current] else current
