"""What does a journey do: which send, branch, task or exit does a step describe?"""

from __future__ import annotations

from typing import Any

from connector.adapters import journey_schema as schema
from connector.adapters.journey_uses import TemplateUse
from connector.adapters.wait_builder import WaitBuilder
from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import Shape, shape_of
from connector.domain.message import Purpose, SendPolicy
from connector.domain.places import Expression
from connector.domain.steps import Branch, Exit, If, Send, Step, Task


class StepBuilder(WaitBuilder):
    """Reads every kind of step."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.kinds = {
            "send": self._send,
            "wait": self._wait,
            "wait_for": self._wait_for,
            "if": self._if,
            "task": self._task,
            "exit": self._exit,
        }

    def _send(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        if isinstance(raw["send"], dict):
            shape_of(schema.StepShape(), self.document, trail, raw, self.mistakes, also=("send",))
            return self._send_of((*trail, "send"), "template", schema.SendOptionsShape(), raw["send"], common)
        return self._send_of(trail, "send", schema.SendShape(), raw, common)

    def _send_of(
        self, trail: Trail, key: str, shape: Shape, options: dict[str, Any], common: dict[str, Any]
    ) -> Step | None:
        """Read the options of a send, which stand beside `send: template` or below `send:`."""
        text = self.text((*trail, "text"), options, is_sms=True)
        to: str | Expression | None = options.get("to", "contact")
        if to not in {"contact", "owner"}:
            to = self.condition((*trail, "to"), options)
        found = shape_of(shape, self.document, trail, options, self.mistakes)
        if found is None:
            return None
        template = found.get(key)
        if (template is None) == (text is None):
            at = (*trail, key) if key in options else trail
            self.say(at, "expected a template or a `text`, and not both", "such as send: invoice-overdue/first")
            return None
        if template is not None:
            self.uses.templates.append(TemplateUse(template, (*trail, key)))
        if "window" in found:
            self.uses.windows.append((found["window"], (*trail, "window")))
        return Send(
            **common,
            template=template,
            text=text,
            to=to or "contact",
            expires_after=found.get("expires_after"),
            policy=SendPolicy(found["policy"]) if "policy" in found else None,
            window=found.get("window"),
            purpose=Purpose(found["purpose"]) if "purpose" in found else None,
            sender=found.get("sender"),
        )

    def _if(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = shape_of(schema.IfShape(), self.document, trail, raw, self.mistakes)
        branches = [self._branch(trail, raw, found)]
        elifs = raw.get("elif") if isinstance(raw.get("elif"), list) else []
        for number, item in enumerate(elifs or ()):
            at = (*trail, "elif", number)
            branches.append(
                self._branch(at, item, shape_of(schema.BranchShape(), self.document, at, item, self.mistakes))
            )
        otherwise = self.steps((*trail, "else"), raw.get("else"))
        if any(branch is None for branch in branches):
            return None
        return If(**common, branches=tuple(branch for branch in branches if branch), otherwise=otherwise)

    def _branch(self, trail: Trail, raw: Any, found: dict[str, Any] | None) -> Branch | None:
        condition = self.condition((*trail, "if"), raw)
        then = self.steps((*trail, "then"), raw.get("then") if isinstance(raw, dict) else None)
        return Branch(condition, then) if found is not None and condition is not None else None

    def _task(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        shape_of(schema.TaskShape(), self.document, trail, raw, self.mistakes)
        at, value = (*trail, "task"), raw["task"]
        found = shape_of(schema.TaskOptionsShape(), self.document, at, value, self.mistakes)
        title, body = self.text((*at, "title"), value), self.text((*at, "body"), value)
        if found is None or title is None:
            return None
        due = {"due_after": found["due"]} if "due" in found else {}
        return Task(
            **common, **due, assignee=found["assignee"], title=title, body=body, priority=found.get("priority", "")
        )

    def _exit(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = shape_of(schema.ExitShape(), self.document, trail, raw, self.mistakes)
        return None if found is None else Exit(**common, reason=found["exit"])
