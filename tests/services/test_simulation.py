"""Does a simulation let each answer come when it would, and say what became of it?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from connector.adapters.journey_files import journey_from_source
from connector.adapters.journey_world import World
from connector.adapters.rendering import Renderer
from connector.adapters.script_file import load_script, with_answers
from connector.adapters.world_files import read_world
from connector.domain.journey import Journey
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.rehearsing import Files, build_company
from connector.services.simulation import ACCOUNT_ID, Simulation, Transcript, to_json

ROOT = Path(__file__).parents[2]
BEGINS = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # a Monday, 11:00 in New York

HEADER = """
journey: played
title: Played
purpose: transactional
trigger:
  event: deal.stage_changed
enroll:
  key: deal.id
steps:
"""
LETTERS = """
  - id: hello
    send: {text: "Hi there"}
  - wait_for:
      within: 10 days
      cases:
        - reply: [GO]
          then:
            - send: {text: "Thanks"}
        - click: any
          then:
            - exit: looked
"""


@cache
def world() -> World:
    return read_world(ROOT / "mappings", ROOT / "templates")[0]


@cache
def files() -> Files:
    return Files.read(ROOT / "mappings")


def a_journey(steps: str) -> Journey:
    return journey_from_source({"journey": HEADER + steps, "templates": {}, "file": "played.yaml"})


def played(
    directory: Path, steps: str, script: str = "{}", replies: tuple[str, ...] = (), days: float = 30
) -> Transcript:
    journey, path = a_journey(steps), directory / "script.yaml"
    path.write_text(script, encoding="utf-8")
    read = with_answers(load_script(path, journey, world(), BEGINS), replies, ())
    company = build_company(files(), [journey], ACCOUNT_ID, read.at, "twilio", Renderer(sample_link=""))
    return Simulation(company, journey, read).run(read.at + timedelta(days=days))


def at(transcript: Transcript, kind: EntryKind) -> list[timedelta]:
    return [entry.at - BEGINS for entry in transcript.entries if entry.kind is kind]


def test_an_answer_without_a_time_does_not_wait_for_the_timed_ones(tmp_path: Path) -> None:
    transcript = played(tmp_path, LETTERS, replies=("STOP", "after 2 days: START"))
    assert list(transcript.replies.values()) == ["STOP", "START"]
    assert at(transcript, EntryKind.OPTED_OUT) == [timedelta(minutes=5)]
    assert at(transcript, EntryKind.OPTED_IN)[-1] == timedelta(days=2)


def test_answers_without_a_time_come_one_after_the_other(tmp_path: Path) -> None:
    transcript = played(tmp_path, LETTERS, replies=("hm", "what?", "GO", "bye"))
    minutes = [each / timedelta(minutes=1) for each in at(transcript, EntryKind.REPLY_RECEIVED)]
    assert minutes == [5, 6, 7, 12]  # the last one answers the thanks


def test_an_answer_to_a_text_that_never_came_never_comes(tmp_path: Path) -> None:
    transcript = played(tmp_path, LETTERS, script="contact: {phone: ''}", replies=("GO",))
    assert transcript.replies == {}


CODE = """
  - verify:
      text: "{{ code }} is the code."
      window: anytime
      then: [{exit: right}]
      else: [{exit: wrong}]
"""


def test_a_code_quoted_at_a_time_of_its_own_is_the_one_that_was_texted(tmp_path: Path) -> None:
    assert played(tmp_path, CODE, replies=("after 2 minutes: {{ code }}",)).outcome == "ended: right"


def test_a_code_quoted_before_any_text_is_empty(tmp_path: Path) -> None:
    transcript = played(tmp_path, "\n  - wait: 1 hour" + CODE, replies=("after 2 minutes: it is {{ code }}",))
    assert list(transcript.replies.values()) == ["it is "]


OWNER_FIRST = (
    """
  - send: {text: "Customer 99887 waits", to: owner, window: anytime}
  - wait: 1 hour
"""
    + CODE
    + """
