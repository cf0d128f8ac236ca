"""Does a workflow's call send one text, and does a workflow that waits hear for certain, and once, what came of it?"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connector.adapters.crm.hubspot.object_types import our_name
from connector.adapters.event_files import load_events
from connector.adapters.fingerprints import HMACFingerprints
from connector.adapters.rendering import Renderer
from connector.adapters.template_folder import TemplateFolder
from connector.domain.account_status import ENDED
from connector.domain.event import Owner
from connector.domain.message import Direction, MessageState, Purpose
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMAmbiguousError, CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.consents import Mechanism
from connector.ports.crm import MISSING_SCOPES, CRMAccount, Link
from connector.ports.ledger import Ledger
from connector.ports.messages import MessageRow, StateChange
from connector.ports.queue import WORKFLOWS
from connector.ports.workflows import CallState, Completion, CompletionResult, WorkflowCallRow
from connector.services.announcing import Moved, announce
from connector.services.callback_secrets import CallbackSecrets
from connector.services.consent import Saying
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader
from connector.services.links import LinkWriter
from connector.services.single_texts import OrderTools, SingleTexts
from connector.services.workflow_orders import UnreadableCallError, WorkflowOrders
from connector.services.workflow_running import LEASE, WorkflowRunner
from connector.services.workflow_texts import WorkflowTexts
from tests.adapters.store.factories import damage_tokens
from tests.services.fake_crm import FakeCRM
from tests.services.stage import NUMBER, START, KilledError, Killer, MortalLedger, Stage

MAPPINGS = Path(__file__).parents[2] / "mappings"
CALLBACK = "ap-123-456-7-0"


@dataclass
class Waiting:
    """The part of a CRM in which workflows wait.

    Attributes:
        told: outputs by callback id, one per completion that found somebody waiting.
        over: callback ids under which nobody waits.
        failures: errors of the coming calls.
        refuses: errors of single completions.
        young: callback ids whose calls had come just before.
    """

    told: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)
    failures: list[CRMError] = field(default_factory=list)
    refuses: dict[str, CRMError] = field(default_factory=dict)
    answers_lost: bool = False
    young: list[str] = field(default_factory=list)

    def complete_calls(self, account: CRMAccount, completions: Sequence[Completion]) -> Sequence[CompletionResult]:
        assert account.external_id == "1"
        if self.failures:
            raise self.failures.pop(0)
        self.young += [each.callback_id for each in completions if each.is_young]
        results = [self._complete(each) for each in completions]
        if self.answers_lost:
            self.answers_lost = False
            raise CRMAmbiguousError("no answer")
        return results

    def _complete(self, completion: Completion) -> CompletionResult:
        callback_id = completion.callback_id
        if callback_id in self.refuses:
            return CompletionResult(callback_id, self.refuses[callback_id])
        if callback_id not in self.over:
            self.over.add(callback_id)
            self.told.setdefault(callback_id, []).append(dict(completion.outputs))
        return CompletionResult(callback_id)


class Play(Stage):
    """An account whose HubSpot runs workflows."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.records, self.waiting = FakeCRM(), Waiting()
        self.catalogue = load_events(MAPPINGS).catalogue
        folder = directory / "templates"
        (folder / "hello").mkdir(parents=True)
        (folder / "hello" / "again.txt.j2").write_text("Hi {{ contact.first_name }}")
        (folder / "hello" / "deal.txt.j2").write_text("About {{ deal.name }}, from {{ owner.first_name }}")
        self.templates = TemplateFolder(folder, Renderer(sample_link=""))
        self.orders = WorkflowOrders(self.ledger, self.clock, "hubspot", self.templates.names, our_name)
        self.runner = self.build(self.ledger)
        self.records.put("contact", id="51", firstname="Lea", mobilephone=NUMBER, hubspot_owner_id="7")
        self.records.people["7"] = Owner("7", "Ada Byron", "ada@acme.example")

    def build(self, ledger: Ledger, waiting: Any = None) -> WorkflowRunner:
        tools = OrderTools(
            gateway="null",
            templates=self.templates,
            fingerprints=HMACFingerprints(["k" * 32]),
            secrets=CallbackSecrets(ledger, self.clock, lambda: "whsec_1"),
            links=LinkWriter("https://sms.example.com", lambda _below: 7),
        )
        texts = WorkflowTexts(
            SingleTexts(ledger, tools, self.clock), ContactKeeper(ledger.new_id, self.consent), self.catalogue
        )
        reader = CRMReader({"hubspot": self.records}, self.catalogue, self.clock)
        crms = {"hubspot": waiting or self.waiting}
        return WorkflowRunner(ledger, reader, texts, crms, self.clock, random.Random(7))

    def call(self, callback_id: str = CALLBACK, *, on: str = "CONTACT:51", portal: int = 1, **inputs: Any) -> Any:
        with self.ledger.begin() as uow:
            answer = self.orders.take(uow, _body(callback_id, on, portal, **inputs))
            uow.commit()
        return answer.to_json()["outputFields"]

    def run(self) -> None:
        while self.runner.drain():
            pass

    def texts(self) -> list[MessageRow]:
        with self.ledger.begin(write=False) as uow:
            return [row for row in uow.messages.conversation("account-1", NUMBER, 50) if row.direction is Direction.OUT]

    def kept(self, callback_id: str = CALLBACK) -> WorkflowCallRow:
        with self.ledger.begin(write=False) as uow:
            call = uow.workflow_calls.by_callback("account-1", callback_id)
        assert call is not None
        return call

    def refusals(self) -> Sequence[TimelineEntry]:
        about = f"workflow_call:{self.kept().id}"
        with self.ledger.begin(write=False) as uow:
            return uow.timeline.facts("account-1", "", about, START, [EntryKind.NOT_ENROLLED])

    def sends(self) -> None:
        """Work the lane, and let every text leave."""
        self.run()
        with self.ledger.begin() as uow:
            waiting = [row for row in self.texts() if row.state is MessageState.QUEUED]
            changes = [StateChange(row.id, row.state, MessageState.SENT, "", sent_at=self.clock.at) for row in waiting]
            uow.messages.move(changes, self.clock.at)
            uow.commit()

    def comes_to(self, state: MessageState, reason: str = "", **until: float) -> None:
        """Let the text come to a state, held for some time."""
        [row] = self.texts()
        ends = self.clock.at + timedelta(**until) if until else None
        with self.ledger.begin() as uow:
            uow.messages.move([StateChange(row.id, row.state, state, reason, not_before=ends)], self.clock.at)
            announce(uow, [Moved(row, state, reason)], self.clock.at)
            uow.commit()

    def goes_on(self, callback_id: str = CALLBACK) -> list[dict[str, str]]:
        """Let some seconds pass and give what the workflow was told."""
        self.pass_time(seconds=5)
        self.run()
        return self.waiting.told.get(callback_id, [])


