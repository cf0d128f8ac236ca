"""Does an enrollment's state come back from the ledger as it was, and what does a state from an older version mean?"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from connector.domain.run import Fact, RunState, Sent
from connector.domain.timeline import EntryKind
from tests.domain.journey_parts import HOUR, MINUTE, NOW, reply, send

FULL = RunState(
    enrollment_id="e7",
    since=NOW,
    base_at=NOW + MINUTE,
    cursor="steps[2]",
    entered_at=NOW + 2 * MINUTE,
    sent=(Sent("first", "steps[0]", "m1"), Sent("steps[1]", "steps[1]", "m2")),
    send_error="no usable number",
    used=("reply:1", "event:2"),
    keywords={"reply:1": "PAID"},
    trigger="event:trigger",
    vars={"due": Decimal("12.50"), "since": NOW, "none": None},
    target=NOW + HOUR,
    asked="e7:steps[2]",
    arms={"tone": "firm"},
    revision=3,
)


def test_everything_a_state_holds_comes_back() -> None:
    bare = RunState("e7", since=NOW, base_at=NOW)
    assert all(getattr(FULL, field.name) != getattr(bare, field.name) for field in fields(FULL)[3:])
    assert RunState.from_json(json.loads(json.dumps(FULL.to_json()))) == FULL
    assert RunState.from_json(json.loads(json.dumps(bare.to_json()))) == bare


@pytest.mark.parametrize("name", [field.name for field in fields(RunState)])
def test_a_state_is_kept_under_the_names_it_has(name: str) -> None:
    assert name in FULL.to_json()


def test_a_state_of_the_first_version_has_no_target_no_key_no_arms_and_was_never_moved() -> None:
    document = {
        name: value for name, value in FULL.to_json().items() if name not in {"target", "asked", "arms", "revision"}
    }
    assert RunState.from_json(document) == replace(FULL, target=None, asked="", arms={}, revision=0)


def test_a_key_changes_with_every_move_to_another_version() -> None:
    assert replace(FULL, revision=0).key(send("steps[2]")) == "e7:steps[2]"
    assert FULL.key(send("steps[2]")) == "e7:r3:steps[2]"


@pytest.mark.parametrize(("names", "said"), [({"last_reply": {"text": "paid"}}, {"text": "paid"}), ({}, {})])
def test_a_reply_is_seen_with_the_keyword_it_was_taken_for(names: dict[str, Any], said: dict[str, Any]) -> None:
    fact = Fact("reply:1", EntryKind.REPLY_RECEIVED, NOW, text="paid", names={**names, "event": {}})
    assert fact.reply_names("PAID") == {"event": {}, "last_reply": {**said, "keyword": "PAID"}}


def test_a_reply_or_a_click_to_another_enrollment_is_nobody_elses_business() -> None:
    ours, unknown, foreign = (reply("yes", NOW, enrollment_id=name) for name in ("e7", None, "e8"))
    assert [each.concerns("e7") for each in (ours, unknown, foreign)] == [True, True, False]
    clicked = Fact("click:1", EntryKind.LINK_CLICKED, NOW, "payment", enrollment_id="e8")
    paid = replace(clicked, kind=EntryKind.EVENT_RECEIVED)
    assert [each.concerns("e7") for each in (clicked, paid)] == [False, True]
