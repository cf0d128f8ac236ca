"""What does a journey ask somebody to prove or confirm, and what follows?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from connector.adapters import asking_schema as schema
from connector.adapters.send_builder import SendBuilder
from connector.adapters.yaml_file import Trail
from connector.adapters.yaml_shapes import listed
from connector.domain.message import Purpose
from connector.domain.steps import Confirm, Send, Step, Verify

_CODE = ("code",)
_ANSWERS = ("reply", "intent", "code")
_LIFETIME = timedelta(minutes=10)  # as long as codes are usually good for


class AskingBuilder(SendBuilder):
    """Reads `verify` and `confirm`."""

    def _verify(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        self.read(schema.VerifyShape(), trail, raw)
        at, value = (*trail, "verify"), raw["verify"]
        found = None if value is None else self.read(schema.VerifyOptionsShape(), at, value)
        ask = self._ask(at, found, value, common, _CODE)
        then, otherwise = self._ways(at, value)
        if found is None or ask is None:
            return None
        lifetime = found.get("lifetime", _LIFETIME)
        return Verify(
            **common,
            ask=replace(ask, purpose=Purpose.OTP, expires_after=lifetime),
            lifetime=lifetime,
            length=found.get("length", 6),
            tries=found.get("tries", 3),
            then=then,
            otherwise=otherwise,
        )

    def _confirm(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        self.read(schema.ConfirmShape(), trail, raw)
        at, value = (*trail, "confirm"), raw["confirm"]
        found = None if value is None else self.read(schema.ConfirmOptionsShape(), at, value)
        ask = self._ask(at, found, value, common, _CODE if isinstance(value, dict) and "code" in value else ())
        then, otherwise = self._ways(at, value)
        words = None if found is None else self._answer(at, found)
        if found is None or ask is None or words is None:
            return None
        return Confirm(
            **common,
            ask=ask,
            within=found["within"],
            keywords=words,
            code_length=found.get("code", 0),
            grants=found.get("grants", ""),
            then=then,
            otherwise=otherwise,
        )

    def _ask(
        self, at: Trail, found: dict[str, Any] | None, value: Any, common: dict[str, Any], knows: tuple[str, ...]
    ) -> Send | None:
        """Make the text it asks with; what every step may have is the step's own, not the text's."""
        own = {key: common[key] for key in ("id", "path", "place")}
        return self.text_of(at, "send", found, value if isinstance(value, dict) else {}, own, knows)

    def _ways(self, at: Trail, value: Any) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        body = value if isinstance(value, dict) else {}
        return self.steps((*at, "then"), body.get("then")), self.steps((*at, "else"), body.get("else"))

    def _answer(self, at: Trail, found: dict[str, Any]) -> tuple[str, ...] | None:
        """Give the words that confirm, none when a code does; None when the file does not say which."""
        given = [key for key in _ANSWERS if key in found]
        if len(given) != 1:
            said = f"has {listed(given)} at once" if given else "says not which reply confirms"
            self.say(at, f"this confirm {said}: expected one of {listed(_ANSWERS)}")
            return None
        if "intent" in found:
            return self.intent((*at, "intent"), found)
        words: tuple[str, ...] = found.get("reply", ())
        if any(word.lower() == "any" for word in words):
            self.say((*at, "reply"), "any reply confirms nothing", "write the words, such as reply: [YES]")
            return None
        return words
