"""Does every order of the same receipts leave a message in the same state?"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.message import FINAL_STATES, MessageState
from connector.domain.receipt import RECEIPT_STATES, after_receipt, may_move

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
