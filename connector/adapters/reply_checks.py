"""Can every case of a `wait_for` be the one that answers, and every word of a `confirm` arrive?

Only one step waits at a time, so words of different steps never compete; those of one `wait_for` do, and the words
that stop, start or explain our texts go before all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.adapters.mistake_places import trail_of
from connector.adapters.yaml_file import Document, Trail
from connector.adapters.yaml_shapes import quoted
from connector.domain.consent import KeywordBook, KeywordKind, matches_keyword
from connector.domain.steps import Case, CaseKind, Confirm, Step, walk
from connector.errors import Mistake

Cases = list[tuple[Case, Trail]]
"""The cases of one `wait_for`, each with where it stands."""


def reply_mistakes(document: Document, waits: list[Cases], book: KeywordBook | None) -> Iterator[Mistake]:
    """Give what is wrong with the cases of each `wait_for`; without a book, STOP words and their like go unchecked."""
    for cases in waits:
        for position, (case, trail) in enumerate(cases):
            at = (*trail, "intent" if case.intent else case.kind.value)
            if case.kind is CaseKind.REPLY and not case.intent:
                yield from _consent_words(document, case.keywords, at, book)
            earlier = [each for each, _ in cases[:position]]
            yield from _overlaps(document, case, at, earlier, book)


def confirm_mistakes(document: Document, steps: tuple[Step, ...], book: KeywordBook | None) -> Iterator[Mistake]:
    """Give the words of each `confirm` that can never confirm."""
    for step in walk(steps):
        trail = (*trail_of(step.path), "confirm", "reply")
        if isinstance(step, Confirm) and document.has(trail):
            yield from _consent_words(document, step.keywords, trail, book)


def _consent_words(
    document: Document, keywords: tuple[str, ...], trail: Trail, book: KeywordBook | None
) -> Iterator[Mistake]:
    for word in keywords if book is not None else ():
        match = book.classify(word) if book is not None else None
        if match is not None and match.kind is not KeywordKind.NONE:
            message = f"{quoted(word)} never gets here: it is a {match.kind.name} word"
            yield _at_word(document, trail, word, message, "choose another word")


def _overlaps(
    document: Document, case: Case, trail: Trail, earlier: list[Case], book: KeywordBook | None
) -> Iterator[Mistake]:
    courtesies = frozenset() if book is None else book.courtesies()
    for other in (each for each in earlier if each.kind is case.kind and each.where is None):
        if case.kind is not CaseKind.REPLY:
            if _covers(other, case):
                line = other.place.line
                yield document.mistake(trail, f"is never reached: the case in line {line} waits for the same")
                return
        elif not other.keywords:
            line = other.place.line
            yield document.mistake(trail, f"is never reached: the case in line {line} takes any reply")
            return
        else:
            yield from _taken(document, case, trail, other, courtesies)


def _taken(document: Document, case: Case, trail: Trail, other: Case, courtesies: frozenset[str]) -> Iterator[Mistake]:
    for word in case.keywords:
        taken = matches_keyword(word, other.keywords, courtesies)
        if taken:
            message = f"{quoted(word)} is taken by {quoted(taken)} in line {other.place.line}"
            yield _at_word(document, trail, word, message)
            if case.intent:
                return  # one word shows that the two mean the same; the others stand in another file


def _covers(other: Case, case: Case) -> bool:
    """Tell whether whatever answers a case has answered an earlier one of the same kind."""
    if case.kind is CaseKind.EVENT:
        return other.event == case.event
    if case.kind is CaseKind.CLICK:
        return other.link is None or other.link == case.link
    return other.send_id == case.send_id


def _at_word(document: Document, trail: Trail, word: str, message: str, suggestion: str | None = None) -> Mistake:
    return document.mistake_at(document.find(trail, word), trail, message, suggestion)
