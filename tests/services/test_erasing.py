"""Does an account's or a contact's data go for good, across crashes, and does the certificate say what went?"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connector.adapters.fingerprints import HMACFingerprints
from connector.adapters.secrets import Vault
from connector.adapters.store.contact_data import SQLContactData
from connector.adapters.store.tables import metadata
from connector.adapters.store.tenant_data import SQLTenantData
from connector.domain.account_status import AccountStatus
from connector.domain.message import MessageState
from connector.errors import ConfigurationError, DecryptionError
from connector.ports.consents import ConsentEvent, ConsentKind, Scope
from connector.ports.erasing import ErasureRow
from connector.ports.workflows import CallMove, CallState, WaitsFor, WorkflowCallRow
from connector.services.erasing import BATCH, LAST_LOOK, LEASE, Eraser, contact_text
from tests.adapters.store.factories import a_message, an_account, an_attempt, an_event, damage_tokens
from tests.services.theatre import ACCOUNT, CONFIRMATION, NUMBER, Theatre

PRINTS = HMACFingerprints(["k" * 32])


@pytest.fixture
def theatre(tmp_path: Path, database_url: str) -> Iterator[Theatre]:
    theatre = Theatre(tmp_path, database_url, {"confirmation": CONFIRMATION})
    yield theatre
    theatre.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/ledger.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


def eraser_of(theatre: Theatre, batch: int = 500) -> Eraser:
    """Give what a new process has."""
    engine, vault = theatre.ledger.engine, theatre.ledger.vault
    tenants, contacts = SQLTenantData(engine, vault), SQLContactData(engine, vault)
    return Eraser(theatre.ledger, tenants, contacts, PRINTS, theatre.clock, batch)


def booked(theatre: Theatre, contact: str) -> None:
    deal = theatre.crm.put("deal", [contact], dealname="Roof", dealstage="new", hubspot_owner_id="7")
    theatre.deal_moves(deal, "demo")
    theatre.work()


def set_status(theatre: Theatre, status: AccountStatus) -> None:
    with theatre.ledger.begin() as work:
        work.accounts.set_status(ACCOUNT, status, "")
        work.commit()


def rows(theatre: Theatre, name: str, *columns: str) -> list[tuple[object, ...]]:
    table = metadata.tables[name]
    with theatre.ledger.engine.connect() as connection:
        found = connection.execute(sa.select(*(table.c[each] for each in columns)).order_by(table.c.id))
        return [tuple(row) for row in found]


def finished(theatre: Theatre, eraser: Eraser, erasure_id: str) -> ErasureRow:
    theatre.clock.at += LAST_LOOK
    return eraser.work_off(erasure_id)


# An account


def test_an_account_that_is_still_installed_is_not_erased(theatre: Theatre) -> None:
    with pytest.raises(ConfigurationError, match="smsctl account remove"):
        eraser_of(theatre).request("hubspot", "12345", "ann", "asked")
    with pytest.raises(ConfigurationError, match="there is no hubspot account 9"):
        eraser_of(theatre).request("hubspot", "9", "ann", "asked")


def test_everything_of_an_account_goes_and_its_certificate_says_so(theatre: Theatre) -> None:
    booked(theatre, theatre.lea())
    theatre.accept_all()
    theatre.reply("STOP")
    with theatre.ledger.begin() as work:
        other = an_account(id="account-2", external_id="2")
        work.accounts.add(other)
        assert work.messages.add(a_message("account-2"))
        work.commit()
    set_status(theatre, AccountStatus.UNINSTALLED)
    eraser = eraser_of(theatre)
    erasure = eraser.work_off(eraser.request("hubspot", "12345", "ann", "the contract ended").id)
    assert erasure.completed_at is None  # a worker may still write what it has in hand
    assert rows(theatre, "contact", "account_id") == []
    erasure = finished(theatre, eraser, erasure.id)
    assert rows(theatre, "message", "account_id") == [("account-2",)]
    assert rows(theatre, "account", "id") == [("account-2",)]
    told = eraser.certificate(erasure)
    assert (told["crm"], told["external_id"], told["scope"]) == ("hubspot", "12345", "account")
    assert (told["requested_by"], told["reason"]) == ("ann", "the contract ended")
    assert told["completed_at"] == theatre.clock.at.isoformat()
    assert told["counts"]["message"] == 3  # the text, the STOP, and the answer to it
    assert told["counts"]["suppression"] == 1
    assert told["counts"]["account"] == 1
    assert told["total"] == sum(told["counts"].values())
    assert told["is_genuine"]
    assert NUMBER not in json.dumps(told)


def test_a_certificate_that_was_changed_afterwards_does_not_hold(theatre: Theatre) -> None:
    set_status(theatre, AccountStatus.UNINSTALLED)
    eraser = eraser_of(theatre)
    erasure = finished(theatre, eraser, eraser.request("hubspot", "12345", "ann", "asked").id)
    assert eraser.certificate(erasure)["is_genuine"]
    for change in ({"counts": {**erasure.counts, "message": 7}}, {"requested_by": "bob"}, {"seal": ""}):
        assert not eraser.certificate(replace(erasure, **change))["is_genuine"]


def test_an_erasure_is_asked_for_once_however_often_the_command_runs(theatre: Theatre) -> None:
    set_status(theatre, AccountStatus.UNINSTALLED)
    eraser = eraser_of(theatre)
    first = eraser.request("hubspot", "12345", "ann", "asked")
    assert eraser.request("hubspot", "12345", "bob", "asked again").id == first.id
    assert "maintenance" in theatre.nudged


def test_an_erasure_under_way_has_no_certificate_yet_and_an_unknown_one_none_at_all(theatre: Theatre) -> None:
    set_status(theatre, AccountStatus.UNINSTALLED)
    eraser = eraser_of(theatre)
    told = eraser.certificate(eraser.request("hubspot", "12345", "ann", "asked"))
    assert (told["completed_at"], told["is_genuine"]) == (None, False)
    with pytest.raises(ConfigurationError, match="there is no erasure"):
        eraser.get("erasure-9")


def test_what_a_worker_still_had_in_hand_goes_at_the_last_look(theatre: Theatre) -> None:
    set_status(theatre, AccountStatus.UNINSTALLED)
    eraser = eraser_of(theatre)
    erasure = eraser.work_off(eraser.request("hubspot", "12345", "ann", "asked").id)
    with theatre.ledger.begin() as work:
        assert work.messages.add(a_message(ACCOUNT, id="00000000-0000-7000-8000-000000000001"))
        work.commit()
    erasure = finished(theatre, eraser, erasure.id)
    assert rows(theatre, "message", "id") == []
    assert erasure.completed_at is not None
    assert erasure.counts["message"] == 1


def test_maintenance_finishes_what_the_command_began(theatre: Theatre) -> None:
    set_status(theatre, AccountStatus.UNINSTALLED)
    erasure = eraser_of(theatre).request("hubspot", "12345", "ann", "asked")
    other = eraser_of(theatre)
    while other.settle():
        pass
    theatre.clock.at += LAST_LOOK
    while other.settle():
        pass
    assert other.get(erasure.id).completed_at is not None
    assert other.settle() is False


def test_an_account_whose_tokens_do_not_open_is_erased_all_the_same(theatre: Theatre) -> None:
    set_status(theatre, AccountStatus.UNINSTALLED)
    damage_tokens(theatre.ledger, ACCOUNT)
    eraser = eraser_of(theatre)
    erasure = eraser.request("hubspot", "12345", "ann", "asked")
    eraser.work_off(erasure.id)
    assert finished(theatre, eraser, erasure.id).completed_at is not None
    assert rows(theatre, "account", "id") == []


def test_an_account_may_come_back_as_a_new_one_after_its_erasure(theatre: Theatre) -> None:
    set_status(theatre, AccountStatus.UNINSTALLED)
    eraser = eraser_of(theatre)
    finished(theatre, eraser, eraser.request("hubspot", "12345", "ann", "asked").id)
    with theatre.ledger.begin() as work:
        work.accounts.add(an_account(id="account-2", external_id="12345"))
        work.commit()
    assert rows(theatre, "account", "id") == [("account-2",)]


_ERASES_UNTIL_KILLED = """
import sys
from datetime import UTC, datetime
from connector.adapters.fingerprints import HMACFingerprints
from connector.adapters.secrets import Vault
from connector.adapters.store.contact_data import SQLContactData
from connector.adapters.store.tenant_data import SQLTenantData
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.services.erasing import Eraser

