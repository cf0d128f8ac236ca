"""Does a number that no contact here has become somebody's, once, and only where the account wants that?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.domain.timeline import EntryKind
from connector.errors import CRMAmbiguousError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import MISSING_SCOPES, CRMAccount
from connector.ports.gateway import IncomingSMS
from connector.ports.ledger import AccountRow
from connector.ports.messages import MessageRow
from connector.services.contact_snapshots import contact_row
from connector.services.writeback_batch import Batch
from tests.services.theatre import ACCOUNT, NUMBER, REMINDER, SENDER, START, Theatre

OTHER = "+12025550188"


def theatre(directory: Path, policy: str) -> Theatre:
    settings = {"unknown_numbers": policy} if policy else {}
    return Theatre(directory, f"sqlite:///{directory}/ledger.sqlite3", {"reminder": REMINDER}, **settings)


@pytest.fixture
def attaching(tmp_path: Path) -> Iterator[Theatre]:
    made = theatre(tmp_path, "attach")
    yield made
    made.close()


@pytest.fixture
def creating(tmp_path: Path) -> Iterator[Theatre]:
    made = theatre(tmp_path, "create")
    yield made
    made.close()


def conversation(stage: Theatre) -> list[MessageRow]:
    with stage.ledger.begin(write=False) as uow:
        return list(uow.messages.conversation(ACCOUNT, NUMBER, 99))


def bodies(stage: Theatre, contact: str) -> list[str]:
    return [row.body for row in stage.crm.shown(contact)]


# ignore


@pytest.mark.parametrize("policy", ["", "ignore", "no such word"])
def test_without_the_accounts_wish_a_text_is_kept_and_nobody_is_looked_for(tmp_path: Path, policy: str) -> None:
    stage = theatre(tmp_path, policy)
    stage.lea()
    stage.reply("Is that you?")
    stage.write_back()
    assert [row.contact_id for row in conversation(stage)] == [None]
    assert not stage.crm.calls["find_contacts_by_number"]
    stage.close()


# attach


def test_a_text_is_attached_to_the_contact_that_the_crm_has(attaching: Theatre) -> None:
    lea = attaching.lea()
    attaching.reply("Is that you?")
    attaching.write_back()
    (text,) = conversation(attaching)
    assert text.contact_id == attaching.contacts()[lea].id
    attaching.write_back()
    assert len(bodies(attaching, lea)) == 1
    assert "Is that you?" in bodies(attaching, lea)[0]
    assert attaching.summaries(EntryKind.SENDER_FOUND) == [f"belongs to contact {lea}, the only one with the number"]


def test_of_several_contacts_the_one_changed_last_gets_the_text_and_the_others_are_named(attaching: Theatre) -> None:
    first, second = attaching.lea(), attaching.lea(firstname="Leonie")
    attaching.pass_time(minutes=1)
    attaching.crm.change("contact", first, city="Bern")
    attaching.reply("Is that you?")
    attaching.write_back()
    attaching.write_back()
    assert not bodies(attaching, second)
    assert f"Other contacts have this number too: {second}." in bodies(attaching, first)[0]
    assert attaching.entries(EntryKind.SENDER_FOUND)[0].data == {"others": [second], "is_new": False}


def test_nobody_is_made_where_only_attaching_is_wanted(attaching: Theatre) -> None:
    attaching.reply("Is that you?")
    attaching.write_back()
    assert not attaching.crm.records.get("contact")
    attaching.lea()
    attaching.reply("Hello?")
    attaching.write_back()
    assert [row.contact_id is None for row in conversation(attaching)] == [False, False], "each text asks anew"


def test_a_contact_with_an_opted_out_number_gets_the_flag_when_it_is_found(attaching: Theatre) -> None:
    lea = attaching.lea()
    attaching.reply("STOP")
    attaching.write_back()
    attaching.write_back()
    assert attaching.crm.opted_out[lea]
    with attaching.ledger.begin(write=False) as uow:
        assert uow.consents.suppressions(ACCOUNT, [NUMBER])[NUMBER]


# create


def test_a_contact_is_made_and_gets_every_text_of_its_number_once(creating: Theatre) -> None:
    creating.reply("Is that you?")
    creating.reply("It is me")
    creating.write_back()
    (made,) = creating.crm.records["contact"]
    creating.write_back()
    creating.reply("Hello?")
    creating.write_back()
    assert creating.crm.calls["create_contact"] == 1
    assert len(bodies(creating, made)) == 3
    assert {row.contact_id for row in conversation(creating)} == {creating.contacts()[made].id}
    assert "made for a number that no contact had" in creating.summaries(EntryKind.SENDER_FOUND)[0]


def test_nobody_is_made_of_somebody_who_wants_no_texts(creating: Theatre) -> None:
    creating.reply("STOP")
    creating.write_back()
    assert not creating.crm.records.get("contact")
    with creating.ledger.begin(write=False) as uow:
        assert uow.consents.suppressions(ACCOUNT, [NUMBER])[NUMBER]


def test_a_lost_answer_makes_no_second_contact(creating: Theatre) -> None:
    creating.crm.answers_lost.add("create_contact")
    creating.reply("Is that you?")
    creating.write_back(seconds=3)
    assert creating.crm.calls["create_contact"] == 1
    creating.write_back(seconds=3)
    assert creating.crm.calls["create_contact"] == 1, "it may still be under way"
    creating.write_back(minutes=2)
    creating.write_back()
    (made,) = creating.crm.records["contact"]
    assert len(bodies(creating, made)) == 1


def test_a_create_that_may_be_under_way_is_waited_for(creating: Theatre) -> None:
    """The search does not show yet what the lost call made."""
    creating.crm.fail("create_contact", CRMAmbiguousError("no answer"))
    creating.reply("Is that you?")
    creating.write_back(seconds=3)
    creating.reply("Hello?")
    creating.write_back(seconds=3)
    assert creating.crm.calls["create_contact"] == 1
    creating.write_back(minutes=2)
    assert creating.crm.calls["create_contact"] == 2


@pytest.mark.parametrize("method", ["find_contacts_by_number", "create_contact", "read_contacts"])
def test_a_crm_that_is_away_is_asked_again(creating: Theatre, method: str) -> None:
    creating.crm.fail(method, CRMUnavailableError("away", status=503))
    creating.reply("Is that you?")
    creating.write_back()
    creating.write_back(hours=1)
    creating.write_back()
    (made,) = creating.crm.records["contact"]
    assert len(bodies(creating, made)) == 1


@pytest.mark.parametrize("method", ["find_contacts_by_number", "read_contacts"])
def test_a_reading_whose_answer_is_lost_is_made_again(creating: Theatre, method: str) -> None:
    creating.crm.fail(method, CRMAmbiguousError("no answer"))
    creating.reply("Is that you?")
    creating.write_back()
    creating.write_back(hours=1)
    creating.write_back()
    (made,) = creating.crm.records["contact"]
    assert len(bodies(creating, made)) == 1


def test_a_contact_that_cannot_be_read_yet_is_waited_for(creating: Theatre, monkeypatch: pytest.MonkeyPatch) -> None:
    creating.reply("Is that you?")
    monkeypatch.setattr(creating.crm, "read_contacts", lambda *_: {})
    creating.write_back()
    monkeypatch.undo()
    creating.write_back(hours=1)
    creating.write_back()
    (made,) = creating.crm.records["contact"]
    assert len(bodies(creating, made)) == 1


def test_a_contact_that_is_gone_from_the_crm_holds_nobody_up_and_the_number_is_looked_up(
    attaching: Theatre,
) -> None:
    gone = attaching.lea()
    attaching.reply("Is that you?")
    with attaching.ledger.begin() as uow:
        account = uow.accounts.get(ACCOUNT)
        acting = CRMAccount(account.id, account.external_id, account.settings)
        read = attaching.crm.read_contacts(acting, [gone], {})[gone]
        uow.contacts.save(contact_row(attaching.ledger.new_id(), account, gone, read, attaching.clock.at))
        uow.commit()
    del attaching.crm.records["contact"][gone]
    found = attaching.lea()
    attaching.write_back()
    attaching.write_back()
    assert "Is that you?" in bodies(attaching, found)[0]
    with attaching.ledger.begin(write=False) as uow:
        assert uow.contacts.by_crm_ids(ACCOUNT, [gone])[gone].deleted_at is not None


def test_a_number_whose_contact_cannot_be_read_keeps_only_itself_waiting(
    attaching: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    attaching.lea()
    attaching.reply("Is that you?")
    monkeypatch.setattr(attaching.crm, "read_contacts", lambda *_: {})
    put_off: list[object] = []
    monkeypatch.setattr(Batch, "give_back", lambda *what: put_off.append(what))
    attaching.write_back()
    assert put_off == []


def test_a_refusal_is_shown_and_the_next_text_asks_again(creating: Theatre) -> None:
    creating.crm.fail("create_contact", CRMRefusedError("a validation rule", status=400))
    creating.reply("Is that you?")
    creating.write_back()
    with creating.ledger.begin(write=False) as uow:
        assert [row.error for row in uow.records.refused(ACCOUNT, 9)] == ["a validation rule"]
    creating.reply("Hello?")
    creating.write_back()
    assert len(creating.crm.records["contact"]) == 1


def test_an_account_that_lacks_the_right_waits_for_it(creating: Theatre) -> None:
    creating.crm.fail("create_contact", CRMRefusedError("no scope", status=403, category=MISSING_SCOPES))
    creating.reply("Is that you?")
    creating.write_back()
    assert not creating.crm.records.get("contact")
    creating.write_back(hours=2)
    assert len(creating.crm.records["contact"]) == 1


def test_a_contact_that_came_meanwhile_is_taken_without_a_search(creating: Theatre) -> None:
    creating.reply("Is that you?")
    lea = creating.lea()
    creating.hear("contact.creation", lea)
    creating.work()
    creating.write_back()
    creating.write_back()
    assert len(bodies(creating, lea)) == 1
    assert not creating.crm.calls["find_contacts_by_number"]


# Several accounts


def test_of_several_accounts_the_one_that_owns_the_number_written_to_gets_the_text(attaching: Theatre) -> None:
    settings = {"unknown_numbers": "attach", "senders": {"US": [SENDER]}}
    with attaching.ledger.begin() as uow:
        uow.accounts.add(AccountRow("account-2", "hubspot", "999", "Bmce", "active", "", settings, START))
        uow.commit()
    attaching.reply("Is that you?")
    with attaching.ledger.begin(write=False) as uow:
        assert not uow.messages.conversation(ACCOUNT, NUMBER, 9)
        assert len(uow.messages.conversation("account-2", NUMBER, 9)) == 1


def test_a_number_nobody_owns_is_nobodys_and_its_stop_is_kept_by_all(attaching: Theatre) -> None:
    with attaching.ledger.begin() as uow:
        uow.accounts.add(AccountRow("account-2", "hubspot", "999", "Bmce", "active", "", {}, START))
        uow.commit()
    sms = IncomingSMS("SM-1", NUMBER, OTHER, "STOP")
    with attaching.ledger.begin() as uow:
        attaching.replies.take_reply(uow, sms, "null", attaching.clock.at)
        uow.commit()
    with attaching.ledger.begin(write=False) as uow:
        assert all(uow.consents.suppressions(each, [NUMBER]) for each in (ACCOUNT, "account-2"))
