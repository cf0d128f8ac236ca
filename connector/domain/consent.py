"""Does a reply withdraw consent, give it, ask for help, or choose one of the words a text offered?

The words are data (`mappings/keywords.yaml`); the rules by which a reply is held against them are here. A reply
that says it plainly acts at once; one that may be a withdrawal goes to a person, because the law counts any words a
reasonable reader takes for one (47 CFR 64.1200(a)(10)).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from connector.domain import wording
from connector.domain.locales import fallback_chain

_DIGIT_LOOKALIKES = str.maketrans("013457", "oieast")
_TAUGHT = "stop"  # the keyword our own texts name; no other word is one slip away from it
_LONG = 7  # letters from which one slip makes no other word; "alto" is close to "lato", "end" to "Ned"
_EVERYDAY = 7  # letters up to which a single word begins sentences of any meaning: "no problem", "Bezahlt? Nie!"
_QUESTION_MARKS = frozenset("?\u00bf\u061f\uff1f")  # plain, Spanish, Arabic, full-width


class KeywordKind(StrEnum):
    """What a reply means for consent."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    MAYBE_STOP = "maybe_stop"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class KeywordMatch:
    """What a reply was taken for, and why.

    Attributes:
        kind: the meaning.
        keyword: the keyword or phrase of the book it was held against; None for NONE.
        language: the language of that keyword; None for NONE.
        rule: `exact`, `courtesy` ("Stop please"), `spelling` ("st0p", "stopp", "sotp"), `phrase` or `none`.
    """

    kind: KeywordKind
    keyword: str | None
    language: str | None
    rule: str


@dataclass(frozen=True, slots=True)
class LanguageKeywords:
    """One language of the book.

    Attributes:
        stop, start, help: whole-message keywords.
        courtesies: words around a keyword that change nothing ("please").
        revocations: phrases that may withdraw consent; a leading "^" means only at the start of the reply.
        refutations: phrases that look like one and are none ("don't stop", "bus stop").
        help_text, stop_confirmation, start_confirmation: our answers.
        intents: words by which a reader says something a journey may wait for, by its name, such as `yes`.
    """

    stop: tuple[str, ...]
    start: tuple[str, ...]
    help: tuple[str, ...]
    courtesies: tuple[str, ...]
    revocations: tuple[str, ...]
    refutations: tuple[str, ...]
    help_text: str
    stop_confirmation: str
    start_confirmation: str
    intents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeywordBook:
    """All languages, and the one that answers readers whose language it lacks."""

    languages: Mapping[str, LanguageKeywords]
    default: str

    def classify(self, text: str, language: str | None = None) -> KeywordMatch:
        """Say what a reply means for consent; the first rule that applies decides.

        1. STOP: the whole reply is a STOP keyword of any language, the contact's first; or is one but for
           courtesies and repetition; or is one but for doubled letters, digits for letters or two swapped letters
           ("stop" and keywords of seven letters and more).
        2. START: the whole reply is a START keyword, letter for letter.
        3. HELP: the whole reply is a HELP keyword, courtesies aside.
        4. MAYBE_STOP: a revocation phrase occurs outside every refutation phrase.
        5. NONE.
        """
        said = wording.words(text)
        languages = self._languages(language)
        return (
            _whole(said, languages, KeywordKind.STOP)
            or _misspelt(said, languages)
            or _whole(said, languages, KeywordKind.START)
            or _whole(said, languages, KeywordKind.HELP)
            or _revocation(said, languages)
            or KeywordMatch(KeywordKind.NONE, None, None, "none")
        )

    def intents(self) -> dict[str, tuple[str, ...]]:
        """Return the words of each intent in all languages together: people answer in the language they like."""
        found: dict[str, dict[str, None]] = {}
        for book in self.languages.values():
            for name, listed in book.intents.items():
                found.setdefault(name, {}).update(dict.fromkeys(listed))
        return {name: tuple(listed) for name, listed in found.items()}

    def courtesies(self) -> frozenset[str]:
        """Return the words of all languages that change nothing around a keyword, as `wording.words` gives them."""
        return frozenset(
            word for book in self.languages.values() for phrase in book.courtesies for word in _known(phrase)
        )

    def help_text(self, language: str | None) -> str:
        """Return the answer to HELP in a language, else in the default one."""
        return self._answers(language).help_text

    def stop_confirmation(self, language: str | None) -> str:
        """Return the one text that confirms a STOP."""
        return self._answers(language).stop_confirmation

    def start_confirmation(self, language: str | None) -> str:
        """Return the text that confirms a START."""
        return self._answers(language).start_confirmation

    def _answers(self, language: str | None) -> LanguageKeywords:
        chain = fallback_chain(language, self.default)
        return self.languages[next((tag for tag in chain if tag in self.languages), self.default)]

    def _languages(self, language: str | None) -> dict[str, LanguageKeywords]:
        first = [tag for tag in fallback_chain(language, self.default) if tag in self.languages]
        return {tag: self.languages[tag] for tag in dict.fromkeys([*first, *self.languages])}


def matches_keyword(text: str, keywords: Sequence[str], courtesies: Collection[str] = ()) -> str | None:
    """Say which of a reply case's keywords a reply means, as the case spells it; None when none or several.

    A reply means a keyword when it is that keyword and nothing else, or begins with it and no other keyword follows:
    "RESCHEDULE to Friday". A single word of at most seven letters, or one of digits, never counts by beginning a
    reply: "no problem, will do", "Paid? I never ordered anything" and "1 pm is fine" choose nothing.
    """
    whole = is_keyword(text, keywords, courtesies)
    if whole is not None:
        return whole
    said = wording.words(text)
    meanings = {keyword: wording.words(keyword) for keyword in keywords}
    begun = [keyword for keyword, meaning in meanings.items() if _begins(said, meaning)]
    if not begun:
        return None
    best = max(begun, key=lambda keyword: len(meanings[keyword]))
    rest = said[len(meanings[best]) :]
    others = [meaning for meaning in meanings.values() if meaning and meaning != meanings[best]]
    return None if any(wording.contains(rest, meaning) for meaning in others) else best


