"""Where may a text be cut without tearing apart what a reader sees as one character?

The rules of Unicode Standard Annex #29 (https://www.unicode.org/reports/tr29/), extended grapheme clusters,
with `unicodedata` for the categories. The tables below are Unicode 17; the conjunct rule (GB9c) covers the
six Indic scripts it was first made for. A mark newer than the running Python's `unicodedata` stands alone.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator

_CR, _LF, _ZWJ = "\r", "\n", "\u200d"


def _ranges(table: str) -> tuple[list[int], list[int]]:
    """Read "a9 2194-2199": inclusive hexadecimal ranges, ascending, as their starts and their ends."""
    pairs = [(entry.split("-")[0], entry.split("-")[-1]) for entry in table.split()]
    return [int(first, 16) for first, _ in pairs], [int(last, 16) for _, last in pairs]


def _within(char: str, ranges: tuple[list[int], list[int]]) -> bool:
    starts, ends = ranges
    index = bisect_right(starts, ord(char)) - 1
    return index >= 0 and ord(char) <= ends[index]


_PICTOGRAPHS = _ranges(  # Extended_Pictographic, from emoji-data.txt
    """
    a9 ae 203c 2049 2122 2139 2194-2199 21a9-21aa 231a-231b 2328 23cf 23e9-23f3 23f8-23fa 24c2 25aa-25ab
    25b6 25c0 25fb-25fe 2600-2604 260e 2611 2614-2615 2618 261d 2620 2622-2623 2626 262a 262e-262f
    2638-263a 2640 2642 2648-2653 265f-2660 2663 2665-2666 2668 267b 267e-267f 2692-2697 2699 269b-269c
    26a0-26a1 26a7 26aa-26ab 26b0-26b1 26bd-26be 26c4-26c5 26c8 26ce-26cf 26d1 26d3-26d4 26e9-26ea
    26f0-26f5 26f7-26fa 26fd 2702 2705 2708-270d 270f 2712 2714 2716 271d 2721 2728 2733-2734 2744 2747
    274c 274e 2753-2755 2757 2763-2764 2795-2797 27a1 27b0 27bf 2934-2935 2b05-2b07 2b1b-2b1c 2b50 2b55
    3030 303d 3297 3299 1f004 1f02c-1f02f 1f094-1f09f 1f0af-1f0b0 1f0c0 1f0cf-1f0d0 1f0f6-1f0ff
    1f170-1f171 1f17e-1f17f 1f18e 1f191-1f19a 1f1af-1f1e5 1f201-1f20f 1f21a 1f22f 1f232-1f23a
    1f23c-1f23f 1f249-1f25f 1f266-1f321 1f324-1f393 1f396-1f397 1f399-1f39b 1f39e-1f3f0 1f3f3-1f3f5
    1f3f7-1f3fa 1f400-1f4fd 1f4ff-1f53d 1f549-1f54e 1f550-1f567 1f56f-1f570 1f573-1f57a 1f587
    1f58a-1f58d 1f590 1f595-1f596 1f5a4-1f5a5 1f5a8 1f5b1-1f5b2 1f5bc 1f5c2-1f5c4 1f5d1-1f5d3
    1f5dc-1f5de 1f5e1 1f5e3 1f5e8 1f5ef 1f5f3 1f5fa-1f64f 1f680-1f6c5 1f6cb-1f6d2 1f6d5-1f6e5 1f6e9
    1f6eb-1f6f0 1f6f3-1f6ff 1f7dc-1f7f0 1f80c-1f80f 1f848-1f84f 1f85a-1f85f 1f888-1f88f 1f8ae-1f8af
    1f8bc-1f8bf 1f8c2-1f8cf 1f8d9-1f8ff 1f90c-1f93a 1f93c-1f945 1f947-1f9ff 1fa58-1fa5f 1fa6e-1faff
    1fc00-1fffd
    """
)

_EXTENDERS = _ranges(  # joined to what precedes though no mark by category: Thai and Lao sara am, ZWNJ,
    "e33 eb3 200c ff9e-ff9f 1f3fb-1f3ff e0020-e007f"  # halfwidth kana voicing, skin tones, tag characters
)

_EXTENDING_SPACING_MARKS = _ranges(  # spacing marks (Mc) that are Grapheme_Cluster_Break=Extend all the same
    "9be 9d7 b3e b57 bbe bd7 cc0 cc2 cc7-cc8 cca-ccb cd5-cd6 d3e d57 dcf ddf 1715 1734 1b35 1b3b 1b3d 1b43-1b44 1baa "
    "1bf2-1bf3 302e-302f a953 a9c0 111c0 11235 1133e 1134d 11357 114b0 114bd 115af 116b6 11930 1193d 16ff0-16ff1 "
    "1d165-1d166 1d16d-1d172"
)

_LONE_MARKS = _ranges(  # spacing marks of Myanmar, Tai Tham and Ahom that UAX #29 lets stand alone
    "102b-102c 1038 1062-1064 1067-106d 1083 1087-108c 108f 109a-109c 1a61 1a63-1a64 aa7b aa7d 11720-11721"
)

_PREPENDED = _ranges(  # joined to what follows: number signs and prefixes of Arabic, Syriac and Indic scripts
    "600-605 6dd 70f 890-891 8e2 d4e 110bd 110cd 111c2-111c3 113d1 1193f 11941 11a84-11a89 11d46 11f02"
)

_VIRAMAS = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")  # Devanagari, Bengali, Gujarati, Oriya, Telugu, Malayalam

_CONSONANTS = _ranges(  # Indic_Conjunct_Break=Consonant of the same six scripts
    "915-939 958-95f 978-97f 995-9a8 9aa-9b0 9b2 9b6-9b9 9dc-9dd 9df 9f0-9f1 a95-aa8 aaa-ab0 ab2-ab3 ab5-ab9 "
    "af9 b15-b28 b2a-b30 b32-b33 b35-b39 b5c-b5d b5f b71 c15-c28 c2a-c39 c58-c5a d15-d3a"
)


def clusters(text: str) -> Iterator[str]:
    """Yield the grapheme clusters of a text in order; joined they are the text."""
    start = 0
    for index in range(1, len(text)):
        if not _joined(text, start, index):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _joined(text: str, start: int, index: int) -> bool:
    """Say whether text[index] belongs to the cluster that began at start; the rules in the annex's order."""
    before, char = text[index - 1], text[index]
    if before == _CR and char == _LF:  # GB3
        return True
    if _is_control(before) or _is_control(char):  # GB4, GB5
        return False
    if _is_extender(char) or _within(before, _PREPENDED):  # GB9, GB9a, GB9b
        return True
    return (
        _is_one_syllable(before, char)
        or _is_one_conjunct(text[start:index], char)
        or _is_one_emoji(text[start:index], char)
    )


