"""Which text does a step send, to whom and how?"""

from __future__ import annotations

from typing import Any

from connector.adapters import step_schema as schema
from connector.adapters.journey_parts import JourneyParts
from connector.adapters.journey_uses import TemplateUse
from connector.adapters.yaml_file import Trail
from connector.domain.message import Purpose, SendPolicy
from connector.domain.places import Expression
from connector.domain.steps import Send, Step


class SendBuilder(JourneyParts):
    """Reads `send`, and the texts that other steps ask with."""

    def _send(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        value = raw["send"]
        if isinstance(value, dict):
            self.read(schema.StepShape(), trail, raw, also=("send",))
            at = (*trail, "send")
            return self.text_of(at, "template", self.read(schema.SendOptionsShape(), at, value), value, common)
        found = self.read(schema.SendShape(), trail, raw)
        named = self.read(schema.TemplateShape(), trail, {"send": value})
        return self.text_of(trail, "send", None if found is None or named is None else found | named, raw, common)

    def text_of(
        self,
        trail: Trail,
        key: str,
        found: dict[str, Any] | None,
        options: Any,
        common: dict[str, Any],
        knows: tuple[str, ...] = (),
    ) -> Send | None:
        """Make a text of its options, which stand below `trail`; its template is named by `key`.

        `found` is what the shape made of the options, None when something is wrong with them; `knows` are names that
        the text sees beside those of every text.
        """
        text = self.text((*trail, "text"), options, is_sms=True, knows=knows)
        to = self._recipient((*trail, "to"), options)
        if found is None:
            return None
        template = found.get(key)
        if (template is None) == (text is None):
            at = (*trail, key) if key in options else trail
            self.say(at, "expected a template or a `text`, and not both", f"such as {key}: invoice-overdue/first")
            return None
        if template is not None:
            self.uses.templates.append(TemplateUse(template, (*trail, key), knows))
        self._names(trail, found)
        return Send(
            **common,
            template=template,
            text=text,
            to=to,
            expires_after=found.get("expires_after"),
            policy=SendPolicy(found["policy"]) if "policy" in found else None,
            window=found.get("window"),
            purpose=Purpose(found["purpose"]) if "purpose" in found else None,
            sender=found.get("sender"),
            route=found.get("route"),
        )

    def _recipient(self, trail: Trail, options: Any) -> str | Expression:
        to = options.get("to") if isinstance(options, dict) else None
        if isinstance(to, str) and to.strip() in {"contact", "owner"}:
            return to.strip()
        return self.condition(trail, options) or "contact"

    def _names(self, trail: Trail, found: dict[str, Any]) -> None:
        if "window" in found:
            self.uses.windows.append((found["window"], (*trail, "window")))
        if "route" in found:
            self.uses.routes.append((found["route"], (*trail, "route")))