def _body(callback_id: str = CALLBACK, on: str = "CONTACT:51", portal: int = 1, **inputs: Any) -> dict[str, Any]:
    kind, _, object_id = on.partition(":")
    return {
        "callbackId": callback_id,
        "origin": {"portalId": portal, "actionDefinitionId": 2, "actionDefinitionVersion": 1},
        "context": {"source": "WORKFLOWS", "workflowId": 3},
        "object": {"objectId": int(object_id), "objectType": kind, "properties": {}},
        "inputFields": {"body": "Hello Lea"} | inputs,
    }


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    play = Play(tmp_path)
    yield play
    play.close()


# -- what a call is answered


def test_a_call_that_waits_for_nothing_is_answered_at_once_and_sends_one_text(play: Play) -> None:
    answer = play.call()
    assert (answer["sms_result"], answer["hs_execution_state"]) == ("queued", "SUCCESS")
    assert play.texts() == []
    assert WORKFLOWS in play.nudged
    play.run()
    [row] = play.texts()
    assert (row.id, row.body, row.ordered_by) == (answer["sms_message_id"], "Hello Lea", "workflow:3")
    assert (play.kept().state, play.kept().result) == (CallState.DONE, "queued")


def test_ten_calls_under_one_callback_id_are_answered_alike_and_send_one_text(play: Play) -> None:
    answers = []
    for _ in range(5):
        answers.append(play.call())
        play.run()
        answers.append(play.call())
    assert len(answers) == 10
    assert all(answer == answers[0] for answer in answers)
    assert len(play.texts()) == 1