"""
)


def test_what_the_owner_is_told_is_neither_the_contacts_code_nor_cue(tmp_path: Path) -> None:
    transcript = played(tmp_path, OWNER_FIRST, replies=("{{ code }}",))
    assert at(transcript, EntryKind.REPLY_RECEIVED) == [timedelta(hours=1, minutes=5)]
    assert transcript.outcome == "ended: right"


def test_an_owner_answers_what_the_owner_was_told(tmp_path: Path) -> None:
    transcript = played(tmp_path, OWNER_FIRST, script="then: [{owner_reply: ACK}]")
    assert at(transcript, EntryKind.REPLY_RECEIVED) == [timedelta(minutes=5)]


def test_an_owner_without_a_phone_says_nothing(tmp_path: Path) -> None:
    transcript = played(tmp_path, LETTERS, script="owner: {phone: ''}\nthen: [{after: 1 hour, owner_reply: ACK}]")
    assert at(transcript, EntryKind.OPTED_OUT) == []


def test_a_text_that_is_to_fail_does_not_arrive(tmp_path: Path) -> None:
    transcript = played(tmp_path, LETTERS, script="fails: [hello]")
    assert [(text.step, text.state) for text in transcript.texts.values()] == [("steps[0]", "undelivered")]


def test_a_link_is_followed_a_little_after_its_text(tmp_path: Path) -> None:
    steps = LETTERS.replace("Hi there", "See {{ 'https://example.com/x' | link('offer') }}")
    transcript = played(tmp_path, steps, script="then: [{click: offer}]")
    assert at(transcript, EntryKind.LINK_CLICKED) == [timedelta(minutes=5)]
    assert transcript.outcome == "ended: looked"


def test_who_had_opted_out_before_gets_nothing(tmp_path: Path) -> None:
    transcript = played(tmp_path, LETTERS, script="contact: {opted_out: yes}")
    assert {text.state for text in transcript.texts.values()} <= {"suppressed"}


def test_somebody_who_is_not_taken_in_is_told_why(tmp_path: Path) -> None:
    transcript = played(tmp_path, LETTERS, script="contact: {phone: ''}")
    assert "no phone number" in transcript.outcome


def test_an_event_that_the_journey_does_not_take_is_said(tmp_path: Path) -> None:
    assert played(tmp_path, LETTERS, script="event: contact.created").outcome == "no journey takes this event"


def test_a_play_that_is_cut_off_says_what_it_waits_for(tmp_path: Path) -> None:
    assert played(tmp_path, LETTERS, days=1).outcome.startswith("waits for")


def test_a_transcript_is_plain_json(tmp_path: Path) -> None:
    told = to_json(played(tmp_path, LETTERS, replies=("GO",)))
    assert [text["body"] for text in told["texts"]] == ["Hi there", "Thanks"]
    assert told["texts"][0]["at"] == "2026-11-23T16:00:00+00:00"
    received = next(entry for entry in told["entries"] if entry["kind"] == EntryKind.EVENT_RECEIVED)
    assert received["data"]["values"]["deal"]["name"] == "Website relaunch"


@pytest.mark.parametrize(("consent", "gets_it"), [("yes", True), ("no", False)])
def test_consent_is_on_record_unless_the_script_says_otherwise(tmp_path: Path, consent: str, *, gets_it: bool) -> None:
    offer = LETTERS.replace('send: {text: "Hi there"}', 'send: {text: "Hi there", purpose: marketing}')
    transcript = played(tmp_path, offer, script=f"contact: {{marketing: {consent}}}")
    assert any(text.state == "delivered" for text in transcript.texts.values()) is gets_it


def test_values_that_json_does_not_know_are_told_as_text() -> None:
    data = {"seen": [BEGINS, None, 3], "amount": timedelta(0)}
    entry = TimelineEntry("a", EntryKind.STEP_TAKEN, "enrollment:1", "", BEGINS, "said", data=data)
    (told,) = to_json(Transcript((entry,), {}))["entries"]
    assert told["data"] == {"seen": ["2026-11-23 16:00:00+00:00", None, 3], "amount": "0:00:00"}
