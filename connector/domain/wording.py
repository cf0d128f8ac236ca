"""What are the words of a text message once case, accents, punctuation and emoji no longer matter?"""

import re
import unicodedata

_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")  # "don't" is one word however the keyboard writes it
_WORD = re.compile(r"[^\W_]+")
_MODIFIERS = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")  # emoji presentation and skin tones


def words(text: str) -> tuple[str, ...]:
    """Split a text into comparable words: NFKC, case-folded, accents and apostrophes dropped.

    Punctuation, symbols and emoji separate words and vanish: "Stop!! 🛑" is ("stop",), "ARRÊT" is ("arret",).
    """
    folded = unicodedata.normalize("NFKC", _APOSTROPHES.sub("", text)).casefold()
    plain = "".join(char for char in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(char))
    return tuple(_WORD.findall(plain))


def joined(text: str) -> str:
    """Return the words of a text without spaces: "opt-out", "Opt out" and "OPTOUT" are the same word."""
    return "".join(words(text))


def symbols(text: str) -> str:
    """Return a text without spaces and emoji variants, to compare texts that have no words, such as "👍🏽"."""
    return "".join(_MODIFIERS.sub("", unicodedata.normalize("NFKC", text)).split())


def contains(said: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    """Say whether a phrase occurs in a text, word by word."""
    return any(said[start : start + len(phrase)] == phrase for start in range(len(said) - len(phrase) + 1))
