"""Does a journey listen for the words that its texts ask people to reply?

A text that says "Reply CALL ME" promises something. Only words are looked at that are written in capitals and mean
something: those of the intents of the text's language, and those of the journey's own cases.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from connector.adapters.flow_checks import ends, ways_of
from connector.domain import wording
from connector.domain.consent import KeywordBook, matches_keyword
from connector.domain.locales import fallback_chain
from connector.domain.steps import Case, CaseKind, Confirm, Send, Step, WaitFor, texts_sent, walk

_WORD = re.compile(r"[^\W_]+")
_EVERYDAY = frozenset({"ok"})
"""Written in capitals in any sentence, so that it need not be an invitation."""

_ANYTHING: tuple[str, ...] = ()
"""What a case takes that takes any reply."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A text, and the lists of words that steps behind it take; an empty list takes any reply."""

    text: Send
    words: Collection[tuple[str, ...]]


def listening(steps: tuple[Step, ...]) -> tuple[Listening, ...]:
    """Give each text of a journey to the contact with what may be heard behind it."""
    found: list[Listening] = []
    _behind(steps, frozenset(), found)
    return tuple(found)


def words_offered(steps: tuple[Step, ...], book: KeywordBook, locale: str) -> Mapping[tuple[str, ...], str]:
    """Give the words that mean something in a language, each with its intent; empty for a case's own."""
    tag = next((tag for tag in fallback_chain(locale, book.default) if tag in book.languages), book.default)
    own = (word for words in (words for step in walk(steps) for words in _heard(step)) for word in words)
    offered = {wording.words(word): "" for word in own}
    offered |= {wording.words(word): name for name, listed in book.languages[tag].intents.items() for word in listed}
    return {words: name for words, name in offered.items() if words and "".join(words) not in _EVERYDAY}


def unheard(
    literals: Collection[str], offered: Mapping[tuple[str, ...], str], heard: Listening, book: KeywordBook
) -> Iterator[tuple[str, str]]:
    """Give the words in capitals that a text offers and nothing behind it takes, each with its intent."""
    for word, meaning in dict.fromkeys(found for text in literals for found in _offers(text, offered)):
        is_taken = (not each or matches_keyword(word, each, book.courtesies()) for each in heard.words)
        if not any(is_taken):
            yield word, meaning


def _behind(
    steps: tuple[Step, ...], after: frozenset[tuple[str, ...]], found: list[Listening]
) -> frozenset[tuple[str, ...]]:
    """Give what may be heard from the beginning of a list of steps on; `after` is what may be heard behind it."""
    for step in reversed(steps):
        onward = frozenset() if ends(step) and not ways_of(step) else after
        inside = [_behind(nested, onward, found) for nested in (*ways_of(step), step.on_failure)]
        here = frozenset(_heard(step)).union(*inside)
        after = here if ends(step) else here | onward
        found.extend(Listening(text, after) for text in texts_sent(step) if text.to == "contact")
    return after


def _heard(step: Step) -> list[tuple[str, ...]]:
    if isinstance(step, Confirm):
        return [step.keywords] if step.keywords else []
    cases: tuple[Case, ...] = step.cases if isinstance(step, WaitFor) else ()
    return [case.keywords or _ANYTHING for case in cases if case.kind is CaseKind.REPLY]


def _offers(text: str, offered: Mapping[tuple[str, ...], str]) -> Iterator[tuple[str, str]]:
    """Find offered words in a text, the longest first: "CALL ME" is not CALL."""
    written = _WORD.findall(text.replace("'", "").replace("\u2019", ""))
    said = [(wording.words(word) or ("",))[0] if word.isupper() else "" for word in written]
    at, longest = 0, max((len(words) for words in offered), default=0)
    while at < len(said):
        size = next((size for size in range(longest, 0, -1) if tuple(said[at : at + size]) in offered), 0)
        if size:
            yield " ".join(written[at : at + size]), offered[tuple(said[at : at + size])]
        at += size or 1
