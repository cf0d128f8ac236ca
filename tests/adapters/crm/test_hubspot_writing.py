"""Do batches of records arrive as HubSpot wants them, each row with a result of its own?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask, request
from flask.typing import ResponseReturnValue

from connector.adapters.crm.hubspot.properties import (
    CODE_CONFIRMED,
    CODE_REQUESTED_AT,
    DEFINITIONS,
    OPT_IN_REQUESTED_AT,
    WANTS_OFFERS,
)
from connector.domain.event import ObjectRef
from connector.errors import CRMAmbiguousError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import HANDOFF, OPTED_IN_AT
from connector.ports.crm_writing import RecordKind, RecordWrite
from connector.sandbox.serve import Server
from tests.adapters.crm.conftest import PORTAL, HubSpot
from tests.adapters.crm.contract import NOON, a_text


def stored(hubspot: HubSpot, kind: str, crm_id: str | None) -> dict[str, Any]:
    return dict(hubspot.world.get(PORTAL, kind, str(crm_id))["properties"])


def test_a_text_is_an_sms_communication_with_its_body_escaped(hubspot: HubSpot) -> None:
    row = a_text("r1", hubspot.contact(), body='<b>Tom & "Ann"</b>\r\nRef r1\nbye')
    held = stored(hubspot, "communications", hubspot.crm.create(hubspot.account, [row])[0].crm_record_id)
    assert held["hs_communication_channel_type"] == "SMS"
    assert held["hs_communication_logged_from"] == "CRM"
    assert held["hs_communication_body"] == '&lt;b&gt;Tom &amp; "Ann"&lt;/b&gt;<br>Ref r1<br>bye'
    assert held["hs_timestamp"] == "2026-11-20T12:00:00.000Z"


def test_a_time_in_another_zone_is_written_in_utc(hubspot: HubSpot) -> None:
    at = datetime(2026, 11, 20, 14, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=2)))
    made = hubspot.crm.create(hubspot.account, [a_text("r1", hubspot.contact(), at=at)])[0]
    assert stored(hubspot, "communications", made.crm_record_id)["hs_timestamp"] == "2026-11-20T12:30:15.250Z"


def test_a_body_without_its_reference_gets_it(hubspot: HubSpot) -> None:
    rows = [a_text("r1", hubspot.contact(), body="Hello r10"), a_text("r2", hubspot.contact(), body="")]
    made = hubspot.crm.create(hubspot.account, rows)
    bodies = [stored(hubspot, "communications", each.crm_record_id)["hs_communication_body"] for each in made]
    assert bodies == ["Hello r10<br>r1", "r2"]


def test_a_text_stands_on_its_deal_and_ticket_too_and_never_on_an_invoice(hubspot: HubSpot) -> None:
    contact = hubspot.contact()
    deal = str(hubspot.world.create(PORTAL, "deals", {"dealname": "Roof"})["id"])
    ticket = str(hubspot.world.create(PORTAL, "tickets", {"subject": "Leak"})["id"])
    invoice = str(hubspot.world.create(PORTAL, "invoices", {"hs_invoice_status": "open"})["id"])
    refs = (ObjectRef("deal", deal), ObjectRef("ticket", ticket), ObjectRef("invoice", invoice))
    for kind, name in (
        (RecordKind.COMMUNICATION, "communications"),
        (RecordKind.TASK, "tasks"),
        (RecordKind.NOTE, "notes"),
    ):
        made = hubspot.crm.create(hubspot.account, [a_text("r1", contact, kind=kind, associations=refs)])[0]
        crm_id = str(made.crm_record_id)
        assert hubspot.world.associated(PORTAL, name, crm_id, "contacts") == [contact]
        assert hubspot.world.associated(PORTAL, name, crm_id, "deals") == [deal]
        assert hubspot.world.associated(PORTAL, name, crm_id, "tickets") == [ticket]
        assert hubspot.world.associated(PORTAL, name, crm_id, "invoices") == []


@pytest.mark.parametrize(("given", "written"), [("high", "HIGH"), ("", "NONE"), ("urgent!", "NONE")])
def test_a_task_has_its_subject_owner_due_time_and_priority(hubspot: HubSpot, given: str, written: str) -> None:
    owner = hubspot.world.add_owner(PORTAL, "sam.okafor@example.com")
    task = a_text("t1", hubspot.contact(), kind=RecordKind.TASK, title="Call Maya", owner_id=owner, priority=given)
    held = stored(hubspot, "tasks", hubspot.crm.create(hubspot.account, [task])[0].crm_record_id)
    assert held["hs_task_subject"] == "Call Maya"
    assert held["hubspot_owner_id"] == owner
    assert held["hs_timestamp"] == "2026-11-20T12:00:00.000Z"
    assert (held["hs_task_priority"], held["hs_task_status"]) == (written, "NOT_STARTED")


def test_updating_a_task_leaves_what_people_did_with_it(hubspot: HubSpot) -> None:
    task = a_text("t1", hubspot.contact(), kind=RecordKind.TASK, title="Call Maya")
    crm_id = str(hubspot.crm.create(hubspot.account, [task])[0].crm_record_id)
    hubspot.world.update(PORTAL, "tasks", crm_id, {"hs_task_status": "COMPLETED"})
    later = a_text("t1", task.contact_crm_id, kind=RecordKind.TASK, title="Called", crm_record_id=crm_id)
    assert hubspot.crm.update(hubspot.account, [later])[0].crm_record_id == crm_id
    held = stored(hubspot, "tasks", crm_id)
    assert (held["hs_task_status"], held["hs_task_subject"]) == ("COMPLETED", "Called")


def test_a_hundred_texts_are_one_call_even_with_a_bad_one_among_them(hubspot: HubSpot) -> None:
    contact = hubspot.contact()
    rows = [a_text(f"r{n}", contact if n != 57 else "999999") for n in range(100)]
    results = hubspot.crm.create(hubspot.account, rows)
    assert [each.ref for each in results if each.error] == ["r57"]
    assert hubspot.calls("communications.batch_create") == 1


def test_an_update_of_a_record_that_is_gone_is_refused_for_that_row(hubspot: HubSpot) -> None:
    contact = hubspot.contact()
    there = hubspot.crm.create(hubspot.account, [a_text("r1", contact)])[0].crm_record_id
    rows = [a_text("r1", contact, crm_record_id=there), a_text("r2", contact, crm_record_id="999999")]
    kept, gone = hubspot.crm.update(hubspot.account, rows)
    assert kept.error is None
    assert isinstance(gone.error, CRMRefusedError)
    assert (gone.error.status, gone.error.category) == (404, "OBJECT_NOT_FOUND")


def test_the_same_contact_twice_is_flagged_once_and_answered_twice(hubspot: HubSpot) -> None:
    hubspot.crm.install(hubspot.account)
    contact = hubspot.contact()
    results = hubspot.crm.set_opt_out(hubspot.account, [contact, contact], opted_out=True, at=NOON, source="a reply")
    assert [(each.ref, each.error) for each in results] == [(contact, None)] * 2
    held = stored(hubspot, "contacts", contact)
    assert held["sms_connector_opted_out_at"] == "2026-11-20T12:00:00.000Z"
    assert held["sms_connector_consent_source"] == "a reply"


def test_a_lifted_opt_out_is_not_written_down_as_consent_to_marketing(hubspot: HubSpot) -> None:
    hubspot.crm.install(hubspot.account)
    contact = hubspot.contact()
    hubspot.crm.set_opt_out(hubspot.account, [contact], opted_out=False, at=NOON, source="a reply")
    read = hubspot.crm.read_contacts(hubspot.account, [contact], {})[contact]
    assert (read.opted_out, read.opted_in) == (False, False)


def test_every_property_we_make_is_written_or_read(hubspot: HubSpot) -> None:
    hubspot.crm.install(hubspot.account)
    contact = hubspot.contact()
    hubspot.crm.set_opt_out(hubspot.account, [contact], opted_out=True, at=NOON, source="a reply")
    written = {name for name, value in stored(hubspot, "contacts", contact).items() if value}
    made = {definition["name"] for definition in DEFINITIONS}
    asked_for = {OPT_IN_REQUESTED_AT, WANTS_OFFERS, CODE_REQUESTED_AT, CODE_CONFIRMED}
    assert made - written == {OPTED_IN_AT, HANDOFF, *asked_for}
    wanted = {contact: {OPTED_IN_AT: NOON.isoformat(), HANDOFF: "Escalate 2026-11-20T12:00:00Z"}}
    assert [each.error for each in hubspot.crm.set_properties(hubspot.account, "contact", wanted)] == [None]
    assert stored(hubspot, "contacts", contact)[OPTED_IN_AT] == "2026-11-20T12:00:00.000Z"


def test_a_task_may_wait_in_a_queue_or_be_a_call(hubspot: HubSpot) -> None:
    queue, contact = hubspot.world.add_task_queue(PORTAL, "Collections"), hubspot.contact()
    rows = [
        a_text("t1", contact, kind=RecordKind.TASK, title="Look", queue_id=queue),
        a_text("t2", contact, kind=RecordKind.TASK, title="Ring up", is_call=True),
        a_text("t3", contact, kind=RecordKind.TASK, title="Look", queue_id="12"),
    ]
    queued, call, nowhere = hubspot.crm.create(hubspot.account, rows)
    assert isinstance(nowhere.error, CRMRefusedError)
    held = [stored(hubspot, "tasks", each.crm_record_id) for each in (queued, call)]
    assert [(each.get("hs_queue_membership_ids"), each["hs_task_type"]) for each in held] == [
        (queue, "TODO"),
        (None, "CALL"),
    ]


def test_a_record_with_a_value_it_cannot_take_is_refused_alone(hubspot: HubSpot) -> None:
    good, bad = (str(hubspot.world.create(PORTAL, "deals", {"dealname": name})["id"]) for name in ("Roof", "Shed"))
    wanted = {good: {"amount": "12.50"}, bad: {"amount": "a lot", "dealname": "Barn"}}
    results = {each.ref: each.error for each in hubspot.crm.set_properties(hubspot.account, "deal", wanted)}
    assert results[good] is None
    assert isinstance(results[bad], CRMRefusedError)
    assert (stored(hubspot, "deals", good)["amount"], stored(hubspot, "deals", bad)["dealname"]) == ("12.50", "Shed")


def test_a_lost_text_is_found_among_more_records_than_one_batch(hubspot: HubSpot) -> None:
    contact, other = hubspot.contact(), hubspot.contact()
    for first in (0, 100):
        hubspot.crm.create(hubspot.account, [a_text(f"r{n}", contact) for n in range(first, first + 100)])
    task = a_text("t1", contact, kind=RecordKind.TASK)
    hubspot.crm.create(hubspot.account, [task])
    wanted = [a_text("r0", contact), a_text("r199", contact), task, a_text("r5000", other)]
    found = hubspot.crm.find_written(hubspot.account, wanted)
    assert set(found) == {"r0", "r199", "t1"}
    assert stored(hubspot, "communications", found["r0"])["hs_communication_body"] == "Hello<br>Ref r0"


# HubSpot answers a batch with one bad row by refusing it whole where it does not honour trace ids. The sandbox
# honours them always, so that behaviour has a server of its own here.


class WholeBatches:
    """Refuses any batch that holds a bad row, as the whole; can lose the answer to the n-th call."""

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.answers: dict[int, int] = {}
        self.sizes: list[int] = []
        self.app = Flask(__name__)
        self.app.post("/crm/objects/2026-09/communications/batch/create")(self.create)

    def create(self) -> ResponseReturnValue:
        inputs = request.get_json()["inputs"]
        self.sizes.append(len(inputs))
        if status := self.answers.get(len(self.sizes)):
            return {"message": "not now"}, status
        bodies = [each["properties"]["hs_communication_body"] for each in inputs]
        if any(bad in body.split() for body in bodies for bad in self.bad):
            return {"category": "VALIDATION_ERROR", "message": "one of them is wrong"}, 400
        results = [{"id": f"id-{body.split()[-1]}", "properties": {"hs_communication_body": body}} for body in bodies]
        return {"status": "COMPLETE", "results": results[::-1]}, 201


@pytest.fixture
def whole_batches(hubspot: HubSpot, monkeypatch: pytest.MonkeyPatch) -> Iterator[WholeBatches]:
    portal = WholeBatches()
    with Server(portal.app) as server:
        monkeypatch.setattr(hubspot.crm._records.calls.clients, "url", server.url)
        yield portal


def texts(count: int) -> list[RecordWrite]:
    return [a_text(f"r{n}", "51", body=f"Hello r{n}", at=datetime(2026, 11, 20, tzinfo=UTC)) for n in range(count)]


def test_results_in_any_order_and_without_trace_ids_find_their_rows(
    hubspot: HubSpot, whole_batches: WholeBatches
) -> None:
    results = hubspot.crm.create(hubspot.account, texts(12))
    assert [(each.ref, each.crm_record_id) for each in results] == [(f"r{n}", f"id-r{n}") for n in range(12)]


def test_a_batch_refused_whole_is_halved_until_only_the_bad_rows_are_refused(
    hubspot: HubSpot, whole_batches: WholeBatches
) -> None:
    whole_batches.bad = {"r3", "r60"}
    results = hubspot.crm.create(hubspot.account, texts(100))
    assert [each.ref for each in results if isinstance(each.error, CRMRefusedError)] == ["r3", "r60"]
    assert sum(each.crm_record_id is not None for each in results) == 98
    assert len(whole_batches.sizes) < 30


@pytest.mark.parametrize(("status", "error"), [(503, CRMAmbiguousError), (429, CRMUnavailableError)])
def test_what_one_half_achieved_is_not_lost_when_the_other_fails(
    hubspot: HubSpot, whole_batches: WholeBatches, status: int, error: type[Exception]
) -> None:
    whole_batches.bad = {"r0"}
    whole_batches.answers = {5: status}  # 4 rows, 2, 1 (refused), 1 (made), then the other 2
    results = hubspot.crm.create(hubspot.account, texts(4))
    assert isinstance(results[0].error, CRMRefusedError)
    assert results[1].crm_record_id == "id-r1"
    assert [type(each.error) for each in results[2:]] == [error, error]


def test_a_refusal_that_no_row_can_be_the_cause_of_is_not_halved(hubspot: HubSpot, whole_batches: WholeBatches) -> None:
    whole_batches.answers = {1: 405}
    with pytest.raises(CRMRefusedError):
        hubspot.crm.create(hubspot.account, texts(4))
    assert whole_batches.sizes == [4]
