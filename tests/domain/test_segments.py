"""Encoding, parts and cuts of a text, held against a reference that works in another way."""

# ruff: noqa: RUF001 - the look-alike characters are the subject

import itertools
from functools import cache

import pytest
import regex  # type: ignore[import-untyped]  # publishes no stubs of its own
from hypothesis import example, given
from hypothesis import strategies as st

from connector.domain.segments import Encoding, foreign_characters, measure, replace_smart_characters

GSM, UCS = Encoding.GSM7, Encoding.UCS2
THUMB = "\U0001f44d"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"  # 11 UTF-16 units

# --- the reference: the code chart of 3GPP TS 23.038 row by row, real encoders, and dynamic programming ---

CHART = """
    40 a3 24 a5 e8 e9 f9 ec f2 c7 0a d8 f8 0d c5 e5  394 5f 3a6 393 39b 3a9 3a0 3a8 3a3 398 39e -- c6 e6 df c9
    20 21 22 23 a4 25 26 27 28 29 2a 2b 2c 2d 2e 2f  30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f
    a1 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  50 51 52 53 54 55 56 57 58 59 5a c4 d6 d1 dc a7
    bf 61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f  70 71 72 73 74 75 76 77 78 79 7a e4 f6 f1 fc e0
""".split()  # noqa: SIM905 a chart reads best as a chart
SEPTETS = {chr(int(code, 16)): bytes([index]) for index, code in enumerate(CHART) if code != "--"} | {
    chr(code): bytes([0x1B, index])
    for index, code in {
        0x0A: 0x0C, 0x14: 0x5E, 0x28: 0x7B, 0x29: 0x7D, 0x2F: 0x5C,
        0x3C: 0x5B, 0x3D: 0x7E, 0x3E: 0x5D, 0x40: 0x7C, 0x65: 0x20AC,
    }.items()
}  # fmt: skip


def reference_units(text: str, encoding: Encoding) -> int:
    if encoding is GSM:
        return len(b"".join(SEPTETS[char] for char in text))
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def reference_atoms(text: str, encoding: Encoding) -> list[str]:
    limit = 153 if encoding is GSM else 67
    clusters: list[str] = regex.findall(r"\X", text)
    return list(
        itertools.chain.from_iterable(
            [cluster] if reference_units(cluster, encoding) <= limit else list(cluster) for cluster in clusters
        )
    )


def reference_count(text: str) -> tuple[Encoding, int]:
    """Fewest parts over all ways to cut between atoms, by dynamic programming."""
    encoding = GSM if set(text) <= set(SEPTETS) else UCS
    if reference_units(text, encoding) <= (160 if encoding is GSM else 70):
        return encoding, min(len(text), 1)
    weights = [reference_units(atom, encoding) for atom in reference_atoms(text, encoding)]
    limit = 153 if encoding is GSM else 67
    fewest = [0] + [len(weights)] * len(weights)
    for end in range(1, len(weights) + 1):
        used = 0
        for start in range(end - 1, -1, -1):
            used += weights[start]
            if used > limit:
                break
            fewest[end] = min(fewest[end], fewest[start] + 1)
    return encoding, fewest[-1]


@cache
def texts() -> st.SearchStrategy[str]:
    """Texts around the boundaries: runs of one character with odd ones between."""
    odd = st.sampled_from(
        [
            "{",
            "€",
            "\r\n",
            "\r",
            "é",
            THUMB,
            FAMILY,
            "e\u0301",
            "\U0001f1e9\U0001f1ea",
            "я",
            "\u0301" * 70,
            "ç",
        ]
    )
    run = st.builds(lambda char, count: char * count, st.sampled_from("a{яä"), st.integers(0, 160))
    return st.lists(st.one_of(odd, run), max_size=6).map("".join)


# --- tables ---


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("", GSM, 0),
        ("a" * 160, GSM, 1),
        ("a" * 161, GSM, 2),
        ("a" * 306, GSM, 2),
        ("a" * 307, GSM, 3),
        ("{" * 80, GSM, 1),
        ("{" * 81, GSM, 2),
        ("a" * 158 + "€", GSM, 1),
        ("a" * 159 + "€", GSM, 2),
        ("a" * 152 + "{" + "b" * 151, GSM, 2),
        ("a" * 152 + "{" + "b" * 152, GSM, 3),
        ("я" * 70, UCS, 1),
        ("я" * 71, UCS, 2),
        ("я" * 134, UCS, 2),
        ("я" * 135, UCS, 3),
        (THUMB * 35, UCS, 1),
        (THUMB * 36, UCS, 2),
        ("я" * 66 + THUMB + "я" * 10, UCS, 2),
        ("я" * 66 + THUMB + "я" * 66, UCS, 3),
        ("“Hello” – it’s…", UCS, 1),
        *[(text, UCS, 1) for text in ("`", "ç", "\t", "\u00a0", "ğ", "ΑΒΓ", "e\u0301")],
        *[(text, GSM, 1) for text in ("Ç", "é", "\f", "ΔΦΓ", "¥£¤€", "\r\n")],
    ],
)
def test_a_text_takes_this_encoding_and_this_many_parts(text: str, encoding: Encoding, count: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.count) == (encoding, count)
    assert "".join(measured.parts) == text


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("a" * 152 + "{" + "b" * 20, [152]),  # an ESC pair moves whole
        ("a" * 152 + "\r\n" + "b" * 20, [152]),
        ("я" * 66 + THUMB + "я" * 10, [66]),  # a surrogate pair moves whole
        ("я" * 60 + FAMILY + "я" * 10, [60]),  # so does a family of four people and three joiners
        ("я" * 66 + "e\u0301" + "я" * 10, [66]),
        ("я" * 65 + "\U0001f1e9\U0001f1ea" + "я" * 10, [65]),
        ("я" * 64 + THUMB + "\U0001f3fd" + "я" * 10, [64]),
        ("я" * 10 + "e" + "\u0301" * 80, [67]),  # a cluster heavier than a part is cut between code points
        ("я" * 12 + "".join([THUMB + "\u200d"] * 30), [66]),  # and even then no surrogate pair is torn
    ],
)
def test_a_cut_never_tears_a_character(text: str, cuts: list[int]) -> None:
    measured = measure(text)
    lengths = [reference_units(part, measured.encoding) for part in measured.parts]
    assert list(itertools.accumulate(lengths))[:-1] == cuts


