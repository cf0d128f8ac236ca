"""Texts as comparable words."""

# ruff: noqa: RUF001 - look-alike characters are the subject

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.wording import contains, joined, symbols, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stop!! 🛑", ("stop",)),
        ("ＳＴＯＰ", ("stop",)),
        ("«ARRÊT»", ("arret",)),
        ("arre\u0302t", ("arret",)),
        ("don't", ("dont",)),
        ("don’t", ("dont",)),
        ("opt-out_now", ("opt", "out", "now")),
        ("KÜNDIGEN Straße", ("kundigen", "strasse")),
        ("стоп", ("стоп",)),
        ("10:30", ("10", "30")),
        ("👍🏽", ()),
        ("", ()),
    ],
)
def test_only_the_words_of_a_text_count(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == expected


def test_hyphen_space_and_nothing_are_the_same_between_the_parts_of_a_word() -> None:
    assert joined("opt-out") == joined("Opt out") == joined("OPTOUT") == "optout"


def test_an_emoji_is_the_same_in_every_skin() -> None:
    assert symbols("👍🏽 ") == symbols("👍") == symbols("👍\ufe0f")
    assert symbols("👍") != symbols("👎")


def test_a_phrase_occurs_word_by_word() -> None:
    assert contains(("please", "stop", "texting"), ("stop", "texting"))
    assert not contains(("nonstop", "texting"), ("stop", "texting"))


@given(st.text())
def test_words_of_words_are_the_same_words(text: str) -> None:
    assert words(" ".join(words(text))) == words(text)
