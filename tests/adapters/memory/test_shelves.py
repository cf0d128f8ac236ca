"""Do the indexes of the ledger in memory always say what a search through all rows would?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.memory.documents import kept
from connector.adapters.memory.shelves import Due, Group, Journal, Shelf, turn
from connector.domain.documents import from_document, to_document

START = datetime(2026, 11, 20, tzinfo=UTC)


class _Row(NamedTuple):
    lane: str
    minutes: int | None
    leased: int | None


def _at(minutes: int | None) -> datetime | None:
    return None if minutes is None else START + timedelta(minutes=minutes)


MINUTES = st.none() | st.integers(0, 6)
ROWS = st.none() | st.builds(_Row, st.sampled_from(["a", "b"]), MINUTES, MINUTES)
CHANGES = st.lists(st.tuples(st.sampled_from("123456"), ROWS), max_size=40)
UNITS = st.lists(st.tuples(CHANGES, st.booleans()), max_size=4)


def _due(row: _Row) -> datetime | None:
    at, lease = _at(row.minutes), _at(row.leased)
    return at if at is None or lease is None else max(at, lease)


@given(UNITS, st.integers(0, 6), st.integers(1, 4))
def test_what_is_due_and_who_belongs_together_is_what_a_search_finds(
    units: list[tuple[list[tuple[str, _Row | None]], bool]], minutes: int, limit: int
) -> None:
    journal = Journal()
    due: Due[_Row] = Due(lambda row: turn(row.lane, _at(row.minutes), _at(row.leased)))
    lanes: Group[_Row] = Group(lambda row: row.lane)
    shelf: Shelf[_Row] = Shelf(journal, due, lanes)
    expected: dict[str, _Row] = {}
    now = START + timedelta(minutes=minutes)
    for changes, is_kept in units:
        journal.open()
        before = dict(expected)
        for key, row in changes:
            if row is None:
                shelf.drop(key)
                expected.pop(key, None)
            else:
                shelf.put(key, row)
                expected[key] = row
        if is_kept:
            journal.keep()
        else:
            journal.take_back()
            expected = before
        assert shelf.rows == expected
        for lane in ("a", "b"):
            turns = sorted((at, key) for key, row in expected.items() if row.lane == lane and (at := _due(row)))
            past = [key for at, key in turns if at <= now]
            assert due.first(lane, now, limit) == past[:limit]
            assert due.count(lane, now) == len(past)
            assert due.next(lane) == (turns[0] if turns else None)
            assert sorted(lanes.of(lane)) == sorted(key for key, row in expected.items() if row.lane == lane)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=5)
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.dates()
)
KEYS = st.text(st.characters(exclude_categories=()), max_size=5) | st.sampled_from(["$other", "$decimal", "$$date"])
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_a_document_is_kept_as_the_database_would_give_it_back(value: object) -> None:
    assert kept(value) == from_document(to_document(value))


def test_a_key_that_looks_like_one_of_the_tags_stays_a_key() -> None:
    assert kept({"$decimal": "1.50"}) == {"$decimal": "1.50"} == from_document(to_document({"$decimal": "1.50"}))
