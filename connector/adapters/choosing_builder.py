"""Which way does a journey take: by a condition, or by the arm of a split?"""

from __future__ import annotations

import re
from typing import Any

from connector.adapters import step_schema as schema
from connector.adapters.journey_parts import JourneyParts
from connector.adapters.yaml_file import Trail, format_trail
from connector.adapters.yaml_shapes import quoted, spoken
from connector.domain.steps import Arm, Branch, If, Metric, Split, Step, Winner


class ChoosingBuilder(JourneyParts):
    """Reads `if` and `split`."""

    def _if(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        branches = [self._branch(trail, raw, self.read(schema.IfShape(), trail, raw))]
        elifs = raw.get("elif") if isinstance(raw.get("elif"), list) else []
        for number, item in enumerate(elifs or ()):
            at = (*trail, "elif", number)
            branches.append(self._branch(at, item, self.read(schema.BranchShape(), at, item)))
        otherwise = self.steps((*trail, "else"), raw.get("else"))
        if any(branch is None for branch in branches):
            return None
        return If(**common, branches=tuple(branch for branch in branches if branch), otherwise=otherwise)

    def _branch(self, trail: Trail, raw: Any, found: dict[str, Any] | None) -> Branch | None:
        condition = self.condition((*trail, "if"), raw)
        then = self.steps((*trail, "then"), raw.get("then") if isinstance(raw, dict) else None)
        return Branch(condition, then) if found is not None and condition is not None else None

    def _split(self, trail: Trail, raw: dict[str, Any]) -> Step | None:
        common = self.common(trail, raw)
        self.read(schema.SplitShape(), trail, raw)
        at, value = (*trail, "split"), raw["split"]
        found = None if value is None else self.read(schema.SplitOptionsShape(), at, value)
        body = value if isinstance(value, dict) else {}
        arms = self._arms((*at, "arms"), body.get("arms"))
        winner = self._winner((*at, "winner"), body["winner"]) if "winner" in body else None
        if found is None or arms is None or ("winner" in found and winner is None):
            return None
        return Split(**common, arms=arms, winner=winner)

    def _arms(self, trail: Trail, raw: Any) -> tuple[Arm, ...] | None:
        if not isinstance(raw, dict):
            if raw is not None:
                self.say(trail, f"expected arms by name (friendly: {{then: …}}), found {spoken(raw)}")
            return None
        arms = [self._arm((*trail, name), name, item) for name, item in raw.items()]
        if len(arms) < _FEWEST_ARMS:
            self.say(trail, "has one arm only: nothing is compared", "add another arm")
            return None
        return None if any(arm is None for arm in arms) else tuple(arm for arm in arms if arm is not None)

    def _arm(self, trail: Trail, name: str, raw: Any) -> Arm | None:
        found = self.read(schema.ArmShape(), trail, raw)
        then = self.steps((*trail, "then"), raw.get("then") if isinstance(raw, dict) else None)
        if not re.fullmatch(schema.IDENTIFIER, name):
            self.say(trail, f"{quoted(name)} is no name: expected letters, digits and hyphens", key=True)
            return None
        if found is None:
            return None
        return Arm(name, found.get("weight", 1), format_trail(trail), self.place(trail, key=True), then)

    def _winner(self, trail: Trail, raw: Any) -> Winner | None:
        found = self.read(schema.WinnerShape(), trail, raw)
        if found is None:
            return None
        within = {"within": found["within"]} if "within" in found else {}
        return Winner(Metric(found["by"]), found["after"], **within)


_FEWEST_ARMS = 2
