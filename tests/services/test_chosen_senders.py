"""Is the sender that a vendor chose from its pool remembered, so that replies find their conversation?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.adapters.keyword_file import load_keyword_book
from connector.adapters.secrets import Vault
from connector.adapters.sms.twilio import TwilioGateway
from connector.adapters.store.ids import new_id
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.message import MessageState
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import IncomingSMS, StatusReport
from connector.ports.inbox import InboxRow
from connector.ports.messages import MessageRow, StateChange
from connector.sandbox.clock import SandboxClock
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from connector.services.consent import ConsentDesk
from connector.services.receipts import STATUS, source
from connector.services.replies import ReplyDesk
from tests.adapters.sms.emulated import Receiver
from tests.adapters.store.factories import NOW, NUMBER, a_message, an_account
from tests.services.sending.conftest import Desk, HandClock, OpenLimiter, ScriptedGateway
from tests.services.stage import KEYWORDS

POOLED, OTHER = "+12025550101", "+12025550102"


@dataclass
class Stage:
    """The send path over a messaging service that sends from `POOLED`."""

    desk: Desk
    box: TwilioSandbox
    receiver: Receiver

    def send(self) -> MessageRow:
        values = {"time_zones": ("Europe/London",), "country": "GB", "send_window": "anytime"}
        text = a_message(self.desk.account_id, **values)
        self.desk.add(text)
        self.desk.send()
        return text

    def take_receipts(self) -> None:
        """Let what was sent arrive, and take in the receipts of it, the way they come over the web."""
        for number, request in enumerate(self.receiver.after(self.box.engine)):
            context = {"method": request.method, "url": request.url, "headers": {}}
            context["attempt_id"] = request.url.rpartition("/")[2]
            row = InboxRow(f"e{number}", None, source("twilio", STATUS), f"e{number}", request.body, context, NOW)
            with self.desk.ledger.begin() as uow:
                uow.inbox.add([row])
                uow.commit()
        self.desk.receipts.drain()

    def attempt(self, text: MessageRow) -> AttemptRow:
        return self.desk.attempts(text)[-1]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    ledger = SQLLedger(make_engine(f"sqlite:///{tmp_path}/ledger.sqlite3"), Vault(["k" * 32]), lambda _: None)
    metadata.create_all(ledger.engine)
    account = an_account()
    with ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    world, receiver = TwilioWorld(SandboxClock(), ACCOUNT_SID, AUTH_TOKEN), Receiver()
    service, box = world.add_service(POOLED), TwilioSandbox(world, post=receiver)
    with box.server:
        gateway = TwilioGateway(
            ACCOUNT_SID, [AUTH_TOKEN], box.url, messaging_service_sid=service.sid, lookup_url=box.url
        )
        desk = Desk(ledger, HandClock(), ScriptedGateway(), OpenLimiter(), [], account.id, others={"twilio": gateway})
        yield Stage(desk, box, receiver)
        gateway.close()
    ledger.close()


def told(text: MessageRow, stage: Stage, sender: str | None = None) -> None:
    sid = stage.attempt(text).provider_message_id or ""
    report = StatusReport(sid, MessageState.SENT, "sent", sender=sender)
    with stage.desk.ledger.begin() as uow:
        stage.desk.receipts.apply(uow, "twilio", report, NOW)
        uow.commit()


def test_first_receipt_tells_which_sender_a_messaging_service_chose(stage: Stage) -> None:
    text = stage.send()
    assert (stage.desk.row(text).sender, stage.attempt(text).sender) == (None, None)
    stage.take_receipts()
    assert stage.desk.state_of(text) is MessageState.DELIVERED
    assert (stage.desk.row(text).sender, stage.attempt(text).sender) == (POOLED, POOLED)


def test_sender_that_is_known_is_not_overwritten_by_a_receipt(stage: Stage) -> None:
    text = stage.send()
    told(text, stage, sender=POOLED)
    told(text, stage, sender=OTHER)
    assert (stage.desk.row(text).sender, stage.attempt(text).sender) == (POOLED, POOLED)


def test_sender_of_a_receipt_that_adds_nothing_else_is_kept_all_the_same(stage: Stage) -> None:
    text = stage.send()
    told(text, stage)
    told(text, stage, sender=POOLED)
    assert stage.desk.row(text).sender == POOLED


@pytest.mark.parametrize("sender", ["", "messenger:1234567890123456789"])
def test_what_is_no_number_and_no_sender_id_is_not_kept(stage: Stage, sender: str) -> None:
    text = stage.send()
    told(text, stage, sender=sender)
    assert (stage.desk.row(text).sender, stage.attempt(text).sender) == (None, None)


def test_receipt_of_an_earlier_attempt_does_not_say_who_the_later_one_came_from(stage: Stage) -> None:
    text = stage.send()
    first = stage.attempt(text)
    later = replace(first, id=new_id(), provider_message_id="SM" + "f" * 32)
    with stage.desk.ledger.begin() as uow:
        uow.attempts.add([later])
        again = StateChange(text.id, MessageState.ACCEPTED, MessageState.ACCEPTED, "sent again", tried=True)
        uow.messages.move_all([again], NOW)
        report = StatusReport(first.provider_message_id or "", MessageState.SENT, "sent", sender=OTHER)
        stage.desk.receipts.apply(uow, "twilio", report, NOW)
        uow.commit()
    assert stage.desk.row(text).sender is None
    assert {row.sender for row in stage.desk.attempts(text)} == {OTHER, None}


def test_reply_to_another_of_our_numbers_finds_the_conversation_it_belongs_to(stage: Stage) -> None:
    neighbour = an_account()
    earlier = a_message(
        neighbour.id, state=MessageState.DELIVERED, sender=OTHER, sent_at=NOW - timedelta(hours=1), tries=1
    )
    with stage.desk.ledger.begin() as uow:
        uow.accounts.add(neighbour)
        uow.messages.add(earlier)
        uow.commit()
    stage.send()
    stage.take_receipts()
    replies = ReplyDesk(new_id, load_keyword_book(KEYWORDS), ConsentDesk(new_id))
    with stage.desk.ledger.begin() as uow:
        for number, to in enumerate((OTHER, POOLED)):
            replies.take_reply(uow, IncomingSMS(f"SM{number}", NUMBER, to, "Yes please"), "twilio", NOW)
        uow.commit()
    with stage.desk.ledger.begin(write=False) as uow:
        heard = {
            account_id: [row.sender for row in uow.messages.conversation(account_id, NUMBER, 9) if row.body != "Hello"]
            for account_id in (neighbour.id, stage.desk.account_id)
        }
    assert heard == {neighbour.id: [OTHER], stage.desk.account_id: [POOLED]}