def test_a_call_that_another_process_kept_a_moment_ago_is_answered_as_that_one(play: Play) -> None:
    first = play.call(wait_for="delivered")
    known = play.kept()

    class Blind:
        """Calls as they stood before the other process committed, until one is to be added."""

        def __init__(self) -> None:
            self.answers = [None, known]

        def by_callback(self, *_: str) -> WorkflowCallRow | None:
            return self.answers.pop(0)

        def add(self, _call: WorkflowCallRow) -> bool:
            return False

    with play.ledger.begin() as uow:
        uow.workflow_calls = Blind()  # type: ignore[assignment]  # only what taking a call asks for
        answer = play.orders.take(uow, _body(wait_for="delivered")).to_json()["outputFields"]
    assert answer == first


def test_a_call_that_waits_blocks_for_as_long_as_the_admin_said(play: Play) -> None:
    answer = play.call(wait_for="delivered", wait_minutes="30")
    assert (answer["hs_execution_state"], answer["hs_expiration_duration"]) == ("BLOCK", "PT30M")
    assert play.call("ap-2", wait_for="reply")["hs_expiration_duration"] == "PT15M"


def test_a_call_repeated_while_it_waits_blocks_for_what_is_left_of_its_wait(play: Play) -> None:
    left = [play.call(wait_for="delivered", wait_minutes="30")["hs_expiration_duration"]]
    for seconds in (600, 30, 1160):
        play.pass_time(seconds=seconds)
        left.append(play.call(wait_for="delivered", wait_minutes="30")["hs_expiration_duration"])
    assert left == ["PT30M", "PT20M", "PT20M", "PT1M"]


def test_a_call_repeated_when_its_wait_has_just_run_out_still_blocks_for_a_minute(play: Play) -> None:
    play.call(wait_for="delivered", wait_minutes="1")
    play.pass_time(minutes=2)
    assert play.call(wait_for="delivered", wait_minutes="1")["hs_expiration_duration"] == "PT1M"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"body": "  "}, "NO_BODY"),
        ({"body": None}, "NO_BODY"),
        ({"body": "x" * 1601}, "TOO_LONG"),
        ({"message_kind": "template", "template": "hello/nobody"}, "UNKNOWN_TEMPLATE"),
        ({"message_kind": "template"}, "UNKNOWN_TEMPLATE"),
        ({"message_kind": "fax"}, "BAD_INPUT"),
        ({"purpose": "otp"}, "BAD_INPUT"),
        ({"recipient": "everybody"}, "BAD_INPUT"),
        ({"wait_for": "godot"}, "BAD_INPUT"),
        ({"wait_minutes": "0"}, "BAD_INPUT"),
        ({"wait_minutes": "1441"}, "BAD_INPUT"),
        ({"wait_minutes": "soon"}, "BAD_INPUT"),
    ],
)
def test_inputs_that_can_never_work_fail_at_once_and_let_the_workflow_go_on(
    play: Play, inputs: dict[str, Any], code: str
) -> None:
    answer = play.call(**inputs)
    assert (answer["hs_execution_state"], answer["errorCode"]) == ("FAIL_CONTINUE", code)
    assert (answer["sms_result"], bool(answer["sms_reason"])) == ("failed", True)
    play.run()
    assert play.texts() == []


def test_a_choice_may_come_as_the_object_of_a_static_value(play: Play) -> None:
    wait = {"type": "STATIC_VALUE", "value": "delivered"}
    assert play.call(wait_for=wait, wait_minutes="20.0")["hs_expiration_duration"] == "PT20M"


@pytest.mark.parametrize("status", sorted(ENDED))
def test_a_portal_that_is_not_connected_is_told_so(play: Play, status: str) -> None:
    assert play.call(portal=99)["errorCode"] == "NOT_INSTALLED"
    with play.ledger.begin() as uow:
        uow.accounts.set_status("account-1", status, "")
        uow.commit()
    assert play.call()["errorCode"] == "NOT_INSTALLED"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"callbackId": "ap-1"},
        {"callbackId": "ap-1", "origin": {"portalId": 1}},
        {"callbackId": "ap-1", "origin": {"portalId": 1}, "object": {"objectType": "CONTACT"}},
        {"callbackId": "a" * 256, "origin": {"portalId": 1}, "object": {"objectType": "CONTACT", "objectId": 1}},
        {"callbackId": True, "origin": {"portalId": 1}, "object": {"objectType": "CONTACT", "objectId": 1}},
        {
            "callbackId": "ap-1",
            "origin": {"portalId": 1},
            "object": {"objectType": "CONTACT", "objectId": 1},
            "inputFields": [1],
        },
    ],
)
def test_what_is_no_call_is_refused(play: Play, body: Any) -> None:
    with play.ledger.begin() as uow, pytest.raises(UnreadableCallError):
        play.orders.take(uow, body)


