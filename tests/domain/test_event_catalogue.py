"""Which events, records and names are there, in one CRM and in all of them?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.event_mapping import (
    ContactFrom,
    ContactMapping,
    ContactRule,
    CRMEvents,
    EventCatalogue,
    EventMapping,
    FieldSource,
    OnChange,
    Poll,
)
from connector.domain.message import Purpose, SendPolicy, default_policy
from tests.domain.journey_parts import NOW


def _event(name: str, crm: str, source: OnChange | Poll, **reads: tuple[str, ...]) -> EventMapping:
    read = {record: {part: FieldSource(f"{crm}_{part}") for part in parts} for record, parts in reads.items()}
    return EventMapping(name, crm, source, read, ContactRule(ContactFrom.ASSOCIATED, "deal"))


SEARCH = Poll(timedelta(minutes=15), "invoice", (), ("one_id", "due"))
OVERDUE = _event("invoice.overdue", "one", SEARCH, invoice=("id",))
MOVED = _event("deal.moved", "one", OnChange("deal", ChangeKind.CHANGED, "stage"), deal=("id", "stage"), line=("id",))
CHANGED = _event("deal.changed", "one", OnChange("deal", ChangeKind.CHANGED), deal=("id",))
THEIRS = _event("deal.moved", "two", OnChange("deal", ChangeKind.CHANGED, "stage"), deal=("id", "amount"))
ONE = CRMEvents(
    crm="one",
    events={each.name: each for each in (OVERDUE, MOVED, CHANGED)},
    contact=ContactMapping({"name": "n", "city": "c"}, {}),
)
TWO = CRMEvents(crm="two", events={THEIRS.name: THEIRS}, contact=ContactMapping({"name": "n", "email": "e"}, {}))
BOTH = EventCatalogue({"one": ONE, "two": TWO})


def test_each_name_is_told_once_for_all_crms_and_per_crm() -> None:
    assert BOTH.names() == ("invoice.overdue", "deal.moved", "deal.changed")
    assert BOTH.names("two") == ("deal.moved",)
    assert BOTH.names("three") == ()


def test_an_event_is_found_in_every_crm_that_has_it() -> None:
    assert BOTH.find("deal.moved") == (MOVED, THEIRS)
    assert BOTH.find("deal.moved", "two") == (THEIRS,)
    assert BOTH.find("invoice.overdue", "two") == ()


def test_of_several_crms_only_what_all_of_them_read_may_be_relied_on() -> None:
    shared = BOTH.records("deal.moved")
    assert {record: list(parts) for record, parts in shared.items()} == {"deal": ["id"]}
    assert BOTH.records("deal.moved", "one") == MOVED.read
    assert BOTH.records("nothing.known") == {}


def test_what_may_follow_contact_is_what_every_crm_gives() -> None:
    assert BOTH.contact_names("one") == ONE.contact.names()
    assert BOTH.contact_names() == ONE.contact.names() & TWO.contact.names()
    assert BOTH.contact_names() < BOTH.contact_names("one")
    assert EventCatalogue().contact_names() == frozenset()


def test_a_search_asks_for_what_is_read_and_for_what_tells_happenings_apart_once_each() -> None:
    assert OVERDUE.properties("invoice") == ("one_id", "due")
    assert OVERDUE.properties("deal") == ()
    assert MOVED.properties("deal") == ("one_id", "one_stage")


def test_a_notice_makes_every_event_it_fits_and_no_search() -> None:
    notice = ChangeNotice(ObjectRef("deal", "7"), ChangeKind.CHANGED, NOW, "stage", "won")
    assert ONE.of_notice(notice) == (MOVED, CHANGED)
    assert ONE.polls() == (OVERDUE,)
    assert TWO.polls() == ()


def test_what_a_happening_lacks_counts_as_empty() -> None:
    assert SEARCH.discriminator({"one_id": "7", "due": None}) == "7|"


def test_a_record_is_named_by_its_kind_and_its_id_whatever_stands_in_that() -> None:
    assert ObjectRef.parse("deal:7:8") == ObjectRef("deal", "7:8")
    assert ObjectRef.parse(str(ObjectRef("invoice", "9"))) == ObjectRef("invoice", "9")


@pytest.mark.parametrize("purpose", Purpose)
def test_only_a_code_may_be_sent_twice(purpose: Purpose) -> None:
    twice = default_policy(purpose) is SendPolicy.AT_LEAST_ONCE
    assert twice == (purpose is Purpose.OTP)
