from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.smpp.pdu import Address, ShortMessage
from connector.adapters.smpp.text import Alphabet, Part, Place, decode, encode_gsm, read, split
from connector.domain.segments import BASIC, EXTENSION, Encoding, measure
from connector.sandbox.gateways import smpp_wire

GSM_TEXTS = st.text(st.sampled_from(BASIC + EXTENSION), max_size=500)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def message(part: Part) -> ShortMessage:
    return ShortMessage(Address("1"), Address("2"), part.short_message, part.data_coding, part.esm_class)


def received(octets: bytes, data_coding: int = 0, esm_class: int = 0, **tlvs: bytes) -> ShortMessage:
    tags = {"reference": 0x020C, "total": 0x020E, "number": 0x020F, "payload": 0x0424}
    found = tuple((tags[name], value) for name, value in tlvs.items())
    return ShortMessage(Address("1"), Address("2"), octets, data_coding, esm_class, tlvs=found)


@given(text=GSM_TEXTS)
def test_gsm_text_survives_its_septets(text: str) -> None:
    octets = encode_gsm(text)
    assert decode(octets, 0) == text == smpp_wire.read_gsm(octets)
    assert len(octets) == measure(text).units


@given(text=st.one_of(TEXTS, GSM_TEXTS), reference=st.integers(0, 255))
def test_parts_say_what_the_text_says_and_are_cut_where_it_was_measured(text: str, reference: int) -> None:
    parts, size = split(text, reference), measure(text)
    found = [read(message(part)) for part in parts]
    assert [body for body, _ in found] == list(size.parts or ("",))
    if len(parts) > 1:
        assert {place.reference for _, place in found if place} == {f"8:{reference:02x}"}
        assert [(place.number, place.total) for _, place in found if place] == [
            (number, len(parts)) for number in range(1, len(parts) + 1)
        ]
    else:
        assert found[0][1] is None


@given(text=st.one_of(TEXTS, GSM_TEXTS))
def test_every_part_fits_on_the_air_and_tears_nothing(text: str) -> None:
    for part in split(text, 7):
        head = 6 if part.esm_class else 0
        octets = part.short_message[head:]
        if part.data_coding == 8:
            assert len(part.short_message) <= 140
            octets.decode("utf-16-be")  # raises at half a pair
        else:
            assert len(octets) <= (153 if head else 160)
            assert not octets.endswith(b"\x1b")


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("x" * 160, [160]),
        ("x" * 161, [159, 14]),
        ("x" * 152 + "€" + "x" * 10, [158, 18]),  # the euro does not fit and moves whole
        ("ש" * 70, [140]),
        ("ש" * 71, [140, 14]),
        ("ש" * 66 + "😀" + "ש" * 10, [138, 30]),  # as does a pair
        ("", [0]),
    ],
)
def test_lengths_of_parts(text: str, lengths: list[int]) -> None:
    assert [len(part.short_message) for part in split(text, 1)] == lengths


def test_header_names_reference_total_and_number() -> None:
    first, second = split("x" * 161, 0xA7)
    assert first.short_message[:6] == b"\x05\x00\x03\xa7\x02\x01"
    assert second.short_message[:6] == b"\x05\x00\x03\xa7\x02\x02"
    assert (first.esm_class, first.data_coding) == (0x40, 0)


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert read(message(split("a\ud83d", 1)[0]))[0] == "a?"


def test_more_parts_than_can_be_counted_are_refused() -> None:
    assert len(split("x" * 153 * 255, 1)) == 255
    with pytest.raises(ValueError, match="255"):
        split("x" * (153 * 255 + 1), 1)


@given(text=GSM_TEXTS)
def test_gateway_whose_default_is_latin_1_gets_latin_1_or_unicode(text: str) -> None:
    parts = split(text, 1, Alphabet.LATIN1)
    assert "".join(read(message(part), Alphabet.LATIN1)[0] for part in parts) == text
    assert {part.data_coding for part in parts} == {0 if all(char <= "\xff" for char in text) else 8}
    assert all(len(part.short_message) <= (140 if part.data_coding else 160) for part in parts)


