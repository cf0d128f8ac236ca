"""Which rows does a sheet of an XLSX file have, every cell written as a text?"""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from connector.errors import ConfigurationError

_LARGEST_INSIDE = 1024**3
"""Bytes a workbook may have unpacked. A million rows have half of it; more is a file made to fill our memory."""

_EXACT = 2**53  # beyond it a spreadsheet's numbers have lost digits


def read_sheet(name: str, raw: bytes, sheet: str) -> tuple[str, list[list[str]]]:
    """Read one sheet, the first when `sheet` is empty; give its name and its rows.

    Raises:
        ConfigurationError: it is no workbook, too large unpacked, or has no such sheet.
    """
    _demand_size(name, raw)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        names = book.sheet_names
        if not names or (sheet and sheet not in names):
            there = ", ".join(names) or "none"
            raise ConfigurationError(f"{name} has no sheet {sheet or 'at all'}; there are {there}")
        # Empty rows above the heading are rows of the spreadsheet too, and counted.
        chosen = sheet or names[0]
        rows = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError) as error:
        raise ConfigurationError(f"{name} is no workbook that can be read ({type(error).__name__})") from None
    return chosen, [[cell_text(cell) for cell in row] for row in rows]


def cell_text(cell: Any) -> str:
    """Write a cell as a text: whole numbers without a point, times in ISO 8601."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        is_whole = cell.is_integer() and abs(cell) < _EXACT
        return str(int(cell)) if is_whole else repr(cell)
    if isinstance(cell, datetime) and cell.time() == time.min:
        return cell.date().isoformat()  # a day: spreadsheets know no other
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _demand_size(name: str, raw: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except (zipfile.BadZipFile, ValueError) as error:
        why = f"{name} is no workbook that can be read ({type(error).__name__}): save it as XLSX or CSV"
        raise ConfigurationError(why) from None
    if size > _LARGEST_INSIDE:
        raise ConfigurationError(f"{name} is too large unpacked: cut it in parts")
