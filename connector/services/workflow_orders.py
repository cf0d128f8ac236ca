"""What does a workflow ask for, and what is it answered at once?

The call is kept, committed and answered within milliseconds; whom it is for, and what becomes of the text, is found out
after that. A call that was sent before is answered as before, with what is left of its wait, or with its result where
that is known meanwhile: its first answer may never have arrived.

HubSpot's action: developers.hubspot.com, "Custom workflow actions".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from connector.domain.account_status import ENDED
from connector.domain.documents import clean_text
from connector.domain.message import LIFETIMES, Purpose
from connector.ports.ledger import Ledger, UnitOfWork
from connector.ports.queue import WORKFLOWS
from connector.ports.time import Clock
from connector.ports.workflows import CallState, WaitsFor, WorkflowCallRow
from connector.services.card_preview import LONGEST_BODY
from connector.services.shown_texts import shown_body

USUAL_MINUTES, MOST_MINUTES = 15, 24 * 60
"""How long a workflow waits: receipts come within a minute or two, so a quarter of an hour tells all that will be told
soon; after a day HubSpot goes on by itself."""

_LONGEST_ID = 255  # characters, as the ledger keeps ids of others
_STATE = "hs_execution_state"
_MINUTE = timedelta(minutes=1)


class UnreadableCallError(ValueError):
    """What came is no call of a workflow's action: sent again it would be no better."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered: HubSpot's output fields, and for one that waits, for how long."""

    outputs: Mapping[str, str] = field(repr=False)
    state: str = "SUCCESS"
    minutes: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give it as HubSpot reads it."""
        said = {**self.outputs, _STATE: self.state}
        return {"outputFields": said | ({"hs_expiration_duration": f"PT{self.minutes}M"} if self.minutes else {})}


def outputs(result: str, reason: str = "", message_id: str = "", reply: str = "") -> dict[str, str]:
    """Give the action's output fields."""
    return {"sms_result": result, "sms_reason": reason, "sms_message_id": message_id, "sms_reply": reply}


