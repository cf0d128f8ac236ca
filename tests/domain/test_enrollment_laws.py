"""Is there any journey, and any order of events, with which a decision raises, hangs, or contradicts itself?

Random journeys of every kind of step meet random facts at random times; whatever they are, an enrollment must end or
wait with a time and a word for what it waits for, and must decide and explain itself the same way twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from connector.domain.enrollment import Decision, Fact, GrantConsent, Perform, RunState, SendSMS, begin, decide
from connector.domain.journey import Journey
from connector.domain.steps import Step, walk
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind
from tests.domain.random_journeys import EVENTS, LINKS, MINUTE, NOW, journeys, surroundings

STATES = ("held", "queued", "accepted", "unknown", "delivered", "failed", "expired", "suppressed", "martian")
TEXTS = ("yes", "no", "stop it, please", "", "1", "the code")
KINDS = ("reply", "event", "moved", "look", "opted out", "click", "done", "undone")
NAMES: Mapping[str, object] = {"contact": {"id": "42"}, "event": {}}

Happening = tuple[timedelta, str, str]
minutes = st.integers(0, 2000).map(lambda count: count * MINUTE)
anything = st.tuples(minutes, st.sampled_from(KINDS), st.sampled_from([*STATES, *EVENTS, *TEXTS, *LINKS]))
usual = st.sampled_from([("moved", "accepted"), ("reply", "the code"), ("reply", "yes"), ("done", "")])
"""What mostly happens; mere chance would hardly ever let a journey get far."""
happenings = st.lists(anything | st.tuples(minutes, usual).map(lambda each: (each[0], *each[1])), max_size=16).map(
    sorted
)


class World:
    """Plays one enrollment as the service does: each message made gets an id, its moves become facts."""

    def __init__(self, journey: Journey, around: Surroundings) -> None:
        self.journey, self.around = journey, around
        self.state = begin("e1", trigger="event:trigger", occurred_at=NOW, now=NOW)
        self.facts: list[Fact] = []
        self.keys: list[str] = []
        self.codes: list[str] = []
        self.performed: list[str] = []
        self.granted: list[str] = []
        self.ended = False
        self.seen: set[str] = set()

    def happen(self, at: timedelta, kind: str, word: str) -> None:
        number, when = f"{kind}:{len(self.facts)}", NOW + at
        if kind == "reply":
            text = self.codes[-1] if word == "the code" and self.codes else word
            names = {"last_reply": {"text": text, "at": when}}
            self.facts.append(Fact(number, EntryKind.REPLY_RECEIVED, when, "", number, text, names))
        elif kind == "event":
            self.facts.append(Fact(number, EntryKind.EVENT_RECEIVED, when, word, names={"event": {"name": word}}))
        elif kind == "opted out":
            self.facts.append(Fact(number, EntryKind.OPTED_OUT, when))
        elif kind == "click":
            self.facts.append(Fact(number, EntryKind.LINK_CLICKED, when, word))
        elif kind == "moved" and self.keys:
            self.facts.append(Fact(number, EntryKind.MESSAGE_MOVED, when, word, f"message-{len(self.keys)}"))
        elif kind in {"done", "undone"} and self.performed:
            end = EntryKind.EFFECT_DONE if kind == "done" else EntryKind.EFFECT_FAILED
            self.facts.append(Fact(number, end, when, names={"answer": {"left": 3}}, key=self.performed[-1]))

    def decide(self, at: timedelta, facts: list[Fact], stop_reason: str = "") -> Decision:
        return decide(self.journey, self.state, facts, NAMES, NOW + at, self.around, stop_reason=stop_reason)

    def look(self, at: timedelta) -> Decision:
        decision = self.decide(at, self.facts)
        assert decision == self.decide(at, self.facts[::-1])
        assert decision.ended == (decision.due_at is None) == bool(decision.exit_reason)
        assert decision.ended or decision.waits_for
        assert decision.due_at is None or decision.due_at > NOW + at
        assert not any(len(code) > 1 and code in repr(decision.trace) for code in self.codes)
        self.record(decision)
        return decision

    def record(self, decision: Decision) -> None:
        assert not self.ended
        self.state, self.ended = decision.state, decision.ended
        self.seen |= {line.path for line in decision.trace} | {decision.state.cursor}
        self.seen |= {action.step.path for action in decision.actions}
        for action in decision.actions:
            if isinstance(action, SendSMS):
                assert action is decision.actions[-1]
                assert not decision.ended
                self.keys.append(action.key)
                self.codes += [action.code] if action.code else []
                self.state = self.state.with_message(action.step, f"message-{len(self.keys)}")
            elif isinstance(action, Perform):
                self.performed.append(action.key)
            elif isinstance(action, GrantConsent):
                self.granted.append(action.message_id)
        self.state = RunState.from_json(self.state.to_json())


def play(journey: Journey, around: Surroundings, what_happens: list[Happening]) -> World:
    world = World(journey, around)
    world.look(timedelta(0))
    for at, kind, word in what_happens:
        if world.ended:
            break
        world.happen(at, kind, word)
        world.look(at)
    return world


@given(journeys(), surroundings, happenings)
def test_any_journey_decides_the_same_twice_and_ends_or_waits_with_a_time(
    journey: Journey, around: Surroundings, what_happens: list[Happening]
) -> None:
    play(journey, around, what_happens)


@given(journeys(), surroundings, happenings)
def test_nothing_is_asked_for_twice_and_every_key_names_a_step_of_the_journey(
    journey: Journey, around: Surroundings, what_happens: list[Happening]
) -> None:
    world = play(journey, around, what_happens)
    asked = [*world.keys, *world.performed]
    assert len(asked) == len(set(asked))
    assert {key.partition(":")[2] for key in asked} <= {step.path for step in walk(journey.steps)}
    assert len(world.granted) == len(set(world.granted))


@given(journeys(), surroundings, happenings, st.sampled_from(["the code", "yes", "1"]))
def test_every_journey_ends_once_its_texts_are_out_its_effects_done_and_time_has_passed(
    journey: Journey, around: Surroundings, what_happens: list[Happening], answer: str
) -> None:
    world = play(journey, around, what_happens)
    at = timedelta(days=30) if what_happens else timedelta(0)
    for _ in range(6 * len(list(walk(journey.steps))) + 2):
        if world.ended:
            return
        for kind, word in (("moved", "accepted"), ("reply", answer), ("done", "")):
            world.happen(at, kind, word)
        decision = world.look(at)
        if decision.due_at is not None and decision.due_at.year > 9000:
            return  # a journey may wait for the end of the calendar, if it says so
        at = max(at, (decision.due_at or NOW) - NOW)
    raise AssertionError(f"still waiting for {world.look(at).waits_for}")


@given(journeys(), surroundings, happenings, st.sampled_from(["the contact opted out", "the account is disconnected"]))
def test_a_reason_to_stop_ends_any_enrollment_without_another_message(
    journey: Journey, around: Surroundings, what_happens: list[Happening], reason: str
) -> None:
    world = play(journey, around, what_happens)
    decision = world.decide(timedelta(days=30), world.facts, reason)
    assert (decision.ended, decision.actions, decision.exit_reason) == (True, (), reason)


_ROUNDS = 10  # two or three do


def test_the_plays_get_to_every_kind_of_step() -> None:
    """Laws about journeys that end at their first step would say little."""
    reached: set[str] = set()
    wanted = {kind.__name__ for kind in Step.__subclasses__()}

    @given(journeys(), surroundings, happenings)
    @settings(max_examples=300, database=None, deadline=None)
    def look(journey: Journey, around: Surroundings, what_happens: list[Happening]) -> None:
        world = play(journey, around, what_happens)
        reached.update(type(step).__name__ for step in walk(journey.steps) if step.path in world.seen)

    for number in range(_ROUNDS):
        if reached != wanted:
            seed(number)(look)()
    assert reached == wanted
