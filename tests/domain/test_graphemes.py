"""Grapheme clusters, held against the `regex` package's own implementation of UAX #29."""

import unicodedata

import pytest
import regex  # type: ignore[import-untyped]  # publishes no stubs of its own
from hypothesis import example, given
from hypothesis import strategies as st

from connector.domain.graphemes import clusters

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"

TELLING = (
    "a é\r\n\t0#*"
    "\u0301\u0308\u20dd\u20e3"  # accents, enclosing circle and keycap
    "\ufe0e\ufe0f\u200c\u200d\u200b\u2060\u2028\u00ad"  # variation selectors, joiners, invisible controls
    "\U0001f468\U0001f469\U0001f467\u2764\u2708\u00a9\U0001f44d\U0001f3f3\U0001f3f4\U0001f308"
    "\U0001f3fb\U0001f3fd\U0001f3ff"  # skin tones
    "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7"  # regional indicators D E F R
    "\U000e0067\U000e0062\U000e007f"  # tags
    "\u1100\u1161\u11a8\uac00\uac01\ua960\ud7b0\ud7cb"  # Hangul in all shapes
    "\u0915\u093f\u0995\u09bf\u0c15\u0d15\u0ab0\u0b15"  # Indic letters and vowel signs
    "\u0e01\u0e33\uff76\uff9e\u102b\u1000\u0600\u06dd\u0661"  # Thai, kana, Myanmar, Arabic signs
)


@pytest.mark.parametrize(
    "cluster",
    [
        "e\u0301",
        "\r\n",
        "\U0001f44d\U0001f3fd",
        FAMILY,
        SCOTLAND,
        "\U0001f1e9\U0001f1ea",
        "\u2764\ufe0f\u200d\U0001f525",
        "1\ufe0f\u20e3",
        "\u1112\u1161\u11ab",
        "\u0915\u094d\u0937\u093f",
        "\u0600\u0661",
    ],
)
def test_what_a_reader_sees_as_one_character_is_one_cluster(cluster: str) -> None:
    assert list(clusters(f"x{cluster}\ny")) == ["x", cluster, "\n", "y"]


def test_three_regional_indicators_are_a_flag_and_a_half() -> None:
    assert list(clusters("\U0001f1e9\U0001f1ea\U0001f1eb")) == ["\U0001f1e9\U0001f1ea", "\U0001f1eb"]


def test_an_empty_text_has_no_clusters() -> None:
    assert list(clusters("")) == []


def test_half_a_surrogate_pair_stands_alone() -> None:
    assert list(clusters("a\ud83d\u0301b")) == ["a", "\ud83d", "\u0301", "b"]


@given(st.text(alphabet=TELLING, max_size=24))
@example("\u200d\U0001f468")
@example("\u0301\u200d\U0001f468")
@example("\u0915\u094d\u200d\u0915")
@example("\u00a9\u093f\u200d\U0001f44d")
@example("\u00a9\u09be\u200d\U0001f44d")
@example("\U0001f468\u0301\u200d\U0001f469")
def test_clusters_of_emoji_and_combining_text_agree_with_the_regex_package(text: str) -> None:
    assert list(clusters(text)) == regex.findall(r"\X", text)


@given(st.text(max_size=30))
def test_clusters_joined_are_the_text(text: str) -> None:
    assert "".join(clusters(text)) == text


@given(
    st.lists(st.sampled_from("\u0915\u0937\u0930\u0995\u0a95\u0b15\u0c15\u0d15"), min_size=1, max_size=5),
    st.sampled_from(["\u094d", "\u0d4d", "\u094d\u200d", "\u093c\u094d", "\u093f"]),
)
def test_consonants_joined_by_a_virama_agree_with_the_regex_package(consonants: list[str], between: str) -> None:
    text = between.join(consonants)
    assert list(clusters(text)) == regex.findall(r"\X", text)


@pytest.mark.parametrize("text", ["\u094d\u0915", "\u0915\u200c\u094d\u0915", "a\u094d\u0915"])
def test_a_virama_that_follows_no_consonant_joins_nothing_to_it(text: str) -> None:
    assert list(clusters(text)) == [text[:-1], text[-1]]  # the regex package is laxer than GB9c here


def test_every_character_python_knows_joins_its_neighbours_as_the_regex_package_says() -> None:
    ideographs_and_syllables = regex.compile(r"[\p{Han}\p{GCB=LV}\p{GCB=LVT}\p{Tangut}]")  # all alike: spare time
    wrong = [
        hex(ord(char))
        for char in map(chr, range(0xE1000))
        if unicodedata.category(char) not in {"Cn", "Cs", "Co"} and not ideographs_and_syllables.match(char)
        if any(list(clusters(pair)) != regex.findall(r"\X", pair) for pair in ("a" + char, char + "a"))
    ]
    assert wrong == []
