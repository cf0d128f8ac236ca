"""Which text does this person get, and does this condition hold, given these values?

Names come as plain mappings of texts, numbers, dates and times (`domain.event_mapping` makes them). A name without a
value is an error that names the name and the line and never shows a value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from jinja2 import Template, Undefined, UndefinedError

from connector.adapters.jinja_sandbox import Record
from connector.adapters.jinja_syntax import Compiled, compile_condition, compile_text
from connector.adapters.text_filters import LINKS, LOCALE, ZONE, FilterError
from connector.domain.journey import Journey
from connector.domain.locales import ULTIMATE, fallback_chain
from connector.domain.places import Expression, Place, Text
from connector.domain.short_links import ALPHABET, CODE_LENGTH
from connector.domain.steps import Send
from connector.errors import ConditionError
from connector.ports.rendering import LinkMaker, MadeLink

LONGEST_TEXT = 1_600
"""Characters in one SMS: Twilio refuses longer bodies with error 21617 (twilio.com/docs/api/errors/21617)."""

SUFFIX = ".txt.j2"

SAMPLE_LINK = f"https://sms.example.com/l/{(ALPHABET * 2)[:CODE_LENGTH]}"
"""Stands in checks and previews for a short link: as long as one below a domain of usual length."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished text.

    Attributes:
        template: `invoice-overdue/first.de.txt.j2`, or empty for a text written in the journey.
        locale: the locale it was written in, as far as its file name says.
        links: the short links in it, in the order they were made.
    """

    text: str
    template: str
    locale: str
    links: tuple[MadeLink, ...] = ()


class _Links:
    """Collects the links of one rendering; the same name and address twice is one link."""

    def __init__(self, make: LinkMaker) -> None:
        self._make = make
        self._made: dict[tuple[str, str], MadeLink] = {}

    def __call__(self, name: str, url: str) -> str:
        """Give the short address that stands in the text."""
        if (name, url) not in self._made:
            self._made[name, url] = self._make(name, url)
        return self._made[name, url].address

    @property
    def made(self) -> tuple[MadeLink, ...]:
        """Everything made so far."""
        return tuple(self._made.values())


class Renderer:
    """Renders texts and evaluates conditions; keeps nothing but the settings it was made with."""

    def __init__(self, *, default_locale: str = ULTIMATE, sample_link: str = SAMPLE_LINK) -> None:
        """Make one.

        Args:
            default_locale: tried for people whose own language has no text.
            sample_link: stands where nobody makes short links, in checks and previews; empty where a text that has
                one and cannot get it must not be sent.
        """
        self._default_locale, self._sample_link = default_locale, sample_link

    def evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Give the value of an expression.

        Raises:
            ConditionError: a name has no value, values do not go together, or the expression cannot be read.
        """
        template = _runnable(compile_condition(expression.source), expression.place)
        context = template.new_context(_context(names))
        try:
            for _ in template.root_render_func(context):
                pass  # pragma: no cover - an expression puts out nothing
        except Exception as exc:  # noqa: BLE001 - whatever a value does inside a template is the template's error
            raise _condition_error(exc, template, expression.place) from None
        value = context.vars["result"]
        if isinstance(value, Undefined):
            raise ConditionError(f"{value._undefined_message} ({_at(expression.place, 1)})")  # noqa: SLF001 - the message is the point
        return value.values if isinstance(value, Record) else value

    def holds(self, expression: Expression, names: Mapping[str, Any]) -> bool:
        """Tell whether a condition holds; raises as `evaluate` does."""
        return bool(self.evaluate(expression, names))

    def render(
        self, text: Text, names: Mapping[str, Any], *, locale: str | None = None, time_zone: str | None = None
    ) -> Rendered:
        """Render a text written in a journey file; `locale` and `time_zone` shape its dates and amounts.

        Raises:
            ConditionError: a name has no value, or the text is empty or too long.
        """
        return self._inline(text, names, locale, time_zone, None)

    def render_template(
        self,
        templates: Mapping[str, str],
        name: str,
        names: Mapping[str, Any],
        *,
        locale: str | None = None,
        time_zone: str | None = None,
        links: LinkMaker | None = None,
    ) -> Rendered:
        """Render `invoice-overdue/first` in the best of the languages there are.

        `templates` are sources by file name under `templates/`, as `Journey.templates` gives them; times are written in
        the IANA zone `time_zone`, or in UTC when it is None.

        Raises:
            ConditionError: there is no such template, or as `render` does.
        """
        path, written_in = self.choose(templates, name, locale)
        place = Place(f"templates/{path}", 1, 1)
        template = _runnable(compile_text(templates[path]), place)
        made = self._links(links)
        text = _run(template, _values(names, _formats(locale, written_in), time_zone, made), place)
        return Rendered(text, path, written_in, made.made if made else ())

    def render_send(
        self,
        journey: Journey,
        step: Send,
        names: Mapping[str, Any],
        *,
        locale: str | None = None,
        time_zone: str | None = None,
        links: LinkMaker | None = None,
    ) -> Rendered:
        """Render the text of a send step, from the sources of the journey's own version."""
        if step.text is not None:
            return self._inline(step.text, names, locale, time_zone, links)
        return self.render_template(
            journey.templates, step.template or "", names, locale=locale, time_zone=time_zone, links=links
        )

    def _inline(
        self, text: Text, names: Mapping[str, Any], locale: str | None, time_zone: str | None, links: LinkMaker | None
    ) -> Rendered:
        chosen, made = locale or self._default_locale, self._links(links)
        template = _runnable(compile_text(text.source), text.place)
        written = _run(template, _values(names, chosen, time_zone, made), text.place)
        return Rendered(written, "", chosen, made.made if made else ())

    def _links(self, make: LinkMaker | None) -> _Links | None:
        sample = self._sample_link
        if make is None and sample:
            return _Links(lambda name, url: MadeLink(name, sample.rpartition("/")[2], url, sample))
        return None if make is None else _Links(make)

    def choose(self, templates: Mapping[str, str], name: str, locale: str | None) -> tuple[str, str]:
        """Choose the file and locale for a person: `de-AT`, then `de`, then the default's, then the bare file.

        Raises:
            ConditionError: there is none of them.
        """
        bare = f"{name}{SUFFIX}"
        for tag in fallback_chain(locale, self._default_locale):
            path = f"{name}.{tag}{SUFFIX}"
            if path in templates:
                return path, tag
            if tag == ULTIMATE and bare in templates:
                return bare, tag
        raise ConditionError(f"there is no template {bare}")


