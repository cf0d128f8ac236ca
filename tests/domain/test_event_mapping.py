"""CRM properties become values; notices and searches become events."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connector.domain.documents import from_document, to_document
from connector.domain.event import ChangeKind, ChangeNotice, ObjectRef
from connector.domain.event_mapping import (
    ContactMapping,
    FieldSource,
    OnChange,
    Poll,
    PollFilter,
    ValueKind,
)
from connector.domain.record_values import convert_record

AT = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        (ValueKind.TEXT, " Ada ", "Ada"),
        (ValueKind.TEXT, "", None),
        (ValueKind.TEXT, None, None),
        (ValueKind.NUMBER, "12.50", Decimal("12.50")),
        (ValueKind.NUMBER, "twelve", None),
        (ValueKind.NUMBER, "NaN", None),
        (ValueKind.NUMBER, "1E+400000", None),
        (ValueKind.NUMBER, "1E-400000", None),
        (ValueKind.NUMBER, "0." + "3" * 5_000, None),
        (ValueKind.MONEY, "1e3", Decimal(1000)),
        (ValueKind.TIME, "2026-11-20T15:30:00Z", AT),
        (ValueKind.TIME, "2026-11-20T16:30:00+01:00", AT),
        (ValueKind.TIME, str(int(AT.timestamp() * 1000)), AT),
        (ValueKind.TIME, "2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        (ValueKind.TIME, "soon", None),
        (ValueKind.TIME, "9" * 30, None),
        (ValueKind.TIME, "0001-01-01T00:00:00+05:00", None),
        (ValueKind.DATE, "2026-11-20T00:00:00Z", date(2026, 11, 20)),
        (ValueKind.DATE, "2026-11-20T00:00:00+02:00", date(2026, 11, 20)),
        (ValueKind.DATE, "2026-11-20T22:30:00-05:00", date(2026, 11, 20)),
        (ValueKind.DATE, "1795132800000", date(2026, 11, 20)),
        (ValueKind.DATE, "soon", None),
        (ValueKind.YES_NO, "true", True),
        (ValueKind.YES_NO, "false", False),
        (ValueKind.YES_NO, "perhaps", None),
        (ValueKind.PIPELINE, "s1", "Demo booked"),
        (ValueKind.PIPELINE, "s2", "s2"),
    ],
)
def test_a_property_is_read_as_its_kind(kind: ValueKind, raw: str | None, expected: Any) -> None:
    assert convert_record({"x": FieldSource("p", kind)}, {"p": raw}, {"s1": "Demo booked"}) == {"x": expected}


def test_a_property_the_crm_does_not_have_is_none() -> None:
    assert convert_record({"x": FieldSource("p")}, {}, {}) == {"x": None}


def test_converted_values_survive_being_kept_as_json() -> None:
    reads = {
        "a": FieldSource("a", ValueKind.MONEY),
        "b": FieldSource("b", ValueKind.TIME),
        "c": FieldSource("c", ValueKind.DATE),
    }
    values = convert_record(reads, {"a": "12.50", "b": AT.isoformat(), "c": "2026-11-20"}, {})
    assert from_document(to_document(values)) == values


def _notice(property_name: str | None, value: str | None, kind: ChangeKind = ChangeKind.CHANGED) -> ChangeNotice:
    return ChangeNotice(ObjectRef("invoice", "7"), kind, AT, property_name, value)


@pytest.mark.parametrize(
    ("notice", "fits"),
    [
        (_notice("hs_invoice_status", "paid"), True),
        (_notice("hs_invoice_status", "open"), False),
        (_notice("hs_due_date", "paid"), False),
        (_notice(None, None, ChangeKind.CREATED), False),
        (ChangeNotice(ObjectRef("deal", "7"), ChangeKind.CHANGED, AT, "hs_invoice_status", "paid"), False),
    ],
)
def test_a_notice_makes_an_event_when_all_it_asks_for_is_there(notice: ChangeNotice, *, fits: bool) -> None:
    assert OnChange("invoice", ChangeKind.CHANGED, "hs_invoice_status", ("paid",)).fits(notice) is fits


def test_now_in_a_search_is_the_time_of_the_search_in_milliseconds() -> None:
    assert PollFilter("hs_due_date", "LT", "now").at(AT).value == str(int(AT.timestamp() * 1000))
    assert PollFilter("status", "EQ", "open").at(AT).value == "open"


def test_a_search_may_ask_for_a_time_before_now() -> None:
    bound = PollFilter("hs_due_date", "GTE", "now", timedelta(days=30)).at(AT)
    assert bound.value == str(int((AT - timedelta(days=30)).timestamp() * 1000))


def test_a_new_due_date_is_a_new_happening() -> None:
    poll = Poll(timedelta(minutes=15), "invoice", (), ("hs_object_id", "hs_due_date"))
    first = poll.discriminator({"hs_object_id": "7", "hs_due_date": "2026-11-20"})
    assert first == poll.discriminator({"hs_object_id": "7", "hs_due_date": "2026-11-20", "other": "x"})
    assert first != poll.discriminator({"hs_object_id": "7", "hs_due_date": "2026-12-20"})


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace"),
        ({"first_name": "Ada", "last_name": ""}, "Ada"),
        ({"first_name": None, "last_name": None, "name": "ada@example.com"}, "ada@example.com"),
        ({}, None),
    ],
)
def test_a_name_is_put_together_of_the_parts_there_are(attributes: dict[str, str | None], name: str | None) -> None:
    mapping = ContactMapping({"first_name": "f", "last_name": "l"}, {"name": ("first_name", "last_name")})
    values = mapping.values("51", attributes)
    assert (values["name"], values["id"]) == (name, "51")
    assert set(values) == mapping.names()