def test_templates_are_offered_by_what_was_typed(play: Play) -> None:
    assert [each["value"] for each in play.orders.options({})["options"]] == ["hello/again", "hello/deal"]
    [found] = play.orders.options({"fetchOptions": {"q": "DEAL"}})["options"]
    assert found["value"] == "hello/deal"
    assert play.orders.options(None)["searchable"] is True


# -- whom a text is for


def test_a_deals_text_goes_to_its_primary_contact_and_may_name_the_deal(play: Play) -> None:
    play.records.put("contact", id="52", firstname="Jo", mobilephone="+12025550144")
    play.records.put("deal", [Link("52"), Link("51", ("Primary",))], id="9001", dealname="Roof", hubspot_owner_id="7")
    play.call(on="DEAL:9001", message_kind="template", template="hello/deal")
    play.run()
    [row] = play.texts()
    assert (row.body, row.template) == ("About Roof, from Ada", "hello/deal")


def test_a_kind_of_record_no_event_is_about_is_texted_through_its_contact(play: Play) -> None:
    play.records.put("company", ["51"], id="8")
    play.call(on="COMPANY:8")
    play.run()
    assert len(play.texts()) == 1


def test_a_kind_of_record_may_be_named_by_its_number(play: Play) -> None:
    play.records.put("deal", ["51"], id="9001", dealname="Roof")
    play.call(on="0-3:9001")
    play.run()
    assert len(play.texts()) == 1


@pytest.mark.parametrize(
    ("on", "reason"),
    [("DEAL:9002", "no contact is associated"), ("DEAL:404", "does not have"), ("CONTACT:404", "does not have")],
)
def test_a_record_without_a_contact_fails_with_its_reason(play: Play, on: str, reason: str) -> None:
    play.records.put("deal", id="9002", dealname="Nobody's")
    play.call(on=on, wait_for="delivered")
    [told] = play.goes_on()
    assert told["sms_result"] == "failed"
    assert reason in told["sms_reason"]


def test_a_contact_without_a_number_fails_and_the_card_says_why(play: Play) -> None:
    play.records.put("contact", id="52", firstname="Jo")
    play.call(on="CONTACT:52", wait_for="delivered")
    [told] = play.goes_on()
    assert "no usable number" in told["sms_reason"]
    with play.ledger.begin(write=False) as uow:
        contact = uow.contacts.by_crm_ids("account-1", ["52"])["52"]
        [entry] = uow.timeline.of_contact("account-1", contact.id, 10)
    assert entry.data["journey"] == "workflow 3"


def test_a_template_that_lacks_a_value_fails_without_showing_any(play: Play) -> None:
    play.call(message_kind="template", template="hello/deal")
    play.run()
    assert (play.kept().result, play.texts()) == ("failed", [])
    assert "deal" in play.kept().reason


def test_the_owner_is_texted_at_the_number_the_account_names(play: Play) -> None:
    play.call(recipient="owner", wait_for="delivered")
    [told] = play.goes_on()
    assert "owner_phones" in told["sms_reason"]
    with play.ledger.begin() as uow:
        uow.accounts.save_settings("account-1", {"owner_phones": {"ada@acme.example": "+12025550177"}}, "Acme")
        uow.commit()
    play.call("ap-2", recipient="owner")
    play.run()
    with play.ledger.begin(write=False) as uow:
        [row] = uow.messages.conversation("account-1", "+12025550177", 5)
    assert (row.contact_id, row.recipient) == (None, "number")


def test_a_record_without_an_owner_says_so(play: Play) -> None:
    play.records.put("contact", id="52", firstname="Jo", mobilephone="+12025550144")
    play.call(on="CONTACT:52", recipient="owner")
    play.run()
    assert play.kept().reason == "the record and the contact have no owner"


