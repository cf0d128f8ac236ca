"""Is every text of a journey there, in every language, well written, short enough, and lawful for its purpose?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from connector.adapters.invitation_checks import listening, unheard, words_offered
from connector.adapters.jinja_syntax import compile_text
from connector.adapters.journey_names import JourneyNames
from connector.adapters.journey_texts import SMSUse, longest_names_of, names_of, sms_uses, use_of
from connector.adapters.journey_uses import TextUse, Uses
from connector.adapters.length_checks import TextAt, dear_characters, too_long, trial
from connector.adapters.link_checks import links_in
from connector.adapters.locale_checks import broken_promises, missing_locales, one_language_only
from connector.adapters.name_checks import flaws, is_open
from connector.adapters.preview_checks import preview_mistakes
from connector.adapters.purpose_checks import (
    first_marketing_texts,
    missing_in_opt_in,
    names_the_sender,
    says_how_to_stop,
    stop_words,
)
from connector.adapters.template_checks import missing_template, template_flaws
from connector.adapters.yaml_file import Document, format_trail
from connector.adapters.yaml_shapes import listed, quoted
from connector.domain.consent import KeywordBook
from connector.domain.journey import Journey
from connector.domain.locales import ULTIMATE
from connector.domain.steps import Confirm, Send, walk
from connector.errors import Mistake


class TextChecks:
    """Holds the texts of one journey file against the world around it."""

    def __init__(self, document: Document, uses: Uses, names: JourneyNames) -> None:
        self._document, self._uses, self._names = document, uses, names
        self._world = names.world
        self._sms: list[SMSUse] | None = None

    def sms(self) -> list[SMSUse]:
        """Give every SMS text of the journey."""
        if self._sms is None:
            self._sms = sms_uses(self._document, self._uses, self._names)
        return self._sms

    def links(self) -> frozenset[str]:
        """Give the names of the links that the texts of the journey make."""
        return frozenset().union(*(links_in(at.source) for use in self.sms() for at in use.versions))

    def run(self) -> Iterator[Mistake]:
        """Give what is wrong with each text by itself."""
        sms = self.sms()
        templates = [use for use in sms if use.is_template]
        for text in self._uses.texts:
            if not text.is_sms:
                yield from self._for_staff(text)
        for use in sms:
            if use.is_template:
                yield from self._languages(use, [each.name for each in templates])
            for at in use.versions:
                yield from self._version(use, at)
        yield from preview_mistakes(templates, self._names)

    def _for_staff(self, use: TextUse) -> Iterator[Mistake]:
        """Check a text that colleagues read: its length and characters cost nothing."""
        names, compiled = self._names.at(use.trail), compile_text(use.text.source)
        wrong = list(flaws(self._document, compiled, names, use.trail, knows_records=self._names.knows_trigger))
        yield from wrong
        if not wrong and self._names.knows_trigger and not is_open(compiled, names):
            path = format_trail(use.trail)
            at = TextAt(use.text.source, compiled, self._document.file, ULTIMATE, use.text.place, path)
            _, mistake = trial(at, names)
            yield from [] if mistake is None else [mistake]

    def _languages(self, use: SMSUse, used: Sequence[str]) -> Iterator[Mistake]:
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

    def _version(self, use: SMSUse, at: TextAt) -> Iterator[Mistake]:
        """Check a text in one language, as its step sees it."""
        names, knows_records = names_of(use, self._names), self._names.knows_trigger
        if at.place is not None:
            wrong = list(flaws(self._document, at.compiled, names, use.trail, knows_records=knows_records))
        else:
            wrong = list(template_flaws(at.compiled, at.source, names, at.file, knows_records=knows_records))
        yield from wrong
        if "code" in use.knows and not wrong and all(name.parts[0] != "code" for name in at.compiled.names):
            yield at.mistake(1, 1, "asks for a code and does not name it", "write {{ code }}", severity="error")
        if wrong or not knows_records or is_open(at.compiled, names):
            return
        usual, mistake = trial(at, names)
        if mistake is not None:
            yield mistake
            return
        yield from dear_characters(at, usual)
        yield from too_long(at, usual, longest_names_of(use, self._names), use.most)

    @property
    def _promised(self) -> tuple[str, ...]:
        top = self._document.value if isinstance(self._document.value, dict) else {}
        written = top.get("locales")
        locales = written if isinstance(written, list) else [written]
        return tuple(locale for locale in locales if isinstance(locale, str))

    # --- what the purpose asks for -----------------------------------------------------------------------------

    def lawful(self, journey: Journey) -> Iterator[Mistake]:
        """Give the texts that lack what their purpose asks for, or the languages promised."""
        if self._world.keywords is not None and self._names.knows_trigger:
            yield from self._first_texts(journey)
            yield from self._opt_ins(journey)
            yield from self._invitations(journey, self._world.keywords)
        one = one_language_only(journey.locales)
        for use in self.sms() if one else ():
            if one and not use.is_template:
                yield self._document.mistake(use.trail, *one, severity="warning")

    def _first_texts(self, journey: Journey) -> Iterator[Mistake]:
        for at, usual, words in self._shown(first_marketing_texts(journey.steps, journey.purpose)):
            if not says_how_to_stop(usual, words):
                message = f"is the first marketing text and names no word that stops it ({listed(words[:3])})"
                yield at.mistake(1, 1, message, "add: STOP to opt out", severity="error")
            if not names_the_sender(at.source):
                message = "is the first marketing text and does not say who is writing"
                hint = "begin with {{ account.name }}, or with the name and a colon"
                yield at.mistake(1, 1, message, hint, severity="warning")

    def _opt_ins(self, journey: Journey) -> Iterator[Mistake]:
        asks = [step.ask for step in walk(journey.steps) if isinstance(step, Confirm) and step.grants]
        for at, usual, words in self._shown(asks):
            for message, hint, severity in missing_in_opt_in(at.source, usual, words):
                yield at.mistake(1, 1, message, hint, severity=severity)

    def _invitations(self, journey: Journey, book: KeywordBook) -> Iterator[Mistake]:
        sms = self.sms()
        for heard in listening(journey.steps):
            use = use_of(heard.text, sms)
            for at in use.versions if use is not None else ():
                offered = words_offered(journey.steps, book, at.locale)
                for word, intent in unheard([text for text, _ in at.compiled.literals], offered, heard, book):
                    message = f"invites the reply {quoted(word)}, and no step behind it takes that"
                    hint = f"add a wait_for with the case intent: {intent}" if intent else "add a case for it"
                    yield at.mistake(1, 1, message, hint, severity="warning")

    def _shown(self, sends: Sequence[Send]) -> Iterator[tuple[TextAt, str, tuple[str, ...]]]:
        """Give each text in each language, as it is sent with usual values, and the words that stop it there.

        What cannot be rendered is told elsewhere, and left out.
        """
        sms, book = self.sms(), self._world.keywords
        for use in (use_of(send, sms) for send in sends):
            for at in use.versions if use is not None and book is not None else ():
                names = names_of(use, self._names) if use is not None else {}
                usual, mistake = (at.source, None) if is_open(at.compiled, names) else trial(at, names)
                if mistake is None and book is not None:
                    yield at, usual, stop_words(book, at.locale)
