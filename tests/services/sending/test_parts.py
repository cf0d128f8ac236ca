"""What becomes of a long text when a gateway tells of each of its parts by itself?"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.message import ErrorClass, MessageState
from connector.errors import AmbiguousSendError
from connector.ports.gateway import OutgoingSMS, StatusReport
from connector.ports.messages import MessageRow
from tests.adapters.store.factories import NOW
from tests.services.sending.conftest import Desk, ScriptedGateway
from tests.services.sending.texts import a_text, work

S = MessageState
TWO_PARTS = ((1, S.SENT), (1, S.DELIVERED), (2, S.SENT), (2, S.FAILED))


@pytest.fixture
def long(desk: Desk) -> Desk:
    """A desk whose gateway gives each of three parts an id of its own."""
    return replace(desk, gateway=ScriptedGateway(parts=3))


def sent(desk: Desk) -> MessageRow:
    text = a_text(desk, segments=3)
    desk.add(text)
    work(desk)
    return text


def part_id(number: int) -> str:
    first = f"SM{1:030d}"
    return first if number == 1 else f"{first}-{number}"


def tell(desk: Desk, number: int, state: MessageState, attempt_id: str | None = None, **changes: object) -> str | None:
    report = StatusReport(part_id(number), state, state.value, attempt_id, **changes)  # type: ignore[arg-type]
    with desk.ledger.begin() as uow:
        outcome = desk.receipts.apply(uow, "twilio", report, desk.clock.now())
        uow.commit()
    return outcome


def test_a_long_text_is_delivered_when_every_part_is_and_not_before(long: Desk) -> None:
    text = sent(long)
    for number in (2, 3):
        tell(long, number, S.DELIVERED)
        assert long.state_of(text) is S.ACCEPTED
    tell(long, 1, S.DELIVERED)
    assert long.state_of(text) is S.DELIVERED
    assert long.attempts(text)[0].state is S.DELIVERED


def test_the_first_part_that_fails_fails_the_text(long: Desk) -> None:
    text = sent(long)
    tell(long, 1, S.DELIVERED)
    tell(long, 2, S.UNDELIVERED, error_code="30003")
    assert long.state_of(text) is S.UNDELIVERED
    tell(long, 3, S.DELIVERED)
    assert long.state_of(text) is S.UNDELIVERED
    assert long.attempts(text)[0].error_code == "30003"


def test_late_success_of_one_part_does_not_overwrite_the_failure_of_another(long: Desk) -> None:
    text = sent(long)
    tell(long, 1, S.UNDELIVERED)
    tell(long, 2, S.UNDELIVERED)
    tell(long, 1, S.DELIVERED)
    tell(long, 3, S.DELIVERED)
    assert long.state_of(text) is S.UNDELIVERED
    tell(long, 2, S.DELIVERED)
    assert long.state_of(text) is S.DELIVERED


@pytest.mark.parametrize("order", list(itertools.permutations(TWO_PARTS)))
def test_all_orders_of_the_receipts_of_parts_end_in_the_same_state(
    long: Desk, order: Sequence[tuple[int, MessageState]]
) -> None:
    text = sent(long)
    for number, state in [*order, *order]:
        tell(long, number, state)
    assert long.state_of(text) is S.FAILED


def test_a_receipt_of_a_part_finds_its_text_with_or_without_our_reference(long: Desk) -> None:
    text = sent(long)
    tell(long, 3, S.SENT, attempt_id=long.attempts(text)[0].id)
    tell(long, 2, S.SENT)
    tell(long, 1, S.SENT)
    assert long.state_of(text) is S.SENT
    assert long.attempts(text)[0].provider_message_id == part_id(1)


def test_a_part_that_is_told_of_before_our_own_record_of_the_send_does_not_speak_for_the_whole(long: Desk) -> None:
    outcomes: list[str | None] = []

    def too_early(sms: OutgoingSMS) -> None:
        outcomes.append(tell(long, 2, S.DELIVERED, attempt_id=sms.attempt_id))
        long.callback(f"{part_id(2)} delivered", attempt_id=sms.attempt_id)
        long.receipts.drain()

    long.gateway.before_answer = too_early
    text = sent(long)
    assert outcomes == [None]
    assert long.state_of(text) is S.ACCEPTED
    for number in (1, 3):
        tell(long, number, S.DELIVERED)
    assert long.state_of(text) is S.ACCEPTED
    long.clock.advance(minutes=1)
    long.receipts.drain()  # it was kept, and not purged after three tries
    assert long.state_of(text) is S.DELIVERED


def test_an_early_receipt_of_a_long_text_whose_worker_died_is_heard_in_the_end(long: Desk) -> None:
    text = a_text(long, segments=3)
    long.add(text)
    (claim,) = long.path.claimer.claim("twilio", "transactional", 1).claims
    assert tell(long, 1, S.DELIVERED, attempt_id=claim.attempt.id) is None
    long.clock.advance(seconds=91)
    long.reconciler.free_abandoned()
    assert tell(long, 1, S.DELIVERED, attempt_id=claim.attempt.id) == "delivered"
    assert long.state_of(text) is S.DELIVERED


def test_a_long_text_whose_answer_was_lost_is_heard_of_by_our_reference(long: Desk) -> None:
    long.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    text = sent(long)
    tell(long, 2, S.SENT, attempt_id=long.attempts(text)[0].id)
    assert long.state_of(text) is S.SENT


def test_three_parts_to_a_dead_number_are_one_sign_of_it(long: Desk) -> None:
    text = sent(long)
    for number in (1, 2, 3):
        tell(long, number, S.UNDELIVERED, error_class=ErrorClass.PERMANENT_NUMBER)
    with long.ledger.begin(write=False) as uow:
        known = uow.numbers.of(long.account_id, [text.msisdn])[text.msisdn]
    assert known.attempts == 1


def test_what_a_part_cost_is_not_what_the_text_cost(long: Desk) -> None:
    text = sent(long)
    tell(long, 1, S.DELIVERED, price=Decimal("0.01"), currency="USD", segments=1)
    assert (long.attempts(text)[0].price, long.attempts(text)[0].segments) == (None, None)


def test_the_receipts_of_two_parts_that_come_at_once_miss_neither(desk: Desk, postgres_url: str) -> None:
    ledger = SQLLedger(make_engine(postgres_url), Vault(["k" * 32]), desk.nudged.append)
    metadata.create_all(ledger.engine)
    with desk.ledger.begin(write=False) as uow:
        account = uow.accounts.get(desk.account_id)
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    long = replace(desk, ledger=ledger, gateway=ScriptedGateway(parts=2))
    text = a_text(long, segments=2)
    long.add(text)
    work(long)
    under_way, second_is_done = threading.Event(), threading.Event()

    def tell_of_the_second() -> None:
        under_way.wait(10)
        tell(long, 2, S.DELIVERED)
        second_is_done.set()

    second = threading.Thread(target=tell_of_the_second)
    second.start()
    with ledger.begin() as uow:
        long.receipts.apply(uow, "twilio", StatusReport(part_id(1), S.DELIVERED, "delivered"), NOW)
        under_way.set()
        assert not second_is_done.wait(0.3)
        uow.commit()
    second.join(10)
    assert long.state_of(text) is S.DELIVERED
    ledger.close()
