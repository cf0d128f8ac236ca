"""Does a card know whom it is about, whatever the CRM does, and tell what was not sent and why?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.compliance_file import load_compliance
from connector.adapters.event_files import load_events
from connector.adapters.rendering import Renderer
from connector.adapters.template_folder import TemplateFolder
from connector.domain.event import Owner
from connector.domain.gateway_book import GatewayBook
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.consents import ConsentKind, Mechanism, Scope
from connector.ports.contacts import ContactRow
from connector.services import card_contacts
from connector.services.card_consent import CardConsent, Recorded
from connector.services.card_contacts import FRESH_FOR, CardContact, CardContacts, CRMAwayError, PersonType
from connector.services.card_conversation import CardConversation
from connector.services.card_preview import CardPreviews, Draft, PreviewTools
from connector.services.card_refusals import CardRefusedError
from connector.services.card_reply import CardReplies
from connector.services.card_times import day, exact, time_of_day
from connector.services.consent import Saying
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader
from connector.services.record_card import CardParts, RecordCard
from tests.services.fake_crm import FakeCRM
from tests.services.stage import NUMBER, START, Stage

MAPPINGS = Path(__file__).parents[2] / "mappings"
PROOF = Recorded(ConsentKind.OPT_IN, "Asked for offers at the counter", "act-1", "Ada")


class Desk(Stage):
    """A card's parts over an account whose CRM can be asked."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.records, self.catalogue = FakeCRM(), load_events(MAPPINGS).catalogue
        self.compliance = load_compliance(MAPPINGS / "compliance.yaml")
        self.card_consent = CardConsent(self.consent, self.compliance, self.clock)
        replies = CardReplies(None, self.card_consent, self.clock)  # type: ignore[arg-type]  # nothing is sent here
        parts = CardParts(self.card_consent, CardConversation(GatewayBook()), replies)
        self.cards = RecordCard(self.ledger, parts, self.clock)
        self.contacts = self.finder({"hubspot"})

    def finder(self, readable: set[str]) -> CardContacts:
        reader = CRMReader({"hubspot": self.records}, self.catalogue, self.clock)
        keeper = ContactKeeper(self.ledger.new_id, self.consent)
        return CardContacts(self.ledger, reader, keeper, self.catalogue, self.clock, readable)

    def found(self, crm_id: str = "51") -> CardContact:
        found = self.contacts.find("account-1", crm_id)
        assert found is not None
        return found

    def say(self, kind: str, mechanism: Mechanism = Mechanism.KEYWORD) -> None:
        """Let the number opt out of all or of marketing."""
        said = Saying("account-1", NUMBER, mechanism, f"source-{kind}-{mechanism}", self.clock.at)
        with self.ledger.begin() as uow:
            self.consent.opt_out(uow, said, self.clock.at, Scope(kind))
            uow.commit()

    def record(self, recorded: Recorded, contact: ContactRow | None = None) -> CardRefusedError | None:
        with self.ledger.begin() as uow:
            refusal = self.card_consent.record(uow, contact or self.lea, recorded)
            uow.commit()
        return refusal


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.close()


# -- whose card


def test_a_contact_nobody_texted_yet_is_read_and_kept(desk: Desk) -> None:
    desk.records.put("contact", id="77", firstname="Jo", mobilephone="+12025550144")
    assert desk.found("77").contact.msisdn == "+12025550144"
    assert desk.found("77").contact.id == desk.found("77").contact.id
    assert desk.records.calls["read_contacts"] == 1


def test_a_contact_the_crm_does_not_have_is_none(desk: Desk) -> None:
    assert desk.contacts.find("account-1", "404") is None
    desk.records.fail("read_contacts", CRMRefusedError("no such id", status=400))
    assert desk.contacts.find("account-1", "a word") is None


@pytest.mark.parametrize("refusal", [None, CRMRefusedError("no such id", status=400)])
def test_a_contact_the_crm_did_not_give_is_asked_for_once_a_minute(desk: Desk, refusal: CRMError | None) -> None:
    for minute in (1, 2):
        if refusal is not None:
            desk.records.fail("read_contacts", refusal)
        assert [desk.contacts.find("account-1", "404") for _ in range(5)] == [None] * 5
        assert desk.records.calls["read_contacts"] == minute
        desk.pass_time(minutes=1)
    desk.records.put("contact", id="404", firstname="Jo")
    assert desk.found("404").contact.crm_id == "404"


