"""Of which parts are the journeys of these tests made, and how is one looked at?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connector.domain.enrollment import Decision, Fact, Perform, RunState, SendSMS, begin, decide
from connector.domain.errands import Task
from connector.domain.journey import Enroll, Journey, Trigger
from connector.domain.message import Purpose
from connector.domain.places import Expression, Place, Text
from connector.domain.steps import Case, CaseKind, Delay, Exit, Send, Step, Wait, WaitFor
from connector.domain.surroundings import Surroundings
from connector.domain.timeline import EntryKind
from connector.errors import ConditionError

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HERE = Place("journeys/test.yaml", 1, 1)
NAMES = {
    "contact": {"id": "42", "name": "Lea", "phone": "+12025550143"},
    "invoice": {"id": "7", "balance_due": Decimal(600)},
}
MEANINGS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "true": lambda _: True,
    "false": lambda _: False,
    "invoice.balance_due > 500": lambda names: names["invoice"]["balance_due"] > 500,
    "event.invoice.id == invoice.id": lambda names: names["event"]["invoice"]["id"] == names["invoice"]["id"],
    "last_reply.text == 'later'": lambda names: names["last_reply"]["text"] == "later",
    "last_reply.at > last_message.at": lambda names: names["last_reply"]["at"] > names["last_message"]["at"],
    "last_reply.at > last_message.sent_at": lambda names: names["last_reply"]["at"] > names["last_message"]["sent_at"],
    "invoice.due_at": lambda names: names["invoice"]["due_at"],
    "invoice.balance_due * 2": lambda names: names["invoice"]["balance_due"] * 2,
    "vars.double > 1000": lambda names: names["vars"]["double"] > 1000,
    "now + 1 hour": lambda names: names["now"] + HOUR,
    "vars.tries + 1": lambda names: names["vars"]["tries"] + 1,
    "vars.tries": lambda names: names["vars"]["tries"],
    "vars.tries > 2": lambda names: names["vars"]["tries"] > 2,
    "vars.stock is none": lambda names: names["vars"]["stock"] is None,
    "one": lambda _: 1,
    "two": lambda _: 2,
    "contact.phone": lambda names: names["contact"]["phone"],
}


def evaluate(expression: Expression, names: Mapping[str, Any]) -> Any:
    try:
        return MEANINGS[expression.source](names)
    except KeyError as exc:
        raise ConditionError(f"{exc.args[0]} is undefined") from exc


def when(source: str) -> Expression:
    return Expression(source, HERE)


def send(path: str = "steps[0]", **more: Any) -> Send:
    values: dict[str, Any] = {"id": path, "path": path, "place": HERE, "template": "a/first"}
    return Send(**values | more)


def task(path: str, **more: Any) -> Task:
    return Task(id=path, path=path, place=HERE, assignee="owner", title=Text("Call", HERE), **more)


def wait(path: str, duration: Delay | None = None, **more: Any) -> Wait:
    return Wait(id=path, path=path, place=HERE, duration=duration, **more)


def case(path: str, kind: CaseKind, **more: Any) -> Case:
    return Case(kind=kind, path=path, place=HERE, **more)


def wait_for(path: str, *cases: Case, within: Delay = DAY, otherwise: tuple[Step, ...] = ()) -> WaitFor:
    return WaitFor(id=path, path=path, place=HERE, cases=cases, within=within, otherwise=otherwise)


def leave(path: str, reason: str) -> Exit:
    return Exit(id=path, path=path, place=HERE, reason=reason)


def journey(*steps: Step, **more: Any) -> Journey:
    return Journey(
        id="test",
        title="Test",
        purpose=Purpose.TRANSACTIONAL,
        trigger=Trigger("invoice.overdue", HERE),
        enroll=Enroll(when("invoice.id")),
        steps=steps,
        file="journeys/test.yaml",
        hash="hash",
        source={},
        **more,
    )


def moved(state: str, at: datetime, message_id: str = "m1") -> Fact:
    return Fact(f"moved:{message_id}:{state}", EntryKind.MESSAGE_MOVED, at, state, message_id)


def reply(text: str, at: datetime, number: int = 1, enrollment_id: str | None = None) -> Fact:
    names = {"last_reply": {"text": text, "at": at}}
    return Fact(f"reply:{number}", EntryKind.REPLY_RECEIVED, at, text=text, names=names, enrollment_id=enrollment_id)


def paid(at: datetime, invoice_id: str = "7", name: str = "invoice.paid") -> Fact:
    names = {"event": {"name": name, "invoice": {"id": invoice_id}}}
    return Fact(f"event:{name}:{invoice_id}", EntryKind.EVENT_RECEIVED, at, name, names=names)


START = begin("e1", trigger="event:trigger", occurred_at=NOW, now=NOW)


def at_message(path: str = "steps[0]", message_id: str = "m1") -> RunState:
    """The state of an enrollment whose send step has made its message."""
    return replace(START, cursor=path, entered_at=NOW).with_message(send(path), message_id)


def look(
    what: Journey,
    state: RunState = START,
    facts: Sequence[Fact] = (),
    now: datetime = NOW,
    names: Mapping[str, Any] = NAMES,
    stop_reason: str = "",
    around: Surroundings | None = None,
) -> Decision:
    return decide(what, state, facts, names, now, around or Surroundings(evaluate), stop_reason=stop_reason)


def words(decision: Decision) -> list[tuple[str, str]]:
    return [(line.path, line.word) for line in decision.trace]


def done(key: str, at: datetime, answer: Any = None) -> Fact:
    return Fact(f"done:{key}", EntryKind.EFFECT_DONE, at, names={"answer": answer}, key=key)


def undone(key: str, at: datetime, reason: str = "") -> Fact:
    return Fact(f"failed:{key}", EntryKind.EFFECT_FAILED, at, reason, key=key)


def click(at: datetime, link: str = "payment", enrollment_id: str | None = None) -> Fact:
    return Fact(f"click:{at.isoformat()}", EntryKind.LINK_CLICKED, at, link, enrollment_id=enrollment_id)


def keys(decision: Decision) -> list[str]:
    return [action.key for action in decision.actions if isinstance(action, SendSMS | Perform)]


def held(until: datetime, message_id: str = "m1") -> Fact:
    return Fact(f"held|{message_id}", EntryKind.MESSAGE_HELD, NOW, "held", message_id, until=until)
