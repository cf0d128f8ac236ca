"""May a message go out now? Every rule, and which of them decides when several object."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connector.domain.caps import Cap, Contender, Limit
from connector.domain.message import Purpose
from connector.domain.permission import Answer, Circumstances, Verdict, may_send, patience
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


def a_limit(cap: Cap, *sent_at: datetime, wanted_by: tuple[Contender, ...] = ()) -> Limit:
    return Limit(cap, f"cap of {cap} for all texts", sent_at, wanted_by)


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
        "limits": (),
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
        {"limits": [a_limit(TWICE_A_DAY, AN_HOUR_AGO, TWO_HOURS_AGO)]},
        Answer.HOLD,
        "cap of 2 per 1 day for all texts is used up (2 sent)",
        TWO_HOURS_AGO + timedelta(days=1),
    ),
    "the cap that frees last": (
        {"limits": [a_limit(TWICE_A_DAY, AN_HOUR_AGO, TWO_HOURS_AGO), a_limit(ONCE_A_WEEK, AN_HOUR_AGO)]},
        Answer.HOLD,
        "cap of 1 per 1 week for all texts is used up (1 sent)",
        AN_HOUR_AGO + timedelta(days=7),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_each_rule_stops_a_message_and_says_why_and_until_when(name: str) -> None:
    changes, answer, reason, until = REFUSALS[name]
    assert may_send(a_case(**changes), NOW) == Verdict(answer, reason, until)


OPEN_REASON = "not suppressed, window daytime is open until 2026-11-20 19:00 UTC"

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
        {"limits": [a_limit(TWICE_A_DAY, AN_HOUR_AGO, NOW - timedelta(days=2)), a_limit(ONCE_A_WEEK)]},
        OPEN_REASON
        + ", cap of 2 per 1 day for all texts has room (1 sent), cap of 1 per 1 week for all texts has room (0 sent)",
    ),
    "the answer to a STOP, whatever else holds": (
        {
            "is_keyword_answer": True,
            "suppressed_scopes": {"all"},
            "opening": CLOSED,
            "limits": [a_limit(ONCE_A_WEEK, AN_HOUR_AGO)],
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
    {"limits": [a_limit(ONCE_A_WEEK, AN_HOUR_AGO)]},
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


def a_rival(*, wants_at: datetime = NOW, priority: int = 8, name: str = "recall") -> Contender:
    return Contender(f"message-of-{name}", name, priority, wants_at)


def test_the_last_room_under_a_cap_is_kept_for_a_text_of_higher_priority() -> None:
    limit = a_limit(TWICE_A_DAY, AN_HOUR_AGO, wanted_by=(a_rival(),))
    verdict = may_send(a_case(limits=[limit]), NOW)
    assert verdict == Verdict(
        Answer.HOLD,
        "gives way to recall (priority 8) under the cap of 2 per 1 day for all texts",
        NOW + timedelta(minutes=15),
        "message-of-recall",
    )


def test_nobody_gives_way_while_there_is_room_for_both() -> None:
    limit = a_limit(TWICE_A_DAY, wanted_by=(a_rival(),))
    assert may_send(a_case(limits=[limit]), NOW).answer is Answer.SEND


def test_two_rivals_take_two_places() -> None:
    limit = a_limit(TWICE_A_DAY, wanted_by=(a_rival(priority=9, name="safety"), a_rival()))
    assert "gives way to safety (priority 9)" in may_send(a_case(limits=[limit]), NOW).reason


def test_nobody_gives_way_to_a_text_that_goes_after_the_cap_has_opened_again() -> None:
    limit = a_limit(TWICE_A_DAY, AN_HOUR_AGO, wanted_by=(a_rival(wants_at=AN_HOUR_AGO + timedelta(days=1)),))
    assert may_send(a_case(limits=[limit]), NOW).answer is Answer.SEND


@pytest.mark.parametrize(
    ("wants_at", "looks_again"),
    [
        (NOW - timedelta(hours=1), timedelta(minutes=15)),
        (NOW + timedelta(hours=1), timedelta(hours=1, minutes=15)),
        (NOW + timedelta(hours=9), timedelta(hours=3)),
    ],
)
def test_who_gives_way_is_looked_at_when_the_rival_should_have_gone(wants_at: datetime, looks_again: timedelta) -> None:
    limit = a_limit(ONCE_A_WEEK, wanted_by=(a_rival(wants_at=wants_at),))
    assert may_send(a_case(limits=[limit]), NOW).until == NOW + looks_again


def test_who_gives_way_is_looked_at_no_later_than_the_cap_opens_again() -> None:
    limit = a_limit(TWICE_A_DAY, NOW - timedelta(hours=23, minutes=55), wanted_by=(a_rival(),))
    assert may_send(a_case(limits=[limit]), NOW).until == NOW + timedelta(minutes=5)


def test_a_text_that_has_given_way_long_enough_goes_and_says_so() -> None:
    limit = a_limit(ONCE_A_WEEK, wanted_by=(a_rival(),))
    verdict = may_send(a_case(limits=[limit], has_given_way=True), NOW)
    assert verdict.answer is Answer.SEND
    assert verdict.reason.endswith("has given way to others long enough")


def test_a_cap_that_is_used_up_is_named_before_any_rival() -> None:
    limit = a_limit(ONCE_A_WEEK, AN_HOUR_AGO, wanted_by=(a_rival(),))
    assert may_send(a_case(limits=[limit]), NOW).gives_way_to == ""


@pytest.mark.parametrize(
    ("lifetime", "longest"),
    [(None, timedelta(days=1)), (timedelta(days=4), timedelta(days=1)), (timedelta(hours=2), timedelta(hours=1))],
)
def test_a_text_gives_way_for_a_day_but_never_for_more_than_half_its_lifetime(
    lifetime: timedelta | None, longest: timedelta
) -> None:
    assert patience(NOW, None if lifetime is None else NOW + lifetime) == longest