def test_units_count_the_text_without_headers_and_gaps() -> None:
    assert measure("a" * 152 + "{" + "b" * 152).units == 306
    assert measure("я" * 66 + THUMB + "я" * 66).units == 134


def test_the_characters_that_double_the_price_are_named_once_each() -> None:
    assert foreign_characters("Ça va, garçon? Le garçon – ça va…") == ("ç", "–", "…")
    assert foreign_characters("Plain text for 5€ {ok}") == ()


@given(texts())
@example("a" * 152 + "{" + "b" * 152)
@example("я" * 5 + "e" + "\u0301" * 70 + "я" * 70)
def test_the_count_agrees_with_the_reference(text: str) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.count) == reference_count(text)
    assert measured.units == reference_units(text, measured.encoding)


@given(st.one_of(texts(), st.text(max_size=300)))
def test_parts_join_to_the_text_fit_and_are_full(text: str) -> None:
    measured = measure(text)
    assert "".join(measured.parts) == text
    limit = 153 if measured.encoding is GSM else 67
    if measured.count < 2:
        return
    for part, following in itertools.pairwise(measured.parts):
        first = reference_atoms(following, measured.encoding)[0]
        used = reference_units(part, measured.encoding)
        assert used <= limit < used + reference_units(first, measured.encoding)


@given(st.text(max_size=40))
def test_a_text_is_ucs2_exactly_when_some_character_is_foreign(text: str) -> None:
    assert (measure(text).encoding is UCS) == bool(foreign_characters(text))
    assert set(foreign_characters(text)) == set(text) - set(SEPTETS)


def test_half_a_surrogate_pair_weighs_one_and_breaks_nothing() -> None:
    assert measure("\ud83d" * 71).count == 2


# --- smart characters ---


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("“Hello” – it’s…", '"Hello" - it\'s...'),
        ("„Grüße“ ‚so‘ «oui» ‹non›", "\"Grüße\" 'so' \"oui\" 'non'"),
        ("10\u202f000\u00a0€\tnow", "10 000 € now"),
        ("`code`", "'code'"),
        ("1½ h, ½ price, ¾", "1 1/2 h, 1/2 price, 3/4"),
        ("e\u0301te\u0301", "été"),
        ("e\u200b\u0301", "é"),
        ("2×3 m − 1", "2x3 m - 1"),
        ("soft\u00adhyphen", "softhyphen"),
        ("Ｈｉ！｀", "Hi!'"),
        ("one\u2028two", "one\ntwo"),
        ("• first", "- first"),
        ("Acme™ © ®", "Acme(TM) (C) (R)"),
        ("ĳs, ﬁn", "ijs, fin"),
        ("½½", "1/21/2"),
        ("plain {text}\r\n", "plain {text}\r\n"),
    ],
)
def test_typographic_characters_become_gsm_characters(text: str, plain: str) -> None:
    assert replace_smart_characters(text) == plain
    assert measure(plain).encoding is GSM


@pytest.mark.parametrize("text", ["garçon", "ğ", "20°", "Привет", "👍🏽", "m²", FAMILY, "ΑΒΓ"])
def test_characters_without_a_faithful_equivalent_stay(text: str) -> None:
    assert replace_smart_characters(text) == text


def test_quotes_become_plain_even_where_the_rest_stays_foreign() -> None:
    assert replace_smart_characters("«Привет» – ок") == '"Привет" - ок'


@given(st.one_of(texts(), st.text(alphabet="“’–…½1e\u0301\u200b\u00a0`＝\u0338ﬁ«a", max_size=20), st.text(max_size=20)))
def test_replacing_twice_changes_nothing_more_and_adds_nothing_foreign(text: str) -> None:
    once = replace_smart_characters(text)
    assert replace_smart_characters(once) == once
    assert measure(once).encoding is GSM or measure(text).encoding is UCS


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("", 160),
        ("a" * 160, 0),
        ("a" * 161, 153 - 8),
        ("\u4f60", 69),
        ("\u4f60" * 71, 67 - 4),
        ("a" * 152 + "{" + "a" * 10, 153 - 12),  # the brace takes two septets, and moves to the second part whole
    ],
)
def test_what_still_fits_into_the_last_part(text: str, left: int) -> None:
    assert measure(text).left == left
