"""The file of audiences, and the mistakes it can hold."""

from pathlib import Path

import pytest

from connector.adapters.audience_file import load_audiences
from connector.adapters.event_files import load_events
from connector.domain.event_mapping import PollFilter
from connector.errors import MappingError

ROOT = Path(__file__).parents[2]
EVENTS = load_events(ROOT / "mappings").catalogue

GOOD = """\
audiences:
  big-cities:
    title: People in big cities
    where: contact.city in ["Leeds", "Bristol"] and account.currency == "GBP"
    find:
      hubspot: [lifecyclestage = customer, city exists]
"""


def test_an_audience_has_a_condition_and_a_search_per_crm(tmp_path: Path) -> None:
    path = tmp_path / "audiences.yaml"
    path.write_text(GOOD, encoding="utf-8")
    audience = load_audiences(path, EVENTS)["big-cities"]
    assert audience.where is not None
    assert audience.where.source.startswith("contact.city in")
    assert (audience.where.place.line, audience.where.place.column) == (4, 12)
    assert audience.find == {
        "hubspot": (PollFilter("lifecyclestage", "EQ", "customer"), PollFilter("city", "HAS_PROPERTY"))
    }


def test_no_file_means_no_audiences(tmp_path: Path) -> None:
    assert load_audiences(tmp_path / "audiences.yaml") == {}


def test_the_file_that_ships_is_right_and_every_audience_can_be_listed_in_hubspot() -> None:
    found = load_audiences(ROOT / "mappings" / "audiences.yaml", EVENTS)
    assert "customers" in found
    assert all(audience.find["hubspot"] for audience in found.values())


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("contact.city in", "contact.citi in", "4:12: audiences.big-cities.where: `contact` has no `citi`"),
        ("account.currency", "deal.amount", "4:53: audiences.big-cities.where: there is no `deal` in an audience"),
        ('== "GBP"', '= "GBP"', "4:70: audiences.big-cities.where: did not expect `=` here"),
        ("  big-cities:", "  Big:", "2:3: audiences.Big: `Big` is no name"),
        ("hubspot:", "hubspt:", "6:7: audiences.big-cities.find.hubspt: there is no CRM `hubspt`"),
        ("lifecyclestage = customer", "lifecyclestage", "6:17: audiences.big-cities.find.hubspot[0]: `lifecyclestage`"),
        ("[lifecyclestage = customer, city exists]", "all", "6:16: audiences.big-cities.find.hubspot: expected a list"),
        ("    where:", "    were:", "4:5: audiences.big-cities.were: `were` is not a key of an audience"),
        (GOOD, "audiences: {a: {title: A}}\n", "1:16: audiences.a: says not who is in it"),
        (GOOD, "audiences: {a: {find: all}}\n", "1:23: audiences.a.find: expected CRMs with conditions"),
        (GOOD, "audiences: all\n", "1:12: audiences: expected audiences by name, found `all`"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in GOOD
    path = tmp_path / "audiences.yaml"
    path.write_text(GOOD.replace(before, after), encoding="utf-8")
    with pytest.raises(MappingError) as refused:
        load_audiences(path, EVENTS)
    found = [str(mistake).removeprefix(f"{path}:") for mistake in refused.value.mistakes]
    assert any(mistake.startswith(expected) for mistake in found), found