def is_keyword(text: str, keywords: Sequence[str], courtesies: Collection[str] = ()) -> str | None:
    """Say which keyword a reply is, as a whole; None when it says anything else beside.

    Courtesies around it, repetition, case, accents, punctuation and emoji do not count: "Yes, please!" is YES. A
    keyword without words, such as an emoji, is the whole reply to the letter.
    """
    said = wording.words(text)
    if not said:
        shown = wording.symbols(text)
        return next((keyword for keyword in keywords if shown and wording.symbols(keyword) == shown), None)
    spelt = {wording.joined(keyword): keyword for keyword in reversed(keywords)}
    for part in _without_courtesies(said, courtesies):
        found = spelt.get("".join(part)) or spelt.get("".join(dict.fromkeys(part)))
        if found is not None:
            return found
    return None


def consents(text: str, keywords: Sequence[str], courtesies: Collection[str] = ()) -> str | None:
    """Say by which keyword a reply gives a consent it was asked for; None when it does not say so without doubt.

    Consent is an unambiguous indication of what somebody wishes (Regulation (EU) 2016/679, article 4(11)), so that
    the whole reply has to be the keyword: neither "ok who is this" nor "yes?" agrees to anything.
    """
    return None if _QUESTION_MARKS & set(text) else is_keyword(text, keywords, courtesies)


def _without_courtesies(said: tuple[str, ...], courtesies: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Give a reply as it is, then with less and less of the courtesies at its ends."""
    start = next((at for at, word in enumerate(said) if word not in courtesies), len(said))
    end = next((at for at in range(len(said), 0, -1) if said[at - 1] not in courtesies), 0)
    for first in range(start + 1):
        yield from (said[first:last] for last in range(len(said), max(end, first + 1) - 1, -1))


def _begins(said: tuple[str, ...], meaning: tuple[str, ...]) -> bool:
    is_everyday = len(meaning) == 1 and len(meaning[0]) <= _EVERYDAY
    return bool(meaning) and not is_everyday and not "".join(meaning).isdigit() and said[: len(meaning)] == meaning


@lru_cache(maxsize=4096)  # about a hundred phrases per language, held against every reply
def _known(phrase: str) -> tuple[str, ...]:
    """Return the words of a phrase of the book; never used for replies, which must not stay in memory."""
    return wording.words(phrase)


def _whole(said: Sequence[str], languages: Mapping[str, LanguageKeywords], kind: KeywordKind) -> KeywordMatch | None:
    """Hold the whole reply against a list; START takes no courtesies, so that nobody is signed up by politeness."""
    exact = "".join(said)
    polite = {word for book in languages.values() for phrase in book.courtesies for word in _known(phrase)}
    bare = "".join(dict.fromkeys(word for word in said if word not in polite))
    for wanted, rule in ((exact, "exact"), (bare, "courtesy")):
        if rule == "courtesy" and kind is KeywordKind.START:
            return None
        for tag, keyword in _keywords(languages, kind):
            if wanted and "".join(_known(keyword)) == wanted:
                return KeywordMatch(kind, keyword, tag, rule)
    return None


def _misspelt(said: Sequence[str], languages: Mapping[str, LanguageKeywords]) -> KeywordMatch | None:
    if len(said) != 1:
        return None
    for tag, keyword in _keywords(languages, KeywordKind.STOP):
        if _is_slip(said[0], "".join(_known(keyword))):
            return KeywordMatch(KeywordKind.STOP, keyword, tag, "spelling")
    return None


def _is_slip(word: str, keyword: str) -> bool:
    if keyword != _TAUGHT and len(keyword) < _LONG:
        return False
    read = _undoubled(word.translate(_DIGIT_LOOKALIKES))
    meant = _undoubled(keyword)
    swaps = (meant[:at] + meant[at + 1] + meant[at] + meant[at + 2 :] for at in range(len(meant) - 1))
    return read == meant or read in swaps


def _undoubled(word: str) -> str:
    return re.sub(r"(.)\1+", r"\1", word)


def _revocation(said: tuple[str, ...], languages: Mapping[str, LanguageKeywords]) -> KeywordMatch | None:
    left = said
    for phrase in (phrase for book in languages.values() for phrase in book.refutations):
        left = _blank(left, _known(phrase))
    for tag, book in languages.items():
        for phrase in book.revocations:
            wanted = _known(phrase)
            found = left[: len(wanted)] == wanted if phrase.startswith("^") else wording.contains(left, wanted)
            if found:
                return KeywordMatch(KeywordKind.MAYBE_STOP, phrase.removeprefix("^"), tag, "phrase")
    return None


def _blank(said: tuple[str, ...], phrase: tuple[str, ...]) -> tuple[str, ...]:
    """Replace a phrase by empty words, so that its neighbours do not become a new phrase."""
    blanked = list(said)
    for start in range(len(said) - len(phrase) + 1):
        if said[start : start + len(phrase)] == phrase:
            blanked[start : start + len(phrase)] = [""] * len(phrase)
    return tuple(blanked)


def _keywords(languages: Mapping[str, LanguageKeywords], kind: KeywordKind) -> Iterator[tuple[str, str]]:
    for tag, book in languages.items():
        listed = {KeywordKind.STOP: book.stop, KeywordKind.START: book.start, KeywordKind.HELP: book.help}
        yield from ((tag, keyword) for keyword in listed[kind])
