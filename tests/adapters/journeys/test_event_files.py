"""Event files: what they declare is found, and each mistake in one is told where it is."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from connector.adapters.event_files import load_events
from connector.adapters.journey_files import load_journeys
from connector.domain.event_mapping import ContactFrom, OnChange, Poll, PollFilter, ValueKind
from connector.services.needed_events import events_named
from tests.adapters.journeys.conftest import ROOT

HERE = "⟦"
EVENTS = """\
crm: hubspot
contact:
  read:
    first_name: firstname
    name: [first_name]
events:
  deal.stage_changed:
    on: {object: deal, property: dealstage}
    read:
      deal: {id: hs_object_id, amount: {money: amount}}
    contact: {associated: deal, prefer: primary}
  invoice.overdue:
    poll:
      every: 15 minutes
      object: invoice
      where: [hs_due_date < now, 'a in (b, c)', d exists, e >= now - 2 weeks]
      once_per: [hs_object_id]
    read: {invoice: {id: hs_object_id}}
    contact: {associated: invoice}
  contact.created:
    on: {object: contact, kind: created}
    contact: self
"""


def _write(folder: Path, text: str, name: str = "hubspot.yaml") -> Path:
    (folder / "events").mkdir(exist_ok=True)
    (folder / "events" / name).write_text(text, encoding="utf-8")
    return folder


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    shelf = load_events(_write(tmp_path, EVENTS))
    assert shelf.mistakes == ()
    (stage,) = shelf.catalogue.find("deal.stage_changed")
    assert isinstance(stage.source, OnChange)
    assert (stage.source.property_name, stage.contact.prefer, stage.line) == ("dealstage", "primary", 7)
    assert stage.read["deal"]["amount"].kind is ValueKind.MONEY
    (overdue,) = shelf.catalogue.find("invoice.overdue")
    assert isinstance(overdue.source, Poll)
    assert overdue.source.where == (
        PollFilter("hs_due_date", "LT", "now"),
        PollFilter("a", "IN", ("b", "c")),
        PollFilter("d", "HAS_PROPERTY"),
        PollFilter("e", "GTE", "now", timedelta(weeks=2)),
    )
    (created,) = shelf.catalogue.find("contact.created")
    assert created.contact.source is ContactFrom.SELF
    assert shelf.catalogue.contact_names() == {"id", "first_name", "name"}


@pytest.mark.parametrize(
    ("old", "marked", "path", "message", "suggestion"),
    [
        (
            "property: dealstage",
            "⟦propery: dealstage",
            "events.deal.stage_changed.on.propery",
            "is not a key",
            "property",
        ),
        (", property: dealstage", "", "events.deal.stage_changed.on", "expected a `property` that changed", None),
        (
            "{money: amount}",
            "{⟦mony: amount}",
            "events.deal.stage_changed.read.deal.amount.mony",
            "no kind of value",
            "money",
        ),
        ("{money: amount}", "⟦[amount]", "events.deal.stage_changed.read.deal.amount", "expected a property", None),
        (
            "associated: deal",
            "associated: ⟦ticket",
            "events.deal.stage_changed.contact.associated",
            "is about a deal",
            None,
        ),
        ("15 minutes", "⟦15 seconds", "events.invoice.overdue.poll.every", "more often than once a minute", None),
        (
            "hs_due_date < now",
            "⟦hs_due_date before now",
            "events.invoice.overdue.poll.where[0]",
            "is no condition",
            None,
        ),
        ("now - 2 weeks", "now - soon", "events.invoice.overdue.poll.where[3]", "is not a duration", None),
        ("kind: created", "kind: ⟦deleted", "events.contact.created.on.kind", "is not one of created, changed", None),
        (
            "contact: self",
            "⟦contakt: self",
            "events.contact.created.contakt",
            "is not a key",
            "did you mean `contact`?",
        ),
        ("name: [first_name]", "name: ⟦[first, last]", "contact.read.name", "which is not read here", None),
        ("  contact.created:", "  ⟦created:", "events.created", "is no event name", None),
        ("crm: hubspot", "crm: ⟦salesforce", "crm", "the file is named hubspot", None),
    ],
)
def test_a_mistake_is_told_where_it_is(
    old: str, marked: str, path: str, message: str, suggestion: str | None, tmp_path: Path
) -> None:
    text = EVENTS.replace(old, marked, 1)
    found = [each for each in load_events(_write(tmp_path, text.replace(HERE, ""))).mistakes if each.path == path]
    assert found
    if HERE in text:
        before = text[: text.index(HERE)]
        assert (found[0].line, found[0].column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert message in found[0].message
    assert (suggestion or "") in (found[0].suggestion or "")


def test_an_event_with_a_mistake_leaves_the_others_standing(tmp_path: Path) -> None:
    shelf = load_events(_write(tmp_path, EVENTS.replace("property: dealstage", "propery: dealstage")))
    assert shelf.catalogue.names() == ("invoice.overdue", "contact.created")


def test_a_file_that_is_no_yaml_leaves_the_others_standing(tmp_path: Path) -> None:
    _write(tmp_path, "crm: @x\n", "broken.yaml")
    shelf = load_events(_write(tmp_path, EVENTS))
    assert [mistake.line for mistake in shelf.mistakes] == [1]
    assert "deal.stage_changed" in shelf.catalogue.names()


def test_a_journey_for_any_crm_sees_only_what_every_crm_has(tmp_path: Path) -> None:
    other = EVENTS.replace("crm: hubspot", "crm: other").replace("amount: {money: amount}", "size: size")
    _write(tmp_path, other, "other.yaml")
    catalogue = load_events(_write(tmp_path, EVENTS)).catalogue
    assert set(catalogue.records("deal.stage_changed")["deal"]) == {"id"}
    assert set(catalogue.records("deal.stage_changed", "hubspot")["deal"]) == {"id", "amount"}


def test_every_shipped_hubspot_event_serves_a_journey() -> None:
    shelf = load_events(ROOT / "mappings")
    assert shelf.mistakes == ()
    journeys = load_journeys(ROOT / "mappings", ROOT / "templates").journeys.values()
    named = events_named(replace(each, enabled=True) for each in journeys)
    # An appointment that moves wakes who waits for it; no journey has to name it. The rest is there for your own.
    own = {"appointment.moved", "appointment.coming_up", "deal.owner_changed", "form.submitted", "task.completed"}
    assert set(shelf.catalogue.names("hubspot")) == named | own | {"task.due", "ticket.stage_changed"}
