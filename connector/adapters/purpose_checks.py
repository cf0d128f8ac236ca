"""Does a journey say what the law and the carriers ask of its purpose: how to stop, and who is writing?

A reader may revoke by the words a text names (47 CFR 64.1200(a)(10)); the carriers ask for these words and the sender's
name where somebody joins and in what follows (CTIA, Messaging Principles and Best Practices, 2023, 5.1.2.1 and 5.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connector.adapters.flow_checks import ends, ways_of
from connector.domain import wording
from connector.domain.consent import KeywordBook
from connector.domain.locales import fallback_chain
from connector.domain.message import Purpose
from connector.domain.steps import Confirm, Send, Step, Verify, texts_sent

_WORD = re.compile(r"[^\W_]+")
_NAMED_AT_THE_START = re.compile(r"\s*[^\W\d_][\w&.' -]{1,40}:\s")
"""A text that begins with a name and a colon, such as `Brightwater: …`."""


def first_marketing_texts(steps: tuple[Step, ...], purpose: Purpose) -> tuple[Send, ...]:
    """Give the texts that may be the first of purpose marketing that a contact gets, one per way through a journey."""
    found: list[Send] = []
    _collect(steps, purpose, found)
    return tuple(found)


def _collect(steps: tuple[Step, ...], purpose: Purpose, found: list[Send]) -> bool:
    """Add the first texts of a list of steps; tell whether nothing behind the list can be one."""
    for step in steps:
        texts = [text for text in texts_sent(step) if _is_marketing(step, text, purpose)]
        found.extend(texts)
        ways = [_collect(way, purpose, found) for way in ways_of(step)] if not texts else []
        is_sure = bool(texts) or ends(step) or (bool(ways) and all(ways))
        if is_sure and step.when is None:
            return True
    return False


def _is_marketing(step: Step, text: Send, purpose: Purpose) -> bool:
    return text.to == "contact" and purpose_of(step, text, purpose) is Purpose.MARKETING


def purpose_of(step: Step, text: Send, purpose: Purpose) -> Purpose:
    """Give the purpose a step's text goes out with, in a journey of some purpose.

    Who is asked for a consent to marketing has none yet: the question itself is no marketing.
    """
    if isinstance(step, Verify):
        return Purpose.OTP
    if isinstance(step, Confirm) and step.grants and text.purpose is None:
        return Purpose.TRANSACTIONAL
    return text.purpose or purpose


def stop_words(book: KeywordBook, locale: str) -> tuple[str, ...]:
    """Give the words by which a reader of a language stops our texts."""
    tag = next((tag for tag in fallback_chain(locale, book.default) if tag in book.languages), book.default)
    return book.languages[tag].stop


def says_how_to_stop(text: str, words: tuple[str, ...]) -> bool:
    """Tell whether a text names one of these words, in capitals: in small letters `end` or `fin` are everyday words."""
    capitals = " ".join(word if word.isupper() else "-" for word in _spaced(text))
    said = tuple(part for word in capitals.split() for part in (wording.words(word) or ("",)))
    return any(wording.contains(said, wording.words(word)) for word in words)


def _spaced(text: str) -> list[str]:
    return _WORD.findall(text)


def names_the_sender(source: str) -> bool:
    """Tell whether a template says who writes: by the account's name, or by a name and a colon at its start."""
    return "account.name" in source or _NAMED_AT_THE_START.match(source) is not None


def missing_in_opt_in(source: str, rendered: str, words: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Give what a request to opt in lacks, with a suggestion, and how bad that is (`error` or `warning`)."""
    if not says_how_to_stop(rendered, words):
        shown = ", ".join(words[:3])
        yield (
            f"asks for a consent to marketing and names no word that stops it ({shown})",
            "add: STOP to opt out",
            "error",
        )
    if not names_the_sender(source):
        hint = "begin with {{ account.name }}, or with the name and a colon"
        yield "asks for a consent to marketing and does not say who is asking", hint, "warning"
