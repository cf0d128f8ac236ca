"""Do the properties and notes that journeys want reach the CRM, in as few writes as there are records?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.errors import CRMAmbiguousError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm_writing import RecordKind
from connector.ports.records import CRMRecordRow, RecordSubject
from tests.services.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def want(stage: Stage, record: str, property_name: str, value: str) -> None:
    """Want one property of one record, such as `deal:9001`."""
    row_id = stage.ledger.new_id()
    row = CRMRecordRow(
        id=row_id,
        account_id="account-1",
        crm="hubspot",
        kind=RecordSubject.PROPERTY,
        subject=f"property:{record}:{property_name}",
        ref=f"SMS-{row_id[-12:].upper()}",
        at=stage.clock.at,
        not_before=stage.clock.at,
        contact_id=stage.lea.id,
        contact_crm_id=stage.lea.crm_id,
        payload={"value": value},
    )
    with stage.ledger.begin() as uow:
        uow.records.want([row])
        uow.commit()


def waiting(stage: Stage) -> int:
    with stage.ledger.begin(write=False) as uow:
        return uow.records.waiting(stage.clock.at).get("hubspot", 0)


def test_what_is_wanted_of_one_record_is_one_row_of_one_write(stage: Stage) -> None:
    want(stage, "deal:9001", "dealstage", "won")
    want(stage, "deal:9001", "amount", "12.50")
    want(stage, "deal:9002", "dealstage", "lost")
    stage.drain()
    assert stage.crm.calls == ["set_properties"]
    assert stage.crm.properties == {
        "deal:9001": {"dealstage": "won", "amount": "12.50"},
        "deal:9002": {"dealstage": "lost"},
    }


def test_records_of_different_kinds_are_written_apart(stage: Stage) -> None:
    want(stage, "deal:9001", "dealstage", "won")
    want(stage, "contact:51", "city", "Leeds")
    stage.drain()
    assert stage.crm.calls == ["set_properties"] * 2
    assert stage.crm.properties == {"deal:9001": {"dealstage": "won"}, "contact:51": {"city": "Leeds"}}


def test_the_newest_value_wins_and_a_value_wanted_again_is_written_again(stage: Stage) -> None:
    want(stage, "deal:9001", "dealstage", "won")
    want(stage, "deal:9001", "dealstage", "lost")
    stage.drain()
    assert stage.crm.properties["deal:9001"] == {"dealstage": "lost"}
    stage.crm.properties["deal:9001"]["dealstage"] = "moved by a person"
    stage.drain()
    assert stage.crm.properties["deal:9001"] == {"dealstage": "moved by a person"}
    want(stage, "deal:9001", "dealstage", "lost")
    stage.drain()
    assert stage.crm.properties["deal:9001"] == {"dealstage": "lost"}


def test_one_bad_value_keeps_no_other_value_of_its_record_out(stage: Stage) -> None:
    stage.crm.refuses["amount"] = CRMRefusedError("a lot was not a valid number for amount", status=400)
    want(stage, "deal:9001", "amount", "a lot")
    want(stage, "deal:9001", "dealstage", "won")
    want(stage, "deal:9001", "dealname", "Roof")
    stage.drain()
    assert stage.crm.properties == {"deal:9001": {"dealstage": "won", "dealname": "Roof"}}
    assert [(row.subject, row.error) for row in stage.refused()] == [
        ("property:deal:9001:amount", "a lot was not a valid number for amount")
    ]
    assert waiting(stage) == 0


def test_a_value_the_crm_refused_is_tried_again_when_another_is_wanted(stage: Stage) -> None:
    stage.crm.refuses["amount"] = CRMRefusedError("no number", status=400)
    want(stage, "deal:9001", "amount", "a lot")
    stage.drain()
    del stage.crm.refuses["amount"]
    want(stage, "deal:9001", "amount", "12")
    stage.drain()
    assert stage.crm.properties == {"deal:9001": {"amount": "12"}}
    assert stage.refused() == []


def test_a_record_that_is_gone_is_refused_with_the_reason(stage: Stage) -> None:
    stage.crm.refuses["deal:9001"] = CRMRefusedError("no such record", status=404)
    want(stage, "deal:9001", "dealstage", "won")
    stage.drain()
    assert [row.error for row in stage.refused()] == ["no such record"]


@pytest.mark.parametrize(
    "error", [CRMUnavailableError("down", status=503), CRMAmbiguousError("no answer"), CRMUnavailableError("locked")]
)
def test_a_crm_that_is_away_is_asked_again_later(stage: Stage, error: CRMUnavailableError | CRMAmbiguousError) -> None:
    stage.crm.failures = [error]
    want(stage, "deal:9001", "dealstage", "won")
    stage.drain()
    assert stage.crm.properties == {}
    stage.drain(settle=600)
    assert stage.crm.properties == {"deal:9001": {"dealstage": "won"}}


def test_a_batch_refused_as_a_whole_is_tried_record_by_record_property_by_property(stage: Stage) -> None:
    stage.crm.failures = [CRMRefusedError("one row is bad", status=400)]
    want(stage, "deal:9001", "dealstage", "won")
    want(stage, "deal:9001", "dealname", "Roof")
    stage.drain()
    assert stage.crm.properties == {"deal:9001": {"dealstage": "won", "dealname": "Roof"}}


def test_a_note_stands_on_its_contact_and_on_the_record_that_started_the_journey(stage: Stage) -> None:
    row = CRMRecordRow(
        id=stage.ledger.new_id(),
        account_id="account-1",
        crm="hubspot",
        kind=RecordSubject.NOTE,
        subject="note:enrollment-1:steps[1]",
        ref="SMS-0000000000AB",
        at=stage.clock.at,
        not_before=stage.clock.at,
        contact_id=stage.lea.id,
        contact_crm_id=stage.lea.crm_id,
        payload={"text": "Says it is paid.", "associations": ["deal:9001"]},
    )
    with stage.ledger.begin() as uow:
        uow.records.want([row])
        uow.commit()
    stage.drain()
    (note,) = stage.crm.records.values()
    assert (note.kind, note.body) == (RecordKind.NOTE, "Says it is paid.\n\nRef SMS-0000000000AB")
    assert (note.contact_crm_id, [str(ref) for ref in note.associations]) == ("51", ["deal:9001"])
