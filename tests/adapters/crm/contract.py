"""What may every service rely on, whichever CRM (or fake of one) stands behind the port?

Inherit `CRMContract` in a `test_*` module and give it a `portal` fixture: the CRM under test and a hand that can
put things into it and look at what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from connector.domain.event import ObjectRef
from connector.errors import CRMAmbiguousError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRM, CRMAccount, SearchFilter
from connector.ports.crm_writing import RecordKind, RecordWrite

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NUMBER, OTHER_NUMBER = "+12025550143", "+12025550178"


class Portal(Protocol):
    """A CRM under test, from both sides."""

    crm: CRM
    account: CRMAccount

    def add_contact(self, phone: str = "", mobile: str = "") -> str:
        """Add a contact; its id."""
        ...

    def add_deal(self, name: str, contacts: Sequence[str] = ()) -> str:
        """Add a deal in the stage `closedwon` (Closed Won) of the default pipeline; its id."""
        ...

    def shown(self, contact_id: str) -> Sequence[str]:
        """The bodies of texts, tasks and notes on a contact's timeline, as people read them."""
        ...

    def change_contact(self, contact_id: str, **properties: str) -> None:
        """Let a person change a contact, some time after whatever happened before; `phone`, `mobile` or a field."""
        ...

    def add_field(self, name: str) -> None:
        """Let the account have a contact field of its own."""
        ...

    def now(self) -> datetime:
        """What time it is there."""
        ...

    def is_opted_out(self, contact_id: str) -> bool:
        """What our flag on the contact says."""
        ...

    def lose_next_answer(self) -> None:
        """Let the next creation happen without an answer."""
        ...

    def fail_next_call(self) -> None:
        """Let the next creation certainly not happen."""
        ...


def a_text(ref: str, contact_id: str, **changes: object) -> RecordWrite:
    """A text to be shown on a contact."""
    values: dict[str, object] = {"kind": RecordKind.COMMUNICATION, "body": f"Hello\nRef {ref}", "at": NOON}
    return RecordWrite(ref=ref, contact_crm_id=contact_id, **(values | changes))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Words:
    """What the CRM under test calls things; as they stand, HubSpot's and the fakes'.

    Attributes:
        won: internal id of the stage Closed Won.
        phones: properties of a contact in which numbers are typed.
        nobody: an id of no record.
        wish: a contact property of the account's own.
        email: where a contact's e-mail address stands.
    """

    name: str = "dealname"
    amount: str = "amount"
    won: str = "closedwon"
    phones: frozenset[str] = frozenset({"mobilephone", "phone"})
    nobody: str = "999999"
    wish: str = "sms_wish"
    email: str = "email"