def test_a_contact_gone_from_the_crm_is_shown_as_known_and_asked_for_seldom(desk: Desk) -> None:
    desk.pass_time(hours=1)
    assert [desk.found().contact.msisdn for _ in range(5)] == [NUMBER] * 5
    assert desk.records.calls["read_contacts"] == 1


def test_contacts_the_crm_did_not_give_are_forgotten_when_they_are_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_contacts, "_MOST_ABSENT", 3)
    for crm_id in range(901, 920):
        assert desk.contacts.find("account-1", str(crm_id)) is None
        assert len(desk.contacts._absent) <= 3


def test_a_number_corrected_in_the_crm_is_on_the_card_some_minutes_later(desk: Desk) -> None:
    desk.records.put("contact", id="51", firstname="Lea", mobilephone="+12025550155")
    assert desk.found().contact.msisdn == NUMBER
    desk.pass_time(seconds=FRESH_FOR.total_seconds())
    assert desk.found().contact.msisdn == "+12025550155"


@pytest.mark.parametrize("error", [CRMUnavailableError("down"), CRMDisconnectedError("revoked", status=401)])
def test_while_the_crm_is_away_the_card_shows_what_the_ledger_knows_and_asks_seldom(
    desk: Desk, error: CRMError
) -> None:
    desk.records.fail("read_contacts", error)
    desk.pass_time(hours=1)
    for _ in range(5):
        assert desk.found().contact.msisdn == NUMBER
    assert desk.records.calls["read_contacts"] == 1
    with pytest.raises(CRMAwayError):
        desk.contacts.find("account-1", "99")
    desk.records.put("contact", id="99", firstname="Jo")
    desk.pass_time(minutes=1)
    assert desk.found("99").contact.msisdn is None


def test_a_crm_that_cannot_be_asked_has_only_whom_the_ledger_knows(desk: Desk) -> None:
    desk.contacts = desk.finder(set())
    desk.pass_time(hours=1)
    assert desk.found().contact.msisdn == NUMBER
    assert desk.contacts.find("account-1", "99") is None


def test_leads_are_people_where_the_crm_says_so(desk: Desk) -> None:
    assert desk.contacts.find("account-1", "51", PersonType.LEAD) is None
    desk.pass_time(seconds=0)
    with desk.ledger.begin() as uow:
        account = uow.accounts.get("account-1")
        uow.accounts.add(replace(account, id="account-9", crm="salesforce", external_id="00D9"))
        uow.commit()
    desk.add_contact("00Q1", "account-9", name="Ann")
    found = desk.contacts.find("account-9", "00Q1", PersonType.LEAD)
    assert found is not None
    assert found.contact.crm_id == "00Q1"


def test_templates_may_name_contact_and_owner_but_not_an_owner_nobody_can_name_now(desk: Desk) -> None:
    desk.records.people["7"] = Owner("7", "Ada Byron", "ada@acme.example")
    found = desk.found()
    names = desk.contacts.names(found)
    assert (names["owner"]["first_name"], names["contact"]["id"]) == ("Ada", "51")
    away = desk.finder({"hubspot"})
    desk.records.fail("owners", CRMUnavailableError("down"))
    assert away.names(found)["owner"] == {}
    nobody = CardContact(found.account, replace(found.contact, owner_id=None))
    assert away.names(nobody)["owner"] == {}


def test_a_contact_of_a_crm_without_events_has_the_attributes_it_came_with(desk: Desk) -> None:
    found = desk.found()
    other = CardContact(replace(found.account, crm="paper"), found.contact)
    assert desk.contacts.names(other)["contact"]["name"] == "Lea"


# -- what was not sent