def test_cut_for_latin_1_counts_as_handsets_do() -> None:
    assert measure("[" * 100).encoding is Encoding.GSM7
    assert [len(part.short_message) for part in split("[" * 100, 1, Alphabet.LATIN1)] == [82, 30]


# -- what arrives


@given(octets=st.binary(max_size=300), data_coding=st.integers(0, 255), esm_class=st.sampled_from([0, 0x40]))
def test_whatever_arrives_can_be_read(octets: bytes, data_coding: int, esm_class: int) -> None:
    text, place = read(received(octets, data_coding, esm_class))
    assert isinstance(text, str)
    assert place is None or 1 <= place.number <= place.total


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [
        (b"\x00\x1b\x65", 0, "@€"),
        (b"\x1b\x41\x1b\x1b", 0, "A "),  # an extension nobody knows, and the one to a further table
        (b"caf\xe9", 0, "café"),  # no GSM octet: Latin-1 whatever it claims
        (b"caf\xe9", 3, "café"),
        (b"@", 1, "@"),
        (b"\xbd\xd5\xe2", 6, "Нет"),
        (b"\xec\xe0", 7, "לא"),
        (b"\x05\xdb\x05\xdf", 8, "כן"),
        (b"\x05\xdb\x05", 8, "כ�"),
        (b"\x05\xdb\x05\xdf", 0x18, "כן"),  # the GSM scheme, a class and UCS-2
        (b"\x00", 0x10, "@"),
        (b"\x00", 0xF1, "@"),
        (b"caf\xc3\xa9", 0xF5, "café"),
        (b"\x05\xdb", 0xE0, "כ"),
        (b"\x00", 0xC0, "@"),
        (b"caf\xc3\xa9", 4, "café"),
        (b"caf\xe9", 2, "café"),
    ],
)
def test_codings_of_texts_that_arrive(octets: bytes, data_coding: int, text: str) -> None:
    assert decode(octets, data_coding) == text


@pytest.mark.parametrize(
    ("arrived", "text", "place"),
    [
        (received(b"\x05\x00\x03\x2a\x03\x02Hi", 0, 0x40), "Hi", Place("8:2a", 2, 3)),
        (received(b"\x06\x08\x04\x01\x2a\x03\x02Hi", 0, 0x40), "Hi", Place("16:012a", 2, 3)),
        (received(b"\x09\x24\x01\x01\x00\x03\x2a\x03\x02\x00Hi", 0, 0x40), "Hi", Place("8:2a", 2, 3)),
        (received(b"\x04\x04\x02\x15\xb3Hi", 0, 0x40), "Hi", None),  # ports only
        (received(b"\x05\x00\x03\x2a\x03\x04Hi", 0, 0x40), "Hi", None),  # the fourth of three
        (received(b"\x05\x00\x03\x2a\x03\x00Hi", 0, 0x40), "Hi", None),
        (received(b"\x05\x00\x03\x2a\x01\x01Hi", 0, 0x40), "Hi", None),  # alone
        (received(b"Hi", reference=b"\x01\x2a", total=b"\x03", number=b"\x02"), "Hi", Place("sar:012a", 2, 3)),
        (received(b"Hi", reference=b"\x01\x2a", total=b"\x03"), "Hi", None),
        (received(b"", payload=b"Hi"), "Hi", None),
        (received(b"", 0, 0x40, payload=b"\x05\x00\x03\x2a\x03\x02Hi"), "Hi", Place("8:2a", 2, 3)),
    ],
)
def test_parts_that_arrive_know_their_place(arrived: ShortMessage, text: str, place: Place | None) -> None:
    assert read(arrived) == (text, place)


def test_header_longer_than_the_message_is_text() -> None:
    assert read(received(b"Hello", 0, 0x40)) == ("Hello", None)