class CRMContract:
    """The promises of `connector.ports.crm.CRM`."""

    words = Words()

    @pytest.fixture
    def portal(self) -> Portal:
        raise NotImplementedError("the inheriting class says which CRM is tested")

    def test_records_are_read_by_id_and_missing_ones_are_absent(self, portal: Portal) -> None:
        words = self.words
        deal = portal.add_deal("Roof")
        read = portal.crm.read_records(portal.account, "deal", [deal, words.nobody], [words.name, words.amount])
        assert read == {deal: {words.name: "Roof", words.amount: None}}

    def test_contacts_are_read_with_mobile_before_landline(self, portal: Portal) -> None:
        words = self.words
        contact = portal.add_contact(phone=OTHER_NUMBER, mobile=NUMBER)
        snapshot = portal.crm.read_contacts(portal.account, [contact, words.nobody], {})[contact]
        typed = [raw for raw, name in snapshot.phones if name in words.phones]
        assert (snapshot.crm_id, typed) == (contact, [NUMBER, OTHER_NUMBER])

    def test_a_missing_contact_is_absent(self, portal: Portal) -> None:
        words = self.words
        assert portal.crm.read_contacts(portal.account, [words.nobody], {}) == {}

    def test_contacts_of_a_deal_are_found(self, portal: Portal) -> None:
        contacts = [portal.add_contact(mobile=NUMBER), portal.add_contact()]
        deal, lonely = portal.add_deal("Roof", contacts), portal.add_deal("Shed")
        links = portal.crm.associated_contacts(portal.account, "deal", [deal, lonely])
        assert [link.object_id for link in links[deal]] == contacts
        assert not links.get(lonely)

    def test_stages_have_the_labels_people_see(self, portal: Portal) -> None:
        words = self.words
        assert portal.crm.stage_labels(portal.account, "deal")[words.won] == "Closed Won"

    def test_every_contact_with_a_number_is_found_however_it_was_typed(self, portal: Portal) -> None:
        same = [portal.add_contact(mobile=NUMBER), portal.add_contact(phone="(202) 555-0143")]
        portal.add_contact(mobile=OTHER_NUMBER)
        assert sorted(portal.crm.find_contacts_by_number(portal.account, NUMBER)) == sorted(same)

    def test_of_several_contacts_with_a_number_the_one_changed_last_comes_first(self, portal: Portal) -> None:
        first, second, third = (portal.add_contact(mobile=NUMBER) for _ in range(3))
        for each in (third, first, second):
            portal.change_contact(each, phone=OTHER_NUMBER)
        assert list(portal.crm.find_contacts_by_number(portal.account, NUMBER)) == [second, first, third]

    def test_contacts_are_found_by_e_mail_address_however_it_was_typed(self, portal: Portal) -> None:
        words = self.words
        maya, jonah = portal.add_contact(), portal.add_contact()
        portal.change_contact(maya, **{words.email: "Maya@Example.com"})
        portal.change_contact(jonah, **{words.email: "jonah@example.com"})
        asked = ["maya@example.com", "JONAH@example.com", "nobody@example.com"]
        found = portal.crm.find_contacts_by_email(portal.account, asked, words.email)
        assert {email: list(ids) for email, ids in found.items()} == {
            "maya@example.com": [maya],
            "jonah@example.com": [jonah],
        }

    def test_a_contact_is_made_for_a_number_nobody_has_and_only_once(self, portal: Portal) -> None:
        made = portal.crm.create_contact(portal.account, NUMBER, "SMS-1")
        assert portal.crm.create_contact(portal.account, NUMBER, "SMS-1") == made
        snapshot = portal.crm.read_contacts(portal.account, [made], {})[made]
        assert NUMBER in [raw for raw, _ in snapshot.phones]

    def test_no_contact_is_made_for_a_number_somebody_has(self, portal: Portal) -> None:
        contact = portal.add_contact(phone="(202) 555-0143")
        assert portal.crm.create_contact(portal.account, NUMBER, "SMS-1") == contact

    def test_a_field_of_the_accounts_own_says_that_a_contact_has_opted_out(self, portal: Portal) -> None:
        words = self.words
        portal.add_field(words.wish)
        settings = {**portal.account.settings, "opt_out_fields": {"Contact": {"field": words.wish, "value": "Never"}}}
        account = CRMAccount(portal.account.account_id, portal.account.external_id, settings)
        contact, other = portal.add_contact(mobile=NUMBER), portal.add_contact()
        portal.change_contact(contact, **{words.wish: "Never"})
        portal.change_contact(other, **{words.wish: "Gladly"})
        read = portal.crm.read_contacts(account, [contact, other], {})
        assert (read[contact].opted_out, read[contact].opted_out_by) == (True, words.wish)
        assert (read[other].opted_out, read[other].opted_out_by) == (False, "")
        assert words.wish in {each.property_name for each in portal.crm.contact_fields(account).opt_out}

    def test_a_setting_that_names_a_field_nobody_has_is_a_mistake(self, portal: Portal) -> None:
        words = self.words
        portal.add_field(words.wish)

        def mistakes(field: str) -> Mapping[str, str]:
            own = {"opt_out_fields": {"contact": {"field": field, "value": "Never"}}}
            settings = {**portal.account.settings, **own}
            return portal.crm.mistakes_in_settings(
                CRMAccount(portal.account.account_id, portal.account.external_id, settings)
            )

        assert mistakes(words.wish) == {}
        told = mistakes(f"{words.wish}_misspelt")
        assert set(told) == {"opt_out_fields"}
        assert f"{words.wish}_misspelt" in told["opt_out_fields"]
        assert portal.crm.mistakes_in_settings(portal.account) == {}

    def test_what_changed_since_a_time_is_met_once_and_whole(self, portal: Portal) -> None:
        words = self.words
        old = portal.add_deal("Fence")
        since = portal.now() + timedelta(seconds=1)
        contact = portal.add_contact()
        portal.change_contact(contact, phone=OTHER_NUMBER)  # some time passes
        deals = [portal.add_deal(f"Roof {number}") for number in range(7)]
        met, after = list[str](), ""
        while True:
            page = portal.crm.changed_since(portal.account, "deal", [words.name], since, after=after)
            met += [each.object_id for each in page.records]
            assert all(each.properties[words.name] and each.modified_at >= since for each in page.records)
            after = page.next
            if not after:
                break
        assert sorted(met) == sorted(deals)
        assert old not in met

    def test_what_changed_can_be_narrowed_down(self, portal: Portal) -> None:
        words = self.words
        roof = portal.add_deal("Roof")
        portal.add_deal("Shed")
        only = [SearchFilter(words.name, "EQ", "Roof")]
        page = portal.crm.changed_since(portal.account, "deal", [words.name], NOON - timedelta(days=400), filters=only)
        assert [each.object_id for each in page.records] == [roof]

    def test_created_texts_stand_on_their_contacts(self, portal: Portal) -> None:
        first, second = portal.add_contact(), portal.add_contact()
        results = portal.crm.create(portal.account, [a_text("r1", first), a_text("r2", second)])
        assert [(each.ref, each.error) for each in results] == [("r1", None), ("r2", None)]
        assert all(each.crm_record_id for each in results)
        assert [len(portal.shown(each)) for each in (first, second)] == [1, 1]
        assert "r2" in portal.shown(second)[0]

    def test_an_update_replaces_the_body_and_adds_no_record(self, portal: Portal) -> None:
        contact = portal.add_contact()
        made = portal.crm.create(portal.account, [a_text("r1", contact)])[0]
        later = a_text("r1", contact, body="Delivered. Ref r1", crm_record_id=made.crm_record_id)
        for _ in range(2):
            assert portal.crm.update(portal.account, [later])[0].error is None
        assert list(portal.shown(contact)) == ["Delivered. Ref r1"]

    def test_a_task_stands_on_its_contact(self, portal: Portal) -> None:
        contact = portal.add_contact()
        task = a_text("t1", contact, kind=RecordKind.TASK, title="Call back", body="Soon. Ref t1")
        assert portal.crm.create(portal.account, [task])[0].error is None
        assert list(portal.shown(contact)) == ["Soon. Ref t1"]

    def test_one_refused_row_does_not_take_the_others_with_it(self, portal: Portal) -> None:
        words = self.words
        contact = portal.add_contact()
        rows = [a_text("r1", contact), a_text("r2", words.nobody), a_text("r3", contact)]
        results = portal.crm.create(portal.account, rows)
        assert [isinstance(each.error, CRMRefusedError) for each in results] == [False, True, False]
        assert len(portal.shown(contact)) == 2

    def test_a_lost_answer_is_ambiguous_and_can_be_looked_up(self, portal: Portal) -> None:
        contact = portal.add_contact()
        rows = [a_text("r1", contact), a_text("r10", contact)]
        portal.crm.create(portal.account, rows[1:])
        portal.lose_next_answer()
        with pytest.raises(CRMAmbiguousError):
            portal.crm.create(portal.account, rows[:1])
        found = portal.crm.find_written(portal.account, [*rows, a_text("r2", contact)])
        assert set(found) == {"r1", "r10"}
        assert found["r1"] != found["r10"]

    def test_an_outage_writes_nothing(self, portal: Portal) -> None:
        contact = portal.add_contact()
        portal.fail_next_call()
        with pytest.raises(CRMUnavailableError):
            portal.crm.create(portal.account, [a_text("r1", contact)])
        assert portal.crm.find_written(portal.account, [a_text("r1", contact)]) == {}

    def test_opting_out_and_in_again_sets_the_flag_row_by_row(self, portal: Portal) -> None:
        words = self.words
        contact = portal.add_contact()
        portal.crm.install(portal.account)
        results = portal.crm.set_opt_out(
            portal.account, [contact, words.nobody], opted_out=True, at=NOON, source="a reply"
        )
        assert [each.ref for each in results] == [contact, words.nobody]
        assert results[0].error is None
        assert isinstance(results[1].error, CRMRefusedError)
        assert portal.is_opted_out(contact)
        assert portal.crm.read_contacts(portal.account, [contact], {})[contact].opted_out
        portal.crm.set_opt_out(portal.account, [contact], opted_out=False, at=NOON, source="a reply")
        assert not portal.is_opted_out(contact)

    def test_properties_are_written_row_by_row(self, portal: Portal) -> None:
        words = self.words
        roof, shed = portal.add_deal("Roof"), portal.add_deal("Shed")
        wanted = {
            roof: {words.name: "Big roof", words.amount: "900"},
            shed: {words.amount: "40"},
            words.nobody: {words.amount: "1"},
        }
        for _ in range(2):
            results = {each.ref: each.error for each in portal.crm.set_properties(portal.account, "deal", wanted)}
            assert (results[roof], results[shed]) == (None, None)
            assert isinstance(results[words.nobody], CRMRefusedError)
        read = portal.crm.read_records(portal.account, "deal", [roof, shed], [words.name, words.amount])
        assert read == {
            roof: {words.name: "Big roof", words.amount: "900"},
            shed: {words.name: "Shed", words.amount: "40"},
        }

    def test_a_note_stands_on_its_contact(self, portal: Portal) -> None:
        contact = portal.add_contact()
        note = a_text("n1", contact, kind=RecordKind.NOTE, body="Says it is paid. Ref n1")
        assert portal.crm.create(portal.account, [note])[0].error is None
        assert list(portal.shown(contact)) == ["Says it is paid. Ref n1"]
        assert set(portal.crm.find_written(portal.account, [note])) == {"n1"}

    def test_installing_twice_is_installing_once(self, portal: Portal) -> None:
        facts: list[Mapping[str, object]] = [portal.crm.install(portal.account) for _ in range(2)]
        assert facts[0] == facts[1]

    def test_associations_the_crm_cannot_make_are_left_out(self, portal: Portal) -> None:
        contact = portal.add_contact()
        row = a_text("r1", contact, associations=(ObjectRef("invoice", "7"),))
        assert portal.crm.create(portal.account, [row])[0].error is None
