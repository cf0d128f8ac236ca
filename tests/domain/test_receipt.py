"""Does every order of the same receipts leave a message in the same state?"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.message import FINAL_STATES, MessageState
from connector.domain.receipt import RECEIPT_STATES, after_attempt, after_receipt, may_move, may_resend, of_parts

CLAIMED = (MessageState.DISPATCHING, MessageState.UNKNOWN)
S = MessageState


def settle(start: MessageState, reports: list[MessageState]) -> MessageState:
    state = start
    for report in reports:
        state = after_receipt(state, report)
    return state


@given(st.lists(st.sampled_from(sorted(RECEIPT_STATES)), max_size=6), st.randoms(), st.sampled_from(CLAIMED))
def test_any_order_of_receipts_ends_in_the_same_state(reports: list[S], random: object, start: S) -> None:
    shuffled = list(reports)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(start, reports) is settle(start, shuffled)


@given(st.lists(st.sampled_from(sorted(RECEIPT_STATES)), max_size=6), st.sampled_from(CLAIMED))
def test_a_receipt_delivered_twice_changes_nothing(reports: list[S], start: S) -> None:
    twice = list(itertools.chain.from_iterable((report, report) for report in reports))
    assert settle(start, twice) is settle(start, reports)


@given(st.lists(st.sampled_from(sorted(RECEIPT_STATES)), max_size=6), st.sampled_from(CLAIMED))
def test_delivered_absorbs_everything(reports: list[S], start: S) -> None:
    assert settle(start, [*reports, S.DELIVERED, *reports]) is S.DELIVERED


@given(st.permutations([S.ACCEPTED, S.SENT, S.UNDELIVERED]))
def test_rank_never_falls(reports: list[S]) -> None:
    assert settle(S.DISPATCHING, reports) is S.UNDELIVERED


@pytest.mark.parametrize("untouched", [S.CANCELLED, S.SUPPRESSED, S.RECEIVED])
def test_a_receipt_does_not_move_a_message_that_never_left(untouched: S) -> None:
    assert all(after_receipt(untouched, report) is untouched for report in RECEIPT_STATES)


@pytest.mark.parametrize("waiting", [S.QUEUED, S.HELD, S.DEAD_LETTER])
def test_a_receipt_proves_that_a_waiting_message_went_out_after_all(waiting: S) -> None:
    assert after_receipt(waiting, S.DELIVERED) is S.DELIVERED


def test_an_unknown_word_of_the_vendor_moves_nothing() -> None:
    assert all(after_receipt(state, S.UNKNOWN) is state for state in S)


def test_a_late_receipt_does_not_reopen_a_delivered_message() -> None:
    assert after_receipt(S.DELIVERED, S.FAILED) is S.DELIVERED


@pytest.mark.parametrize(
    ("current", "target", "is_legal"),
    [
        (S.HELD, S.QUEUED, True),
        (S.QUEUED, S.DISPATCHING, True),
        (S.DISPATCHING, S.QUEUED, True),
        (S.DISPATCHING, S.UNKNOWN, True),
        (S.UNKNOWN, S.QUEUED, True),
        (S.DEAD_LETTER, S.QUEUED, True),
        (S.QUEUED, S.SUPPRESSED, True),
        (S.DISPATCHING, S.SUPPRESSED, False),
        (S.DELIVERED, S.QUEUED, False),
        (S.SUPPRESSED, S.QUEUED, False),
    ],
)
def test_our_own_moves_are_the_arrows_of_the_table(current: S, target: S, is_legal: bool) -> None:
    assert may_move(current, target) is is_legal


def test_only_a_dead_letter_leaves_a_final_state_by_our_hand() -> None:
    movable = {state for state in FINAL_STATES if any(may_move(state, target) for target in S)}
    assert movable == {S.DEAD_LETTER}


# ---- two attempts of one message

TOLD = st.sampled_from(sorted(RECEIPT_STATES))
BAD_ENDS = (S.EXPIRED, S.FAILED, S.UNDELIVERED)
ENDS = {S.DELIVERED, *BAD_ENDS}


def settle_two(start: MessageState, receipts: list[tuple[bool, MessageState]]) -> MessageState:
    """Apply receipts about the latest attempt (True) and the one before it (False), as the receipts' reader does."""
    state, attempts = start, {True: S.DISPATCHING, False: S.UNKNOWN}
    for is_latest, report in receipts:
        was_settled = attempts[is_latest] in ENDS
        state = after_attempt(state, report, is_latest=is_latest, was_settled=was_settled)
        attempts[is_latest] = after_receipt(attempts[is_latest], report)
    return state


