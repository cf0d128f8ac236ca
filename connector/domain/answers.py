"""Which of the things a `wait_for` waits for came first?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connector.domain.consent import matches_keyword
from connector.domain.message import MessageState
from connector.domain.progress import OVER, Progress
from connector.domain.run import Fact
from connector.domain.steps import Case, CaseKind, WaitFor
from connector.domain.timeline import EntryKind


@dataclass(frozen=True, slots=True)
class Answer:
    """A fact that one of the cases waited for."""

    case: Case
    fact: Fact
    summary: str
    values: Mapping[str, Any]
    keyword: str | None = None


_ANSWERED_BY_ITSELF = "help"
"""A reply that asks for help is answered by the keywords and means nothing to a case that takes any reply."""


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
    """Let a reply or an event answer once only, and what follows see the keyword."""
    fact = answer.fact
    if answer.case.kind in {CaseKind.REPLY, CaseKind.EVENT}:
        run.state = replace(run.state, used=(*run.state.used, fact.id))
    if answer.case.kind is CaseKind.REPLY:
        if answer.keyword is not None:
            run.state = replace(run.state, keywords={**run.state.keywords, fact.id: answer.keyword})
        run.names = {**run.names, **fact.reply_names(answer.keyword)}


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
    keyword: str | None = None
    if case.kind is CaseKind.REPLY:
        if fact.kind is not EntryKind.REPLY_RECEIVED:
            return None
        keyword = matches_keyword(fact.text, case.keywords)
        if keyword is None and (case.keywords or fact.name == _ANSWERED_BY_ITSELF):
            return None
        summary, extra = _reply_summary(keyword), fact.reply_names(keyword)
    elif case.kind is CaseKind.EVENT:
        if fact.kind is not EntryKind.EVENT_RECEIVED or fact.name != case.event:
            return None
        summary, extra = f"{case.event} happened", {**run.entry_names, **fact.names}
    else:
        wanted = {MessageState.DELIVERED} if case.kind is CaseKind.DELIVERED else OVER
        if fact not in run.moves_of(_message_meant(run, case)) or fact.name not in wanted:
            return None
        summary, extra = f"the text is {fact.name}", {}
    return _if_condition_holds(run, case, Answer(case, fact, summary, {}, keyword), extra)


def _reply_summary(keyword: str | None) -> str:
    return "a reply came" if keyword is None else f"the reply says {keyword}"


def _if_condition_holds(run: Progress, case: Case, answer: Answer, extra: Mapping[str, Any]) -> Answer | None:
    if case.where is None:
        return answer
    holds, values = run.holds(case.where, extra)
    if holds:
        return replace(answer, values=values)
    summary = f"{answer.summary}, but its condition did not hold"
    run.note(case.path, case.where.place, f"unmet:{answer.fact.id}", summary, values)
    return None


def _message_meant(run: Progress, case: Case) -> str | None:
    """Give the latest message of the send step named, or of any when none is named."""
    ids = [sent.message_id for sent in run.state.sent if case.send_id in {None, sent.step_id}]
    return ids[-1] if ids else None
