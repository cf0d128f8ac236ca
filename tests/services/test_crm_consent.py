"""Is what people set on a contact in the CRM told from what we wrote there ourselves?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connector.domain.timeline import EntryKind
from connector.errors import CRMRefusedError, CRMUnavailableError
from connector.ports.consents import ConsentEvent, ConsentKind
from tests.services.theatre import ACCOUNT, NUMBER, START, Theatre

GREETING = """
journey: greeting
title: Greeting
purpose: transactional
trigger:
  event: contact.created
enroll:
  key: contact.id
steps:
  - send: confirmation/first
"""


class Portal(Theatre):
    """A theatre whose flags are written back."""

    def appear(self, contact: str) -> str:
        self.hear("contact.creation", contact)
        self.reader.understand()
        return contact

    def look(self, contact: str, **lapse: float) -> None:
        """Let something of a contact change, some time later, so that it is read again."""
        self.pass_time(**(lapse or {"minutes": 1}))
        self.hear("contact.propertyChange", contact, propertyName="sms_connector_opted_out", propertyValue="x")
        self.reader.understand()

    def tick(self, contact: str, *, flag: bool = True) -> None:
        """Let a colleague set the flag, or take it off."""
        self.crm.opted_out[contact] = flag
        self.look(contact)

    def say(self, text: str) -> None:
        self.pass_time(minutes=1)
        self.reply(text)

    def block(self) -> str | None:
        """Who holds the number back."""
        with self.ledger.begin(write=False) as uow:
            return next((each.mechanism for each in uow.consents.suppressions(ACCOUNT, [NUMBER]).get(NUMBER, ())), None)

    def consent(self) -> ConsentKind | None:
        with self.ledger.begin(write=False) as uow:
            return uow.consents.marketing_consent(ACCOUNT, [NUMBER]).get(NUMBER)

    def history(self) -> list[ConsentEvent]:
        with self.ledger.begin(write=False) as uow:
            return list(uow.consents.history(ACCOUNT, NUMBER))


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    portal = Portal(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"greeting": GREETING})
    yield portal
    portal.close()


@pytest.fixture
def lea(portal: Portal) -> str:
    return portal.appear(portal.lea())


@pytest.mark.parametrize("error", [CRMUnavailableError("away"), CRMRefusedError("validation rule", status=400)])
def test_a_start_is_not_undone_by_a_flag_the_crm_was_slow_to_take_away(
    portal: Portal, lea: str, error: CRMUnavailableError
) -> None:
    portal.say("STOP")
    portal.write_back()
    assert portal.crm.opted_out[lea]
    portal.crm.fail("set_opt_out", error)
    portal.say("START")
    portal.write_back()
    portal.look(lea, hours=1)
    assert portal.crm.opted_out[lea]
    assert portal.block() is None
    portal.write_back(hours=1)
    portal.say("STOP")
    portal.say("START")
    assert portal.block() is None


def test_a_contact_read_before_our_own_change_of_the_flag_and_saved_after_it_proves_nothing(
    portal: Portal, lea: str
) -> None:
    portal.say("STOP")
    portal.write_back()
    portal.say("START")
    original = portal.crm.read_contacts

    def slow_read(*question: object) -> object:
        answer = original(*question)  # type: ignore[arg-type]
        portal.write_back()
        return answer

    portal.crm.read_contacts = slow_read  # type: ignore[assignment,method-assign]
    portal.look(lea)
    assert not portal.crm.opted_out[lea]
    assert portal.block() is None


def test_a_flag_set_by_a_colleague_holds_and_taking_it_off_lifts_it(portal: Portal, lea: str) -> None:
    for _ in range(2):
        portal.tick(lea)
        assert portal.block() == "crm_property"
        portal.write_back()
        portal.look(lea)
        portal.tick(lea, flag=False)
        assert portal.block() is None
        portal.write_back()
    assert [said.kind.value for said in portal.history()] == ["opt_out", "opt_in", "opt_out", "opt_in"]


def test_our_own_flag_coming_back_changes_nothing(portal: Portal, lea: str) -> None:
    portal.say("STOP")
    portal.write_back()
    portal.look(lea)
    portal.say("START")
    portal.write_back()
    portal.look(lea)
    assert portal.block() is None
    assert [said.mechanism for said in portal.history()] == ["keyword", "keyword"]


def test_a_block_stands_while_any_contact_with_the_number_shows_it(portal: Portal, lea: str) -> None:
    twin = portal.appear(portal.lea())
    portal.tick(lea)
    portal.write_back()
    portal.look(twin)
    portal.tick(lea, flag=False)
    assert portal.block() == "crm_property"
    portal.tick(twin, flag=False)
    assert portal.block() is None


def test_a_block_is_not_lifted_by_a_contact_that_never_showed_it(portal: Portal, lea: str) -> None:
    """The flagged contact is deleted, and somebody adds the person anew: nobody has lifted anything."""
    portal.tick(lea)
    portal.write_back()
    portal.hear("contact.deletion", lea)
    portal.crm.take_away("contact", lea)
    again = portal.appear(portal.lea())
    portal.look(again)
    assert portal.block() == "crm_property"


def test_a_block_is_not_lifted_before_our_own_flag_is_written(portal: Portal, lea: str) -> None:
    twin = portal.appear(portal.lea())
    portal.tick(lea)
    portal.crm.take_away("contact", lea)
    portal.hear("contact.deletion", lea)
    portal.look(twin)
    assert portal.block() == "crm_property", "the twin shows no flag because we have not written it yet"


def test_what_was_merged_into_a_contact_does_not_hold_its_block(portal: Portal, lea: str) -> None:
    survivor = portal.appear(portal.lea())
    portal.tick(lea)
    portal.write_back()
    portal.crm.merge(lea, survivor)
    portal.hear("contact.merge", survivor, primaryObjectId=int(survivor), mergedObjectIds=[int(lea)])
    portal.reader.understand()
    portal.tick(survivor, flag=False)
    assert portal.block() is None


def test_the_staff_never_lift_what_the_person_said(portal: Portal, lea: str) -> None:
    portal.say("STOP")
    portal.write_back()
    portal.look(lea)
    portal.tick(lea, flag=False)
    assert portal.block() == "keyword"


def test_a_stop_said_under_a_block_outlives_the_block(portal: Portal, lea: str) -> None:
    portal.tick(lea)
    portal.say("STOP")
    portal.write_back()
    portal.tick(lea, flag=False)
    assert portal.block() == "keyword"
    assert "the opt-out by a keyword stands" in portal.summaries(EntryKind.ATTENTION_NEEDED)[0]
    portal.write_back()
    assert portal.crm.opted_out[lea], "the flag says what holds"
    portal.say("START")
    assert portal.block() is None


def test_a_contact_without_a_number_says_nothing(portal: Portal) -> None:
    contact = portal.lea(mobilephone="")
    portal.crm.opted_out[contact] = True
    portal.crm.opted_in[contact] = START
    portal.appear(contact)
    assert portal.history() == []


def test_lifting_a_block_is_no_consent_to_marketing(portal: Portal, lea: str) -> None:
    portal.tick(lea)
    portal.write_back()
    portal.tick(lea, flag=False)
    assert portal.block() is None
    assert portal.consent() is ConsentKind.OPT_OUT


def test_an_opt_in_in_the_crm_is_consent_to_marketing_recorded_once(portal: Portal) -> None:
    contact = portal.lea()
    portal.crm.opted_in[contact] = START - timedelta(days=3)
    portal.appear(contact)
    portal.look(contact)
    (said,) = portal.history()
    assert (said.kind.value, said.scope.value, said.mechanism) == ("opt_in", "marketing", "crm_property")
    assert said.at == START - timedelta(days=3)
    assert said.wording == "CRM property agreed: 2026-11-17T14:00:00+00:00"
    assert contact in said.source
    assert portal.consent() is ConsentKind.OPT_IN


def test_an_older_opt_in_read_again_does_not_outweigh_an_opt_out(portal: Portal) -> None:
    contact = portal.lea()
    portal.crm.opted_in[contact] = START - timedelta(days=3)
    portal.appear(contact)
    portal.say("STOP")
    portal.look(contact)
    assert (portal.block(), portal.consent()) == ("keyword", ConsentKind.OPT_OUT)


def test_a_new_opt_in_counts_and_lifts_nothing(portal: Portal, lea: str) -> None:
    portal.say("STOP")
    portal.pass_time(days=1)
    portal.crm.opted_in[lea] = portal.clock.at
    portal.look(lea)
    assert (portal.block(), portal.consent()) == ("keyword", ConsentKind.OPT_IN)


def test_a_new_opt_in_decides_a_doubt(portal: Portal, lea: str) -> None:
    portal.say("please take me off your list")
    assert portal.consent() is ConsentKind.DOUBTFUL
    portal.pass_time(hours=1)
    portal.crm.opted_in[lea] = portal.clock.at
    portal.look(lea)
    assert portal.consent() is ConsentKind.OPT_IN


def test_an_opt_in_from_the_future_counts_as_of_now(portal: Portal) -> None:
    contact = portal.lea()
    portal.crm.opted_in[contact] = START + timedelta(days=300)
    portal.appear(contact)
    portal.say("STOP")
    assert portal.consent() is ConsentKind.OPT_OUT


@pytest.mark.parametrize(("said_before", "consent"), [("", ConsentKind.OPT_IN), ("STOP", ConsentKind.OPT_OUT)])
def test_an_opt_in_without_a_time_counts_only_where_nothing_was_said(
    portal: Portal, lea: str, said_before: str, consent: ConsentKind
) -> None:
    undated: datetime | None = None
    if said_before:
        portal.say(said_before)
    portal.crm.opted_in[lea] = undated
    portal.look(lea)
    portal.look(lea)
    assert portal.consent() is consent


# A contact nobody here knows, or who comes later


def test_a_flag_set_on_a_stranger_holds_for_the_number_of_a_contact_we_text(portal: Portal, lea: str) -> None:
    stranger = portal.lea(firstname="Leonie")
    portal.tick(stranger)
    assert portal.block() == "crm_property"
    portal.write_back()
    assert portal.crm.opted_out[lea], "every contact with the number shows it"


def test_a_contact_that_comes_to_an_opted_out_number_gets_the_flag(portal: Portal, lea: str) -> None:
    portal.say("STOP")
    portal.write_back()
    late = portal.appear(portal.lea(firstname="Leonie"))
    portal.write_back()
    assert portal.crm.opted_out[late]
    portal.look(late)
    assert portal.block() == "keyword"


def test_a_known_contact_whose_number_becomes_an_opted_out_one_gets_the_flag(portal: Portal, lea: str) -> None:
    other = portal.appear(portal.lea(mobilephone="+12025550177"))
    portal.say("STOP")
    portal.write_back()
    assert other not in portal.crm.opted_out
    portal.crm.change("contact", other, mobilephone=NUMBER)
    portal.look(other)
    portal.write_back()
    assert portal.crm.opted_out[other]


def test_a_stranger_whose_number_becomes_an_opted_out_one_gets_the_flag(portal: Portal, lea: str) -> None:
    stranger = portal.lea(mobilephone="+12025550177")
    portal.say("STOP")
    portal.write_back()
    portal.crm.change("contact", stranger, mobilephone=NUMBER)
    portal.hear("contact.propertyChange", stranger, propertyName="mobilephone", propertyValue=NUMBER)
    portal.reader.understand()
    portal.write_back()
    assert portal.crm.opted_out[stranger]


def test_a_flag_that_somebody_took_off_comes_back_while_the_person_wants_no_texts(portal: Portal, lea: str) -> None:
    portal.say("STOP")
    portal.write_back()
    portal.look(lea)
    portal.tick(lea, flag=False)
    portal.write_back()
    assert portal.crm.opted_out[lea]


def test_a_new_contact_whose_number_is_told_beside_its_creation_is_no_stranger(portal: Portal) -> None:
    contact = portal.lea()
    portal.hear("contact.propertyChange", contact, propertyName="mobilephone", propertyValue=NUMBER)
    portal.appear(contact)
    assert contact in portal.contacts()


# Fields of the account's own


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[Portal]:
    """A portal whose people keep opt-outs in a list of their own."""
    fields = {"contact": {"field": "sms_wish", "value": "Never"}}
    portal = Portal(tmp_path, f"sqlite:///{tmp_path}/ledger.sqlite3", {"greeting": GREETING}, opt_out_fields=fields)
    yield portal
    portal.close()


def test_a_field_of_the_accounts_own_holds_the_number_back(mapped: Portal) -> None:
    lea = mapped.appear(mapped.lea())
    mapped.crm.change("contact", lea, sms_wish="Gladly")
    mapped.look(lea)
    assert mapped.block() is None
    mapped.crm.change("contact", lea, sms_wish="Never")
    mapped.look(lea)
    assert mapped.block() == "crm_property"
    mapped.write_back()
    assert mapped.crm.opted_out[lea], "our own flag says so too"


def test_a_field_of_the_accounts_own_counts_while_our_flag_cannot_be_written(mapped: Portal) -> None:
    lea = mapped.appear(mapped.lea())
    mapped.say("STOP")
    mapped.crm.fail("set_opt_out", CRMRefusedError("validation rule", status=400))
    mapped.write_back()
    mapped.say("START")
    assert mapped.block() is None
    mapped.crm.change("contact", lea, sms_wish="Never")
    mapped.look(lea)
    assert mapped.block() == "crm_property"


def test_a_start_does_not_lift_what_a_field_of_the_accounts_own_says(mapped: Portal) -> None:
    lea = mapped.appear(mapped.lea())
    mapped.say("STOP")
    mapped.write_back()
    mapped.crm.change("contact", lea, sms_wish="Never")
    mapped.look(lea)
    mapped.say("START")
    assert mapped.block() == "crm_property"
    assert "the opt-out by the flag in the CRM stands" in mapped.summaries(EntryKind.ATTENTION_NEEDED)[0]
    mapped.write_back()
    mapped.look(lea)
    mapped.crm.change("contact", lea, sms_wish="Gladly")
    mapped.tick(lea, flag=False)
    assert mapped.block() is None, "the person wants texts, and so do the people of the account"
