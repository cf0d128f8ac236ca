"""Does every journey that a file can say keep the laws of a decision: it ends or waits, and says the same twice?"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.journey_files import read_journey
from connector.adapters.rendering import Renderer
from connector.adapters.yaml_file import read_yaml
from connector.domain.enrollment import Fact, SendSMS, begin, decide
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind
from tests.domain.random_journeys import NOW, code_for
from tests.journey_strategies import FILE, NAME, JourneyDocument, journey_documents, world

_NAMES = {
    "contact": {"id": "42", "city": "Leeds", "email": None, "company": None, "phone": "+12025550143"},
    "invoice": {"id": "7", "balance_due": 600, "due_at": NOW, "due_on": NOW.date()},
    "deal": {"id": "9", "amount": 400, "closes_at": NOW + timedelta(days=9)},
}
_LOOKS = 40
_OUTSIDE = ("accepted", "failed", "nothing", "ALPHA", "done")


@given(document=journey_documents(), what_happens=st.lists(st.sampled_from(_OUTSIDE), max_size=_LOOKS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_file_decides_the_same_twice_and_ends_or_waits(document: JourneyDocument, what_happens: list[str]) -> None:
    journey, _ = read_journey(read_yaml(document.text, FILE), NAME, world())
    assert journey is not None
    around = Surroundings(Renderer().evaluate, zones=("America/New_York",), country="US", code_for=code_for)
    state, now, facts, sent = begin("e1", trigger="event:trigger", occurred_at=NOW, now=NOW), NOW, list[Fact](), 0
    for word in [*what_happens, "nothing"]:
        decision = decide(journey, state, facts, _NAMES, now, around)
        assert decision == decide(journey, state, facts[::-1], _NAMES, now, around)
        assert decision.ended == (decision.due_at is None) == (not decision.waits_for) == bool(decision.exit_reason)
        if decision.due_at is None:
            return
        assert decision.due_at > now
        state = decision.state
        for action in decision.actions:
            if isinstance(action, SendSMS):
                sent += 1
                state = state.with_message(action.step, f"m{sent}")
        now = decision.due_at if word == "nothing" else now + timedelta(minutes=1)
        number = f"{word}:{len(facts)}"
        if word in {"accepted", "failed"}:
            facts.append(Fact(number, EntryKind.MESSAGE_MOVED, now, word, f"m{sent}"))
        elif word == "done":
            facts.append(Fact(number, EntryKind.EFFECT_DONE, now, key=state.asked or "none"))
        elif word == "ALPHA":
            names = {"last_reply": {"text": word, "at": now}}
            facts.append(Fact(number, EntryKind.REPLY_RECEIVED, now, "", number, word, names))
