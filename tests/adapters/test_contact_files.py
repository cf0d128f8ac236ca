"""Are the rows of a file of contacts what its author sees in a spreadsheet, however it was saved?"""

from __future__ import annotations

import csv
import io
import random
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.adapters.contact_files import Reading, read_contacts
from connector.adapters.spreadsheets import cell_text
from connector.errors import ConfigurationError

PLAIN = "Name,Mobile\nLea,+12025550143\nZoë,+12025550144\n"


def written(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(path: Path, **how: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    found = read_contacts(path, Reading(**how))
    return list(found.headings), [(number, list(row)) for number, row in found.rows()]


AS_SEEN = (["Name", "Mobile"], [(2, ["Lea", "+12025550143"]), (3, ["Zoë", "+12025550144"])])


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_a_file_is_read_in_the_encoding_it_was_saved_in(tmp_path: Path, encoding: str) -> None:
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    assert table(written(tmp_path, marks.get(encoding, b"") + PLAIN.encode(encoding))) == AS_SEEN


def test_an_encoding_that_cannot_be_found_out_is_said_by_the_operator(tmp_path: Path) -> None:
    path = written(tmp_path, PLAIN.replace("Zoë", "Żofia").encode("cp1250"))
    assert table(path)[1][1][1][0] != "Żofia"
    assert table(path, encoding="cp1250")[1][1][1][0] == "Żofia"


@pytest.mark.parametrize(("encoding", "message"), [("utf-8", "is not utf-8 at byte"), ("klingon", "no encoding named")])
def test_an_encoding_that_does_not_fit_is_told_with_its_place(tmp_path: Path, encoding: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_contacts(written(tmp_path, PLAIN.encode("cp1252")), Reading(encoding))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str, line_end: str) -> None:
    assert table(written(tmp_path, PLAIN.replace(",", delimiter).replace("\n", line_end))) == AS_SEEN


@pytest.mark.parametrize(
    ("content", "headings", "first"),
    [
        ("Number;Spent\n1;1,50\n2;3,75\n", ["Number", "Spent"], ["1", "1,50"]),
        ("Name, full;Number\nHartmann, Lea;1\nNoor;2\n", ["Name, full", "Number"], ["Hartmann, Lea", "1"]),
        ('Name,Note\n"a;b;c","x;y;z"\n"d;e;f","u;v;w"\n', ["Name", "Note"], ["a;b;c", "x;y;z"]),
        ('Name;Note\n"two\nlines";1\n', ["Name", "Note"], ["two\nlines", "1"]),
        ('Name,Note\n"she said ""stop""",1\n', ["Name", "Note"], ['she said "stop"', "1"]),
        ("sep=|\nName|Note\na|b,c;d\n", ["Name", "Note"], ["a", "b,c;d"]),
        ("Number\n1\n2\n", ["Number"], ["1"]),
        ("Name\nHartmann, Lea\nNoor\n", ["Name"], ["Hartmann, Lea"]),
    ],
)
def test_what_misleads_a_sniffer_does_not_mislead_us(
    tmp_path: Path, content: str, headings: list[str], first: list[str]
) -> None:
    found = table(written(tmp_path, content))
    assert (found[0], found[1][0][1]) == (headings, first)


def test_a_delimiter_can_be_said(tmp_path: Path) -> None:
    assert table(written(tmp_path, "a^b\n1^2\n"), delimiter="^") == (["a", "b"], [(2, ["1", "2"])])


def test_rows_are_numbered_as_in_a_spreadsheet_and_empty_ones_are_passed_over(tmp_path: Path) -> None:
    found = table(written(tmp_path, 'Name,Note\na,"two\nlines"\n\n , \nb,1\n'))
    assert [number for number, _ in found[1]] == [2, 5]


def test_a_row_of_another_width_keeps_its_cells_for_somebody_to_refuse_it(tmp_path: Path) -> None:
    found = table(written(tmp_path, "a,b\n1,2\n1,2,3\n1\n"))
    assert [len(row) for _, row in found[1]] == [2, 3, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no headings"),
        ("\n\na,b\n", "no headings"),
        ("+12025550143,Lea\n", "looks like a person"),
        ("lea@example.com,Lea\n", "looks like a person"),
        ('a,b\n1,2\n3,"4\n5,6\n', "row 3 .* is no CSV"),
        ('a,b\n1,2\n"3"x,4\n', "row 3 .* is no CSV"),
        (b"a,b\n\x00\x01,2\n", "no text file"),
        (b"PK\x03\x04 not a workbook", None),
    ],
)
def test_a_file_that_cannot_be_read_to_its_end_is_refused_before_its_first_row(
    tmp_path: Path, content: str | bytes, message: str | None
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConfigurationError, match=message) as refused:
        read_contacts(path)
    assert "+12025550143" not in str(refused.value)
    assert "lea@example.com" not in str(refused.value)


def test_a_file_that_is_not_there_or_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_contacts(tmp_path / "nobody.csv")
    monkeypatch.setattr("connector.adapters.contact_files.LARGEST", 10)
    with pytest.raises(ConfigurationError, match="larger than"):
        read_contacts(written(tmp_path, PLAIN))


def test_the_hash_is_of_the_bytes_and_of_nothing_else(tmp_path: Path) -> None:
    first, moved = (read_contacts(written(tmp_path, PLAIN, name)) for name in ("a.csv", "b.csv"))
    assert first.hash == moved.hash
    assert first.hash != read_contacts(written(tmp_path, PLAIN + " ")).hash


# --- laws ------------------------------------------------------------------------------------------------------------

_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
_HEADINGS = ["Name", "Mobile phone", "When, exactly; or so"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.lists(_CELL, min_size=3, max_size=3), max_size=12),
    dialect=st.sampled_from([("excel", ","), ("excel", ";"), ("excel", "\t"), ("unix", "|")]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_a_program_wrote_is_read_back_cell_by_cell(
    tmp_path: Path, rows: list[list[str]], dialect: tuple[str, str], encoding: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, dialect[0], delimiter=dialect[1], quoting=csv.QUOTE_ALL)
    writer.writerows([_HEADINGS, *rows])
    headings, found = table(written(tmp_path, text.getvalue().encode(encoding)))
    assert headings == _HEADINGS
    assert [row for _, row in found] == [row for row in rows if any(cell.strip() for cell in row)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(raw=st.binary(max_size=200))
def test_no_bytes_break_the_reader(tmp_path: Path, raw: bytes) -> None:
    try:
        found = read_contacts(written(tmp_path, raw))
    except ConfigurationError:
        return
    assert any(found.headings)
    assert all(any(cell.strip() for cell in row) for _, row in found.rows())


# --- XLSX ------------------------------------------------------------------------------------------------------------


def workbook(folder: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = folder / "people.xlsx"
    book.save(path)
    return path


def test_a_workbook_is_read_with_its_numbers_days_and_ticks_as_texts(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Mobile", "When", "Out", "Spent"],
        [12025550143, datetime(2025, 3, 31, 14, 30), True, 1.5],  # noqa: DTZ001 - spreadsheets know no zones
        ["+12025550144", datetime(2025, 4, 1), False, None],  # noqa: DTZ001 - likewise
        [None, None, None, None],
        ["'+12025550145", date(2025, 4, 2), None, 3],
    ]
    found = table(workbook(tmp_path, ("People", rows)))
    assert found[0] == ["Mobile", "When", "Out", "Spent"]
    assert found[1] == [
        (2, ["12025550143", "2025-03-31T14:30:00", "yes", "1.5"]),
        (3, ["+12025550144", "2025-04-01", "no", ""]),
        (5, ["'+12025550145", "2025-04-02", "", "3"]),
    ]


def test_a_sheet_is_chosen_by_its_name_and_the_first_one_otherwise(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("One", [["a"], ["1"]]), ("Two", [["b"], ["2"]]))
    assert table(path)[0] == ["a"]
    assert table(path, sheet="Two") == (["b"], [(2, ["2"])])
    with pytest.raises(ConfigurationError, match="there are One, Two"):
        read_contacts(path, Reading(sheet="Three"))


def test_each_sheet_of_a_workbook_is_a_file_of_its_own_however_it_was_chosen(tmp_path: Path) -> None:
    path = workbook(tmp_path, ("One", [["a"], ["1"]]), ("Two", [["a"], ["2"]]))
    first, named, second = (read_contacts(path, Reading(sheet=sheet)).hash for sheet in ("", "One", "Two"))
    assert first == named
    assert first != second
    assert len(second) == 64


def test_a_workbook_made_to_fill_our_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.adapters.spreadsheets._LARGEST_INSIDE", 100)
    with pytest.raises(ConfigurationError, match="too large unpacked"):
        read_contacts(workbook(tmp_path, ("One", [["a"], ["1"]])))


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    raw = bytearray(workbook(tmp_path, ("One", [["a"], ["1"]])).read_bytes())
    for place in random.Random(7).sample(range(100, len(raw) - 400), 200):
        raw[place] ^= 0xFF
    with pytest.raises(ConfigurationError, match="no workbook"):
        read_contacts(written(tmp_path, bytes(raw), "broken.xlsx"))


@pytest.mark.parametrize(
    ("cell", "text"), [(1e20, "1e+20"), (-3.0, "-3"), (0.1, "0.1"), ("x", "x"), (time(), "00:00:00")]
)
def test_a_cell_is_written_as_people_see_it(cell: object, text: str) -> None:
    assert cell_text(cell) == text