def locale_of(path: str) -> str:
    """Give the locale in a template's file name; empty for the one everybody else gets."""
    return path.rpartition("/")[2].removesuffix(SUFFIX).partition(".")[2]


def _formats(locale: str | None, written_in: str) -> str:
    """Format as the person's region does when the text is in their language, else as the text's language does."""
    same_language = (
        locale is not None and locale.replace("_", "-").split("-")[0].lower() == written_in.split("-", maxsplit=1)[0]
    )
    return locale if locale and same_language else written_in


def _context(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: Record(name, value) if isinstance(value, Mapping) else value for name, value in names.items()}


def _runnable(compiled: Compiled, place: Place) -> Template:
    if compiled.template is None:
        flaw = compiled.flaws[0]
        raise ConditionError(f"{flaw.message} ({_at(place, flaw.line)})")
    return compiled.template


def _values(
    names: Mapping[str, Any], locale: str, time_zone: str | None, links: Callable[[str, str], str] | None
) -> dict[str, Any]:
    return {**_context(names), LOCALE: locale, ZONE: time_zone, LINKS: links}


def _run(template: Template, values: dict[str, Any], place: Place) -> str:
    try:
        text = _capped(template, values)
    except Exception as exc:  # noqa: BLE001 - whatever a value does inside a template is the template's error
        raise _condition_error(exc, template, place) from None
    if not text:
        raise ConditionError(f"the text is empty ({_at(place, 1)})")
    return text


def _capped(template: Template, values: dict[str, Any]) -> str:
    pieces, length = [], 0
    for piece in template.root_render_func(template.new_context(values)):
        length += len(piece)
        if length > 2 * LONGEST_TEXT:  # blank margins are cut off below; nothing honest has this much of them
            raise FilterError(f"the text is longer than {LONGEST_TEXT} characters")
        pieces.append(piece)
    text = "".join(pieces).strip()
    if len(text) > LONGEST_TEXT:
        raise FilterError(f"the text is longer than {LONGEST_TEXT} characters")
    return text


def _condition_error(exc: Exception, template: Template, place: Place) -> ConditionError:
    """Say what went wrong without its values: foreign messages may quote them, so they are not repeated."""
    where = _at(place, _line(exc.__traceback__, template))
    if isinstance(exc, UndefinedError | FilterError | ConditionError):
        return ConditionError(f"{exc} ({where})")
    if isinstance(exc, ArithmeticError):
        return ConditionError(f"a number is divided by zero or out of range ({where})")
    if isinstance(exc, TypeError):
        return ConditionError(f"two values do not go together, such as a text and a number ({where})")
    return ConditionError(f"cannot be worked out: {type(exc).__name__} ({where})")


def _line(trace: TracebackType | None, template: Template) -> int:
    line = 1
    while trace is not None:
        if "__jinja_template__" in trace.tb_frame.f_globals:
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _at(place: Place, line: int) -> str:
    return f"{place.file}:{place.line + line - 1}"
