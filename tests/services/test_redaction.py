"""Are vendors made to forget what they sent, once and only when its fate is known?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.message import MessageState
from connector.errors import (
    AmbiguousSendError,
    PermanentSendError,
    QueueUnavailableError,
    TransientSendError,
)
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import StatusReport
from connector.ports.messages import MessageRow
from connector.ports.queue import MAINTENANCE, Bucket
from connector.services.redaction import BATCH, RedactionDesk, redacting
from connector.services.wakeup import Alarm
from tests.adapters.store.factories import NOW, a_message, an_account, an_attempt
from tests.services.sending.conftest import Desk, HandClock, OpenLimiter, ScriptedGateway

NOT_YET = TransientSendError("not finished", code="20009")


@dataclass
class ForgettingGateway(ScriptedGateway):
    """Forgets what it is told to, or fails as `ends` says."""

    redacts: bool = True
    ends: list[Exception] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def redact(self, provider_message_id: str) -> None:
        self.told.append(provider_message_id)
        if self.ends:
            raise self.ends.pop(0)


@dataclass
class Stage:
    """The send path over a gateway that forgets."""

    desk: Desk
    gateway: ForgettingGateway

    def __post_init__(self) -> None:
        self.redactions = RedactionDesk(self.desk.ledger, self.desk.gateways, self.desk.limiter, self.desk.clock)

    def sent(self) -> MessageRow:
        values = {"time_zones": ("Europe/London",), "country": "GB", "send_window": "anytime"}
        text = a_message(self.desk.account_id, **values)
        self.desk.add(text)
        self.desk.send()
        return text

    def hear(self, text: MessageRow, state: MessageState) -> None:
        report = StatusReport(self.attempt(text).provider_message_id or "", state, state.value)
        with self.desk.ledger.begin() as uow:
            assert self.desk.receipts.apply(uow, "twilio", report, self.desk.clock.now()) is not None
            uow.commit()

    def attempt(self, text: MessageRow) -> AttemptRow:
        return self.desk.attempts(text)[-1]

    def redact_at(self, text: MessageRow) -> datetime | None:
        return self.attempt(text).redact_at


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    ledger = SQLLedger(make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3"), Vault(["k" * 32]), lambda _: None)
    metadata.create_all(ledger.engine)
    account = an_account()
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    gateway = ForgettingGateway()
    yield Stage(Desk(ledger, HandClock(), gateway, OpenLimiter(), [], account.id), gateway)
    ledger.close()


def test_nothing_is_forgotten_before_its_fate_is_known(stage: Stage) -> None:
    text = stage.sent()
    stage.hear(text, MessageState.SENT)
    assert stage.redactions.drain() is False
    assert (stage.gateway.told, stage.redact_at(text)) == ([], None)


@pytest.mark.parametrize("end", [MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED])
def test_body_is_forgotten_when_a_receipt_ends_the_attempt(stage: Stage, end: MessageState) -> None:
    text = stage.sent()
    stage.hear(text, end)
    assert stage.redact_at(text) == NOW
    stage.redactions.drain()
    assert stage.gateway.told == [stage.attempt(text).provider_message_id]
    assert stage.redact_at(text) is None


def test_receipts_that_come_again_or_late_do_not_have_it_forgotten_again(stage: Stage) -> None:
    text = stage.sent()
    for state in (MessageState.UNDELIVERED, MessageState.UNDELIVERED, MessageState.SENT, MessageState.DELIVERED):
        stage.hear(text, state)
        stage.redactions.drain()
    assert len(stage.gateway.told) == 1
    assert stage.desk.state_of(text) is MessageState.DELIVERED


def test_gateway_that_is_not_to_forget_is_told_nothing(stage: Stage) -> None:
    stage.gateway.redacts = False
    other = Stage(
        Desk(stage.desk.ledger, HandClock(), stage.gateway, OpenLimiter(), [], stage.desk.account_id), stage.gateway
    )
    text = other.sent()
    other.hear(text, MessageState.DELIVERED)
    assert other.redact_at(text) is None
    assert redacting(other.desk.gateways) == frozenset()


def test_gateway_that_cannot_forget_is_not_among_those_that_do() -> None:
    gateways = {"twilio": ForgettingGateway(), "null": ScriptedGateway(slug="null")}
    assert redacting(gateways) == {"twilio"}


def test_clock_sees_that_something_is_to_be_forgotten(stage: Stage) -> None:
    text = stage.sent()
    alarm = Alarm(stage.desk.ledger, NoQueue(), stage.desk.clock)
    assert MAINTENANCE not in alarm.lanes_with_work()
    stage.hear(text, MessageState.DELIVERED)
    assert MAINTENANCE in alarm.lanes_with_work()


def test_vendor_that_still_counts_it_as_under_way_is_told_again_ever_more_rarely(stage: Stage) -> None:
    text = stage.sent()
    stage.hear(text, MessageState.DELIVERED)
    stage.gateway.ends = [NOT_YET] * 40
    pauses = []
    with capture_logs() as logs:
        while (due := stage.redact_at(text)) is not None:
            stage.desk.clock.time = due
            stage.redactions.drain()
            pauses.append((stage.redact_at(text) or due) - due)
    assert pauses[:4] == [timedelta(minutes=each) for each in (1, 1, 2, 4)]
    assert max(pauses) == timedelta(hours=12)
    assert stage.desk.clock.now() - NOW < timedelta(days=8)
    assert [log["event"] for log in logs][-1] == "redaction.given_up"
    assert len(stage.gateway.told) == len(pauses) < 40


@pytest.mark.parametrize("error", [NOT_YET, AmbiguousSendError("lost", code="read_timeout"), RuntimeError("a defect")])
def test_what_failed_once_is_forgotten_the_next_time(stage: Stage, error: Exception) -> None:
    text = stage.sent()
    stage.hear(text, MessageState.DELIVERED)
    stage.gateway.ends = [error]
    stage.redactions.drain()
    assert stage.redact_at(text) == NOW + timedelta(minutes=1)
    stage.redactions.drain()
    assert len(stage.gateway.told) == 1
    stage.desk.clock.advance(minutes=1)
    stage.redactions.drain()
    assert (len(stage.gateway.told), stage.redact_at(text)) == (2, None)


def test_vendor_that_never_will_is_not_told_again_and_somebody_hears_of_it(stage: Stage) -> None:
    text = stage.sent()
    stage.hear(text, MessageState.DELIVERED)
    stage.gateway.ends = [PermanentSendError("no", code="20001")]
    with capture_logs() as logs:
        stage.redactions.drain()
    assert stage.redact_at(text) is None
    assert [(log["event"], log["log_level"]) for log in logs] == [("redaction.refused", "error")]


def test_worker_that_dies_leaves_its_batch_to_the_next_one(stage: Stage) -> None:
    text = stage.sent()
    stage.hear(text, MessageState.DELIVERED)
    with stage.desk.ledger.begin() as uow:
        assert len(uow.attempts.to_redact(NOW, BATCH, NOW + timedelta(minutes=5))) == 1
        uow.commit()
    stage.redactions.drain()
    assert stage.gateway.told == []
    stage.desk.clock.advance(minutes=5)
    stage.redactions.drain()
    assert len(stage.gateway.told) == 1
    assert stage.redact_at(text) is None


def test_rate_keeps_some_back_for_a_moment(stage: Stage) -> None:
    texts = [stage.sent(), stage.sent()]
    for text in texts:
        stage.hear(text, MessageState.DELIVERED)
    stage.desk.limiter.grants = 1
    assert stage.redactions.drain() is False
    assert sorted(str(stage.redact_at(text)) for text in texts) == [str(NOW + timedelta(seconds=5)), "None"]
    assert len(stage.gateway.told) == 1


def test_nothing_is_asked_of_vendors_while_nobody_counts(stage: Stage) -> None:
    class ClosedLimiter(OpenLimiter):
        def take_each(self, asked: Sequence[Sequence[Bucket]], *, is_urgent: bool = True) -> Sequence[bool]:
            raise QueueUnavailableError("Redis is away")

    text = stage.sent()
    stage.hear(text, MessageState.DELIVERED)
    RedactionDesk(stage.desk.ledger, stage.desk.gateways, ClosedLimiter(), stage.desk.clock).drain()
    assert stage.redact_at(text) == NOW + timedelta(seconds=5)


def test_gateway_that_is_no_longer_in_use_is_not_waited_for(stage: Stage) -> None:
    text = stage.sent()
    stage.hear(text, MessageState.DELIVERED)
    RedactionDesk(stage.desk.ledger, {}, stage.desk.limiter, stage.desk.clock).drain()
    assert (stage.redact_at(text), stage.gateway.told) == (None, [])


def test_full_batch_says_that_more_may_wait(stage: Stage) -> None:
    message = a_message(stage.desk.account_id)
    attempts = [
        an_attempt(message, redact_at=NOW, provider_message_id=f"SM{number}", settled_at=NOW)
        for number in range(BATCH + 1)
    ]
    stage.desk.add(message)
    with stage.desk.ledger.begin() as uow:
        uow.attempts.add(attempts)
        uow.commit()
    assert stage.redactions.drain() is True
    assert stage.redactions.drain() is False
    assert sorted(stage.gateway.told) == sorted(str(attempt.provider_message_id) for attempt in attempts)


@pytest.mark.parametrize(
    ("error", "most"),
    [(AmbiguousSendError("lost", code="read_timeout"), 9), (TransientSendError("away", code="connect_timeout"), 9)],
)
def test_vendor_that_does_not_answer_is_not_told_the_rest_of_a_batch(stage: Stage, error: Exception, most: int) -> None:
    texts = [stage.sent() for _ in range(20)]
    for text in texts:
        stage.hear(text, MessageState.DELIVERED)
    stage.gateway.ends = [error] * 20
    assert stage.redactions.drain() is False
    assert 2 <= len(stage.gateway.told) <= most
    soon = [stage.redact_at(text) for text in texts].count(NOW + timedelta(seconds=5))
    assert soon == 20 - len(stage.gateway.told)


def test_vendor_that_says_not_yet_is_told_the_rest_of_a_batch(stage: Stage) -> None:
    for text in [stage.sent() for _ in range(20)]:
        stage.hear(text, MessageState.DELIVERED)
    stage.gateway.ends = [NOT_YET] * 20
    stage.redactions.drain()
    assert len(stage.gateway.told) == 20


def test_attempt_nobody_will_tell_about_is_forgotten_when_asking_ends(stage: Stage) -> None:
    text = stage.sent()
    stage.gateway.found = TransientSendError("down", code="503")
    for _ in range(8):
        stage.desk.clock.advance(hours=13)
        stage.desk.reconciler.ask()
    assert stage.attempt(text).ask_at is None
    assert stage.redact_at(text) is not None
    stage.redactions.drain()
    assert stage.gateway.told == [stage.attempt(text).provider_message_id]


def test_attempt_without_an_id_has_nothing_that_could_be_forgotten(stage: Stage) -> None:
    stage.gateway.script = [AmbiguousSendError("read timeout", code="read_timeout")]
    text = stage.sent()
    stage.gateway.found = TransientSendError("down", code="503")
    for _ in range(8):
        stage.desk.clock.advance(hours=13)
        stage.desk.reconciler.ask()
    assert stage.desk.state_of(text) is MessageState.DEAD_LETTER
    assert stage.redact_at(text) is None


def test_redacted_text_whose_fate_changes_is_still_found_by_its_id(stage: Stage) -> None:
    text = stage.sent()
    stage.hear(text, MessageState.UNDELIVERED)
    stage.redactions.drain()
    stage.hear(text, MessageState.DELIVERED)
    assert stage.desk.state_of(text) is MessageState.DELIVERED


class NoQueue:
    """Takes no nudges."""

    def nudge(self, lane: str) -> None:
        raise AssertionError(lane)
