"""How do services turn what an admin wrote into values and texts, and stored sources into journeys?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from connector.domain.journey import Expression, Journey, Text


class Renderer(Protocol):
    """Evaluates expressions and renders templates, sandboxed; raises `ConditionError` and nothing else."""

    def evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Give the value of an expression.

        Raises:
            ConditionError: an undefined name, or a value of the wrong kind.
        """
        ...

    def render_template(self, journey: Journey, template: str, locale: str | None, names: Mapping[str, Any]) -> str:
        """Render a template of a journey's own version, such as `invoice-overdue/first`, in the closest locale.

        The templates are those in `journey.source["templates"]`, so a text is the one its version was published with.

        Raises:
            ConditionError: no such template, an undefined name, or a text beyond the limits.
        """
        ...

    def render_text(self, text: Text, locale: str | None, names: Mapping[str, Any]) -> str:
        """Render a text written in the journey file itself.

        Raises:
            ConditionError: as for a template.
        """
        ...


class JourneyReader(Protocol):
    """Builds a journey from a stored source."""

    def __call__(self, journey: str, source: Mapping[str, Any]) -> Journey:
        """Read the journey of this id from `{"journey": yaml text, "templates": {path: text}}`.

        Raises:
            MappingError: this version of the program no longer reads it.
        """
        ...
