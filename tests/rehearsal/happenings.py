"""What happens in the plays that simulation and life must both come out of alike?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hypothesis import strategies as st

from connector.domain.journey import Journey
from connector.domain.steps import CaseKind, WaitFor, walk

CODE = "{{ code }}"
"""A reply that is whichever code was texted last."""

TRIGGERS = ("invoice.overdue", "deal.stage_changed", "contact.created")
_WORDS = (
    "ALPHA",
    "alpha!",
    "BRAVO",
    "42",
    "yes",
    "no",
    "paid",
    "call me",
    CODE,
    CODE,
    "STOP",
    "START",
    "HELP",
    "what?",
)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Cue:
    """One thing that happens.

    Attributes:
        after: how long after the play began.
        kind: `event`, `reply`, `owner` (a reply of the owner's), or `click`.
        word: the event's name, the reply's words, or the link's name.
        amount: what the record is worth from then on, where it is an event of one.
    """

    after: timedelta
    kind: str
    word: str
    amount: int = 600


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything that happens in one play, the event that begins it first."""

    cues: tuple[Cue, ...]
    has_marketing_consent: bool = True
    failing: frozenset[str] = frozenset()
    """Steps whose texts do not arrive."""


def _some_time() -> st.SearchStrategy[timedelta]:
    """Give times from minutes to weeks; at odd seconds, so that nothing happens just when something is due."""
    minutes = st.integers(1, 90) | st.integers(1, 3 * 24 * 60) | st.integers(1, 30 * 24 * 60)
    return minutes.map(lambda count: count * _MINUTE + timedelta(seconds=17))


def _later(journey: Journey) -> st.SearchStrategy[Cue]:
    steps = list(walk(journey.steps))
    awaited = [case for step in steps if isinstance(step, WaitFor) for case in step.cases]
    words = [keyword for case in awaited for keyword in case.keywords]
    usual = st.sampled_from([*_WORDS, *words, *words])
    replies = st.integers(0, 30).flatmap(lambda rarely: usual if rarely else st.just("STOP"))
    clicks = st.tuples(st.just("click"), st.sampled_from(["payment", ""]))
    kinds = [
        st.tuples(st.just("reply"), replies),
        st.tuples(st.just("owner"), replies),
        st.tuples(st.just("event"), st.sampled_from([*TRIGGERS, "invoice.paid"])),
        *([clicks, clicks] if any(case.kind is CaseKind.CLICK for case in awaited) else [clicks]),
    ]
    amounts = st.sampled_from([5, 600, 900])
    return st.builds(_cue, _some_time(), st.one_of(kinds), amounts)


def _cue(after: timedelta, what: tuple[str, str], amount: int) -> Cue:
    return Cue(after, *what, amount)


@st.composite
def plots(draw: st.DrawFn, journey: Journey) -> Plot:
    """Draw a play of a journey: the event that starts it, and whatever comes then."""
    begins = Cue(timedelta(0), "event", journey.trigger.event, draw(st.sampled_from([5, 600, 900])))
    later = draw(st.lists(_later(journey), max_size=8, unique_by=lambda cue: cue.after))
    paths = [step.path for step in walk(journey.steps)]
    failing = draw(st.frozensets(st.sampled_from(paths), max_size=2)) if draw(st.integers(0, 3)) == 3 else frozenset()
    has_consent = draw(st.integers(0, 5)) < 5
    cues = (begins, *sorted(later, key=lambda cue: cue.after))
    return Plot(cues, has_consent, failing)
