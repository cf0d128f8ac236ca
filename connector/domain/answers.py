"""Which of the things a `wait_for` waits for came first?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connector.domain.consent import matches_keyword
from connector.domain.journey import Case, CaseKind, WaitFor
from connector.domain.message import MessageState
from connector.domain.progress import OVER, Progress
from connector.domain.run import Fact
from connector.domain.timeline import EntryKind


@dataclass(frozen=True, slots=True)
class Answer:
    """A fact that one of the cases waited for."""

    case: Case
    fact: Fact
    summary: str
    values: Mapping[str, Any]


def first_answer(run: Progress, step: WaitFor, deadline: datetime) -> Answer | None:
    """Find the first fact up to the deadline that a case waits for; of several cases the first in the file wins.

    What happened between the enrollment's start and this step counts too. A reply or an event that answered an
    earlier `wait_for` does not answer again; what became of a message stays true and may be asked for twice.

    Raises:
        ConditionError: a case's `where` cannot be evaluated.
    """
    for fact in run.facts:
        if fact.at > deadline or fact.id in run.state.used or fact.id == run.state.trigger:
            continue
        for case in step.cases:
            answer = _matched(run, case, fact)
            if answer is not None:
                return answer
    return None


def use_up(run: Progress, answer: Answer) -> None:
    """Let a reply or an event answer once only."""
    if answer.case.kind in {CaseKind.REPLY, CaseKind.EVENT}:
        run.state = replace(run.state, used=(*run.state.used, answer.fact.id))


def waited_for(step: WaitFor) -> str:
    """Say for people what a `wait_for` waits for."""
    return " or ".join(_wordings(step))


def _wordings(step: WaitFor) -> Iterator[str]:
    for case in step.cases:
        if case.kind is CaseKind.REPLY:
            yield f"a reply ({', '.join(case.keywords)})" if case.keywords else "a reply"
        elif case.kind is CaseKind.EVENT:
            yield f"the event {case.event}"
        else:
            yield f"the text to be {case.kind.value}"


def _matched(run: Progress, case: Case, fact: Fact) -> Answer | None:
    summary = _what_matches(run, case, fact)
    if summary is None:
        return None
    if case.where is None:
        return Answer(case, fact, summary, {})
    holds, values = run.holds(case.where, fact.names)
    if not holds:
        run.note(case.path, case.where.place, f"unmet:{fact.id}", f"{summary}, but its condition did not hold", values)
        return None
    return Answer(case, fact, summary, values)


def _what_matches(run: Progress, case: Case, fact: Fact) -> str | None:
    if case.kind is CaseKind.REPLY:
        return _reply(case, fact)
    if case.kind is CaseKind.EVENT:
        is_it = fact.kind is EntryKind.EVENT_RECEIVED and fact.name == case.event
        return f"{case.event} happened" if is_it else None
    wanted = {MessageState.DELIVERED} if case.kind is CaseKind.DELIVERED else OVER
    is_it = fact in run.moves_of(_message_meant(run, case)) and fact.name in wanted
    return f"the text is {fact.name}" if is_it else None


def _reply(case: Case, fact: Fact) -> str | None:
    if fact.kind is not EntryKind.REPLY_RECEIVED:
        return None
    if not case.keywords:
        return "a reply came"
    keyword = matches_keyword(fact.text, case.keywords)
    return None if keyword is None else f"the reply says {keyword}"


def _message_meant(run: Progress, case: Case) -> str | None:
    """Give the latest message of the send step named, or of any when none is named."""
    ids = [sent.message_id for sent in run.state.sent if case.send_id in {None, sent.step_id}]
    return ids[-1] if ids else None
