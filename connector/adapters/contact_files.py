"""Which rows does a CSV or XLSX file of contacts have?

Nothing is guessed that a slip would turn into another person's consent: the encoding is the file's own mark, strict
UTF-8, or Windows-1252; the delimiter is the one by which every row has as many cells as the heading. (`csv.Sniffer`
counts characters of a sample, and takes letters and the comma of a decimal for delimiters.) A file that cannot be
read to its end is refused before its first row is worked.

XLSX is read by python-calamine: typed cells, no formulas run, no XML entities, ten times faster than openpyxl.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connector.adapters.spreadsheets import read_sheet
from connector.errors import ConfigurationError

LARGEST = 100 * 1024 * 1024
"""Bytes; about a million rows. More is cut in parts, of which each can be begun anew by itself."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),  # Excel's "Unicode text"
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = "cp1252"  # what Excel saves as "CSV" on a Windows of Western Europe or America
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # a packed folder, which XLSX is; and Excel's format before 2007
_DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n')  # Excel's own first line, in which it says the delimiter
_SAMPLE = 200
"""Rows by which a delimiter is chosen; one that fits so many fits."""

_LOOKS_LIKE_DATA = re.compile(r"\+?[\d\s().-]{7,}|[^\s@]+@[^\s@]+\.\w+")


@dataclass(frozen=True, slots=True)
class ContactTable:
    """A file as read; see `connector.ports.contact_files.ContactFile`."""

    name: str
    hash: str
    headings: Sequence[str]
    table: Sequence[tuple[int, Sequence[str]]] = field(repr=False)

    def rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Give every row that is not empty, with its number."""
        return iter(self.table)


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read where it does not say so itself.

    Attributes:
        encoding: of a CSV; empty to find out.
        delimiter: of a CSV; empty to find out.
        sheet: of an XLSX; empty for the first.
    """

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


def read_contacts(path: Path, reading: Reading | None = None) -> ContactTable:
    """Read a file.

    Raises:
        ConfigurationError: it cannot be read to its end, or has no heading; says where, and never what stands there.
    """
    how = reading or Reading()
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigurationError(f"{path.name} is larger than {LARGEST // 1024**2} MB: cut it in parts")
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path.name} cannot be read: {error.strerror}") from error
    digest = hashlib.sha256(raw)
    if not raw.startswith(_WORKBOOKS):
        return _with_heading(path.name, digest.hexdigest(), _read_csv(path.name, raw, how))
    sheet, lines = read_sheet(path.name, raw, how.sheet)
    digest.update(b"\x00" + sheet.encode())  # each sheet is a file of its own: its rows are other people
    return _with_heading(path.name, digest.hexdigest(), lines)


def _with_heading(name: str, file_hash: str, lines: Sequence[Sequence[str]]) -> ContactTable:
    headings = [cell.strip() for cell in lines[0]] if lines else []
    if not any(headings):
        raise ConfigurationError(f"{name}: the first row has no headings")
    if any(_LOOKS_LIKE_DATA.fullmatch(heading) for heading in headings):
        raise ConfigurationError(f"{name}: the first row looks like a person, not like headings: put headings above it")
    rows = [(number, row) for number, row in enumerate(lines[1:], 2) if any(cell.strip() for cell in row)]
    return ContactTable(name, file_hash, headings, rows)


# --- CSV -------------------------------------------------------------------------------------------------------------


def _read_csv(name: str, raw: bytes, how: Reading) -> list[list[str]]:
    text = _decoded(name, raw, how.encoding)
    if "\x00" in text:
        raise ConfigurationError(f"{name} is no text file: save it as CSV or XLSX")
    said = _SEP_LINE.match(text)
    if said is not None:
        text = text[said.end() :]
    delimiter = how.delimiter or (said[1] if said is not None else _delimiter(text))
    try:
        return [*_parsed(text, delimiter)]
    except csv.Error as error:
        raise ConfigurationError(f"{name}: {_csv_mistake(text, delimiter, error)}") from None


def _decoded(name: str, raw: bytes, encoding: str) -> str:
    chosen = encoding or next((known for mark, known in _BOMS if raw.startswith(mark)), "")
    try:
        if chosen:
            return raw.decode("utf-8-sig" if chosen.lower() in {"utf-8", "utf8"} else chosen)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode(_WESTERN)
    except UnicodeError as error:
        place = f" at byte {error.start + 1}" if isinstance(error, UnicodeDecodeError) else ""
        tried = chosen or f"UTF-8 or {_WESTERN}"
        raise ConfigurationError(f"{name} is not {tried}{place}: say which with --encoding") from None
    except LookupError:
        raise ConfigurationError(f"there is no encoding named {chosen}") from None


def _delimiter(text: str) -> str:
    """Choose the delimiter that gives most columns of those by which every row of a sample is as wide as the heading.

    When none fits, the heading alone decides: rows that do not fit it are told one by one.
    """
    widths = {each: found for each in _DELIMITERS if (found := _widths(text, each))}
    fitting = {each: found[0] for each, found in widths.items() if len(set(found)) == 1}
    heading = {each: found[0] for each, found in widths.items()}
    for columns in (fitting, heading):
        best = max(columns, key=columns.__getitem__, default="")
        if best and columns[best] > 1:
            return best
    return next(iter(fitting), ",")


def _widths(text: str, delimiter: str) -> list[int]:
    """Give the widths of the first rows, and -1 where they are no CSV with this delimiter."""
    widths: list[int] = []
    try:
        for row in _parsed(text, delimiter):
            widths += [len(row)] if row else []
            if len(widths) > _SAMPLE:
                break
    except csv.Error:
        return [*widths, -1]
    return widths


def _parsed(text: str, delimiter: str) -> Iterator[list[str]]:
    """Cut a text in rows; strict, so that a quote nobody closes does not swallow the people below it."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _csv_mistake(text: str, delimiter: str, error: csv.Error) -> str:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, _ in enumerate(reader, 1):  # noqa: B007 - how far it got is what is asked for
            pass
    except csv.Error:
        pass
    return f"row {number + 1} (line {reader.line_num}) is no CSV: {error}"
