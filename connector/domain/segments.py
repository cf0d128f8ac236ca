"""How many SMS parts does a text take, in which encoding, and where is it cut?

Alphabets and header sizes: 3GPP TS 23.038 (GSM 7-bit default alphabet and its extension table) and TS 23.040
§9.2.3.24.1 (concatenation with an 8-bit reference, what gateways use). UCS-2 is sent as UTF-16.
"""

# ruff: noqa: RUF001 - the look-alike characters are the subject

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from connector.domain.graphemes import clusters

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""GSM 7-bit default alphabet without ESC: one septet each. `ç`, backtick and tab are not in it."""

EXTENSION = "\f^{}\\[~]|€"
"""GSM 7-bit extension table: two septets each, ESC and the character."""


class Encoding(StrEnum):
    """How a text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Segmentation:
    """A text cut into SMS parts.

    Attributes:
        encoding: GSM-7, or UCS-2 when one character lies outside GSM-7.
        parts: the text of each part, in order; joined they are the text. Empty for an empty text.
        units: septets (GSM-7) or UTF-16 code units (UCS-2) of the text, without headers and gaps.
    """

    encoding: Encoding
    parts: tuple[str, ...]
    units: int

    @property
    def count(self) -> int:
        """Number of parts, which is what a gateway bills."""
        return len(self.parts)

    @property
    def left(self) -> int:
        """Units that still fit into the last part, as long as they change neither encoding nor number of parts."""
        if self.count <= 1:
            return _SINGLE[self.encoding] - self.units
        return _PART[self.encoding] - _weight(self.parts[-1], self.encoding)


_SINGLE = MappingProxyType({Encoding.GSM7: 160, Encoding.UCS2: 70})  # 140 octets
_PART = MappingProxyType({Encoding.GSM7: 153, Encoding.UCS2: 67})  # 140 octets less a header of 6
_GSM_WEIGHT = MappingProxyType(dict.fromkeys(BASIC, 1) | dict.fromkeys(EXTENSION, 2))
_GSM_ATOM = re.compile("\r\n|.", re.DOTALL)


def measure(text: str) -> Segmentation:
    """Cut a text into SMS parts as a handset receives them.

    Parts are filled greedily. An ESC pair, a surrogate pair or a grapheme cluster that does not fit moves
    whole to the next part and leaves a gap. Only a cluster heavier than a whole part is cut, between code
    points.
    """
    encoding = Encoding.GSM7 if all(char in _GSM_WEIGHT for char in text) else Encoding.UCS2
    units = _weight(text, encoding)
    if not text:
        return Segmentation(encoding, (), 0)
    if units <= _SINGLE[encoding]:
        return Segmentation(encoding, (text,), units)
    return Segmentation(encoding, tuple(_fill(text, encoding)), units)


def foreign_characters(text: str) -> tuple[str, ...]:
    """Return the characters that force UCS-2, each once, in order of appearance; empty for a GSM-7 text."""
    return tuple(dict.fromkeys(char for char in text if char not in _GSM_WEIGHT))


def _weight(text: str, encoding: Encoding) -> int:
    if encoding is Encoding.GSM7:
        return sum(_GSM_WEIGHT[char] for char in text)
    return len(text) + sum(char > "\uffff" for char in text)


def _fill(text: str, encoding: Encoding) -> Iterator[str]:
    part, used = "", 0
    for atom in _atoms(text, encoding):
        weight = _weight(atom, encoding)
        if used + weight > _PART[encoding]:
            yield part
            part, used = "", 0
        part, used = part + atom, used + weight
    yield part


def _atoms(text: str, encoding: Encoding) -> Iterable[str]:
    """Yield the pieces that are never cut: in GSM-7 all clusters but CR LF are single characters."""
    if encoding is Encoding.GSM7:
        return _GSM_ATOM.findall(text)
    return (
        atom
        for cluster in clusters(text)
        for atom in ([cluster] if _weight(cluster, encoding) <= _PART[encoding] else cluster)
    )


_SPELLED = MappingProxyType(
    {
        "'": "‘’‚‛′‵`´ʹʻʼʽˈˋ‹›",  # single quotes, primes, accents that stand alone, modifier apostrophes
        '"': "“”„‟″‶«»〝〞",  # double quotes, double primes, guillemets
        "-": "‐‑‒–—―⁃−﹘﹣•‣◦∙",  # hyphens, dashes, minus; bullets open a list line as a dash does
        "...": "…",
        "..": "‥",
        ".": "․",
        " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
        "\n": "\u000b\u0085\u2028\u2029",  # line and paragraph separators
        "": "\u00ad\u200b\u2060\ufeff",  # soft hyphen, zero-width space, word joiner, byte order mark
        "/": "⁄∕",
        "*": "∗",
        "~": "˜∼",
        "^": "ˆ",
        "|": "¦",
        "x": "×",
        "(C)": "©",
        "(R)": "®",
        "(TM)": "™",
        "No.": "№",
        "fi": "ﬁ",
        "fl": "ﬂ",
        "ff": "ﬀ",
        "ffi": "ﬃ",
        "ffl": "ﬄ",
        "ij": "ĳ",
        "IJ": "Ĳ",
    }
)
"""What we write for typographic characters that GSM-7 lacks and a reader takes for the same."""

_FRACTIONS = {char: unicodedata.normalize("NFKC", char).replace("⁄", "/") for char in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}
_FULLWIDTH = {chr(0xFEE0 + ord(char)): char for char in map(chr, range(0x21, 0x7F)) if char != "`"}
_REPLACEMENTS = str.maketrans(
    _FULLWIDTH | {char: spelled for spelled, chars in _SPELLED.items() for char in chars} | {"\uff40": "'"} | _FRACTIONS
)
_MIXED_NUMBER = re.compile(f"(?<=[0-9])(?=[{''.join(_FRACTIONS)}])")


def replace_smart_characters(text: str) -> str:
    """Replace typographic characters by GSM-7 ones of the same meaning, so that a text need not become UCS-2.

    Curly quotes, guillemets, dashes, ellipsis, no-break and thin spaces, tab, backtick, fractions ("1½"
    becomes "1 1/2"), bullets, ligatures, full-width letters; accents that stand apart are composed (Unicode NFC).
    Characters without a faithful equivalent (`ç`, `ğ`, `°`, Cyrillic, emoji) stay and keep the text UCS-2.
    """
    if not foreign_characters(text):
        return text
    composed = _MIXED_NUMBER.sub(" ", unicodedata.normalize("NFC", text))
    return unicodedata.normalize("NFC", composed.translate(_REPLACEMENTS))
