"""What does a row of an imported file say, and does what cannot be read never become somebody's consent?"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.import_rows import ImportColumn as Column
from connector.domain.import_rows import PersonRow, RowRules, Says, read_row

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
NUMBER = "+12025550143"
CONSENT = {Column.NUMBER: NUMBER, Column.WHEN: "2025-03-31 14:30", Column.HOW: "tick box"}
RULES = RowRules(frozenset(Column) - {Column.OPTED_IN}, ("US",), defaults={Column.PURPOSE: "marketing"})


def read(rules: RowRules = RULES, /, **cells: str) -> PersonRow:
    known = {column.value: text for column, text in CONSENT.items()} | cells
    return read_row({Column(name): text for name, text in known.items()}, rules, NOW)


def why(person: PersonRow) -> dict[str, str]:
    return {trouble.column: trouble.why for trouble in person.troubles}


def test_a_row_with_a_time_and_a_way_is_an_opt_in_with_its_evidence() -> None:
    person = read(wording="Text me offers", source="Shop export")
    assert (person.says, person.number, person.region) == (Says.OPT_IN, NUMBER, "US")
    assert person.at == datetime(2025, 3, 31, 14, 30, tzinfo=UTC)
    assert person.evidence == "Text me offers\nHow: tick box\nSource: Shop export"
    assert not person.is_refused
    assert NUMBER not in repr(person)


@pytest.mark.parametrize(
    "number", ["(202) 555-0143", "202.555.0143", "'+12025550143", "12025550143", " +1 202 555 0143 "]
)
def test_a_number_is_read_as_people_write_it(number: str) -> None:
    assert read(number=number).number == NUMBER


@pytest.mark.parametrize("number", ["1.20256E+10", "1,20256E+10", "1e10"])
def test_a_number_that_a_spreadsheet_has_rounded_is_told_and_not_guessed(number: str) -> None:
    person = read(number=number)
    assert person.number is None
    assert "rounded this number" in why(person)["number"]


@pytest.mark.parametrize("number", ["soon", "123", "+1 202 555", "+44 900 000 0000"])
def test_a_number_that_is_none_is_refused_without_repeating_it(number: str) -> None:
    person = read(number=number)
    assert person.is_refused
    assert number not in repr(person)


def test_a_row_about_nobody_is_refused() -> None:
    assert "names nobody" in why(read(number=""))["number"]
    assert not read(number="", email="lea@example.com").is_refused


# --- when ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2025-03-31", "2025-03-31T00:00:00+00:00"),
        ("2025-03-31T14:30:00Z", "2025-03-31T14:30:00+00:00"),
        ("2025-03-31 14:30:00+02:00", "2025-03-31T12:30:00+00:00"),
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
    ],
)
def test_times_are_read_in_iso_8601(text: str, at: str) -> None:
    assert read(when=text).at == datetime.fromisoformat(at)


def test_a_time_without_offset_is_the_accounts() -> None:
    rules = RowRules(RULES.columns, ("US",), ZoneInfo("Europe/Berlin"), defaults=RULES.defaults)
    assert read(rules, when="2025-07-01 14:30").at == datetime(2025, 7, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["03/04/2025", "31.3.2025", "yesterday", "45741", "2025-13-01", "0"])
def test_a_time_with_several_meanings_or_none_is_refused(text: str) -> None:
    assert "no time that has only one meaning" in why(read(when=text))["when"]


def test_a_time_is_read_in_the_format_that_the_operator_says_and_in_iso_8601() -> None:
    rules = RowRules(RULES.columns, ("US",), date_format="%d.%m.%Y", defaults=RULES.defaults)
    assert read(rules, when="31.3.2025").at == datetime(2025, 3, 31, tzinfo=UTC)
    assert read(rules, when="2025-03-31").at == datetime(2025, 3, 31, tzinfo=UTC)
    assert "expected %d.%m.%Y" in why(read(rules, when="3/31/2025"))["when"]


def test_the_format_that_the_operator_says_comes_before_iso_8601_that_it_looks_like() -> None:
    rules = RowRules(RULES.columns, ("US",), date_format="%Y-%d-%m", defaults=RULES.defaults)
    assert read(rules, when="2025-02-03").at == datetime(2025, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-11-20T14:01Z", "in the future"),
        ("2027-01-01", "in the future"),
        ("9999-12-31T23:59:59-23:00", "no time"),
        ("1899-12-30", "before the first SMS"),
        ("1970-01-01T00:00:00Z", "before the first SMS"),
    ],
)
def test_an_opt_in_of_the_future_or_of_a_spreadsheets_zero_is_refused(text: str, message: str) -> None:
    assert message in why(read(when=text))["when"]


def test_an_opt_in_that_says_not_when_or_how_is_refused_or_says_nothing() -> None:
    rules = RowRules(frozenset(Column), ("US",), defaults=RULES.defaults)
    assert "not when" in why(read(rules, opted_in="yes", when=""))["when"]
    assert "not how" in why(read(rules, opted_in="yes", how=""))["how"]
    assert read(when="").says is Says.NOTHING


def test_a_day_is_its_beginning_for_an_opt_in_and_its_end_for_an_opt_out() -> None:
    assert read(when="2025-03-31").at == datetime(2025, 3, 31, tzinfo=UTC)
    assert read(when="2025-03-31", opted_out="yes").at == datetime(2025, 3, 31, 23, 59, 59, tzinfo=UTC)
    assert read(when="2026-11-20", opted_out="yes").at == NOW


# --- opt-outs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["yes", "Y", "TRUE", "1", "x", "Unsubscribed", "unsubscribe", "STOP", "STOP.", "opted out", "Opted-Out", "opt_out"],
)
def test_an_opt_out_is_read_in_the_words_that_exports_have(word: str) -> None:
    assert read(opted_out=word).says is Says.OPT_OUT


@pytest.mark.parametrize(
    "day", ["2024-05-01", "2024-05-01T10:00:00", "01.05.2024 10:00", "5/1/2024", "2024-05-01 10:00:00"]
)
def test_the_day_of_an_opt_out_in_its_column_is_an_opt_out(day: str) -> None:
    person = read(opted_out=day)
    assert (person.says, person.troubles) == (Says.OPT_OUT, ())


@pytest.mark.parametrize("word", ["no", "No.", "0", "false", "", "-", "none"])
def test_no_opt_out_leaves_the_opt_in_standing(word: str) -> None:
    assert read(opted_out=word).says is Says.OPT_IN


@pytest.mark.parametrize("word", ["maybe", "?", "left us in May", "1714521600000"])
def test_an_opt_out_column_with_another_word_ends_marketing_and_is_told(word: str) -> None:
    person = read(opted_out=word)
    assert (person.says, person.is_refused) == (Says.NO_MARKETING, False)
    assert "neither yes nor no" in why(person)["opted_out"]


@pytest.mark.parametrize(
    "wrong", [{"when": "soon"}, {"when": "2027-01-01"}, {"when": ""}, {"purpose": "fun"}, {"locale": "?"}]
)
def test_an_opt_out_counts_however_little_else_of_its_row_can_be_read(wrong: dict[str, str]) -> None:
    person = read(opted_out="yes", **wrong)
    assert (person.says, person.number, person.is_refused) == (Says.OPT_OUT, NUMBER, False)
    assert person.at is not None
    assert person.at <= NOW


def test_an_opt_out_of_marketing_alone_is_one_that_the_row_itself_names() -> None:
    assert read(opted_out="yes", purpose="Marketing").says is Says.NO_MARKETING
    assert read(opted_out="yes", purpose="all").says is Says.OPT_OUT
    assert read(opted_out="yes").says is Says.OPT_OUT  # the default of the command line says nothing about opt-outs


# --- what is no opt-in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [{"purpose": "transactional"}, {"when": ""}])
def test_a_row_that_agrees_to_nothing_new_says_nothing(cells: dict[str, str]) -> None:
    assert read(**cells).says is Says.NOTHING


def test_a_column_of_opt_ins_decides_where_there_is_one() -> None:
    rules = RowRules(frozenset(Column), ("US",), defaults=RULES.defaults)
    assert read(rules, opted_in="no").says is Says.NOTHING
    assert read(rules, opted_in="").says is Says.NOTHING
    assert read(rules, opted_in="yes").says is Says.OPT_IN
    assert "neither yes nor no" in why(read(rules, opted_in="perhaps"))["opted_in"]


def test_a_purpose_that_is_none_is_refused() -> None:
    assert "no purpose" in why(read(purpose="offers"))["purpose"]


@pytest.mark.parametrize(
    ("column", "good", "written", "bad"),
    [
        ("locale", "de_AT", "de-AT", "german!"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin", "Berlin"),
        ("time_zone", "UTC", "UTC", "../../etc/passwd"),
        ("time_zone", "UTC", "UTC", "Europe"),
    ],
)
def test_language_and_time_zone_are_checked(column: str, good: str, written: str, bad: str) -> None:
    assert getattr(read(**{column: good}), column) == written
    assert column in why(read(**{column: bad}))


# --- laws ------------------------------------------------------------------------------------------------------------

_WORDS = st.sampled_from(["", "yes", "no", "marketing", "2025-03-31", NUMBER, "x"]) | st.text(max_size=20)


@given(st.dictionaries(st.sampled_from(list(Column)), _WORDS))
def test_no_row_breaks_the_reader_and_every_opt_in_has_all_that_an_opt_in_needs(cells: dict[Column, str]) -> None:
    person = read_row(cells, RowRules(frozenset(Column), ("US",)), NOW)
    if person.says is Says.OPT_IN and not person.is_refused:
        assert person.at is not None
        assert datetime(1992, 12, 3, tzinfo=UTC) <= person.at <= NOW
        assert person.evidence
        word = re.sub(r"[\W_]", "", cells.get(Column.OPTED_OUT, "").casefold())
        assert word in {"", "no", "n", "false", "f", "0", "off", "nein", "non", "none", "null", "never"}
    if person.says in {Says.OPT_OUT, Says.NO_MARKETING}:
        assert person.at is not None
        assert person.at <= NOW + timedelta(0)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_what_is_wrong_never_repeats_a_value(number: str, when: str, zone: str) -> None:
    told = " ".join(
        trouble.why for trouble in read(number=f"q{number}q", when=f"q{when}q", time_zone=f"q{zone}q").troubles
    )
    for value in (number, when, zone):
        assert f"q{value}q" not in told