def test_journeys_that_sent_nothing_say_why_and_where_the_newest_first(desk: Desk) -> None:
    def entry(journey: str, minutes: int, **more: Any) -> TimelineEntry:
        values: dict[str, Any] = {
            "account_id": "account-1",
            "kind": EntryKind.NOT_ENROLLED,
            "subject": f"event:{journey}",
            "discriminator": "",
            "at": START + timedelta(minutes=minutes),
            "summary": f"Not enrolled in {journey}: the number has opted out",
            "contact_id": desk.lea.id,
            "data": {"journey": journey},
        }
        return TimelineEntry(**values | more)

    with desk.ledger.begin() as uow:
        uow.timeline.add([entry("deal-won", 1, file="mappings/journeys/deal-won.yaml", line=12)])
        ended = {"kind": EntryKind.ATTENTION_NEEDED, "path": "steps[0]", "summary": "Ended"}
        uow.timeline.add([entry("demo", 2, data={"journey": "demo", "reason": "no usable number"}, **ended)])
        uow.timeline.add([entry("another", 3, kind=EntryKind.ATTENTION_NEEDED, data={})])
        uow.timeline.add([entry("in", 4, kind=EntryKind.ENROLLED)])
        uow.commit()
    assert desk.cards.card(desk.lea)["not_sent"] == [
        {"at": "2026-11-20T14:02:00Z", "journey": "demo", "why": "no usable number", "where": "steps[0]"},
        {
            "at": "2026-11-20T14:01:00Z",
            "journey": "deal-won",
            "why": "the number has opted out",
            "where": "mappings/journeys/deal-won.yaml:12",
        },
    ]


def test_what_followed_a_text_stands_beside_it(desk: Desk) -> None:
    row = desk.add_message()
    with desk.ledger.begin() as uow:
        uow.messages.set_engagement(row.id, replied_at=START, clicked_at=START, opted_out_at=START)
        uow.commit()
    [shown] = desk.cards.card(desk.lea)["messages"]
    assert shown["facts"] == ["replied", "clicked", "opted_out"]


# -- where and when


@pytest.mark.parametrize(
    ("zone", "number", "shown"),
    [
        ("Europe/Berlin", NUMBER, ("Europe/Berlin", "15:00")),
        (None, "+447700900461", ("Europe/London", "14:00")),
        (None, "+18005550143", (None, None)),
        (None, None, (None, None)),
        ("Middle-earth/Shire", NUMBER, ("Middle-earth/Shire", None)),
    ],
)
def test_the_time_there_is_told_where_one_zone_is_known(
    desk: Desk, zone: str | None, number: str | None, shown: tuple[str | None, str | None]
) -> None:
    person = desk.cards.card(replace(desk.lea, time_zone=zone, msisdn=number))["contact"]
    assert (person["time_zone"], person["local_time"]) == shown


def test_moments_are_written_for_programs_and_for_people() -> None:
    late = START + timedelta(hours=9, microseconds=7)
    assert exact(late) == "2026-11-20T23:00:00Z"
    assert (day(late, "Asia/Tokyo"), day(late, None), day(late, "nowhere")) == (
        "21 November 2026",
        "20 November 2026",
        "20 November 2026",
    )
    assert time_of_day(late, None) is None


# -- consent


def test_an_opt_out_of_marketing_alone_leaves_the_rest(desk: Desk) -> None:
    desk.say("marketing")
    consent = desk.cards.consent(desk.lea)
    assert (consent["state"], consent["label"]) == (
        "opted_out",
        "Opted out of marketing on 20 November 2026 by a keyword",
    )
    assert (consent["purposes"]["transactional"]["may"], consent["purposes"]["marketing"]["may"]) == (True, False)
    refusal = desk.record(PROOF)
    assert refusal is not None
    assert refusal.code == "opted_out"


def test_who_opted_out_of_marketing_alone_may_tell_staff_to_stop_the_rest(desk: Desk) -> None:
    desk.say("marketing")
    assert desk.record(Recorded(ConsentKind.OPT_OUT, "Said so on the phone", "act-1", "Ada")) is None
    consent = desk.cards.consent(desk.lea)
    assert desk.is_suppressed()
    assert consent["label"] == "Opted out on 20 November 2026 recorded by staff"
    assert consent["purposes"]["transactional"]["may"] is False


@pytest.mark.parametrize("mechanism", Mechanism)
def test_card_and_timeline_tell_in_the_same_words_how_somebody_opted_out(desk: Desk, mechanism: Mechanism) -> None:
    desk.say("all", mechanism)
    with desk.ledger.begin() as uow:
        [told] = uow.timeline.of_contact("account-1", desk.lea.id, 10)
    how = told.summary.removeprefix("opted out ")
    consent = desk.cards.consent(desk.lea)
    assert consent["label"] == f"Opted out on 20 November 2026 {how}"
    assert [each["how"] for each in consent["evidence"]] == [how]


