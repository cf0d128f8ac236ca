"""How do services turn what an admin wrote into values and texts, and stored sources into journeys?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from connector.domain.journey import Journey
from connector.domain.places import Expression, Text
from connector.domain.steps import Send


class RenderedText(Protocol):
    """A finished text."""

    @property
    def text(self) -> str:
        """What the person reads."""
        ...

    @property
    def template(self) -> str:
        """The template file it came from, or empty for a text written in the journey."""
        ...

    @property
    def locale(self) -> str:
        """The locale it was written in."""
        ...


class Renderer(Protocol):
    """Evaluates expressions and renders texts, sandboxed; raises `ConditionError` and nothing else."""

    def evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Give the value of an expression.

        Raises:
            ConditionError: an undefined name, or a value of the wrong kind.
        """
        ...

    def render(
        self, text: Text, names: Mapping[str, Any], *, locale: str | None = None, time_zone: str | None = None
    ) -> RenderedText:
        """Render a text written in a journey file.

        Raises:
            ConditionError: an undefined name, or a text that is empty or too long.
        """
        ...

    def render_send(
        self,
        journey: Journey,
        step: Send,
        names: Mapping[str, Any],
        *,
        locale: str | None = None,
        time_zone: str | None = None,
    ) -> RenderedText:
        """Render the text of a send step from the sources of the journey's own version, in the closest locale.

        Raises:
            ConditionError: no such template, an undefined name, or a text that is empty or too long.
        """
        ...


class JourneyReader(Protocol):
    """Builds a journey from a stored source."""

    def __call__(self, journey: str, source: Mapping[str, Any], /) -> Journey:
        """Read the journey of this id from the source kept with its version.

        Raises:
            MappingError: this version of the program no longer reads it.
        """
        ...
