"""Does a script say what is to be played, with plausible values for the rest, and is each mistake told at its place?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connector.adapters.check import check
from connector.adapters.journey_world import World
from connector.adapters.plausible_times import AHEAD, BEHIND, placed
from connector.adapters.script_file import load_script, read_moment, with_answers
from connector.adapters.world_files import read_world
from connector.domain.event import ObjectRef
from connector.domain.journey import Journey
from connector.domain.script import Script, ScriptedClick, ScriptedEvent, ScriptedReply
from connector.errors import ConfigurationError, MappingError

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
THEN = "at: 2024-02-05T09:00+00:00\n"
THEN_AT = datetime(2024, 2, 5, 9, 0, tzinfo=UTC)


@cache
def shelf() -> tuple[dict[str, Journey], World]:
    mappings, templates = ROOT / "mappings", ROOT / "templates"
    return dict(check(mappings, templates).journeys), read_world(mappings, templates)[0]


def read(directory: Path, text: str, journey: str = "invoice-overdue") -> Script:
    path = directory / "script.yaml"
    path.write_text(text, encoding="utf-8")
    journeys, world = shelf()
    return load_script(path, journeys[journey], world, NOW)


def mistakes(directory: Path, text: str, journey: str = "invoice-overdue") -> list[str]:
    with pytest.raises(MappingError) as caught:
        read(directory, text, journey)
    return [
        f"{each.line}:{each.path}: {each.message}" + (f" ({each.suggestion})" if each.suggestion else "")
        for each in caught.value.mistakes
    ]


def test_no_file_at_all_is_a_script_of_plausible_values() -> None:
    journeys, world = shelf()
    script = load_script(None, journeys["invoice-overdue"], world, NOW)
    assert (script.at, script.start.name, script.start.ref) == (
        NOW,
        "invoice.overdue",
        ObjectRef("invoice", "18204417"),
    )
    assert script.contact.msisdn == "+12025550143"
    assert script.contact.has_marketing_consent
    assert not script.contact.is_opted_out


def test_an_empty_file_is_one_too(tmp_path: Path) -> None:
    assert read(tmp_path, "").at == NOW


# --- times --------------------------------------------------------------------------------------------------------


def test_plausible_times_lie_around_the_time_of_the_script_not_of_the_machine(tmp_path: Path) -> None:
    appointment = read(tmp_path, THEN, "appointment").start.values["appointment"]
    assert appointment["starts_at"] == THEN_AT + AHEAD


def test_an_overdue_invoice_was_due_before_its_journey_starts(tmp_path: Path) -> None:
    invoice = read(tmp_path, THEN).start.values["invoice"]
    assert invoice["due_at"] == THEN_AT - BEHIND
    assert invoice["due_on"] == date(2024, 2, 2)


def test_a_later_event_has_its_times_around_the_start_of_the_script_too(tmp_path: Path) -> None:
    script = read(tmp_path, THEN + "then: [{after: 1 hour, event: appointment.booked}]")
    (cue,) = script.cues
    assert isinstance(cue, ScriptedEvent)
    assert cue.values["appointment"]["starts_at"] == THEN_AT + AHEAD


def test_a_time_that_is_read_as_a_text_is_a_time_as_crms_write_them(tmp_path: Path) -> None:
    trial = read(tmp_path, THEN, "trial").start.values["trial"]
    assert trial["started_at"] == (THEN_AT - BEHIND).isoformat()
    assert trial["ends_on"] == (THEN_AT + AHEAD).date()


@pytest.mark.parametrize(
    ("name", "event", "is_past"),
    [
        ("created_at", "deal.won", True),
        ("last_visited_on", "deal.won", True),
        ("paid_at", "invoice.paid", True),
        ("due_at", "invoice.overdue", True),
        ("due_at", "invoice.sent", False),
        ("starts_at", "invoice.overdue", False),
        ("respond_by", "ticket.created", False),
    ],
)
def test_what_was_done_lies_behind_and_all_else_ahead(name: str, event: str, *, is_past: bool) -> None:
    there = placed({"record": {name: NOW, "title": "kept"}}, event, THEN_AT)
    assert there == {"record": {name: THEN_AT - BEHIND if is_past else THEN_AT + AHEAD, "title": "kept"}}


def test_a_day_that_is_read_as_a_text_is_a_day() -> None:
    assert placed({"visit_on": "2026-11-20"}, "deal.won", THEN_AT) == {"visit_on": "2024-02-08"}


def test_a_time_without_an_offset_is_on_the_accounts_clock(tmp_path: Path) -> None:
    script = read(tmp_path, "at: 2026-11-23 09:00\naccount: {time_zone: America/New_York}")
    assert script.at == datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    assert script.contact.time_zone == "America/New_York"


@pytest.mark.parametrize("text", ["9999-12-31T23:00+00:00", "0001-01-01T00:00+14:00", "1999-12-31"])
def test_a_time_that_no_journey_will_see_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not between the years 2000 and 2200"):
        read_moment(text, ZoneInfo("UTC"))


# --- who ----------------------------------------------------------------------------------------------------------


def test_who_the_contact_is(tmp_path: Path) -> None:
    contact = read(
        tmp_path,
        "contact: {id: '7', first_name: Ada, phone: 020 7946 0123, country: GB, locale: de-AT, "
        "time_zone: Europe/Vienna, marketing: no, opted_out: yes}",
    ).contact
    assert (contact.crm_id, contact.msisdn, contact.country) == ("7", "+442079460123", "GB")
    assert (contact.locale, contact.time_zone) == ("de-AT", "Europe/Vienna")
    assert contact.attributes["first_name"] == "Ada"
    assert not contact.has_marketing_consent
    assert contact.is_opted_out


def test_a_number_that_is_said_brings_its_own_time_zone(tmp_path: Path) -> None:
    assert read(tmp_path, 'contact: {phone: "+12025550143"}').contact.time_zone is None


def test_a_contact_may_have_no_number_and_an_owner_no_phone(tmp_path: Path) -> None:
    script = read(tmp_path, "contact: {phone: }\nowner: {name: Kim, phone: }")
    assert script.contact.msisdn is None
    assert script.owner is not None
    assert script.owner.name == "Kim"
    assert script.account["owner_phones"] == {}


# --- what happens -------------------------------------------------------------------------------------------------


def test_what_happens_then(tmp_path: Path) -> None:
    script = read(
        tmp_path,
        "invoice: {id: '5', number: A-1}\nfails: [first]\nanswers: {stock: {left: '3'}}\nthen:\n"
        "  - reply: hello\n  - {after: 1 hour, owner_reply: ACK}\n  - click:\n"
        "  - {after: 2 hours, click: payment}\n  - {after: 3 hours, event: invoice.paid, invoice: {status: paid}}\n",
    )
    *others, paid = script.cues
    assert others == [
        ScriptedReply("hello"),
        ScriptedReply("ACK", timedelta(hours=1), is_owners=True),
        ScriptedClick(),
        ScriptedClick("payment", timedelta(hours=2)),
    ]
    assert isinstance(paid, ScriptedEvent)
    assert (paid.ref, paid.after) == (ObjectRef("invoice", "5"), timedelta(hours=3))
    assert (paid.values["invoice"]["number"], paid.values["invoice"]["status"]) == ("A-1", "paid")
    assert script.fails == {"first"}
    assert script.answers == {"stock": {"left": "3"}}


def test_the_command_line_adds_answers() -> None:
    journeys, world = shelf()
    script = load_script(None, journeys["invoice-overdue"], world, NOW)
    assert with_answers(script, ["STOP", "after 2 days: START"], ["payment"]).cues == (
        ScriptedReply("STOP"),
        ScriptedReply("START", timedelta(days=2)),
        ScriptedClick("payment"),
    )
    with pytest.raises(ConfigurationError, match=r"--reply after 2 fortnights: hi: .* no known unit"):
        with_answers(script, ["after 2 fortnights: hi"], [])


# --- mistakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a", "1:: expected a script"),
        ("event: invoice.overdu", "1:event: no event is named `invoice.overdu` (did you mean"),
        ("event: abc.xyz", "1:event: no event is named `abc.xyz` (there are"),
        ("invoce: {}", "1:invoce: `invoce` is not a key of a script"),
        ("invoice: x", "1:invoice: expected names with values"),
        ("invoice: {number: {a: b}}", "1:invoice.number: expected a text"),
        ("invoice: {numbr: a}", "1:invoice.numbr: invoice.overdue reads no `invoice.numbr` (did you mean"),
        ("invoice: {xyzzy: a}", "1:invoice.xyzzy: invoice.overdue reads no `invoice.xyzzy` (there are"),
        ("contact: x", "1:contact: expected names with values"),
        ("contact: {frist_name: a}", "1:contact.frist_name: a contact has no `frist_name` (did you mean"),
        ("contact: {xyzzy: a}", "1:contact.xyzzy: a contact has no `xyzzy` (there are"),
        ("contact: {phone: '12'}", "1:contact.phone: "),
        ("contact: {marketing: perhaps}", "1:contact.marketing: expected yes or no"),
        ("contact: {time_zone: Mars/Base}", "1:contact.time_zone: `Mars/Base` is no IANA time zone"),
        ("at: 2026-11-20 15:30\naccount: {time_zone: Mars/Base}", "2:account.time_zone: `Mars/Base` is no IANA"),
        (
            "account: {time_zone: Europe/Londn}",
            "1:account.time_zone: `Europe/Londn` is no IANA time zone (did you mean",
        ),
        ("at: soon", "1:at: `soon` is no time"),
        ("at: 9999-12-31T23:00+00:00", "1:at: `9999-12-31T23:00+00:00` is not between the years"),
        ("fails: [frist]", "1:fails: invoice-overdue has no step `frist` that sends a text (did you mean"),
        ("fails: [xyzzy]", "1:fails: invoice-overdue has no step `xyzzy` that sends a text (there are"),
        ("fails: {a: b}", "1:fails: "),
        ("answers: 3", "1:answers: expected endpoints with their answers"),
        ("then: [{reply: a, click: b}]", "1:then[0]: expected one of reply, owner_reply, event and click"),
        ("then: [{after: 1 hour}]", "1:then[0]: expected one of reply"),
        ("then: [reply]", "1:then[0]: expected something that happens"),
        ("then: [{after: 2 fortnights, reply: hi}]", "1:then[0].after: "),
        ("then: [{event: invoice.payd}]", "1:then[0].event: no event is named `invoice.payd` (did you mean"),
        ("then: [{event: invoice.paid, invoice: {nmber: a}}]", "1:then[0].invoice.nmber: invoice.paid reads no"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert [each[: len(told)] for each in mistakes(tmp_path, text)] == [told]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    assert len(mistakes(tmp_path, "at: soon\ncontact: {time_zone: Mars/Base}\nfails: [xyzzy]")) == 3
