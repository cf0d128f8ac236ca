"""Codes cannot be guessed or misread; addresses keep what they say and gain where the visit came from."""

from __future__ import annotations

import math
import random
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.short_links import (
    ALPHABET,
    CODE_LENGTH,
    is_code,
    is_link_name,
    is_web_address,
    new_code,
    with_campaign,
)

QUERIES = st.lists(
    st.tuples(st.sampled_from(["a", "sig", "utm_source", "utm_content", "b%20c"]), st.text("xyz%2F")), max_size=4
)


def test_a_code_has_at_least_sixty_bits() -> None:
    assert CODE_LENGTH * math.log2(len(ALPHABET)) >= 60
    assert len(set(ALPHABET)) == len(ALPHABET)


def test_no_two_letters_of_a_code_are_taken_for_each_other() -> None:
    assert not set("0Oo1lIi|") & set(ALPHABET)


@given(st.randoms(use_true_random=False))
def test_a_new_code_is_a_code(rng: random.Random) -> None:
    assert is_code(new_code(rng.randrange))


@pytest.mark.parametrize("text", ["", "a" * 10, "a" * 12, "O" * 11, "../../../x", "abcdefgh jk", "abcdefghjk\n"])
def test_other_texts_are_none(text: str) -> None:
    assert not is_code(text)


@pytest.mark.parametrize("name", ["payment", "a", "pay-now_2", "7"])
def test_a_link_name_is_a_small_word(name: str) -> None:
    assert is_link_name(name)


@pytest.mark.parametrize("name", ["", "Pay", "-a", "pay now", "a" * 64, "zahlung.é"])
def test_other_words_name_no_link(name: str) -> None:
    assert not is_link_name(name)


@pytest.mark.parametrize("url", ["https://example.com", "http://example.com:8080/a?b=c#d", "https://bücher.example/ü"])
def test_a_web_address_can_be_opened(url: str) -> None:
    assert is_web_address(url)


@pytest.mark.parametrize(
    "url",
    ["", "example.com", "ftp://example.com", "javascript:alert(1)", "https://", "https:///x", "https://a b",
     "mailto:a@b", "https://example.com/\r\nX: y", "https://[::1", "data:text/html,x",
     "https://example.com/" + "x" * 2_048],
)  # fmt: skip
def test_what_cannot_be_opened_is_no_web_address(url: str) -> None:
    assert not is_web_address(url)


def test_where_a_visit_came_from_is_added() -> None:
    url = with_campaign("https://shop.example.com/cart?id=7#top", "abandoned-cart", "first")
    assert url == (
        "https://shop.example.com/cart?id=7&utm_source=sms&utm_medium=sms&utm_campaign=abandoned-cart&utm_content=first#top"
    )


@given(QUERIES)
def test_what_an_address_says_stays_byte_by_byte_and_is_never_said_twice(pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    result = urlsplit(with_campaign(f"https://example.com/p?{query}", "j", "s"))
    assert result.query.startswith(query)
    said = parse_qs(result.query, keep_blank_values=True)
    given_names = {name for name, _ in pairs}
    for name, value in {"utm_source": "sms", "utm_medium": "sms", "utm_campaign": "j", "utm_content": "s"}.items():
        if name in given_names:
            assert len(said[name]) == sum(each == name for each, _ in pairs)
        else:
            assert said[name] == [value]