def test_a_marketing_text_is_judged_as_one(play: Play) -> None:
    play.call(purpose="marketing")
    play.run()
    assert play.texts()[0].purpose is Purpose.MARKETING


# -- what a workflow that waits is told


@pytest.mark.parametrize(
    ("state", "result"),
    [
        (MessageState.DELIVERED, "delivered"),
        (MessageState.UNDELIVERED, "undelivered"),
        (MessageState.FAILED, "failed"),
        (MessageState.DEAD_LETTER, "failed"),
        (MessageState.CANCELLED, "failed"),
        (MessageState.SUPPRESSED, "suppressed"),
        (MessageState.EXPIRED, "expired"),
    ],
)
def test_a_workflow_goes_on_with_what_became_of_its_text(play: Play, state: MessageState, result: str) -> None:
    play.call(wait_for="delivered")
    assert play.goes_on() == []
    play.comes_to(state, "because")
    [told] = play.goes_on()
    assert (told["sms_result"], told["sms_reason"], told["sms_message_id"]) == (result, "because", play.texts()[0].id)
    assert play.kept().state is CallState.DONE


def test_a_workflow_that_waits_for_a_reply_goes_on_with_its_words(play: Play) -> None:
    play.call(wait_for="reply")
    play.sends()
    play.comes_to(MessageState.DELIVERED)
    assert play.goes_on() == []
    play.receive("Yes, at two")
    [told] = play.goes_on()
    assert (told["sms_result"], told["sms_reply"]) == ("replied", "Yes, at two")


def test_a_reply_to_a_one_time_code_is_told_without_its_digits(play: Play) -> None:
    play.call(wait_for="reply")
    play.sends()
    [row] = play.texts()
    play.add_message(MessageState.SENT, sent_at=play.clock.at + timedelta(seconds=1), purpose=Purpose.OTP)
    play.pass_time(seconds=2)
    play.receive("My code is 123456")
    [told] = play.goes_on()
    assert (told["sms_message_id"], told["sms_reply"]) == (row.id, "My code is ••••••")


def test_a_reply_proves_that_the_text_arrived(play: Play) -> None:
    play.call(wait_for="delivered")
    play.sends()
    play.receive("Who is this?")
    [told] = play.goes_on()
    assert told["sms_result"] == "replied"


def test_a_stop_is_told_as_an_opt_out(play: Play) -> None:
    play.call(wait_for="reply")
    play.sends()
    play.receive("STOP")
    [told] = play.goes_on()
    assert told["sms_result"] == "opted_out"


def test_a_text_to_somebody_who_opted_out_before_is_told_as_an_opt_out(play: Play) -> None:
    with play.ledger.begin() as uow:
        said = Saying("account-1", NUMBER, Mechanism.KEYWORD, "message:1", play.clock.at)
        play.consent.opt_out(uow, said, play.clock.at)
        uow.commit()
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.SUPPRESSED, "the number has opted out")
    [told] = play.goes_on()
    assert told["sms_result"] == "opted_out"


def test_a_text_held_for_longer_than_the_workflow_waits_is_told_as_held(play: Play) -> None:
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.HELD, "window daytime is closed", hours=8)
    [told] = play.goes_on()
    assert (told["sms_result"], told["sms_reason"]) == ("held", "window daytime is closed")


def test_a_text_held_for_a_moment_is_waited_for(play: Play) -> None:
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.HELD, "cap", minutes=1)
    assert play.goes_on() == []
    assert play.kept().not_before == play.kept().expires_at


def test_a_text_that_has_not_left_yet_is_not_answered_by_what_somebody_happens_to_write(play: Play) -> None:
    play.add_message(MessageState.SENT, sent_at=play.clock.at)
    play.call(wait_for="reply")
    play.run()
    play.receive("About the other thing")
    assert play.goes_on() == []


def test_a_wait_that_is_over_is_finished_and_nobody_is_told(play: Play) -> None:
    play.call(wait_for="reply")
    play.run()
    play.pass_time(minutes=15)
    play.run()
    assert (play.kept().state, play.kept().result, play.waiting.told) == (CallState.DONE, "expired", {})
    play.receive("Sorry, late")
    assert play.goes_on() == []