@given(st.lists(st.tuples(st.booleans(), TOLD), max_size=8), st.randoms(), st.sampled_from(CLAIMED))
def test_any_order_of_the_receipts_of_two_attempts_ends_in_the_same_state(
    receipts: list[tuple[bool, S]], random: object, start: S
) -> None:
    shuffled = list(receipts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle_two(start, receipts) is settle_two(start, shuffled)


@given(st.lists(st.tuples(st.booleans(), TOLD), max_size=8), st.sampled_from(CLAIMED))
def test_two_attempts_end_where_the_latest_did_unless_either_was_delivered(
    receipts: list[tuple[bool, S]], start: S
) -> None:
    latest = settle(start, [report for is_latest, report in receipts if is_latest])
    delivered = any(report is S.DELIVERED for _, report in receipts)
    assert settle_two(start, receipts) is (S.DELIVERED if delivered else latest)


@given(st.lists(TOLD, max_size=6), st.sampled_from([S.QUEUED, S.HELD]))
def test_the_attempt_whose_end_led_to_a_resend_has_said_all_it_can_but_a_delivery(reports: list[S], waiting: S) -> None:
    state: S = waiting
    for report in reports:
        state = after_attempt(state, report, is_latest=True, was_settled=True)
    assert state is (S.DELIVERED if S.DELIVERED in reports else waiting)


@pytest.mark.parametrize("end", BAD_ENDS)
@pytest.mark.parametrize("current", [S.DISPATCHING, S.UNKNOWN, S.ACCEPTED, S.SENT])
def test_a_text_that_did_not_arrive_may_go_back_from_wherever_it_had_come(current: S, end: S) -> None:
    assert may_resend(current, end)


@pytest.mark.parametrize(
    ("current", "reported"),
    [
        (S.DELIVERED, S.UNDELIVERED),
        (S.UNDELIVERED, S.FAILED),  # it has ended
        (S.QUEUED, S.UNDELIVERED),  # it goes again anyway
        (S.CANCELLED, S.UNDELIVERED),
        (S.SUPPRESSED, S.UNDELIVERED),
        (S.SENT, S.SENT),
        (S.SENT, S.DELIVERED),
    ],
)
def test_nothing_else_sends_a_text_back(current: S, reported: S) -> None:
    assert not may_resend(current, reported)


# ---- parts of one attempt

PARTS = st.lists(st.sampled_from([S.ACCEPTED, S.SENT, S.DELIVERED, *BAD_ENDS]), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], S.UNKNOWN),
        ([S.DELIVERED, S.DELIVERED], S.DELIVERED),
        ([S.DELIVERED, S.ACCEPTED], S.ACCEPTED),  # half a text has arrived: nobody has read it yet
        ([S.SENT, S.DELIVERED, S.SENT], S.SENT),
        ([S.DELIVERED, S.FAILED], S.FAILED),
        ([S.ACCEPTED, S.UNDELIVERED], S.UNDELIVERED),
        ([S.EXPIRED, S.UNDELIVERED, S.FAILED], S.UNDELIVERED),
    ],
)
def test_a_long_text_is_where_its_parts_are(parts: list[S], whole: S) -> None:
    assert of_parts(parts) is whole


@given(PARTS)
def test_a_long_text_is_delivered_when_all_of_its_parts_are_and_only_then(parts: list[S]) -> None:
    assert (of_parts(parts) is S.DELIVERED) == (set(parts) == {S.DELIVERED})


@given(PARTS)
def test_one_part_that_failed_is_enough(parts: list[S]) -> None:
    assert (of_parts(parts) in BAD_ENDS) == any(part in BAD_ENDS for part in parts)


def whole_of(receipts: list[tuple[int, MessageState]], count: int = 3) -> MessageState:
    """Apply receipts about parts, by their place, as the receipts' reader does."""
    parts, whole = [S.ACCEPTED] * count, S.ACCEPTED
    for number, report in receipts:
        parts[number] = after_receipt(parts[number], report)
        whole = after_receipt(whole, of_parts(parts))
    return whole


TOLD_OF_A_PART = st.one_of(
    st.lists(st.sampled_from([S.UNKNOWN, S.ACCEPTED, S.SENT, S.DELIVERED]), max_size=4),
    st.lists(st.sampled_from([S.UNKNOWN, S.ACCEPTED, S.SENT, *BAD_ENDS]), max_size=4),
)
"""A part that was said to have failed and to have arrived leaves the whole failed until the other parts have arrived
too: whoever waits for it has been told so already."""


@given(st.tuples(TOLD_OF_A_PART, TOLD_OF_A_PART, TOLD_OF_A_PART), st.randoms())
def test_any_order_of_the_receipts_of_three_parts_ends_in_the_same_state(
    told: tuple[list[S], ...], random: object
) -> None:
    receipts = [(number, report) for number, reports in enumerate(told) for report in reports]
    shuffled = list(receipts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert whole_of(receipts) is whole_of(shuffled)


@given(st.permutations([(0, S.FAILED), (0, S.DELIVERED), (1, S.DELIVERED), (1, S.UNDELIVERED), (2, S.DELIVERED)]))
def test_late_success_of_every_part_overwrites_failure_in_any_order(receipts: list[tuple[int, S]]) -> None:
    assert whole_of(receipts) is S.DELIVERED


def test_late_success_of_one_part_does_not_overwrite_the_failure_of_the_whole() -> None:
    assert whole_of([(0, S.FAILED), (0, S.DELIVERED), (1, S.DELIVERED)]) is S.FAILED
