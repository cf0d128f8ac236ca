"""How many parts does a text take, as the emulated gateway counts them?

Written against 3GPP TS 23.038 (alphabets) and TS 23.040 (concatenation), on purpose without a look at the
connector's own counter, so that a test may hold one against the other.
"""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS_AND_SIGNS = "0123456789 \n\r@£$¥_!\"#¤%&'()*+,-./:;<=>?¡¿§"
_NATIONAL = "èéùìòÇØøÅåÆæßÉÄÖÑÜäöñüàΔΦΓΛΩΠΨΣΘΞ"
SEVEN_BIT = frozenset(_LETTERS + _DIGITS_AND_SIGNS + _NATIONAL)
ESCAPED = frozenset("^{}\\[~]|€\f")  # sent as ESC and one more septet

# (room of a single message, room of each part once a six-octet header is needed), in septets and UTF-16 units
SEVEN_BIT_ROOM = (160, 153)
SIXTEEN_BIT_ROOM = (70, 67)


def count_segments(text: str) -> int:
    """Parts the text is sent in; 1 for an empty text, as the vendor's own calculator says.

    A character of two units is never cut, so a part may end one unit early.
    """
    if all(character in SEVEN_BIT or character in ESCAPED for character in text):
        weights = [2 if character in ESCAPED else 1 for character in text]
        return _parts(weights, *SEVEN_BIT_ROOM)
    return _parts([len(character.encode("utf-16-be")) // 2 for character in text], *SIXTEEN_BIT_ROOM)


def _parts(weights: list[int], single: int, each: int) -> int:
    if sum(weights) <= single:
        return 1
    parts, filled = 1, 0
    for weight in weights:
        if filled + weight > each:
            parts, filled = parts + 1, 0
        filled += weight
    return parts
