"""What does a journey do: which send, branch, task or exit does a step describe?"""

from __future__ import annotations

from typing import Any

from connector.adapters import journey_schema as schema
from connector.adapters.journey_uses import TemplateUse
from connector.adapters.wait_builder import WaitBuilder
from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import shape_of
from connector.domain.journey import Branch, Exit, If, Send, Step, Task
from connector.domain.message import Purpose, SendPolicy


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
        options, below = (raw, trail) if not isinstance(raw["send"], dict) else (raw["send"], (*trail, "send"))
        if options is raw:
            found = shape_of(schema.SendShape(), self.document, trail, raw, self.mistakes)
            key = "send"
        else:
            shape_of(schema.StepShape(), self.document, trail, raw, self.mistakes, also=("send",))
            found = shape_of(schema.SendOptionsShape(), self.document, below, options, self.mistakes)
            key = "template"
        if found is None:
            return None
        return self._send_of(trail, below, key, found, options, common)

    def _send_of(
        self, trail: Trail, below: Trail, key: str, found: dict[str, Any], options: Any, common: dict[str, Any]
    ) -> Step | None:
        template = found.get(key)
        if (template is None) == ("text" not in found):
            self.say((*trail, "send"), "expected a template or a `text`, and not both", "such as invoice-overdue/first")
            return None
        if template is not None:
            self.uses.templates.append(TemplateUse(template, (*below, key)))
        if "window" in found:
            self.uses.windows.append((found["window"], (*below, "window")))
        to = found.get("to", "contact")
        return Send(
            **common,
            template=template,
            text=self.text((*below, "text"), options["text"], is_sms=True) if template is None else None,
            to=to if to in {"contact", "owner"} else self.condition((*below, "to"), options) or "contact",
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
        if found is None:
            return None
        due = {"due_after": found["due"]} if "due" in found else {}
        return Task(
            **common,
            **due,
            assignee=found["assignee"],
            title=self.text((*at, "title"), value["title"]),
            body=self.text((*at, "body"), value["body"]) if "body" in found else None,
            priority=found.get("priority", ""),
        )

    def _exit(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        found = shape_of(schema.ExitShape(), self.document, trail, raw, self.mistakes)
        return None if found is None else Exit(**common, reason=found["exit"])
