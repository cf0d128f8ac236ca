"""Is a value written into a CRM property as CRMs take it, whatever it is and however people would read it?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connector.adapters.rendering import Renderer
from connector.domain.event_mapping import ValueKind
from connector.domain.places import Text
from connector.services.property_values import written
from connector.services.wishes import ImpossibleError
from tests.services.test_message_making import HERE, account, setting

NAMES = {
    "deal": {
        "amount": Decimal("1200.50"),
        "closes_at": datetime(2026, 11, 30, 23, 30, tzinfo=UTC),
        "due_on": date(2026, 12, 1),
        "is_won": True,
        "nothing": None,
        "name": "Roof",
        "tags": ["Roof"],
    }
}
WHERE = setting(names=NAMES, account=account(time_zone="Europe/Berlin"))


def write(source: str, kind: ValueKind) -> str:
    return written(Renderer(), WHERE, Text(source, HERE), kind, "deal.x")


@pytest.mark.parametrize(
    ("source", "kind", "value"),
    [
        ("{{ deal.amount }}", ValueKind.MONEY, "1200.50"),
        ("{{ deal.amount * 2 }}", ValueKind.NUMBER, "2401.00"),
        (" 12.5 ", ValueKind.NUMBER, "12.5"),
        ("1e3", ValueKind.NUMBER, "1000"),
        ("{{ deal.amount }}", ValueKind.TEXT, "1200.50"),
        ("{{ deal.closes_at }}", ValueKind.TIME, "2026-11-30T23:30:00+00:00"),
        ("2026-11-30T10:00", ValueKind.TIME, "2026-11-30T09:00:00+00:00"),
        ("{{ deal.due_on }}", ValueKind.TIME, "2026-11-30T23:00:00+00:00"),
        ("{{ deal.closes_at }}", ValueKind.DATE, "2026-12-01"),
        ("{{ deal.due_on }}", ValueKind.DATE, "2026-12-01"),
        ("2026-12-24", ValueKind.DATE, "2026-12-24"),
        ("2026-12-24T23:30:00+00:00", ValueKind.DATE, "2026-12-25"),
        ("2026-12-24T23:30", ValueKind.DATE, "2026-12-24"),
        ("{{ deal.due_on }}", ValueKind.TEXT, "2026-12-01"),
        ("{{ deal.closes_at }}", ValueKind.TEXT, "2026-11-30T23:30:00+00:00"),
        ("{{ deal.is_won }}", ValueKind.YES_NO, "true"),
        ("{{ deal.is_won }}", ValueKind.TEXT, "true"),
        ("{{ not deal.is_won }}", ValueKind.TEXT, "false"),
        (" No ", ValueKind.YES_NO, "false"),
        ("{{ deal.nothing | default(none) }}", ValueKind.TIME, ""),
        ("{{ deal.name }} & {{ deal.name }}", ValueKind.TEXT, "Roof & Roof"),
        ("The {{ deal.name }}", ValueKind.TEXT, "The Roof"),
    ],
)
def test_a_value_is_written_as_its_property_takes_it(source: str, kind: ValueKind, value: str) -> None:
    assert write(source, kind) == value


@pytest.mark.parametrize(
    ("source", "kind", "why"),
    [
        ("{{ deal.name }}", ValueKind.NUMBER, "the value for deal.x is no number"),
        ("nan", ValueKind.MONEY, "is no money"),
        ("soon", ValueKind.TIME, "is no time"),
        ("soon", ValueKind.DATE, "is no date"),
        ("{{ deal.name }}", ValueKind.YES_NO, "is no yes/no"),
        ("{{ 5 }}", ValueKind.TIME, "is no time"),
        ("{{ 5 }}", ValueKind.DATE, "is no date"),
        ("{{ deal.is_won }}", ValueKind.DATE, "is no date"),
        ("{{ deal.due_on }}", ValueKind.NUMBER, "is no number"),
        ("{{ deal.tags }}", ValueKind.TEXT, "the value for deal.x is no single value but a list"),
        ("{{ deal }}", ValueKind.TEXT, "the value for deal.x is no single value but a mapping"),
        ("{{ deal.missing }}", ValueKind.TEXT, "its text cannot be written"),
        ("A {{ deal.missing }}", ValueKind.TEXT, "its text cannot be written"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_without_showing_it(source: str, kind: ValueKind, why: str) -> None:
    with pytest.raises(ImpossibleError, match=why) as refused:
        write(source, kind)
    assert "Roof" not in str(refused.value)


def test_an_account_without_a_usable_clock_counts_days_in_utc() -> None:
    nowhere = setting(names=NAMES, account=account(time_zone="Mars/Olympus"))
    assert written(Renderer(), nowhere, Text("{{ deal.closes_at }}", HERE), ValueKind.DATE, "deal.x") == "2026-11-30"
