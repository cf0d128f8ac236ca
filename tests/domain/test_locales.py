"""Locale names and the order in which texts are looked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.locales import fallback_chain, normalise_locale


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de_AT", "de-AT"),
        ("de-at", "de-AT"),
        (" en-gb ", "en-GB"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de_DE.UTF-8", "de-DE"),
        ("de_DE@euro", "de-DE"),
        ("fil-PH", "fil-PH"),
        ("ca-ES-valencia", "ca-ES-valencia"),
        ("de-", "de"),
        ("de-???", "de"),
        ("", None),
        ("x", None),
        ("German", None),
        ("12", None),
        ("дд", None),
    ],
)
def test_a_locale_is_written_one_way_however_the_crm_spells_it(raw: str, expected: str | None) -> None:
    assert normalise_locale(raw) == expected


@pytest.mark.parametrize(
    ("locale", "default", "chain"),
    [
        ("de-AT", "en", ("de-AT", "de", "en")),
        ("de_AT", "fr", ("de-AT", "de", "fr", "en")),
        ("de", "de-CH", ("de", "de-CH", "en")),
        ("en", "en", ("en",)),
        ("en-gb", "en", ("en-GB", "en")),
        ("zh-hant-tw", "en", ("zh-Hant-TW", "zh-Hant", "zh", "en")),
        (None, "nl-BE", ("nl-BE", "nl", "en")),
        ("", "nl", ("nl", "en")),
        ("Klingon", "nl", ("nl", "en")),
        ("Klingon", "none of these", ("en",)),
    ],
)
def test_a_missing_text_falls_back_from_region_to_language_to_default(
    locale: str | None, default: str, chain: tuple[str, ...]
) -> None:
    assert fallback_chain(locale, default) == chain


@given(st.text(), st.text())
def test_any_crm_value_gives_a_chain_without_repeats_that_ends_somewhere_readable(raw: str, default: str) -> None:
    chain = fallback_chain(raw, default)
    assert "en" in chain
    assert len(set(chain)) == len(chain)
    assert all(normalise_locale(tag) == tag for tag in chain)
