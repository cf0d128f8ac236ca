"""Does a text to a number that cannot receive any cost a send, and who hears of a number that is dead?"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from connector.adapters.sms.twilio import CAPABILITIES
from connector.adapters.store.numbers import SQLNumberRepository
from connector.domain.gateway_book import LookupRule
from connector.domain.message import ErrorClass, MessageState, Purpose
from connector.domain.timeline import EntryKind
from connector.errors import PermanentSendError, SendError, TransientSendError
from connector.ports.contacts import ContactRow
from connector.ports.gateway import StatusReport
from connector.ports.lookups import LookupState, NumberRow
from connector.ports.messages import MessageRow
from connector.ports.number_lookup import LineType, LookupAnswer
from connector.ports.records import CRMRecordRow, RecordSubject
from connector.services.lookups import LookupDesk
from connector.services.number_facts import STATUS_PROPERTY
from tests.adapters.store.factories import NOW, NUMBER, an_account
from tests.services.sending.conftest import PATIENT, Desk, ScriptedGateway
from tests.services.sending.texts import a_text, down, suppress, work

RULE = LookupRule(("twilio",), frozenset({Purpose.TRANSACTIONAL}))
DEAD = {"error_class": ErrorClass.PERMANENT_NUMBER, "error_code": "30005"}


@dataclass
class LookingUp(ScriptedGateway):
    """A gateway that can be asked about numbers."""

    answer: LookupAnswer | SendError = field(default_factory=lambda: LookupAnswer(LineType.MOBILE, carrier="Acme"))
    looked_up: list[str] = field(default_factory=list)

    def look_up(self, e164: str) -> LookupAnswer:
        self.looked_up.append(e164)
        if isinstance(self.answer, SendError):
            raise self.answer
        return self.answer


@pytest.fixture
def curious(desk: Desk) -> Desk:
    """A desk that looks numbers up first."""
    gateway = LookingUp(capabilities=replace(CAPABILITIES, has_lookup=True))
    return replace(desk, gateway=gateway, book=replace(PATIENT, lookups=RULE))


def look_up(desk: Desk) -> LookingUp:
    """Work the lane of lookups."""
    LookupDesk(desk.ledger, desk.gateways, desk.book.lookups, desk.limiter, desk.clock).drain()
    assert isinstance(desk.gateway, LookingUp)
    return desk.gateway


def sent(desk: Desk, **changes: object) -> MessageRow:
    text = a_text(desk, **changes)
    desk.add(text)
    work(desk, f"send:twilio:{text.purpose}")
    return text


def known(desk: Desk, **changes: object) -> None:
    """Have something known of the number."""
    values: dict[str, object] = {"line_type": LineType.LANDLINE, "source": "lookup:twilio", "known_at": NOW}
    row = NumberRow(desk.account_id, NUMBER, LookupState.KNOWN, NOW, **values | changes)  # type: ignore[arg-type]
    with desk.ledger.begin() as uow:
        uow.numbers.save([row])
        uow.commit()


def number(desk: Desk) -> NumberRow | None:
    with desk.ledger.begin(write=False) as uow:
        return uow.numbers.of(desk.account_id, [NUMBER]).get(NUMBER)


# ---- before a send


@pytest.mark.parametrize(
    ("line_type", "reason"),
    [
        (LineType.LANDLINE, "the number is a landline (lookup:twilio)"),
        (LineType.TOLL_FREE, "the number is a toll-free number (lookup:twilio)"),
        (LineType.INVALID, "the number is no number in service (lookup:twilio)"),
    ],
)
def test_a_text_to_a_number_that_cannot_receive_any_costs_no_send(desk: Desk, line_type: LineType, reason: str) -> None:
    known(desk, line_type=line_type)
    text = sent(desk)
    assert (desk.state_of(text), desk.row(text).state_reason) == (MessageState.FAILED, reason)
    assert (desk.gateway.sent, desk.attempts(text)) == ([], [])
    assert desk.trace(text) == [f"failed: {reason}"]


@pytest.mark.parametrize("line_type", [LineType.MOBILE, LineType.VOIP, LineType.UNKNOWN])
def test_a_text_to_any_other_number_goes_out(desk: Desk, line_type: LineType) -> None:
    known(desk, line_type=line_type)
    assert desk.state_of(sent(desk)) is MessageState.ACCEPTED


def test_what_one_account_knows_of_a_number_is_nobody_elses(desk: Desk) -> None:
    known(replace(desk, account_id="another"))
    assert desk.state_of(sent(desk)) is MessageState.ACCEPTED


def test_a_number_nothing_is_known_of_is_looked_up_first_and_its_text_waits(curious: Desk) -> None:
    text = sent(curious)
    row = curious.row(text)
    assert (row.state, row.state_reason) == (MessageState.HELD, "its number is being looked up")
    assert row.not_before == NOW + timedelta(minutes=2)
    assert "lookups" in curious.nudged
    assert look_up(curious).looked_up == [NUMBER]
    assert curious.state_of(text) is MessageState.QUEUED
    work(curious)
    assert (curious.state_of(text), len(curious.gateway.sent)) == (MessageState.ACCEPTED, 1)


def test_a_landline_is_found_out_before_the_text_is_paid_for(curious: Desk) -> None:
    text = sent(curious)
    assert isinstance(curious.gateway, LookingUp)
    curious.gateway.answer = LookupAnswer(LineType.LANDLINE)
    look_up(curious)
    work(curious)
    assert (curious.state_of(text), curious.gateway.sent) == (MessageState.FAILED, [])


def test_a_text_does_not_wait_longer_than_two_minutes_for_an_answer(curious: Desk) -> None:
    text = sent(curious)
    curious.clock.advance(minutes=2)
    curious.wake()
    work(curious)
    assert curious.state_of(text) is MessageState.ACCEPTED


def test_a_text_that_was_made_long_ago_waits_for_its_answer_too(curious: Desk) -> None:
    text = sent(curious, created_at=NOW - timedelta(hours=10))
    assert curious.state_of(text) is MessageState.HELD
    look_up(curious)
    work(curious)
    assert curious.state_of(text) is MessageState.ACCEPTED


def test_a_number_that_cannot_be_asked_about_holds_nobody_up(curious: Desk) -> None:
    text = sent(curious)
    assert isinstance(curious.gateway, LookingUp)
    curious.gateway.answer = PermanentSendError("not in this country", code="20404")
    for _ in range(3):
        look_up(curious)
        curious.clock.advance(seconds=11)
    work(curious)
    assert curious.state_of(text) is MessageState.ACCEPTED
    later = sent(curious)
    assert curious.state_of(later) is MessageState.ACCEPTED  # and is not asked about with every text


def test_a_number_is_asked_about_once_for_many_texts(curious: Desk) -> None:
    curious.add(*(a_text(curious) for _ in range(3)))
    work(curious)
    gateway = look_up(curious)
    work(curious)
    sent(curious)
    assert (len(gateway.looked_up), len(gateway.sent)) == (1, 4)


def test_an_answer_that_has_grown_old_is_asked_for_again(curious: Desk) -> None:
    known(curious, line_type=LineType.MOBILE, known_at=NOW - RULE.keep - timedelta(days=1))
    text = sent(curious)
    assert curious.state_of(text) is MessageState.HELD
    assert look_up(curious).looked_up == [NUMBER]


def test_a_purpose_whose_numbers_are_not_looked_up_does_not_wait(curious: Desk) -> None:
    assert curious.state_of(sent(curious, purpose=Purpose.OTP)) is MessageState.ACCEPTED


def test_a_text_that_is_tried_again_is_not_looked_up_again(curious: Desk) -> None:
    known(curious, line_type=LineType.MOBILE)
    curious.gateway.script = [down()]
    text = sent(curious)
    with curious.ledger.begin() as uow:
        uow.numbers.save([NumberRow(curious.account_id, NUMBER, LookupState.WANTED, NOW)])
        uow.commit()
    curious.clock.advance(minutes=6)
    work(curious)
    assert curious.state_of(text) is MessageState.ACCEPTED


def test_an_opted_out_number_is_not_even_looked_up(curious: Desk) -> None:
    suppress(curious)
    text = sent(curious)
    assert curious.state_of(text) is MessageState.SUPPRESSED
    assert number(curious) is None


# ---- what receipts tell


def test_one_receipt_may_be_a_mistake_and_two_are_none(desk: Desk) -> None:
    for told in (1, 2):
        text = sent(desk)
        desk.apply(text, MessageState.UNDELIVERED, **DEAD)
        row = number(desk)
        assert row is not None
        assert (row.line_type, row.attempts, row.source) == (LineType.INVALID, told, "receipt:twilio")
    third = sent(desk)
    assert desk.row(third).state_reason == "the number is no number in service (receipt:twilio)"
    assert len(desk.gateway.sent) == 2


def test_a_receipt_told_twice_is_one_sign_of_a_dead_number(desk: Desk) -> None:
    text = sent(desk)
    for _ in range(3):
        desk.apply(text, MessageState.UNDELIVERED, **DEAD)
    row = number(desk)
    assert row is not None
    assert row.attempts == 1


def test_a_refusal_leaves_nothing_to_doubt(desk: Desk) -> None:
    desk.gateway.script = [PermanentSendError("no such number", code="21211", error_class="permanent_number")]
    sent(desk)
    assert desk.state_of(sent(desk)) is MessageState.FAILED
    assert len(desk.gateway.sent) == 1


def test_a_one_time_code_goes_out_whatever_receipts_said_before(desk: Desk) -> None:
    known(desk, line_type=LineType.INVALID, source="receipt:twilio", attempts=5)
    assert desk.state_of(sent(desk, purpose=Purpose.OTP)) is MessageState.ACCEPTED
    known(desk, line_type=LineType.LANDLINE, source="lookup:twilio")
    assert desk.state_of(sent(desk, purpose=Purpose.OTP)) is MessageState.FAILED


def test_a_number_that_was_given_to_somebody_new_is_alive_again(desk: Desk) -> None:
    for _ in range(2):
        desk.apply(sent(desk), MessageState.UNDELIVERED, **DEAD)
    desk.apply(sent(desk, purpose=Purpose.OTP), MessageState.DELIVERED)
    assert desk.state_of(sent(desk)) is MessageState.ACCEPTED


@pytest.mark.parametrize("error_class", [ErrorClass.TRANSIENT, ErrorClass.PERMANENT_CONTENT, None])
def test_other_failures_say_nothing_of_the_number(desk: Desk, error_class: ErrorClass | None) -> None:
    desk.apply(sent(desk), MessageState.UNDELIVERED, error_class=error_class)
    desk.gateway.script = [TransientSendError("busy", code="1")]
    sent(desk)
    assert number(desk) is None


# ---- who hears of it


@pytest.fixture
def told(desk: Desk) -> Desk:
    """A desk whose account wants to see on a contact that its number is dead."""
    account = an_account(settings={STATUS_PROPERTY: "sms_number_status"})
    contact = ContactRow(
        id="c-1",
        account_id=account.id,
        crm="hubspot",
        crm_id="501",
        msisdn=NUMBER,
        msisdn_reason="from `phone`",
        time_zone=None,
        locale=None,
        country="US",
        owner_id=None,
        attributes={},
        read_at=NOW,
    )
    with desk.ledger.begin() as uow:
        uow.accounts.add(account)
        uow.contacts.save(contact)
        uow.commit()
    return replace(desk, account_id=account.id)


def wanted(desk: Desk) -> dict[RecordSubject, CRMRecordRow]:
    """Give what is to be written to the CRM, by kind."""
    later = desk.clock.now() + timedelta(minutes=1)
    with desk.ledger.begin() as uow:
        rows = uow.records.claim("hubspot", 100, later, later + timedelta(minutes=1), timedelta())
    return {row.kind: row for row in rows}


def test_a_dead_number_is_noted_on_the_contact_and_its_property_is_set(told: Desk) -> None:
    for _ in range(2):
        text = sent(told, contact_id="c-1")
        assert wanted(told).keys() <= {RecordSubject.MESSAGE}
        told.apply(text, MessageState.UNDELIVERED, **DEAD)
    records = wanted(told)
    assert records[RecordSubject.PROPERTY].subject == "property:contact:501:sms_number_status"
    assert records[RecordSubject.PROPERTY].payload == {"value": "out of service"}
    note = records[RecordSubject.NOTE]
    assert note.payload["associations"] == ["contact:501"]
    assert "carriers say that this contact's number is out of service" in note.payload["text"]
    assert NUMBER not in note.payload["text"]
    assert [entry.summary for entry in told.entries(text, EntryKind.ATTENTION_NEEDED)] == [
        "carriers say that the number is out of service; no more texts go to it until it is changed"
    ]
    assert "writeback:hubspot" in told.nudged


def test_a_dead_number_is_told_once(told: Desk) -> None:
    codes = [sent(told, contact_id="c-1", purpose=Purpose.OTP) for _ in range(4)]
    for code in codes:
        told.apply(code, MessageState.UNDELIVERED, **DEAD)
    assert [len(told.entries(code, EntryKind.ATTENTION_NEEDED)) for code in codes] == [0, 1, 0, 0]


def test_without_the_setting_there_is_a_note_and_no_property(told: Desk) -> None:
    plain = an_account()
    with told.ledger.begin() as uow:
        uow.accounts.add(plain)
        contact = uow.contacts.get(told.account_id, "c-1")
        assert contact is not None
        uow.contacts.save(replace(contact, id="c-2", account_id=plain.id))
        uow.commit()
    desk = replace(told, account_id=plain.id)
    desk.gateway.script = [PermanentSendError("no such number", code="21211", error_class="permanent_number")]
    sent(desk, contact_id="c-2")
    assert set(wanted(desk)) == {RecordSubject.NOTE}


def test_a_contact_who_has_another_number_by_now_hears_nothing_of_the_old_one(told: Desk) -> None:
    with told.ledger.begin() as uow:
        contact = uow.contacts.get(told.account_id, "c-1")
        assert contact is not None
        uow.contacts.save(replace(contact, msisdn="+12025550188", read_at=NOW + timedelta(seconds=1)))
        uow.commit()
    told.gateway.script = [PermanentSendError("no such number", code="21211", error_class="permanent_number")]
    text = sent(told, contact_id="c-1")
    assert wanted(told) == {}
    assert len(told.entries(text, EntryKind.ATTENTION_NEEDED)) == 1


# ---- what is asked, what is counted


def wants(desk: Desk, count: int) -> list[str]:
    """Have so many numbers wait to be looked up."""
    numbers = [f"+120255501{n:02d}" for n in range(count)]
    with desk.ledger.begin() as uow:
        uow.numbers.want([NumberRow(desk.account_id, each, LookupState.WANTED, NOW) for each in numbers])
        uow.commit()
    return numbers


def rows_of(desk: Desk, numbers: Sequence[str]) -> list[NumberRow]:
    with desk.ledger.begin(write=False) as uow:
        known = uow.numbers.of(desk.account_id, numbers)
    return [known[each] for each in numbers]


def test_a_number_over_which_a_gateway_stumbles_keeps_no_other_one_from_its_answer(curious: Desk) -> None:
    numbers = wants(curious, 3)

    def stumble(e164: str) -> LookupAnswer:
        if e164 == numbers[1]:
            raise KeyError("type")
        return LookupAnswer(LineType.MOBILE)

    curious.gateway.look_up = stumble  # type: ignore[attr-defined]
    look_up(curious)
    states = [(row.state, row.attempts) for row in rows_of(curious, numbers)]
    assert states == [(LookupState.KNOWN, 0), (LookupState.WANTED, 1), (LookupState.KNOWN, 0)]


def test_an_answer_that_cannot_be_kept_keeps_no_other_one_from_being_and_is_not_paid_for_forever(
    curious: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = wants(curious, 2)
    save = SQLNumberRepository.save

    def refuse(self: SQLNumberRepository, rows: Sequence[NumberRow]) -> None:
        if any(row.msisdn == numbers[0] and row.state is LookupState.KNOWN for row in rows):
            raise RuntimeError("value too long")
        save(self, rows)

    monkeypatch.setattr(SQLNumberRepository, "save", refuse)
    for _ in range(5):
        look_up(curious)
        curious.clock.advance(minutes=3)
    assert [row.state for row in rows_of(curious, numbers)] == [LookupState.SKIPPED, LookupState.KNOWN]
    assert isinstance(curious.gateway, LookingUp)
    assert curious.gateway.looked_up.count(numbers[0]) == 3


def test_what_is_no_fault_of_the_number_counts_as_no_try(curious: Desk) -> None:
    numbers = wants(curious, 2)
    curious.limiter.grants = 0
    for _ in range(5):
        look_up(curious)
        curious.clock.advance(seconds=1)
    assert [(row.state, row.attempts) for row in rows_of(curious, numbers)] == [(LookupState.WANTED, 0)] * 2
    curious.limiter.grants = None
    look_up(curious)
    assert [row.state for row in rows_of(curious, numbers)] == [LookupState.KNOWN] * 2


def test_a_drain_that_has_taken_its_time_leaves_the_rest_to_the_next_one(
    curious: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = wants(curious, 2)
    desk = LookupDesk(curious.ledger, curious.gateways, curious.book.lookups, curious.limiter, curious.clock)
    with monkeypatch.context() as slow:
        slow.setattr("connector.services.lookups.BUDGET_SECONDS", 0.0)
        assert desk.drain() is True
    assert [(row.state, row.attempts) for row in rows_of(curious, numbers)] == [(LookupState.WANTED, 0)] * 2
    curious.clock.advance(seconds=1)
    assert desk.drain() is False
    assert [row.state for row in rows_of(curious, numbers)] == [LookupState.KNOWN] * 2


def test_a_number_that_was_not_looked_up_yesterday_is_today_and_its_text_says_why(curious: Desk) -> None:
    broke = replace(curious, book=replace(PATIENT, lookups=replace(RULE, per_day=0)))
    text = sent(broke)
    look_up(broke)
    assert broke.row(text).state_reason == "its number was not looked up: the lookups of today are used up"
    broke.clock.advance(hours=23)
    assert broke.state_of(sent(broke)) is MessageState.ACCEPTED
    broke.clock.advance(hours=2)
    assert broke.state_of(sent(broke, created_at=broke.clock.now())) is MessageState.HELD


def test_a_lookup_is_counted_though_a_receipt_has_told_better_since(curious: Desk) -> None:
    one_a_day = replace(curious, book=replace(PATIENT, lookups=replace(RULE, per_day=1)))
    text = sent(one_a_day)
    look_up(one_a_day)
    one_a_day.clock.advance(seconds=5)
    work(one_a_day)
    one_a_day.apply(text, MessageState.UNDELIVERED, **DEAD)
    row = number(one_a_day)
    assert row is not None
    assert row.source == "receipt:twilio"
    sent(one_a_day, msisdn="+12025550199")
    assert look_up(one_a_day).looked_up == [NUMBER]


def test_a_receipt_of_a_text_that_went_before_a_lookup_changes_nothing_about_it(desk: Desk) -> None:
    text = sent(desk)
    known(desk, line_type=LineType.MOBILE, known_at=NOW + timedelta(hours=1))
    desk.clock.advance(hours=2)
    desk.apply(text, MessageState.UNDELIVERED, **DEAD)
    row = number(desk)
    assert row is not None
    assert (row.line_type, row.source) == (LineType.MOBILE, "lookup:twilio")


def test_a_receipt_that_came_while_a_gateway_was_asked_in_vain_stands(curious: Desk) -> None:
    text = sent(curious)

    def meanwhile(_e164: str) -> LookupAnswer:
        known(curious, line_type=LineType.INVALID, source="receipt:twilio", attempts=2)
        raise TransientSendError("down", code="503")

    curious.gateway.look_up = meanwhile  # type: ignore[attr-defined]
    LookupDesk(curious.ledger, curious.gateways, curious.book.lookups, curious.limiter, curious.clock).drain()
    row = number(curious)
    assert row is not None
    assert (row.state, row.line_type, row.attempts) == (LookupState.KNOWN, LineType.INVALID, 2)
    assert curious.state_of(text) is MessageState.QUEUED


def test_two_receipts_that_come_at_once_are_two_signs_of_a_dead_number(on_postgres: Desk) -> None:
    desk = on_postgres
    first, second = sent(desk), sent(desk)
    worker = threading.Thread(target=lambda: desk.apply(second, MessageState.UNDELIVERED, **DEAD))
    attempt = desk.attempts(first)[0]
    report = StatusReport(attempt.provider_message_id or "", MessageState.UNDELIVERED, "undelivered", **DEAD)  # type: ignore[arg-type]
    with desk.ledger.begin() as uow:
        desk.receipts.apply(uow, "twilio", report, NOW)
        worker.start()
        worker.join(0.5)
        uow.commit()
    worker.join(20)
    row = number(desk)
    assert row is not None
    assert row.attempts == 2
