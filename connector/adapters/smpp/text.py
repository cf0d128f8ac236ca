"""How does a text become the octets of SMPP messages, and what did octets that arrived say?

3GPP TS 23.038 (GSM alphabet), TS 23.040 §9.2.3.24 (user data header, concatenation), SMPP 3.4 §5.2.19 (data_coding).
Cut as `connector.domain.segments` counts, so that what is billed is what was foreseen. Septets travel one to an octet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from connector.adapters.smpp.pdu import SAR_NUMBER, SAR_REFERENCE, SAR_TOTAL, ShortMessage
from connector.domain.segments import BASIC, EXTENSION, Encoding, measure

UDH_INDICATOR = 0x40
"""The bit of esm_class which says that a user data header leads the text."""

MOST_PARTS = 255
"""The header counts them in one octet."""

UCS2_ALONE, UCS2_UNITS = 70, 67
"""UTF-16 units that fit into the 140 octets of one SMS, and beside a header of six octets."""

DEFAULT, ASCII, LATIN1, CYRILLIC, HEBREW, UCS2 = 0, 1, 3, 6, 7, 8
_ESC = 0x1B
_CONCATENATION_8, _CONCATENATION_16 = 0x00, 0x08  # information elements of a user data header
_FIRST_GSM_SCHEME = 0x10  # from here on data_coding is the GSM data coding scheme, alphabet in bits 2 and 3

_CODES = MappingProxyType(
    {char: bytes((code if code < _ESC else code + 1,)) for code, char in enumerate(BASIC)}
    | {
        char: bytes((_ESC, code))
        for char, code in zip(EXTENSION, b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", strict=True)
    }
)
_CHARS = MappingProxyType({code: char for char, code in _CODES.items()})
_CODECS = MappingProxyType(
    {ASCII: "latin-1", LATIN1: "latin-1", CYRILLIC: "iso8859-5", HEBREW: "iso8859-8", UCS2: "utf-16-be"}
)


class Alphabet(StrEnum):
    """What a gateway means by data_coding 0, "the default alphabet"; most mean GSM."""

    GSM = "gsm"
    LATIN1 = "latin1"


@dataclass(frozen=True, slots=True)
class Part:
    """What one SMS carries: fields of a `ShortMessage`."""

    short_message: bytes = field(repr=False)
    data_coding: int
    esm_class: int


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of a long text this is; `reference` is shared by its parts."""

    reference: str
    number: int
    total: int


def split(text: str, reference: int, alphabet: Alphabet = Alphabet.GSM) -> tuple[Part, ...]:
    """Cut a text into parts, each led by a header when there is more than one.

    Args:
        text: anything; half a surrogate pair becomes a question mark.
        reference: 0 to 255, another one for each long text to a number.
        alphabet: the gateway's default alphabet.

    Raises:
        ValueError: more than 255 parts.
    """
    size = measure(text)
    if size.encoding is Encoding.GSM7 and alphabet is Alphabet.GSM:
        coded = [encode_gsm(part) for part in size.parts]
    elif size.encoding is Encoding.GSM7 and _is_latin1(text):
        coded = [part.encode("latin-1") for part in size.parts]
    else:
        return _with_headers([_utf16(part) for part in _in_utf16(text)], UCS2, reference)
    return _with_headers(coded, DEFAULT, reference)


def read(message: ShortMessage, alphabet: Alphabet = Alphabet.GSM) -> tuple[str, Place | None]:
    """Give what a message that arrived says, and which part of a longer text it is."""
    header, octets = _without_header(message)
    return decode(octets, message.data_coding, alphabet), _place(header) or _place_by_tlvs(message)


def encode_gsm(text: str) -> bytes:
    """Give a text of GSM characters as septets, one to an octet."""
    return b"".join(_CODES[char] for char in text)


