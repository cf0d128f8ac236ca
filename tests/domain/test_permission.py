"""May a message go out now? Every rule, and which of them decides when several object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.domain.caps import Cap
from connector.domain.message import Purpose
from connector.domain.permission import Answer, Circumstances, Verdict, may_send
from connector.domain.send_window import Opening, OpeningReason

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=7)
ZONES = ("Europe/London",)

OPEN = Opening(True, None, LATER, ZONES, OpeningReason.OPEN)
ALWAYS_OPEN = Opening(True, None, None, ZONES, OpeningReason.OPEN)
CLOSED = Opening(False, LATER, None, ZONES, OpeningReason.CLOSED)
NEVER_OPEN = Opening(False, None, None, ZONES, OpeningReason.NEVER)
NO_ZONE = Opening(False, None, None, (), OpeningReason.NO_ZONE)

TWICE_A_DAY = Cap(2, timedelta(days=1))
ONCE_A_WEEK = Cap(1, timedelta(days=7))
AN_HOUR_AGO, TWO_HOURS_AGO = NOW - timedelta(hours=1), NOW - timedelta(hours=2)

MARKETING = {"purpose": Purpose.MARKETING, "needs_consent": True, "consent": "opt_in"}


def a_case(**changes: Any) -> Circumstances:
    values: dict[str, Any] = {
        "purpose": Purpose.TRANSACTIONAL,
        "expires_at": None,
        "is_keyword_answer": False,
        "journey_has_ended": False,
        "suppressed_scopes": frozenset(),
        "consent": None,
        "needs_consent": False,
        "window": "daytime",
        "opening": OPEN,
        "caps": (),
    }
    return Circumstances(**values | changes)


REFUSALS: dict[str, tuple[dict[str, Any], Answer, str, datetime | None]] = {
    "a lifetime that is over": ({"expires_at": NOW}, Answer.EXPIRE, "its lifetime is over", None),
    "an opt-out": ({"suppressed_scopes": {"all"}}, Answer.SUPPRESS, "the number has opted out", None),
    "an opt-out of marketing": (
        MARKETING | {"suppressed_scopes": {"marketing"}},
        Answer.SUPPRESS,
        "the number has opted out of marketing",
        None,
    ),
    "a reply that may have been an opt-out": (
        MARKETING | {"consent": "doubtful"},
        Answer.SUPPRESS,
        "a reply may have been an opt-out; a person has to look at it",
        None,
    ),
    "a doubtful reply, whether or not consent is needed": (
        MARKETING | {"consent": "doubtful", "needs_consent": False},
        Answer.SUPPRESS,
        "a reply may have been an opt-out; a person has to look at it",
        None,
    ),
    "marketing without consent": (
        MARKETING | {"consent": None},
        Answer.SUPPRESS,
        "no consent to marketing is on record for the number",
        None,
    ),
    "marketing after consent was withdrawn": (
        MARKETING | {"consent": "opt_out"},
        Answer.SUPPRESS,
        "no consent to marketing is on record for the number",
        None,
    ),
    "a closed window": (
        {"opening": CLOSED},
        Answer.HOLD,
        "window daytime is closed (Europe/London)",
        LATER,
    ),
    "a window that never opens": (
        {"opening": NEVER_OPEN},
        Answer.HOLD,
        "window daytime cannot open (Europe/London)",
        NOW + timedelta(hours=1),
    ),
    "a reader whose zone nobody knows": (
        {"opening": NO_ZONE},
        Answer.HOLD,
        "window daytime cannot open (no known time zone)",
        NOW + timedelta(hours=1),
    ),
    "a cap that is used up": (
        {"caps": [(TWICE_A_DAY, [AN_HOUR_AGO, TWO_HOURS_AGO])]},
        Answer.HOLD,
        "cap of 2 per 1 day is used up",
        TWO_HOURS_AGO + timedelta(days=1),
    ),
    "the cap that frees last": (
        {"caps": [(TWICE_A_DAY, [AN_HOUR_AGO, TWO_HOURS_AGO]), (ONCE_A_WEEK, [AN_HOUR_AGO])]},
        Answer.HOLD,
        "cap of 1 per 1 week is used up",
        AN_HOUR_AGO + timedelta(days=7),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_rule_stops_a_message_and_says_why_and_until_when(name: str) -> None:
    changes, answer, reason, until = REFUSALS[name]
    assert may_send(a_case(**changes), NOW) == Verdict(answer, reason, until)


ALLOWED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing objects": ({}, "not suppressed, window daytime is open until 2026-11-20 19:00 UTC"),
    "a window that does not close": ({"opening": ALWAYS_OPEN}, "not suppressed, window daytime is open"),
    "a lifetime that is not over": (
        {"expires_at": NOW + timedelta(seconds=1)},
        "not suppressed, window daytime is open until 2026-11-20 19:00 UTC",
    ),
    "an opt-out of marketing, for another purpose": (
        {"suppressed_scopes": {"marketing"}, "consent": "doubtful"},
        "not suppressed, window daytime is open until 2026-11-20 19:00 UTC",
    ),
    "marketing with consent": (
        MARKETING,
        "not suppressed, marketing consent is opt_in, window daytime is open until 2026-11-20 19:00 UTC",
    ),
    "room under every cap": (
        {"caps": [(TWICE_A_DAY, [AN_HOUR_AGO]), (ONCE_A_WEEK, [])]},
        "not suppressed, window daytime is open until 2026-11-20 19:00 UTC, 1 sent of 2 per 1 day, 0 sent of 1 per 1 week",  # noqa: E501 - as people read it
    ),
    "the answer to a STOP, whatever else holds": (
        {
            "is_keyword_answer": True,
            "suppressed_scopes": {"all"},
            "opening": CLOSED,
            "caps": [(ONCE_A_WEEK, [AN_HOUR_AGO])],
        },
        "an answer to STOP, START or HELP always goes out",
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_message_goes_out_with_the_reason_that_let_it(name: str) -> None:
    changes, reason = ALLOWED[name]
    assert may_send(a_case(**changes), NOW) == Verdict(Answer.SEND, reason)


ORDER: list[dict[str, Any]] = [
    {"expires_at": NOW},
    {"suppressed_scopes": {"all", "marketing"}},
    {"suppressed_scopes": {"marketing"}},
    {"consent": "doubtful"},
    {"consent": None},
    {"opening": CLOSED},
    {"caps": [(ONCE_A_WEEK, [AN_HOUR_AGO])]},
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_of_several_objections_the_one_that_lasts_longest_decides(first: int) -> None:
    objections: dict[str, Any] = dict(MARKETING)
    for changes in reversed(ORDER[first:]):
        objections |= changes
    alone = may_send(a_case(**MARKETING | ORDER[first]), NOW)
    assert alone.answer is not Answer.SEND
    assert may_send(a_case(**objections), NOW) == alone


def test_even_the_answer_to_a_stop_expires() -> None:
    assert may_send(a_case(is_keyword_answer=True, expires_at=NOW), NOW).answer is Answer.EXPIRE


def test_a_text_whose_journey_has_ended_is_cancelled_whatever_else_holds() -> None:
    verdict = may_send(a_case(journey_has_ended=True, suppressed_scopes=frozenset({"all"})), NOW)
    assert verdict.answer is Answer.CANCEL
