"""Which properties may a journey write, and why not the others?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.event_files import load_events
from connector.adapters.rendering import Renderer
from connector.domain.errands import Handoff, HandoffTo, PropertyValue, SetValues
from connector.domain.places import Text
from connector.services.merged_contacts import MERGED_INTO
from connector.services.property_setting import PropertySetter, property_of
from connector.services.wishes import ImpossibleError, Wish
from tests.services.test_message_making import HERE, LEA, NOW, setting

CATALOGUE = load_events(Path(__file__).parents[2] / "mappings").catalogue
SETTER = PropertySetter(Renderer(), CATALOGUE, lambda: "record-1")


def wish(step: Any, **where: Any) -> Wish:
    usual = {"subject": "deal:9001", "event": "deal.stage_changed"}
    return Wish(setting(**{**usual, **where}), step, "enrollment-1:steps[0]", NOW)


def written(name: str, value: str = "x", **where: Any) -> list[tuple[str, str]]:
    """Set one property; give subject and value of what is wanted of the CRM."""
    record, _, part = name.partition(".")
    properties = (PropertyValue(record, part, Text(value, HERE)),)
    step = SetValues(id="s", path="steps[0]", place=HERE, properties=properties)
    return [(row.subject, row.payload["value"]) for row in SETTER.values(wish(step, **where), step)]


def test_a_property_is_the_one_that_the_event_file_reads_under_that_name() -> None:
    assert written("deal.stage", "won") == [("property:deal:9001:dealstage", "won")]
    assert written("contact.city", "Leeds") == [("property:contact:51:city", "Leeds")]


def test_what_is_written_on_a_merged_contact_goes_to_the_one_it_became() -> None:
    merged = replace(LEA, attributes={MERGED_INTO: "77"})
    assert written("contact.city", contact=merged) == [("property:contact:77:city", "x")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("invoice.number", "deal.stage_changed brings no invoice, so invoice.number cannot be written"),
        ("deal.colour", "deal.colour is not read by .*hubspot.yaml, so it cannot be written"),
        ("deal.stage_label", "deal.stage_label is the name people see; write the property that has the stage's id"),
        ("contact.name", "contact.name is put together of first_name and last_name; write those"),
        ("contact.shoe_size", "contact.shoe_size is not read from contacts, so it cannot be written"),
    ],
)
def test_a_name_that_means_no_property_is_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(ImpossibleError, match=why):
        written(name)


def test_a_journey_on_a_schedule_has_no_record_but_the_contact() -> None:
    with pytest.raises(ImpossibleError, match="schedule:news brings no deal"):
        written("deal.stage", event="schedule:news", subject="contact:51")
    assert written("contact.city", event="schedule:news", subject="contact:51") == [("property:contact:51:city", "x")]


def test_one_property_that_cannot_be_written_keeps_the_others_of_its_step_unwritten() -> None:
    good = PropertyValue("deal", "name", Text("Roof", HERE))
    bad = PropertyValue("deal", "colour", Text("red", HERE))
    step = SetValues(id="s", path="steps[0]", place=HERE, properties=(good, bad))
    with pytest.raises(ImpossibleError):
        SETTER.values(wish(step), step)


def test_a_row_knows_its_record_and_property_again() -> None:
    step = Handoff(id="h", path="steps[0]", place=HERE, to=HandoffTo.WORKFLOW, workflow="Escalate: soon")
    row = SETTER.handoff(wish(step), step)
    ref, name = property_of(row)
    assert (str(ref), name) == ("contact:51", "sms_connector_handoff")
    assert row.payload == {"value": "Escalate: soon 2026-11-20T14:00:00Z"}
