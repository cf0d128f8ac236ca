"""What do the tests of consent, replies and write-back play on: a ledger, a clock, a CRM that writes things down?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, cast

from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.event_mapping import EventCatalogue
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.errors import CRMError, CRMRefusedError
from connector.ports.contacts import ContactRow
from connector.ports.crm import CRM, CRMAccount
from connector.ports.crm_writing import RecordWrite, WriteResult
from connector.ports.gateway import IncomingSMS
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.messages import MessageRow, StateChange
from connector.ports.records import CRMRecordRow
from connector.services.announcing import Moved, announce, message_record
from connector.services.consent import ConsentDesk
from connector.services.contact_snapshots import ContactKeeper
from connector.services.replies import ReplyDesk
from connector.services.unknown_senders import UnknownSenders
from connector.services.writeback import WriteBack

START = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
NUMBER = "+12025550143"
SENDER = "+12025550100"
KEYWORDS = Path(__file__).parents[2] / "mappings" / "keywords.yaml"


@dataclass
class SetClock:
    """A clock that stands still until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class WritingCRM:
    """The writing half of a CRM: keeps what it is told, fails when told to.

    Attributes:
        failures: errors to raise, one per coming call; None lets a call through.
        answer_lost: the coming create does its work and then raises its failure.
        refuses: refs, contact ids, records or properties it refuses, with the error.
        refuses_owners: ids of owners who have left.
        refuses_beside: refs of records that it takes without what should stand beside them, with the error.
    """

    slug: str = "hubspot"
    records: dict[str, RecordWrite] = field(default_factory=dict)
    flags: dict[str, tuple[bool, datetime]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    numbers: dict[str, list[str]] = field(default_factory=dict)
    failures: list[CRMError | None] = field(default_factory=list)
    answer_lost: bool = False
    refuses: dict[str, CRMError] = field(default_factory=dict)
    refuses_owners: set[str] = field(default_factory=set)
    refuses_beside: dict[str, CRMRefusedError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _ids: count[int] = field(default_factory=lambda: count(9001))

    def create(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        self._begin("create", rows)
        if self.answer_lost:
            self.answer_lost = False
            for row in rows:
                self._add(row)
            self._fail()
        self._fail()
        return [self._result(row, self._add) for row in rows]

    def update(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        self._begin("update", rows)
        self._fail()
        return [self._result(row, self._change) for row in rows]

    def find_written(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Mapping[str, str]:
        self._begin("find_written", rows)
        self._fail()
        wanted = {row.ref for row in rows}
        return {held.ref: crm_id for crm_id, held in self.records.items() if held.ref in wanted}

    def set_opt_out(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> Sequence[WriteResult]:
        self._begin("set_opt_out", contact_ids)
        self._fail()
        assert source
        self.sources |= dict.fromkeys(contact_ids, source)
        good = [each for each in contact_ids if each not in self.refuses]
        self.flags |= dict.fromkeys(good, (opted_out, at))
        return [WriteResult(each, each if each in good else None, self.refuses.get(each)) for each in contact_ids]

    def set_properties(
        self, account: CRMAccount, object_type: str, values: Mapping[str, Mapping[str, str]]
    ) -> Sequence[WriteResult]:
        self._begin("set_properties", list(values))
        self._fail()
        errors = {each: self._refusal(f"{object_type}:{each}", props) for each, props in values.items()}
        for each, props in values.items():
            if errors[each] is None:
                self.properties.setdefault(f"{object_type}:{each}", {}).update(props)
        return [WriteResult(each, None if error else each, error) for each, error in errors.items()]

    def _refusal(self, record: str, props: Mapping[str, str]) -> CRMError | None:
        return next((self.refuses[name] for name in (record, *props) if name in self.refuses), None)

    def find_contacts_by_number(self, account: CRMAccount, e164: str) -> Sequence[str]:
        self._begin("find_contacts_by_number", [e164])
        self._fail()
        return self.numbers.get(e164, [])

    def bodies(self) -> list[str]:
        return [record.body for record in self.records.values()]

    def _begin(self, name: str, rows: Sequence[Any]) -> None:
        assert 0 < len(rows) <= 100
        self.calls.append(name)

    def _fail(self) -> None:
        error = self.failures.pop(0) if self.failures else None
        if error is not None:
            raise error

    def _result(self, row: RecordWrite, write: Any) -> WriteResult:
        refused = self.refuses.get(row.ref)
        if row.owner_id in self.refuses_owners:
            refused = CRMRefusedError("hubspot_owner_id INVALID_OWNER_ID", status=400)
        if refused is not None:
            return WriteResult(row.ref, error=refused)
        return WriteResult(row.ref, write(row), refused_beside=self.refuses_beside.get(row.ref))

    def _add(self, row: RecordWrite) -> str:
        crm_id = str(next(self._ids))
        self.records[crm_id] = row
        return crm_id

    def _change(self, row: RecordWrite) -> str:
        assert row.crm_record_id is not None
        self.records[row.crm_record_id] = row
        return row.crm_record_id


class Stage:
    """One account with one contact, and the services under test."""

    def __init__(self, directory: Path, database_url: str = "") -> None:
        self.nudged: list[str] = []
        self.clock = SetClock()
        self.crm = WritingCRM()
        self.ledger = SQLLedger(
            make_engine(database_url or f"sqlite:///{directory}/ledger"), Vault(["k" * 32]), self.nudged.append
        )
        metadata.create_all(self.ledger.engine)
        self.consent = ConsentDesk(self.ledger.new_id)
        self.replies = ReplyDesk(self.ledger.new_id, load_keyword_book(KEYWORDS), self.consent)
        self._numbers = count(1)
        self.add_account("account-1")
        self.lea = self.add_contact("51", name="Lea")

    def writer(self, ledger: Ledger | None = None, crm: object | None = None) -> WriteBack:
        crms = {"hubspot": cast("CRM", crm or self.crm)}
        senders = UnknownSenders(EventCatalogue(), ContactKeeper(self.ledger.new_id, self.consent))
        return WriteBack(ledger or self.ledger, crms, self.clock, random.Random(7), senders)

    def pass_time(self, **lapse: float) -> None:
        self.clock.at += timedelta(**lapse)

    def drain(self, writer: WriteBack | None = None, settle: int = 2) -> int:
        """Let records settle, then write until nothing is left that may be written now."""
        writer = writer or self.writer()
        self.pass_time(seconds=settle)
        total = 0
        while claimed := writer.write_back("hubspot"):
            total += claimed
        return total

    def add_account(self, account_id: str) -> None:
        with self.ledger.begin() as uow:
            uow.accounts.add(AccountRow(account_id, "hubspot", account_id[-1], "Acme", "active", "", {}, START))
            uow.commit()

    def add_contact(self, crm_id: str, account_id: str = "account-1", msisdn: str = NUMBER, **names: str) -> ContactRow:
        contact = ContactRow(
            id=self.ledger.new_id(), account_id=account_id, crm="hubspot", crm_id=crm_id, msisdn=msisdn,
            msisdn_reason="mobilephone", time_zone=None, locale="en-US", country="US", owner_id="7",
            attributes=names, read_at=START,
        )  # fmt: skip
        with self.ledger.begin() as uow:
            uow.contacts.save(contact)
            uow.commit()
        return contact

    def change_contact(self, contact: ContactRow, **attributes: str) -> None:
        with self.ledger.begin() as uow:
            uow.contacts.save(replace(contact, attributes={**contact.attributes, **attributes}))
            uow.commit()

    def add_message(self, state: MessageState = MessageState.QUEUED, **changes: Any) -> MessageRow:
        """Put an outbound message and the wish to show it into the ledger."""
        number = next(self._numbers)
        row = MessageRow(
            id=self.ledger.new_id(), account_id="account-1", direction=Direction.OUT, idempotency_key=f"key-{number}",
            purpose=Purpose.TRANSACTIONAL, msisdn=NUMBER, body=f"Hello {number}", gateway="twilio", encoding="gsm7",
            segments=1, state=state, policy=SendPolicy.AT_MOST_ONCE, not_before=self.clock.at,
            created_at=self.clock.at, contact_id=self.lea.id, sender=SENDER, journey="deal-won", step="steps[0]",
        )  # fmt: skip
        row = replace(row, **changes)
        with self.ledger.begin() as uow:
            assert uow.messages.add(row)
            if row.contact_id is not None:
                contact = uow.contacts.get(row.account_id, row.contact_id)
                assert contact is not None
                now = self.clock.at
                uow.records.want([message_record(row, self.ledger.new_id(), "hubspot", contact.crm_id, now)])
            uow.commit()
        return row

    def move(self, row: MessageRow, state: MessageState, reason: str = "") -> MessageRow:
        with self.ledger.begin() as uow:
            uow.messages.move([StateChange(row.id, row.state, state, reason)], self.clock.at)
            announce(uow, [Moved(row, state, reason)], self.clock.at)
            uow.commit()
        return replace(row, state=state)

    def receive(self, body: str, *, from_: str = NUMBER, to: str = SENDER, id_: str = "", **more: Any) -> str:
        sms = IncomingSMS(id_ or f"SM{next(self._numbers)}", from_, to, body, **more)
        with self.ledger.begin() as uow:
            outcome = self.replies.take_reply(uow, sms, "twilio", self.clock.at)
            uow.commit()
        return outcome

    def message(self, message_id: str) -> MessageRow:
        with self.ledger.begin(write=False) as uow:
            return uow.messages.many([message_id])[message_id]

    def refused(self) -> list[CRMRecordRow]:
        with self.ledger.begin(write=False) as uow:
            return list(uow.records.refused(None, 100))

    def record_of(self, row: MessageRow) -> CRMRecordRow:
        with self.ledger.begin(write=False) as uow:
            return uow.records.of_messages(row.account_id, [row.id])[row.id]

    def is_suppressed(self, msisdn: str = NUMBER, account_id: str = "account-1") -> bool:
        with self.ledger.begin(write=False) as uow:
            return bool(uow.consents.suppressions(account_id, [msisdn]))

    def close(self) -> None:
        self.ledger.close()


class KilledError(BaseException):
    """The process ends here; nothing catches it."""


@dataclass
class Killer:
    """Ends the process at its n-th boundary: before or after a commit or a CRM call."""

    at: int
    passed: int = 0

    def boundary(self) -> None:
        self.passed += 1
        if self.passed == self.at + 1:
            raise KilledError


class MortalLedger:
    """A ledger whose process may die around each commit."""

    def __init__(self, ledger: SQLLedger, killer: Killer) -> None:
        self._ledger, self._killer = ledger, killer
        self.new_id = ledger.new_id

    def begin(self, *, write: bool = True) -> UnitOfWork:
        uow = self._ledger.begin(write=write)
        commit = uow.commit

        def dying_commit() -> None:
            self._killer.boundary()
            commit()
            self._killer.boundary()

        uow.commit = dying_commit  # type: ignore[method-assign]
        return uow


class MortalCRM:
    """A CRM whose caller may die around each call."""

    def __init__(self, crm: WritingCRM, killer: Killer) -> None:
        self._crm, self._killer = crm, killer

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._crm, name)

        def call(*args: Any, **options: Any) -> Any:
            self._killer.boundary()
            answer = method(*args, **options)
            self._killer.boundary()
            return answer

        return call
