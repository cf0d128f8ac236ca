"""What do we do with an organisation, and how does Salesforce refuse it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from connector.errors import CRMDisconnectedError, CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import SearchFilter
from connector.ports.crm_writing import RecordKind, RecordWrite, SMSFacts
from tests.adapters.crm.cassettes.sides import Act, Box
from tests.adapters.crm.contract import NOON, NUMBER, OTHER_NUMBER, a_text

WORDS = (
    "Maya",
    "Lindqvist",
    "Cassette roof",
    "Hello",
    "Delivered.",
    "Call back",
    "Soon.",
    "SMS to contact, delivered:",
    "SMS",
    "ref",
    "r",
)
NOBODY = "003000000000001AAA"  # an id no organisation has
_OBJECTS = {"communication": "Task", "task": "Task"}


def remove(act: Act, api_name: str, crm_id: str) -> None:
    """Put a record into the organisation's recycle bin."""
    act.crm._records.calls.rest(act.account, "clean up", f"sobjects/{api_name}/{crm_id}", method="DELETE")


def _make(act: Act, api_name: str, **values: Any) -> str:
    made = act.crm._records.calls.rest(
        act.account, f"make {api_name}", f"sobjects/{api_name}", method="POST", body=values, is_repeatable=False
    )
    act.made.append((api_name, str(made["id"])))
    return str(made["id"])


def _contact(act: Act, **values: Any) -> str:
    return _make(act, "Contact", FirstName="Maya", LastName="Lindqvist", **values)


def _deal(act: Act) -> str:
    return _make(act, "Opportunity", Name="Cassette roof", StageName="Prospecting", CloseDate="2026-12-24")


def _sms(ref: str, contact: str, **changes: Any) -> RecordWrite:
    facts = SMSFacts(
        is_inbound=False, state="delivered", body="Hello", sender=OTHER_NUMBER, recipient=NUMBER, segments=1
    )
    return a_text(ref, contact, sms=facts, **changes)


def _create(act: Act, *rows: RecordWrite) -> list[str | CRMError]:
    results = act.port.create(act.account, rows)
    act.made += [(_OBJECTS["task"], each.crm_record_id) for each in results if each.crm_record_id]
    return [each.error or str(each.crm_record_id) for each in results]


# -- reading


def scene_contacts_are_read(act: Act) -> None:
    contact = _contact(act, MobilePhone=NUMBER, Phone=OTHER_NUMBER)
    found = act.port.read_contacts(act.account, [contact, NOBODY], {"first": "FirstName"})
    assert set(found) == {contact}
    assert found[contact].attributes["first"] == "Maya"
    assert [raw for raw, _ in found[contact].phones] == [NUMBER, OTHER_NUMBER]


def scene_records_are_read(act: Act) -> None:
    deal = _deal(act)
    read = act.port.read_records(act.account, "deal", [deal, NOBODY], ["Name", "Amount"])
    assert read == {deal: {"Name": "Cassette roof", "Amount": None}}


def scene_associated_contacts_are_read(act: Act) -> None:
    contact, deal, lonely = _contact(act), _deal(act), _deal(act)
    _make(act, "OpportunityContactRole", OpportunityId=deal, ContactId=contact)
    links = act.port.associated_contacts(act.account, "deal", [deal, lonely])
    assert [each.object_id for each in links[deal]] == [contact]
    assert not links.get(lonely)


def scene_a_search_goes_on_behind_a_full_page(act: Act) -> None:
    deals = [_deal(act) for _ in range(3)]
    found = act.port.search(act.account, "deal", [SearchFilter("Name", "EQ", "Cassette roof")], ["Name"])
    assert [crm_id for crm_id, _ in found] == deals


def scene_contacts_and_leads_are_found_by_number(act: Act) -> None:
    contact = _contact(act, MobilePhone=NUMBER)
    lead = _make(act, "Lead", LastName="Lindqvist", Company="Maya", Phone="(202) 555-0143")
    _contact(act, MobilePhone=OTHER_NUMBER)
    assert {contact, lead} <= set(act.port.find_contacts_by_number(act.account, NUMBER))


def scene_owners_and_stages_are_read(act: Act) -> None:
    owners = act.port.owners(act.account)
    assert owners
    assert all(owner_id == each.owner_id and each.name for owner_id, each in owners.items())
    assert act.port.stage_labels(act.account, "deal")["Closed Won"]


def scene_what_changed_is_read(act: Act) -> None:
    deal = _deal(act)
    only = [SearchFilter("Name", "EQ", "Cassette roof")]
    page = act.port.changed_since(act.account, "deal", ["Name"], NOON - timedelta(days=400), filters=only)
    (record,) = [each for each in page.records if each.object_id == deal]
    assert record.created is not None


# -- writing


def scene_texts_and_tasks_are_created_and_updated(act: Act) -> None:
    contact = _contact(act)
    text, task = _create(
        act, _sms("r1", contact), a_text("r2", contact, kind=RecordKind.TASK, title="Call back", body="Soon. Ref r2")
    )
    assert isinstance(text, str)
    later = _sms("r1", contact, body="Delivered. Ref r1", crm_record_id=text)
    assert [each.error for each in act.port.update(act.account, [later])] == [None]
    held = act.port.read_records(act.account, "task", [text], ["Description"])
    assert "Delivered." in str(held[text]["Description"])
    assert isinstance(task, str)