def test_staff_takes_back_what_staff_said_of_marketing(desk: Desk) -> None:
    desk.say("marketing", Mechanism.STAFF)
    assert desk.record(PROOF) is None
    consent = desk.cards.consent(desk.lea)
    assert (consent["state"], consent["label"]) == ("opted_in", "Opted in on 20 November 2026 recorded by staff")


def test_the_flag_in_the_crm_may_be_taken_back_on_the_card(desk: Desk) -> None:
    desk.say("all", Mechanism.CRM_PROPERTY)
    assert desk.record(PROOF) is None
    assert not desk.is_suppressed()


@pytest.mark.parametrize(
    ("agrees", "state", "label"),
    [
        (True, "opted_in", "Opted in on 21 November 2026 by a confirmed opt-in"),
        (
            False,
            "not_asked",
            "Opt-out taken back on 22 November 2026 by the flag in the CRM; has not agreed to marketing",
        ),
    ],
)
def test_a_block_taken_back_in_the_crm_is_not_named_as_a_persons_consent(
    desk: Desk, state: str, label: str, *, agrees: bool
) -> None:
    desk.say("all", Mechanism.CRM_PROPERTY)
    desk.pass_time(hours=24)
    agreed = Saying("account-1", NUMBER, Mechanism.DOUBLE_OPT_IN, "message:1", desk.clock.at)
    desk.pass_time(hours=24)
    unblocked = Saying("account-1", NUMBER, Mechanism.CRM_PROPERTY, "event:2", desk.clock.at)
    with desk.ledger.begin() as uow:
        if agrees:
            desk.consent.agree_to_marketing(uow, agreed)
        desk.consent.opt_in(uow, unblocked, desk.clock.at)
        uow.commit()
    consent = desk.cards.consent(desk.lea)
    assert (consent["state"], consent["label"]) == (state, label)


def test_what_a_program_blocked_stands(desk: Desk) -> None:
    desk.say("all", Mechanism.API)
    refusal = desk.record(PROOF)
    assert refusal is not None
    assert desk.is_suppressed()


def test_nothing_is_recorded_of_somebody_without_a_number(desk: Desk) -> None:
    nobody = replace(desk.lea, msisdn=None, msisdn_reason="the contact has no phone number")
    with pytest.raises(CardRefusedError, match="no_number"):
        desk.record(Recorded(ConsentKind.OPT_OUT), nobody)
    consent = desk.cards.consent(nobody)
    assert consent["purposes"]["transactional"] == {"may": False, "why": "the contact has no phone number"}


def test_an_opt_out_recorded_twice_is_one(desk: Desk) -> None:
    said = Recorded(ConsentKind.OPT_OUT, "", "act-1")
    desk.record(said)
    desk.record(replace(said, act="act-2"))
    consent = desk.cards.consent(desk.lea)
    assert (consent["state"], desk.is_suppressed()) == ("opted_out", True)


def test_an_answer_outside_the_send_window_says_when_it_would_go(desk: Desk) -> None:
    desk.pass_time(hours=13)  # ten in the evening in New York
    shown = desk.cards.card(replace(desk.lea, time_zone="America/New_York"))["reply"]
    assert shown["may"] is True
    assert "it goes out at 2026-11-21" in shown["why"]


# -- previews


def test_a_preview_estimates_by_the_gateway_of_the_account_and_in_the_persons_language(
    desk: Desk, tmp_path: Path
) -> None:
    folder = tmp_path / "templates" / "hello"
    folder.mkdir(parents=True)
    (folder / "again.txt.j2").write_text("Hi {{ contact.name }}")
    (folder / "again.de.txt.j2").write_text("Hallo {{ contact.name }}")
    tools = PreviewTools(TemplateFolder(folder.parent, Renderer()), GatewayBook(), desk.compliance, "null", {})
    german = CardContact(desk.found().account, replace(desk.lea, locale="de", msisdn=None, country=None))
    shown = CardPreviews(tools).preview(german, Draft(template="hello/again"), {"contact": {"name": "Lea"}})
    assert (shown["body"], shown["price"], shown["mistakes"]) == ("Hallo Lea", None, [])