class WorkflowOrders:
    """Takes calls in.

    Args of the constructor:
        crm: whose workflows call.
        templates: gives the names of the templates there are.
        kind: gives our name of a kind of record, such as `deal` for `0-3`.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        crm: str,
        templates: Callable[[], Collection[str]],
        kind: Callable[[str], str],
    ) -> None:
        self._ledger, self._clock, self._crm = ledger, clock, crm
        self._templates, self._kind = templates, kind

    def take(self, uow: UnitOfWork, body: Any) -> Answer:
        """Keep a call and give what it is answered.

        Raises:
            UnreadableCallError: it is no call.
        """
        call = _read(body)
        account_id = uow.accounts.by_external_ids(self._crm, [call.portal_id]).get(call.portal_id)
        if account_id is None or uow.accounts.get(account_id).status in ENDED:
            return _impossible("NOT_INSTALLED", "the SMS app is not connected to this account")
        known = uow.workflow_calls.by_callback(account_id, call.callback_id)
        if known is not None:
            return self._again(uow, known)
        mistake = self._mistake(call.inputs)
        if mistake is not None:
            return _impossible(*mistake)
        row = self._row(account_id, call)
        if not uow.workflow_calls.add(row):  # the same call came in by another process a moment ago
            row = uow.workflow_calls.by_callback(account_id, call.callback_id) or row
        uow.nudge(WORKFLOWS)
        return _kept(row, self._clock.now())

    def options(self, body: Any) -> dict[str, Any]:
        """Give the templates an admin may choose from, those first whose names hold what was typed."""
        asked = body.get("fetchOptions") if isinstance(body, Mapping) else None
        typed = str(asked.get("q") or "") if isinstance(asked, Mapping) else ""
        names = [name for name in self._templates() if typed.casefold() in name.casefold()]
        return {
            "options": [{"label": name, "value": name, "description": ""} for name in sorted(names)],
            "searchable": True,
        }

    def _again(self, uow: UnitOfWork, row: WorkflowCallRow) -> Answer:
        """Answer a call that is known: as before, or with the result of a wait that is over."""
        if row.waits_for is WaitsFor.NOTHING or row.state in {CallState.ORDERED, CallState.WAITING}:
            return _kept(row, self._clock.now())
        return Answer(result_of(uow, row))

    def _mistake(self, inputs: Mapping[str, Any]) -> tuple[str, str] | None:
        """Say, as a word and a sentence, why these inputs can never make a text; None when they may."""
        kind = _text(inputs, "message_kind", "text")
        if kind not in {"text", "template"}:
            return "BAD_INPUT", "message_kind is one of text, template"
        content = _text_mistake(_text(inputs, "body")) if kind == "text" else self._template_mistake(inputs)
        return content or _choice_mistake(inputs)

    def _template_mistake(self, inputs: Mapping[str, Any]) -> tuple[str, str] | None:
        template = _text(inputs, "template")
        if template in self._templates():
            return None
        return "UNKNOWN_TEMPLATE", f"there is no template {template[:_SHOWN]}" if template else "no template is chosen"

    def _row(self, account_id: str, call: _Call) -> WorkflowCallRow:
        now, inputs = self._clock.now(), call.inputs
        waits_for = WaitsFor(_text(inputs, "wait_for", "nothing"))
        is_template = _text(inputs, "message_kind", "text") == "template"
        purpose = _text(inputs, "purpose", "transactional")
        return WorkflowCallRow(
            id=self._ledger.new_id(),
            account_id=account_id,
            callback_id=call.callback_id,
            object_type=self._kind(call.object_type),
            object_id=call.object_id,
            inputs={
                "body": None if is_template else clean_text(_text(inputs, "body")),
                "template": _text(inputs, "template") if is_template else None,
                "purpose": purpose,
                "recipient": _text(inputs, "recipient", "contact"),
            },
            waits_for=waits_for,
            message_id=self._ledger.new_id(),
            received_at=now,
            expires_at=_ends(now, waits_for, Purpose(purpose), _minutes(inputs)),
            not_before=now,
            workflow=call.workflow,
        )


def result_of(uow: UnitOfWork, row: WorkflowCallRow) -> dict[str, str]:
    """Give the outputs of a call whose result is known."""
    reply = None if row.reply_id is None else uow.messages.get(row.account_id, row.reply_id)
    return outputs(row.result, row.reason, row.message_id, "" if reply is None else shown_body(reply))


@dataclass(frozen=True, slots=True)
class _Call:
    """A call as it came."""

    callback_id: str
    portal_id: str
    workflow: str
    object_type: str
    object_id: str
    inputs: Mapping[str, Any] = field(repr=False)


_CHOICES = (
    ("purpose", (Purpose.TRANSACTIONAL.value, Purpose.MARKETING.value), Purpose.TRANSACTIONAL.value),
    ("recipient", ("contact", "owner"), "contact"),
    ("wait_for", tuple(each.value for each in WaitsFor), WaitsFor.NOTHING.value),
)
"""Inputs with few values: their name, the values, and the one that is meant when none is given."""

_SHOWN = 80  # characters of a wrong value in a reason


def _read(body: Any) -> _Call:
    origin, target, context = _part(body, "origin"), _part(body, "object"), _part(body, "context", optional=True)
    callback_id, portal_id = _identifier(body, "callbackId"), _identifier(origin, "portalId")
    inputs = body.get("inputFields") or body.get("fields") or {}
    if not isinstance(inputs, Mapping):
        raise UnreadableCallError("inputFields is no object")
    return _Call(
        callback_id,
        portal_id,
        clean_text(str(context.get("workflowId") or ""))[:_LONGEST_ID],
        _identifier(target, "objectType").lower(),
        _identifier(target, "objectId"),
        inputs,
    )


def _part(body: Any, name: str, *, optional: bool = False) -> Mapping[str, Any]:
    part = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(part, Mapping):
        if optional:
            return {}
        raise UnreadableCallError(f"{name} is missing")
    return part


def _identifier(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > _LONGEST_ID or clean_text(text) != text:
        raise UnreadableCallError(f"{name} is missing or no id")
    return text


def _text(inputs: Mapping[str, Any], name: str, usual: str = "") -> str:
    """Give an input as text; a choice may come as the object HubSpot makes of a static value."""
    value = inputs.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    return usual if value is None or value == "" else str(value)


def _minutes(inputs: Mapping[str, Any]) -> int:
    """Give how long to wait; 0, which is too short, for what is no whole number."""
    given = _text(inputs, "wait_minutes", str(USUAL_MINUTES)).removesuffix(".0")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= len(str(MOST_MINUTES)) else 0


def _text_mistake(body: str) -> tuple[str, str] | None:
    if not body.strip():
        return "NO_BODY", "the text is empty; if it is filled in from a property, that one is empty here"
    if len(body) > LONGEST_BODY:
        return "TOO_LONG", f"the text has {len(body)} characters; {LONGEST_BODY} is the most"
    return None


def _choice_mistake(inputs: Mapping[str, Any]) -> tuple[str, str] | None:
    for name, allowed, usual in _CHOICES:
        if _text(inputs, name, usual) not in allowed:
            return "BAD_INPUT", f"{name} is one of {', '.join(allowed)}"
    if not 1 <= _minutes(inputs) <= MOST_MINUTES:
        return "BAD_INPUT", f"wait_minutes is a whole number from 1 to {MOST_MINUTES}"
    return None


def _ends(now: datetime, waits_for: WaitsFor, purpose: Purpose, minutes: int) -> datetime:
    return now + (LIFETIMES[purpose] if waits_for is WaitsFor.NOTHING else timedelta(minutes=minutes))


def _kept(row: WorkflowCallRow, now: datetime) -> Answer:
    """Answer a call whose result nobody knows; a workflow waits until the call's own end, whenever it asks."""
    if row.waits_for is WaitsFor.NOTHING:
        return Answer(outputs("queued", "", row.message_id))
    return Answer(outputs("queued", "", row.message_id), "BLOCK", max(1, ceil((row.expires_at - now) / _MINUTE)))


def _impossible(code: str, reason: str) -> Answer:
    return Answer({**outputs("failed", reason), "errorCode": code}, "FAIL_CONTINUE")