class Clock:
    def now(self):
        return datetime.fromisoformat(sys.argv[3])

class Told:
    def __init__(self, data):
        self.data = data
    def erase(self, *args, **named):
        gone = self.data.erase(*args, **named)
        if gone.get("message"):
            print("erased", flush=True)
            sys.stdin.read()  # until it is killed
        return gone

ledger = SQLLedger(make_engine(sys.argv[1]), Vault(["k" * 32]), lambda _: None)
tenants, contacts = SQLTenantData(ledger.engine, ledger.vault), SQLContactData(ledger.engine, ledger.vault)
Eraser(ledger, Told(tenants), contacts, HMACFingerprints(["k" * 32]), Clock(), 3).work_off(sys.argv[2])
"""


def test_an_erasure_that_is_killed_goes_on_where_it_was_and_counts_nothing_twice(
    theatre: Theatre, database_url: str
) -> None:
    with theatre.ledger.begin() as work:
        for _ in range(10):
            assert work.messages.add(a_message(ACCOUNT))
        work.commit()
    set_status(theatre, AccountStatus.UNINSTALLED)
    erasure = eraser_of(theatre).request("hubspot", "12345", "ann", "asked")
    theatre.clock.at += LAST_LOOK
    command = [sys.executable, "-c", _ERASES_UNTIL_KILLED, database_url, erasure.id, theatre.clock.at.isoformat()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"erased\n"
        victim.send_signal(signal.SIGKILL)
    assert len(rows(theatre, "message", "id")) == 7
    theatre.clock.at += LEASE
    eraser = eraser_of(theatre, batch=3)
    eraser.work_off(erasure.id)
    erasure = finished(theatre, eraser, erasure.id)
    assert rows(theatre, "message", "id") == []
    assert erasure.counts["message"] == 10
    assert eraser.certificate(erasure)["is_genuine"]


# A contact


def texted(theatre: Theatre) -> str:
    """Let a contact get a text and answer it; give its id in the CRM."""
    contact = theatre.lea(firstname="Leonore")
    booked(theatre, contact)
    theatre.accept_all()
    theatre.reply("My name is Leonore Lindqvist")
    theatre.work()
    return contact


def forget(theatre: Theatre, contact: str) -> ErasureRow:
    theatre.hear("contact.privacyDeletion", contact)
    theatre.work()
    eraser = eraser_of(theatre)
    while eraser.settle():
        pass
    [(erasure_id,)] = rows(theatre, "erasure", "id")
    return finished(theatre, eraser, str(erasure_id))


def opened(vault: Vault, sealed: bytes, row: sa.RowMapping, column: str) -> str:
    """Open what is bound to its account, or to its source where it came without one."""
    if row["account_id"] is not None:
        with contextlib.suppress(DecryptionError):
            return vault.open_text(sealed, account=row["account_id"], column=column)
    return vault.open_text(sealed, account=row["source"], column=column)


def everything(theatre: Theatre) -> str:
    """Give every value in the ledger as one text, opened."""
    vault, found = theatre.ledger.vault, list[str]()
    with theatre.ledger.engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)).mappings():
                for name, value in row.items():
                    if isinstance(value, bytes) and name != "verifier_sealed":
                        column = f"{table.name}.{name.removesuffix('_sealed')}"
                        value = opened(vault, value, row, column)  # noqa: PLW2901 - opened
                    found.append(str(value))
    return "\n".join(found)


def test_a_privacy_deletion_leaves_no_word_name_or_number_of_the_contact(theatre: Theatre) -> None:
    contact = texted(theatre)
    for told in ("Leonore", "Lindqvist", NUMBER):
        assert told in everything(theatre)
    theatre.crm.take_away("contact", contact)
    erasure = forget(theatre, contact)
    assert erasure.completed_at is not None
    left = everything(theatre)
    for told in ("Leonore", "Lindqvist", NUMBER, "2025550143"):
        assert told not in left
    assert rows(theatre, "message", "msisdn", "state") == [("", "accepted"), ("", "received")]
    assert rows(theatre, "enrollment", "status") == [("ended",)]


def hear_callback(theatre: Theatre, name: str, number: str = NUMBER, **changes: Any) -> str:
    """Let a gateway tell of a number; nobody has understood it yet. Give its id."""
    body = f"From=%2B{number.removeprefix('+')}&Body=Hello".encode()
    event = an_event(None, source="twilio.inbound", external_id=name, body=body, **changes)
    with theatre.ledger.begin() as work:
        work.inbox.add([event])
        work.commit()
    return event.id


def understand(theatre: Theatre, *event_ids: str) -> None:
    with theatre.ledger.begin() as work:
        work.inbox.finish(event_ids, "reply", theatre.clock.at)
        work.commit()


def callbacks(theatre: Theatre) -> set[object]:
    return {name for source, name in rows(theatre, "external_event", "source", "external_id") if source != "hubspot"}


def begun(theatre: Theatre, eraser: Eraser, contact: str) -> str:
    """Ask for a contact to be erased, and take the first look."""
    erasure_id = eraser.erase_contact(ACCOUNT, contact, "ann", "asked")
    assert erasure_id is not None
    assert eraser.work_off(erasure_id).completed_at is None
    return erasure_id


def test_a_callback_that_comes_between_the_looks_goes_and_one_not_understood_yet_is_waited_for(
    theatre: Theatre,
) -> None:
    contact, eraser = texted(theatre), eraser_of(theatre)
    erasure_id = begun(theatre, eraser, contact)
    assert {msisdn for (msisdn,) in rows(theatre, "message", "msisdn")} == {""}
    understand(theatre, hear_callback(theatre, "handled"))
    waiting = hear_callback(theatre, "waiting")
    assert finished(theatre, eraser, erasure_id).completed_at is None
    assert callbacks(theatre) == {"waiting"}
    understand(theatre, waiting)
    theatre.clock.at += timedelta(minutes=1)
    assert eraser.work_off(erasure_id).completed_at is not None
    assert callbacks(theatre) == set()
    assert rows(theatre, "cursor", "name") == []


def test_callbacks_of_another_account_that_texts_the_same_number_stay(theatre: Theatre) -> None:
    contact, eraser = texted(theatre), eraser_of(theatre)
    mine, other = a_message(ACCOUNT, msisdn=NUMBER), a_message("account-2", msisdn=NUMBER)
    tries = [an_attempt(each) for each in (mine, other)]
    with theatre.ledger.begin() as work:
        work.accounts.add(an_account(id="account-2", external_id="2"))
        assert work.messages.add(other)
        work.attempts.add(tries)
        work.commit()
    named = {"ours": {"attempt_id": tries[0].id}, "theirs": {"attempt_id": tries[1].id}, "either's": {}}
    understand(theatre, *(hear_callback(theatre, name, context=context) for name, context in named.items()))
    erasure_id = begun(theatre, eraser, contact)
    assert finished(theatre, eraser, erasure_id).completed_at is not None
    assert callbacks(theatre) == {"theirs", "either's"}


def test_what_only_the_number_of_a_contact_tells_of_goes_too_though_it_was_never_texted(theatre: Theatre) -> None:
    contact = theatre.lea(firstname="Leonore")
    booked(theatre, contact)
    with theatre.ledger.engine.begin() as connection:
        connection.execute(sa.delete(metadata.tables["message"]))
    unnamed = a_message(ACCOUNT, msisdn=NUMBER, body="My name is Leonore", state=MessageState.DELIVERED)
    stranger = a_message(ACCOUNT, msisdn="+12025550177", state=MessageState.DELIVERED)
    opted_in = ConsentEvent(
        "opt-in-1", ACCOUNT, NUMBER, ConsentKind.OPT_IN, Scope.MARKETING, "import", "file:1", theatre.clock.at
    )
    with theatre.ledger.begin() as work:
        for message in (unnamed, stranger):
            assert work.messages.add(message)
        assert work.consents.record(opted_in)
        work.commit()
    understand(theatre, hear_callback(theatre, "theirs"), hear_callback(theatre, "a stranger's", "+12025550177"))
    eraser = eraser_of(theatre)
    assert finished(theatre, eraser, begun(theatre, eraser, contact)).completed_at is not None
    left = everything(theatre)
    assert "Leonore" not in left
    assert "2025550143" not in left
    assert rows(theatre, "message", "msisdn") == [("",), ("+12025550177",)]
    assert callbacks(theatre) == {"a stranger's"}


def test_calls_of_workflows_on_a_deal_whose_text_went_to_the_contact_are_emptied_when_they_are_done(
    theatre: Theatre,
) -> None:
    contact, eraser = texted(theatre), eraser_of(theatre)
    [text] = [each for each in theatre.messages() if each.direction == "out"]
    call = WorkflowCallRow(
        id="call-1",
        account_id=ACCOUNT,
        callback_id="ap-1",
        object_type="deal",
        object_id="9001",
        inputs={"text": "Dear Leonore"},
        waits_for=WaitsFor.REPLY,
        message_id=text.id,
        received_at=theatre.clock.at,
        expires_at=theatre.clock.at + timedelta(days=1),
        not_before=theatre.clock.at,
        state=CallState.WAITING,
    )
    with theatre.ledger.begin() as work:
        assert work.workflow_calls.add(call)
        work.commit()
    erasure_id = begun(theatre, eraser, contact)
    assert finished(theatre, eraser, erasure_id).completed_at is None
    with theatre.ledger.begin() as work:
        work.workflow_calls.move([CallMove(call.id, CallState.WAITING, CallState.DONE)], theatre.clock.at)
        work.commit()
    theatre.clock.at += timedelta(minutes=1)
    assert eraser.work_off(erasure_id).completed_at is not None
    assert "Leonore" not in everything(theatre)


def test_the_certificate_of_a_contact_holds_a_fingerprint_that_only_its_id_fits(theatre: Theatre) -> None:
    contact = texted(theatre)
    erasure = forget(theatre, contact)
    assert erasure.subject != theatre.contacts()[contact].id
    assert PRINTS.matches(erasure.subject, contact_text(ACCOUNT, contact))
    assert not PRINTS.matches(erasure.subject, contact_text(ACCOUNT, "999"))
    told = eraser_of(theatre).certificate(erasure)
    assert (told["scope"], told["reason"], told["is_genuine"]) == ("contact", "privacy deletion", True)
    assert told["counts"]["message"] == 2
    assert told["counts"]["external_event"] >= 1


def test_a_number_that_opted_out_stays_suppressed_with_its_own_words_only(theatre: Theatre) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    theatre.accept_all()
    theatre.reply("STOP")
    forget(theatre, contact)
    with theatre.ledger.begin(write=False) as work:
        assert work.consents.suppressions(ACCOUNT, [NUMBER])[NUMBER]
    assert "STOP" in everything(theatre)
    assert rows(theatre, "suppression", "msisdn") == [(NUMBER,)]


def test_another_contact_with_the_same_number_loses_nothing(theatre: Theatre) -> None:
    gone, stays = texted(theatre), theatre.lea(firstname="Mio")
    booked(theatre, stays)
    forget(theatre, gone)
    kept = theatre.contacts()[stays]
    assert (kept.msisdn, kept.attributes["first_name"]) == (NUMBER, "Mio")
    with theatre.ledger.begin(write=False) as work:
        [text] = [each for each in work.messages.of_contact(ACCOUNT, kept.id, 10) if each.direction == "out"]
    assert (text.msisdn, text.body) == (NUMBER, "Hi Mio, see you then.")


def test_a_text_under_way_is_waited_for_and_emptied_when_it_is_done(theatre: Theatre) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    [message] = theatre.messages()
    theatre.move(message, "dispatching", "unknown")
    theatre.hear("contact.privacyDeletion", contact)
    theatre.work()
    eraser = eraser_of(theatre)
    [(erasure_id,)] = rows(theatre, "erasure", "id")
    assert finished(theatre, eraser, str(erasure_id)).completed_at is None
    theatre.move(replace(message, state=MessageState.UNKNOWN), "delivered")
    theatre.clock.at += timedelta(minutes=1)
    assert eraser.work_off(str(erasure_id)).completed_at is not None
    assert rows(theatre, "message", "msisdn") == [("",)]


def test_texts_that_wait_behind_hundreds_of_newer_ones_are_cancelled_however_many_they_are(theatre: Theatre) -> None:
    contact = theatre.lea()
    booked(theatre, contact)
    theatre.accept_all()
    mine = {"contact_id": theatre.contacts()[contact].id, "msisdn": NUMBER}
    held = [a_message(ACCOUNT, state=MessageState.HELD, **mine) for _ in range(7)]
    newer = {"created_at": held[0].created_at + timedelta(days=1), "state": MessageState.DELIVERED}
    with theatre.ledger.begin() as work:
        for text in [*held, *(a_message(ACCOUNT, **mine, **newer) for _ in range(BATCH))]:
            assert work.messages.add(text)
        work.commit()
    eraser = eraser_of(theatre, batch=3)
    assert eraser.erase_contact(ACCOUNT, contact, "ann", "asked")
    assert eraser.settle()
    with theatre.ledger.begin(write=False) as work:
        now = work.messages.many([text.id for text in held])
    assert {text.state for text in now.values()} == {MessageState.CANCELLED}


def test_a_contact_is_erased_on_our_own_customers_word_too(theatre: Theatre) -> None:
    contact = texted(theatre)
    eraser = eraser_of(theatre)
    erasure_id = eraser.erase_contact(ACCOUNT, contact, "ann", "asked by mail")
    assert erasure_id is not None
    assert eraser.erase_contact(ACCOUNT, contact, "ann", "asked again") == erasure_id
    eraser.work_off(erasure_id)
    assert finished(theatre, eraser, erasure_id).completed_at is not None
    assert "Lindqvist" not in everything(theatre)


def test_a_contact_nobody_knows_or_of_another_account_is_not_erased(theatre: Theatre) -> None:
    contact = texted(theatre)
    assert eraser_of(theatre).erase_contact(ACCOUNT, "999", "ann", "asked") is None
    assert eraser_of(theatre).erase_contact("account-2", contact, "ann", "asked") is None
    assert rows(theatre, "erasure", "id") == []