def decode(octets: bytes, data_coding: int, alphabet: Alphabet = Alphabet.GSM) -> str:
    """Give the text of octets in any coding; what cannot be read becomes U+FFFD, never an error."""
    coding = _coding(data_coding)
    if coding in _CODECS:
        return octets.decode(_CODECS[coding], "replace")
    if coding == DEFAULT:
        # GSM has no octet above 127: a gateway that sends one means Latin-1 whatever it says.
        is_latin1 = alphabet is Alphabet.LATIN1 or any(octet > 0x7F for octet in octets)
        return octets.decode("latin-1") if is_latin1 else _decode_gsm(octets)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _coding(data_coding: int) -> int:
    """Reduce the codings of the GSM scheme to those of SMPP; 2 stands for octets without an alphabet."""
    if data_coding < _FIRST_GSM_SCHEME:
        return data_coding
    if data_coding >= 0xF0:  # only one bit of alphabet, beside a message class
        return 2 if data_coding & 0x04 else DEFAULT
    if data_coding >= 0xE0:  # message waiting, the text in UCS-2
        return UCS2
    if data_coding >= 0xC0:  # message waiting, the text in GSM
        return DEFAULT
    return (DEFAULT, 2, UCS2, 2)[data_coding >> 2 & 0x03]


def _decode_gsm(octets: bytes) -> str:
    return "".join(_gsm_chars(octets))


def _gsm_chars(octets: bytes) -> Iterator[str]:
    """Give the characters; an extension nobody knows shows as the basic character (TS 23.038 §6.2.1.1)."""
    escaped = False
    for octet in octets:
        if octet == _ESC and not escaped:
            escaped = True
            continue
        basic = " " if octet == _ESC else _CHARS[bytes((octet,))]
        yield _CHARS.get(bytes((_ESC, octet)), basic) if escaped else basic
        escaped = False


def _is_latin1(text: str) -> bool:
    return all(char <= "\xff" for char in text)


def _in_utf16(text: str) -> tuple[str, ...]:
    """Cut a text for UCS-2, also one of GSM characters only, which has no pairs to be torn."""
    size = measure(text)
    if size.encoding is Encoding.UCS2:
        return size.parts
    if len(text) <= UCS2_ALONE:
        return (text,)
    return tuple(text[start : start + UCS2_UNITS] for start in range(0, len(text), UCS2_UNITS))


def _utf16(part: str) -> bytes:
    return part.encode("utf-16-be", "replace")


def _with_headers(coded: list[bytes], data_coding: int, reference: int) -> tuple[Part, ...]:
    if len(coded) <= 1:
        return tuple(Part(octets, data_coding, 0) for octets in coded or [b""])
    if len(coded) > MOST_PARTS:
        raise ValueError(f"a text has at most {MOST_PARTS} parts")
    return tuple(
        Part(bytes((5, _CONCATENATION_8, 3, reference, len(coded), number)) + octets, data_coding, UDH_INDICATOR)
        for number, octets in enumerate(coded, 1)
    )


def _without_header(message: ShortMessage) -> tuple[bytes, bytes]:
    """Give header and text of a message; a header longer than the message is none."""
    octets = message.user_data
    if not message.esm_class & UDH_INDICATOR or not octets or octets[0] >= len(octets):
        return b"", octets
    return octets[1 : octets[0] + 1], octets[octets[0] + 1 :]


def _place(header: bytes) -> Place | None:
    """Look for a concatenation element: tag, length, then reference, total and number."""
    at = 0
    while at + 2 <= len(header):
        tag, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if (tag, len(value)) in {(_CONCATENATION_8, 3), (_CONCATENATION_16, 4)}:
            return _plausible(f"{8 * (len(value) - 2)}:{value[:-2].hex()}", value[-1], value[-2])
        at += 2 + length
    return None


def _place_by_tlvs(message: ShortMessage) -> Place | None:
    reference, total, number = (message.tlv(tag) for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER))
    if not reference or not total or not number:
        return None
    return _plausible(f"sar:{reference.hex()}", number[-1], total[-1])


def _plausible(reference: str, number: int, total: int) -> Place | None:
    return Place(reference, number, total) if 1 <= number <= total and total > 1 else None
