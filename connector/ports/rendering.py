"""How do services turn what an admin wrote into values and texts, and stored sources into journeys?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from connector.domain.journey import Journey
from connector.domain.places import Expression, Text
from connector.domain.steps import Send


@dataclass(frozen=True, slots=True)
class MadeLink:
    """A short link as it stands in a text, yet to be kept.

    Attributes:
        name: what the template calls it.
        code: the last part of `address`; a secret of the text.
        url: where it is to lead.
        address: what the text says.
    """

    name: str
    code: str = field(repr=False)
    url: str = field(repr=False)
    address: str = field(repr=False)


class LinkMaker(Protocol):
    """Makes the short links of one text."""

    def __call__(self, name: str, url: str, /) -> MadeLink:
        """Make a link of this name to a web address."""
        ...


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

    @property
    def links(self) -> Sequence[MadeLink]:
        """The short links in it, in the order they were made."""
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
        links: LinkMaker | None = None,
    ) -> RenderedText:
        """Render the text of a send step from the sources of the journey's own version, in the closest locale.

        `links` makes what `… | link('payment')` stands for; what it has made is in the result, to be kept with the
        message.

        Raises:
            ConditionError: no such template, an undefined name, or a text that is empty or too long.
        """
        ...


class TemplateRenderer(Protocol):
    """Renders templates by their names, for texts that no journey made."""

    def render(
        self,
        name: str,
        names: Mapping[str, Any],
        *,
        locale: str | None = None,
        time_zone: str | None = None,
        links: LinkMaker | None = None,
    ) -> RenderedText:
        """Render a template in the closest locale.

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
