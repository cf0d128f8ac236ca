"""What is to be done now for one contact in one journey, and what is waited for then?

Pure: the same journey, state, facts, names and time give the same decision, whether in production, in a simulation or
when a worker repeats what another one did not live to record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connector.domain.journey import ExitRule, Journey
from connector.domain.progress import OUT, Ended, Halt, Progress
from connector.domain.run import (
    Action,
    AssignArm,
    Decision,
    Fact,
    GrantConsent,
    Perform,
    RunState,
    SendSMS,
    Sent,
    TraceLine,
)
from connector.domain.step_order import order_of
from connector.domain.stepping import take
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind
from connector.errors import ConditionError

__all__ = [
    "Action",
    "AssignArm",
    "Decision",
    "Fact",
    "GrantConsent",
    "Perform",
    "RunState",
    "SendSMS",
    "Sent",
    "TraceLine",
    "begin",
    "decide",
]


def begin(enrollment_id: str, *, trigger: str, occurred_at: datetime, now: datetime) -> RunState:
    """Give the state of an enrollment that begins now because of an event.

    Facts count from when the event happened, since what followed it may have been read before it.
    """
    return RunState(enrollment_id, since=min(occurred_at, now), base_at=now, trigger=trigger)


def decide(
    journey: Journey,
    state: RunState,
    facts: Sequence[Fact],
    names: Mapping[str, Any],
    now: datetime,
    around: Surroundings,
    *,
    stop_reason: str = "",
    entry_names: Mapping[str, Any] | None = None,
) -> Decision:
    """Decide what to do now; never raises for bad data: a condition that cannot be evaluated ends the enrollment.

    A send step keeps the cursor until its text is out or over, so what follows keeps its distance to a held text.

    Args:
        journey: the version the enrollment runs on.
        state: where it stands.
        facts: everything since `state.since` about the contact, the trigger's record and the enrollment's messages;
            any order. Replies to the texts of other enrollments are passed over. What became of the enrollment's own
            texts and effects counts whenever it was: the clock of whoever wrote it down may be behind.
        names: what expressions see: `contact`, `owner`, `account`, the trigger's records, `event`.
        now: aware.
        around: what else may be asked: expressions' values, the recipient's clock, codes, splits, habits.
        stop_reason: why the enrollment has to end whatever the journey says: the contact is opted out or deleted,
            the record is gone; empty when nothing does.
        entry_names: the trigger's records as they were at entry, when `names` has newer ones. A `where` about an
            event compares with these: in `event.deal.stage != deal.stage` the deal is the one that entered.
    """
    texts = {sent.message_id for sent in state.sent}
    ours = (
        fact
        for fact in facts
        if (fact.at >= state.since or fact.key or fact.message_id in texts) and fact.concerns(state.enrollment_id)
    )
    since = sorted(ours, key=lambda fact: (fact.at, fact.id))
    seen = _seen(state, names, since, now)
    run = Progress(journey, order_of(journey.steps), state, since, seen, entry_names or {}, now, around)
    halt = _stopped(run, stop_reason) or _variables(run) or _exit_rules(run) or _walk(run)
    return _decision(run, halt)


def _seen(state: RunState, names: Mapping[str, Any], facts: Sequence[Fact], now: datetime) -> dict[str, Any]:
    replies = [fact for fact in facts if fact.kind is EntryKind.REPLY_RECEIVED]
    return {
        "last_reply": {},
        **names,
        **(replies[-1].reply_names(state.keywords.get(replies[-1].id)) if replies else {}),
        "last_message": _last_message(state, facts),
        "now": now,
    }


def _last_message(state: RunState, facts: Sequence[Fact]) -> dict[str, Any]:
    """Tell how the latest text of the enrollment stands, and when it went out: receipts of older texts may come late.

    A text that never went out counts from when it was over, so that a condition about it can always be evaluated.
    """
    for sent in reversed(state.sent):
        moves = [fact for fact in facts if fact.kind is EntryKind.MESSAGE_MOVED and fact.message_id == sent.message_id]
        if moves:
            out_at = next((move.at for move in moves if move.name in OUT), moves[-1].at)
            return {"state": moves[-1].name, "at": moves[-1].at, "sent_at": out_at}
    return {}


def _stopped(run: Progress, reason: str) -> Ended | None:
    if reason:
        return Ended(reason)
    minds = [fact.kind for fact in run.facts if fact.kind in {EntryKind.OPTED_OUT, EntryKind.OPTED_IN}]
    return Ended("the contact opted out") if minds[-1:] == [EntryKind.OPTED_OUT] else None


def _variables(run: Progress) -> Ended | None:
    """Compute the journey's variables at entry, each seeing those written before it; after a move, the new ones."""
    run.set_variables({})
    for name, expression in run.journey.variables.items():
        if name in (run.state.vars or {}):
            continue
        try:
            run.set_variables({name: run.around.evaluate(expression, run.names)})
        except ConditionError as error:
            run.note(f"variables.{name}", expression.place, "failed", f"Failed for good: {error}")
            return Ended(f"variables.{name} failed: {error}")
    return None


def _exit_rules(run: Progress) -> Ended | None:
    """Look at the journey's `exit_when`."""
    for rule in run.journey.exit_when:
        try:
            met = _event_met(run, rule) if rule.event is not None else _condition_met(run, rule)
        except ConditionError as error:
            run.note(rule.path, rule.place, "failed", f"Failed for good: {error}")
            return Ended(f"{rule.path} failed: {error}")
        if met is not None:
            return met
    return None


def _event_met(run: Progress, rule: ExitRule) -> Ended | None:
    for fact in run.events():
        if fact.name != rule.event:
            continue
        holds, values = (True, {}) if rule.where is None else run.holds(rule.where, {**run.entry_names, **fact.names})
        if holds:
            run.note(rule.path, rule.place, "exit", f"Ends: {rule.event} happened", values)
            return Ended(f"{rule.event} happened")
        said = f"{rule.event} happened, but its condition did not hold"
        run.note_once(rule.path, rule.place, f"unmet:{fact.id}", said, values)
    return None


def _condition_met(run: Progress, rule: ExitRule) -> Ended | None:
    if rule.where is None:
        return None
    holds, values = run.holds(rule.where)
    if not holds:
        return None
    run.note(rule.path, rule.place, "exit", f"Ends: {rule.where.source} holds", values)
    return Ended(f"{rule.where.source} holds")


def _walk(run: Progress) -> Halt:
    """Take step after step.

    The exit rules were asked before the first. Within one decision facts do not change, so that they are asked again
    only after a step that changed the names: a `set`, a call's answer, a reply taken for an answer.
    """
    asked_with = run.names
    while (path := run.current) is not None:
        step = run.order.steps.get(path)
        if step is None:
            return Ended(f"this version of the journey has no step {path}")
        halt = take(run, step)
        if run.names is not asked_with and not isinstance(halt, Ended):
            asked_with = run.names
            halt = _exit_rules(run) or halt
        if halt is not None:
            return halt
    return Ended("completed")


def _decision(run: Progress, halt: Halt) -> Decision:
    actions, trace = tuple(run.actions), tuple(run.trace)
    if isinstance(halt, Ended):
        return Decision(actions, run.state, trace, ended=True, exit_reason=halt.reason)
    return Decision(actions, run.state, trace, ended=False, due_at=halt.due_at, waits_for=halt.waits_for)
