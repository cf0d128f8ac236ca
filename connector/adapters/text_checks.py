"""Is every text of a journey there, in every language, well written, short enough, and lawful for its purpose?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connector.adapters.jinja_syntax import compile_text
from connector.adapters.journey_names import JourneyNames
from connector.adapters.journey_uses import TemplateUse, TextUse, Uses
from connector.adapters.journey_world import World
from connector.adapters.length_checks import MOST_SEGMENTS, TextAt, dear_characters, too_long, trial
from connector.adapters.link_checks import links_in
from connector.adapters.locale_checks import broken_promises, files_of, missing_locales, one_language_only
from connector.adapters.name_checks import flaws, is_open
from connector.adapters.purpose_checks import first_marketing_texts, missing_in_opt_in, says_how_to_stop, stop_words
from connector.adapters.rendering import locale_of
from connector.adapters.template_checks import missing_template, template_flaws
from connector.adapters.yaml_file import Document, Trail, format_trail
from connector.adapters.yaml_shapes import listed
from connector.domain.journey import Journey
from connector.domain.locales import ULTIMATE
from connector.domain.places import Place
from connector.domain.steps import Confirm, Send, walk
from connector.errors import Mistake


class TextChecks:
    """Holds the texts of one journey file against the world around it."""

    def __init__(self, document: Document, uses: Uses, names: JourneyNames) -> None:
        self._document, self._uses, self._names = document, uses, names
        self._world: World = names.world

    def run(self) -> Iterator[Mistake]:
        """Give what is wrong with each text by itself."""
        for use in self._uses.texts:
            yield from self._inline(use)
        used = list(dict.fromkeys(use.name for use in self._uses.templates))
        for template in self._uses.templates:
            yield from self._template(template, used)
        for name in used:
            yield from self._files(name)

    def links(self) -> frozenset[str]:
        """Give the names of the links that the texts of the journey make."""
        written = [use.text.source for use in self._uses.texts if use.is_sms]
        paths = (path for use in self._uses.templates for path in files_of(use.name, self._world.templates))
        return frozenset().union(*map(links_in, [*written, *(self._world.templates[path] for path in paths)]))

    # --- one text by itself ------------------------------------------------------------------------------------

    def _inline(self, use: TextUse) -> Iterator[Mistake]:
        names = self._names.at(use.trail, has_code=self._has_code(use.trail))
        compiled = compile_text(use.text.source)
        wrong = list(flaws(self._document, compiled, names, use.trail, knows_records=self._names.knows_trigger))
        yield from wrong
        if wrong or not self._names.knows_trigger or is_open(compiled, names):
            return
        at = TextAt(use.text.source, compiled, self._document.file, ULTIMATE, use.text.place, format_trail(use.trail))
        usual, mistake = trial(at, names)
        if mistake is not None:
            yield mistake
        elif use.is_sms:
            longest = self._names.at(use.trail, has_code=self._has_code(use.trail), longest=True)
            yield from dear_characters(at, usual)
            yield from too_long(at, usual, longest, MOST_SEGMENTS)

    def _template(self, use: TemplateUse, used: Sequence[str]) -> Iterator[Mistake]:
        missing = missing_template(use.name, self._world.templates)
        if missing is not None:
            yield self._document.mistake(use.trail, *missing)
            return
        promised = self._promised
        for message, hint in broken_promises(use.name, promised, self._world.templates):
            yield self._document.mistake(use.trail, message, hint)
        for locale in missing_locales(use.name, used, self._world.templates):
            if locale not in promised:
                message = f"has no {locale} text, though other steps of this journey have one"
                hint = f"add templates/{use.name}.{locale}.txt.j2"
                yield self._document.mistake(use.trail, message, hint, severity="warning")

    def _files(self, name: str) -> Iterator[Mistake]:
        trails = [use.trail for use in self._uses.templates if use.name == name]
        for path in files_of(name, self._world.templates):
            for trail in trails:
                yield from self._file(path, trail)

    def _file(self, path: str, trail: Trail) -> Iterator[Mistake]:
        """Check a template as the step under `trail` sees it."""
        source, file = self._world.templates[path], f"{self._world.templates_dir}/{path}"
        compiled, names = compile_text(source), self._names.at(trail, has_code=self._has_code(trail))
        wrong = list(template_flaws(compiled, source, names, file, knows_records=self._names.knows_trigger))
        yield from wrong
        if wrong or not self._names.knows_trigger or is_open(compiled, names):
            return
        at = TextAt(source, compiled, file, locale_of(path) or ULTIMATE)
        usual, mistake = trial(at, names)
        if mistake is not None:
            yield mistake
            return
        yield from dear_characters(at, usual)
        longest = self._names.at(trail, has_code=self._has_code(trail), longest=True)
        yield from too_long(at, usual, longest, MOST_SEGMENTS)

    @property
    def _promised(self) -> tuple[str, ...]:
        top = self._document.value if isinstance(self._document.value, dict) else {}
        locales = top.get("locales")
        listed_ones = locales if isinstance(locales, list) else [locales]
        return tuple(locale for locale in listed_ones if isinstance(locale, str))

    def _has_code(self, trail: Trail) -> bool:
        """Tell whether the text under `trail` may name `code`."""
        if len(trail) < 2 or trail[-2] not in {"verify", "confirm"}:
            return False
        return trail[-2] == "verify" or self._document.has((*trail[:-1], "code"))

    # --- what the purpose asks for -----------------------------------------------------------------------------

    def lawful(self, journey: Journey) -> Iterator[Mistake]:
        """Give the texts that lack what their purpose asks for; nothing without a keyword book."""
        if self._world.keywords is None or not self._names.knows_trigger:
            return
        firsts = first_marketing_texts(journey.steps, journey.purpose)
        for at, usual in self._shown(firsts):
            words = stop_words(self._world.keywords, at.locale)
            if not says_how_to_stop(usual, words):
                message = f"is the first marketing text and names no word that stops it ({listed(words[:3])})"
                yield at.mistake(1, 1, message, "add: STOP to opt out", severity="error")
        asks = [step.ask for step in walk(journey.steps) if isinstance(step, Confirm) and step.grants]
        for at, usual in self._shown(asks):
            for message, hint, severity in missing_in_opt_in(
                at.source, usual, stop_words(self._world.keywords, at.locale)
            ):
                yield at.mistake(1, 1, message, hint, severity=severity)
        if one := one_language_only(journey.locales):
            for use in self._uses.texts:
                if use.is_sms:
                    yield self._document.mistake(use.trail, *one, severity="warning")

    def _shown(self, sends: Sequence[Send]) -> Iterator[tuple[TextAt, str]]:
        """Give each text in each of its languages, as it is sent with usual values; broken ones are left out."""
        for send in sends:
            trail = self._trail_of(send)
            names: Mapping[str, Any] = self._names.at(trail, has_code=True)
            for at in self._versions(send):
                usual, mistake = trial(at, names) if not is_open(at.compiled, names) else (at.source, None)
                if mistake is None:
                    yield at, usual

    def _versions(self, send: Send) -> Iterator[TextAt]:
        if send.text is not None:
            place = Place(send.place.file, send.text.place.line, send.text.place.column)
            yield TextAt(send.text.source, compile_text(send.text.source), place.file, ULTIMATE, place, send.path)
        for path in files_of(send.template, self._world.templates) if send.template else ():
            source = self._world.templates[path]
            file = f"{self._world.templates_dir}/{path}"
            yield TextAt(source, compile_text(source), file, locale_of(path) or ULTIMATE)

    def _trail_of(self, send: Send) -> Trail:
        """Find where a text is written or named, which tells what names it sees."""
        for use in self._uses.templates:
            if use.name == send.template and format_trail(use.trail).startswith(send.path):
                return use.trail
        return next((use.trail for use in self._uses.texts if use.text == send.text), ("steps",))
