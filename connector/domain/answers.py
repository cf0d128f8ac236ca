"""Which of the things a `wait_for` waits for came first?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


_MOST_LISTED = 6  # of the words a journey waits for, in a line of a trace

_ANSWERED_BY_ITSELF = "help"
"""A reply that asks for help is answered by the keywords and means nothing to a case that takes any reply."""


def first_answer(run: Progress, step: WaitFor, deadline: datetime) -> Answer | None:
    """Find the first fact up to the deadline that a case waits for; of several cases the first in the file wins.

    What happened between the enrollment's start and this step counts too. A reply, an event or a click that answered
    an earlier step does not answer again; what became of a message stays true and may be asked for twice.

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
    """Let a reply, an event or a click answer once only, and what follows see the keyword."""
    if answer.case.kind is CaseKind.REPLY:
        run.hear(answer.fact, answer.keyword)
    elif answer.case.kind in {CaseKind.EVENT, CaseKind.CLICK}:
        run.use_up([answer.fact])


def waited_for(step: WaitFor) -> str:
    """Say for people what a `wait_for` waits for."""
    return " or ".join(_wordings(step))


def _wordings(step: WaitFor) -> Iterator[str]:
    for case in step.cases:
        if case.kind is CaseKind.REPLY:
            yield _reply_waited_for(case)
        elif case.kind is CaseKind.EVENT:
            yield f"the event {case.event}"
        elif case.kind is CaseKind.CLICK:
            yield f"a click on {case.link}" if case.link else "a click"
        else:
            yield f"the text to be {case.kind.value}"


def _reply_waited_for(case: Case) -> str:
    if case.intent:
        return f"a reply that means {case.intent}"
    return f"a reply ({some_of(case.keywords)})" if case.keywords else "a reply"


def some_of(keywords: tuple[str, ...]) -> str:
    """List keywords for people: the first few stand for the words of seven languages."""
    listed = ", ".join(keywords[:_MOST_LISTED])
    return f"{listed} …" if len(keywords) > _MOST_LISTED else listed


def _matched(run: Progress, case: Case, fact: Fact) -> Answer | None:
    answer, extra = _KINDS[case.kind](run, case, fact)
    return None if answer is None else _if_condition_holds(run, case, answer, extra)


_Match = tuple[Answer | None, Mapping[str, Any]]
"""An answer, and what its condition sees beside the usual names."""

_NO_MATCH: _Match = (None, {})


def _reply(run: Progress, case: Case, fact: Fact) -> _Match:
    if fact.kind is not EntryKind.REPLY_RECEIVED:
        return _NO_MATCH
    keyword = matches_keyword(fact.text, case.keywords, run.around.courtesies)
    if keyword is None and (case.keywords or fact.name == _ANSWERED_BY_ITSELF):
        return _NO_MATCH
    return Answer(case, fact, _reply_summary(keyword), {}, keyword), fact.reply_names(keyword)


def _event(run: Progress, case: Case, fact: Fact) -> _Match:
    if fact.kind is not EntryKind.EVENT_RECEIVED or fact.name != case.event:
        return _NO_MATCH
    return Answer(case, fact, f"{case.event} happened", {}), {**run.entry_names, **fact.names}


def _click(run: Progress, case: Case, fact: Fact) -> _Match:  # noqa: ARG001 - every kind is called alike
    if fact.kind is not EntryKind.LINK_CLICKED or case.link not in {None, fact.name}:
        return _NO_MATCH
    return Answer(case, fact, f"the link {fact.name} was followed" if fact.name else "a link was followed", {}), {}


def _fate(run: Progress, case: Case, fact: Fact) -> _Match:
    wanted = {MessageState.DELIVERED} if case.kind is CaseKind.DELIVERED else OVER
    if fact.name not in wanted or fact not in run.moves_of(_message_meant(run, case)):
        return _NO_MATCH
    return Answer(case, fact, f"the text is {fact.name}", {}), {}


_KINDS: Mapping[CaseKind, Callable[[Progress, Case, Fact], _Match]] = {
    CaseKind.REPLY: _reply,
    CaseKind.EVENT: _event,
    CaseKind.CLICK: _click,
    CaseKind.DELIVERED: _fate,
    CaseKind.FAILED: _fate,
}


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