def test_a_call_repeated_after_its_wait_is_answered_with_the_result(play: Play) -> None:
    """Its first answer may never have arrived, and then the completion found nobody waiting."""
    play.call(wait_for="reply")
    play.sends()
    play.receive("Yes")
    play.goes_on()
    answer = play.call(wait_for="reply")
    assert (answer["hs_execution_state"], answer["sms_result"], answer["sms_reply"]) == ("SUCCESS", "replied", "Yes")


def test_results_of_many_workflows_are_told_together(play: Play) -> None:
    ids = [f"ap-{number}" for number in range(20)]
    for callback_id in ids:
        play.call(callback_id, wait_for="reply")
    play.sends()
    play.receive("Yes")
    play.goes_on()
    assert {each: len(play.waiting.told[each]) for each in ids} == dict.fromkeys(ids, 1)
    assert len(play.texts()) == 20


# -- when something is away


@pytest.mark.parametrize(
    "error",
    [
        CRMUnavailableError("throttled", status=429, retry_after=timedelta(seconds=10)),
        CRMDisconnectedError("disconnected", status=401),
        CRMRefusedError("scope", status=403, category=MISSING_SCOPES),
    ],
)
def test_a_result_waits_while_hubspot_cannot_be_told(play: Play, error: CRMError) -> None:
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.DELIVERED)
    play.waiting.failures.append(error)
    assert play.goes_on() == []
    assert (play.kept().state, play.kept().attempts) == (CallState.COMPLETING, 1)
    play.pass_time(minutes=1)
    [told] = play.goes_on()
    assert told["sms_result"] == "delivered"


def test_a_completion_whose_answer_was_lost_is_sent_again_and_counts_once(play: Play) -> None:
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.DELIVERED)
    play.waiting.answers_lost = True
    play.goes_on()
    assert play.kept().state is CallState.COMPLETING
    play.pass_time(minutes=1)
    assert len(play.goes_on()) == 1
    assert play.kept().state is CallState.DONE


def test_a_result_that_cannot_be_told_in_time_is_finished_as_expired(play: Play) -> None:
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.DELIVERED)
    play.waiting.failures += [CRMUnavailableError("down")] * 100
    for _ in range(20):
        play.pass_time(minutes=1)
        play.run()
    assert (play.kept().state, play.kept().result) == (CallState.DONE, "expired")


def test_a_completion_hubspot_refuses_for_good_stops_no_other(play: Play) -> None:
    play.call("ap-1", wait_for="reply")
    play.call("ap-2", wait_for="reply")
    play.sends()
    play.receive("Yes")
    play.waiting.refuses["ap-1"] = CRMRefusedError("outputFields are wrong", status=400)
    play.goes_on()
    assert (play.kept("ap-1").state, play.kept("ap-1").error) == (CallState.DONE, "outputFields are wrong")
    assert len(play.waiting.told["ap-2"]) == 1


def test_a_single_refusal_for_lack_of_a_scope_is_tried_again(play: Play) -> None:
    play.call(wait_for="reply")
    play.sends()
    play.receive("Yes")
    play.waiting.refuses[CALLBACK] = CRMRefusedError("scope", status=403, category=MISSING_SCOPES)
    play.goes_on()
    play.waiting.refuses.clear()
    play.pass_time(minutes=1)
    assert len(play.goes_on()) == 1


def test_a_text_is_ordered_when_the_crm_is_back(play: Play) -> None:
    play.records.fail("read_contacts", CRMUnavailableError("down"))
    play.call()
    play.run()
    assert play.texts() == []
    play.pass_time(minutes=1)
    play.run()
    assert len(play.texts()) == 1


def test_a_text_is_not_sent_when_the_workflow_has_gone_on_meanwhile(play: Play) -> None:
    play.records.fail("read_contacts", *[CRMUnavailableError("down")] * 100)
    play.call(wait_for="delivered")
    for _ in range(20):
        play.pass_time(minutes=1)
        play.run()
    assert (play.texts(), play.kept().result) == ([], "expired")


def test_a_record_the_crm_refuses_to_read_fails_alone(play: Play) -> None:
    refusal = CRMRefusedError("read contacts: refused", status=400)
    play.records.fail("read_contacts", refusal, refusal)
    play.call("ap-1")
    play.call("ap-2")
    play.run()
    assert [play.kept(each).result for each in ("ap-1", "ap-2")] == ["failed", "queued"]