def scene_200_with_a_failed_row_leaves_the_others(act: Act) -> None:
    contact = _contact(act)
    first, refused, third = _create(act, a_text("r1", contact), a_text("r2", NOBODY), a_text("r3", contact))
    assert isinstance(refused, CRMRefusedError)
    assert [isinstance(each, str) for each in (first, third)] == [True, True]
    (result,) = act.port.update(act.account, [a_text("r4", contact, crm_record_id="00T000000000001AAA")])
    assert isinstance(result.error, CRMRefusedError)


def scene_an_opt_out_is_set_and_lifted(act: Act) -> None:
    contact = _contact(act, MobilePhone=NUMBER)
    for opted_out in (True, False):
        results = act.port.set_opt_out(act.account, [contact, NOBODY], opted_out=opted_out, at=NOON, source="reply")
        assert [each.error is None for each in results] == [True, False]
        assert act.port.read_contacts(act.account, [contact], {})[contact].opted_out is opted_out


def scene_what_was_written_is_found_again(act: Act) -> None:
    contact = _contact(act)
    rows = [_sms(ref, contact) for ref in ("r1", "r10")]
    made = _create(act, *rows)
    found = act.port.find_written(act.account, [*rows, _sms("r2", contact)])
    assert found == dict(zip(("r1", "r10"), made, strict=True))


# -- tokens


def scene_a_401_is_answered_with_one_refresh_and_one_resend(act: Act) -> None:
    seen = (act.row().access_token, act.row().refresh_token)
    assert act.port.search(act.account, "deal", [SearchFilter("Name", "EQ", "Soon.")], ["Name"]) == []
    now = (act.row().access_token, act.row().refresh_token)
    assert (now[0] != seen[0], now[1] != seen[1]) == (True, True)


def scene_a_dead_refresh_token_disconnects(act: Act) -> None:
    with pytest.raises(CRMDisconnectedError):
        act.port.search(act.account, "deal", [], ["Name"])
    assert act.row().status == "disconnected"


# -- how Salesforce refuses


def scene_403_when_the_days_calls_are_gone(act: Act) -> None:
    with pytest.raises(CRMUnavailableError) as caught:
        act.port.search(act.account, "deal", [], ["Name"])
    assert (caught.value.category, caught.value.retry_after) == ("REQUEST_LIMIT_EXCEEDED", timedelta(hours=1))


def scene_a_locked_row_waits_and_the_others_do_not(act: Act) -> None:
    contact = _contact(act)
    locked, written = act.port.create(act.account, [a_text("r1", contact), a_text("r2", contact)])
    assert isinstance(locked.error, CRMUnavailableError)
    assert locked.error.category == "UNABLE_TO_LOCK_ROW"
    assert locked.error.retry_after is not None
    assert written.crm_record_id is not None


def scene_a_locked_call_waits(act: Act) -> None:
    with pytest.raises(CRMUnavailableError) as caught:
        act.port.create(act.account, [a_text("r1", NOBODY)])
    assert (caught.value.status, caught.value.category) == (400, "UNABLE_TO_LOCK_ROW")


def scene_400_for_a_query_that_cannot_be_read(act: Act) -> None:
    with pytest.raises(CRMRefusedError) as caught:
        act.crm._records.calls.query(act.account, "ask nonsense", "SELECT Id FROM Nonsense__c")
    assert caught.value.category == "INVALID_TYPE"
    assert "Nonsense__c" in str(caught.value)


def scene_503_while_the_server_is_busy(act: Act) -> None:
    with pytest.raises(CRMUnavailableError) as caught:
        act.port.search(act.account, "deal", [], ["Name"])
    assert (caught.value.status, caught.value.retry_after) == (503, timedelta(minutes=1))


def _armed(operation: str, status: int) -> Callable[[Box], None]:
    def arrange(box: Box) -> None:
        box.faults.arm(f"salesforce.{operation}", "status", status=status)

    return arrange


def _end_everything(box: Box) -> None:
    box.world.tokens.uninstall(box.org.id)


def _short_pages(box: Box) -> None:
    box.world.query_batch = 2


ARRANGED: Mapping[str, Callable[[Box], None]] = {
    "scene_a_search_goes_on_behind_a_full_page": _short_pages,
    "scene_a_401_is_answered_with_one_refresh_and_one_resend": Box.expire,
    "scene_a_dead_refresh_token_disconnects": _end_everything,
    "scene_403_when_the_days_calls_are_gone": lambda box: box.org.usage.exhaust(),
    "scene_a_locked_row_waits_and_the_others_do_not": _armed("row.Task.create", 400),
    "scene_a_locked_call_waits": _armed("collections.create", 400),
    "scene_503_while_the_server_is_busy": _armed("query", 503),
}
"""What the sandbox goes through before a scene; a live organisation cannot be asked to."""

LIVE_ALL_THE_SAME = frozenset[str]()
OAUTH: frozenset[str] | None = None  # every scene: an organisation's token ends without a word
