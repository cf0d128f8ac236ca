"""Do values with decimals and times survive being kept as JSON?"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.documents import from_document, to_document

keys = st.text("abcxyz_", min_size=1, max_size=8) | st.sampled_from(["$date", "$time", "$$decimal", "$", "$$", "$x"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.dates()
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_kept_comes_back_as_it_was(value: object) -> None:
    assert from_document(json.loads(json.dumps(to_document(value)))) == value


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\x00b", "ab"),
        ("\ud800", "?"),
        (float("nan"), None),
        (float("inf"), None),
        (1.5, 1.5),
        ((1, Decimal("2.50")), [1, {"$decimal": "2.50"}]),
        (date(2026, 11, 20), {"$date": "2026-11-20"}),
        (datetime(2026, 11, 20, 10, tzinfo=UTC), {"$time": "2026-11-20T10:00:00+00:00"}),
        (complex(1, 2), "(1+2j)"),
    ],
)
def test_what_a_database_refuses_is_taken_out(value: object, kept: object) -> None:
    assert to_document(value) == kept


@pytest.mark.parametrize(
    "answer",
    [{"created": {"$date": "2024-01-01T00:00:00Z"}}, {"$decimal": "abc"}, {"$time": "2024-01-01"}, {"$$date": "x"}],
)
def test_a_stranger_s_keys_that_look_like_ours_stay_what_they_are(answer: object) -> None:
    assert from_document(json.loads(json.dumps(to_document(answer)))) == answer
    assert from_document(from_document(to_document(to_document(answer)))) == answer


@pytest.mark.parametrize("old", [{"$decimal": "abc"}, {"$date": "2024-01-01T00:00:00Z"}, {"$time": "soon"}])
def test_a_document_from_before_that_does_not_parse_is_read_as_it_stands(old: object) -> None:
    assert from_document(old) == old