@pytest.mark.parametrize(
    ("on", "failure", "is_known", "reason"),
    [
        ("DEAL:404", None, False, "does not have"),
        ("DEAL:9002", None, False, "no contact is associated"),
        ("CONTACT:51", CRMRefusedError("read contacts: refused", status=400), True, "read contacts: refused"),
        ("CONTACT:51", CRMUnavailableError("down"), True, "down"),
    ],
)
def test_a_call_that_makes_no_text_leaves_a_trace_with_its_reason(
    play: Play, on: str, failure: CRMError | None, reason: str, *, is_known: bool
) -> None:
    play.records.put("deal", id="9002", dealname="Nobody's")
    if failure is not None:
        play.records.fail("read_contacts", *[failure] * 30)
    with capture_logs() as logs:
        play.call(on=on, wait_for="delivered", wait_minutes="1")
        play.run()
        play.pass_time(minutes=1)
        play.run()
    [entry] = play.refusals()
    assert (entry.ref, entry.contact_id) == (on.lower(), play.lea.id if is_known else None)
    assert reason in entry.summary
    assert [line["call_id"] for line in logs if line["event"] == "workflow.no_text"] == [play.kept().id]
    assert play.texts() == []


def test_a_result_that_comes_at_once_is_told_when_hubspot_has_noted_the_wait(play: Play) -> None:
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.DELIVERED)
    play.goes_on()
    play.call("ap-2", wait_for="delivered")
    play.run()
    play.pass_time(minutes=1)
    with play.ledger.begin() as uow:
        row = play.message(play.kept("ap-2").message_id)
        announce(uow, [Moved(row, MessageState.DELIVERED, "")], play.clock.at)
        uow.commit()
    play.goes_on("ap-2")
    assert play.waiting.young == [CALLBACK]


def test_a_missing_scope_puts_the_reading_off(play: Play) -> None:
    play.records.fail("read_contacts", CRMRefusedError("scope", status=403, category=MISSING_SCOPES))
    play.call()
    play.run()
    assert play.kept().state is CallState.ORDERED


def test_an_account_whose_workflows_cannot_be_told_is_finished(play: Play) -> None:
    play.call(wait_for="delivered")
    play.run()
    play.comes_to(MessageState.DELIVERED)
    play.runner = play.build(play.ledger)
    play.runner._crms = {}
    play.goes_on()
    assert play.kept().result == "expired"


@pytest.mark.parametrize("at", range(14))
def test_killed_anywhere_a_workflow_sends_one_text_and_hears_once(play: Play, at: int) -> None:
    """Whatever commit or call to HubSpot the worker died at."""
    killer = Killer(at)
    mortal: Any = MortalLedger(play.ledger, killer)
    play.call(wait_for="reply")

    def run_mortal() -> None:
        try:
            play.build(mortal, _MortalWaiting(play.waiting, killer)).drain()
        except KilledError:
            killer.at = 10_000

    run_mortal()
    play.pass_time(seconds=LEASE.total_seconds())
    run_mortal()
    play.sends()
    play.receive("Yes")
    play.pass_time(seconds=5)
    run_mortal()
    play.pass_time(seconds=LEASE.total_seconds())
    run_mortal()
    assert len(play.texts()) == 1
    assert [told["sms_result"] for told in play.waiting.told[CALLBACK]] == ["replied"]
    assert play.kept().state is CallState.DONE


class _MortalWaiting:
    """A CRM whose caller may die around each call."""

    def __init__(self, waiting: Waiting, killer: Killer) -> None:
        self._waiting, self._killer = waiting, killer

    def complete_calls(self, account: CRMAccount, completions: Sequence[Completion]) -> Sequence[CompletionResult]:
        self._killer.boundary()
        results = self._waiting.complete_calls(account, completions)
        self._killer.boundary()
        return results


def test_the_calls_of_others_are_worked_though_an_accounts_tokens_do_not_open(play: Play) -> None:
    play.add_account("account-2")
    play.call("damaged", portal=2)
    play.pass_time(seconds=1)
    play.call()
    damage_tokens(play.ledger, "account-2")
    play.run()
    assert [row.body for row in play.texts()] == ["Hello Lea"]