def _is_control(char: str) -> bool:
    if char in "\u200c\u200d" or _within(char, _EXTENDERS) or _within(char, _PREPENDED):
        return False
    return unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"}


def _is_extender(char: str) -> bool:
    """Say whether a character attaches to the one before: marks, joiners, selectors, skin tones, tags."""
    if char == _ZWJ or _within(char, _EXTENDERS):
        return True
    return unicodedata.category(char) in {"Mn", "Mc", "Me"} and not _within(char, _LONE_MARKS)


def _is_one_syllable(before: str, char: str) -> bool:
    """Hangul (GB6-GB8): leading consonants, vowels and trailing consonants build one syllable."""
    left, right = _hangul(before), _hangul(char)
    return bool(left and right) and right in {"L": "L V LV LVT", "LV": "V T", "V": "V T"}.get(left, "T").split()


def _hangul(char: str) -> str:
    point = ord(char)
    if 0xAC00 <= point <= 0xD7A3:
        return "LVT" if (point - 0xAC00) % 28 else "LV"
    if 0x1100 <= point <= 0x115F or 0xA960 <= point <= 0xA97C:
        return "L"
    if 0x1160 <= point <= 0x11A7 or 0xD7B0 <= point <= 0xD7C6:
        return "V"
    return "T" if 0x11A8 <= point <= 0x11FF or 0xD7CB <= point <= 0xD7FB else ""


def _is_one_conjunct(cluster: str, char: str) -> bool:
    """GB9c: consonant, virama, consonant, with only marks and at least one virama between."""
    if not _within(char, _CONSONANTS):
        return False
    body = cluster.rstrip("".join({mark for mark in cluster if _is_extender(mark) and mark != "\u200c"}))
    return bool(body) and _within(body[-1], _CONSONANTS) and not _VIRAMAS.isdisjoint(cluster[len(body) :])


def _is_one_emoji(cluster: str, char: str) -> bool:
    """GB11: pictographs glued by a joiner; GB12, GB13: two regional indicators are one flag."""
    if _is_regional(char):
        return _is_regional(cluster[-1]) and sum(map(_is_regional, cluster)) % 2 == 1
    if not (cluster.endswith(_ZWJ) and _within(char, _PICTOGRAPHS)):
        return False
    body = cluster.rstrip("".join({mark for mark in cluster if _may_stand_in_emoji(mark)}))
    return bool(body) and _within(body[-1], _PICTOGRAPHS)


def _may_stand_in_emoji(char: str) -> bool:
    """Say whether a mark between a pictograph and a joiner leaves them together: spacing marks do not."""
    if unicodedata.category(char) == "Mc":
        return _within(char, _EXTENDING_SPACING_MARKS)
    return _is_extender(char)


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
