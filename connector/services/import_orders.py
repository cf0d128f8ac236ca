"""What does an operator want to have imported, does the file have it, and is an import of it under way already?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from connector.domain.import_rows import CellTrouble, ImportColumn, PersonRow, RowRules, Says, read_row
from connector.domain.webhook_sources import NamedBy
from connector.errors import ConfigurationError
from connector.ports.contact_files import ContactFile
from connector.ports.imports import ImportRunRow, ImportState
from connector.ports.ledger import AccountRow
from connector.ports.time import Clock

MATCHED_BY: Mapping[NamedBy, ImportColumn] = {
    NamedBy.CRM_ID: ImportColumn.CRM_ID,
    NamedBy.EMAIL: ImportColumn.EMAIL,
    NamedBy.NUMBER: ImportColumn.NUMBER,
}
"""The column by which contacts are looked up in the CRM."""

_ABOUT_CONSENT = frozenset({ImportColumn.OPTED_IN, ImportColumn.OPTED_OUT, ImportColumn.WHEN})
_OF_CONTACTS = frozenset({ImportColumn.LOCALE, ImportColumn.TIME_ZONE})


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """What is to be imported, and how its rows are meant.

    Attributes:
        columns: our columns → the file's headings, as the operator wrote them.
        defaults: what counts where the file has no such column, or an empty cell.
        match: by what contacts are looked up in the CRM; None to keep consent by number alone.
        region: country of numbers without prefix; empty for the account's.
        time_zone: of times without offset; empty for the account's.
        date_format: as `datetime.strptime` takes it; empty for ISO 8601 only.
        encoding: of the file, as the operator said it; empty when it was found out.
        delimiter: likewise.
        by: who imports.
        is_again: import a file once more that was imported before.
    """

    account_id: str
    columns: Mapping[ImportColumn, str]
    defaults: Mapping[ImportColumn, str] = field(default_factory=dict)
    match: NamedBy | None = None
    region: str = ""
    time_zone: str = ""
    date_format: str = ""
    encoding: str = ""
    delimiter: str = ""
    by: str = ""
    is_again: bool = False

    def options(self) -> dict[str, Any]:
        """Give what decides, beside the columns, what a row means; a run goes on with the same only."""
        return {
            "defaults": {column.value: text for column, text in sorted(self.defaults.items())},
            "match": None if self.match is None else self.match.value,
            "region": self.region,
            "time_zone": self.time_zone,
            "date_format": self.date_format,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
        }


class FileReader:
    """Reads the rows of one file as one order means them.

    Raises, when made:
        ConfigurationError: the file lacks a heading, or the order says too little.
    """

    def __init__(self, order: ImportOrder, file: ContactFile, account: AccountRow, clock: Clock) -> None:
        _demand_sense(order)
        self.headings = {column: _heading(file, wanted) for column, wanted in order.columns.items()}
        self._places = {column: file.headings.index(heading) for column, heading in self.headings.items()}
        self._width, self._clock = len(file.headings), clock
        region = order.region or str(account.settings.get("default_region") or "")
        zone = order.time_zone or str(account.settings.get("time_zone") or "UTC")
        self._rules = RowRules(
            columns=frozenset(order.columns),
            regions=(region,) if region else (),
            zone=_zone(zone),
            date_format=order.date_format,
            defaults=order.defaults,
        )

    def read(self, cells: Sequence[str]) -> PersonRow:
        """Read a row; one that does not fit the heading may have its cells in the wrong columns, and says nothing."""
        given = len(cells)
        if given < self._width or any(cell.strip() for cell in cells[self._width :]):
            why = f"has {given} cells, the heading {self._width}: a delimiter stands in a text without quotes"
            return PersonRow(Says.NOTHING, troubles=(CellTrouble("", why),))
        known = {column: cells[place] for column, place in self._places.items()}
        return read_row(known, self._rules, self._clock.now())


def run_to_go_on_with(runs: Sequence[ImportRunRow], order: ImportOrder) -> ImportRunRow | None:
    """Give the run of the file that was not finished; None when a new one is to begin.

    Args:
        runs: those of the file, newest first.
        order: what is wanted now.

    Raises:
        ConfigurationError: it was begun otherwise than it is wanted now, or is done already.
    """
    open_run = next((run for run in runs if run.state is ImportState.RUNNING), None)
    if open_run is not None:
        if (dict(open_run.columns), dict(open_run.options)) == (_columns(order), order.options()):
            return open_run
        if not order.is_again:
            raise ConfigurationError(
                f"import {open_run.id} of this file is under way with other columns or options: give it the same, or "
                "begin anew with --again"
            )
    elif runs and not order.is_again:
        raise ConfigurationError(f"this file was imported already ({runs[0].id}); once more: --again")
    return None


def new_run(run_id: str, order: ImportOrder, file: ContactFile, clock: Clock) -> ImportRunRow:
    """Begin an import."""
    name = file.name[-_LONGEST_NAME:]
    return ImportRunRow(
        run_id, order.account_id, name, file.hash, _columns(order), order.options(), order.by, clock.now(), counts={}
    )


_LONGEST_NAME = 200
"""Characters of a file's name that are kept; its ending is what tells it from others."""


def _columns(order: ImportOrder) -> dict[str, str]:
    return {column.value: heading for column, heading in sorted(order.columns.items())}


def _demand_sense(order: ImportOrder) -> None:
    """Refuse an order that could only bring rows about nobody, or about nothing."""
    columns = frozenset(order.columns)
    if order.match is not None and MATCHED_BY[order.match] not in columns:
        raise ConfigurationError(f"contacts cannot be matched by {order.match}: no column is mapped to it")
    if ImportColumn.NUMBER not in columns and order.match is None:
        raise ConfigurationError("map a column to number, or say by what contacts are matched: --match")
    if columns & _OF_CONTACTS and order.match is None:
        raise ConfigurationError("locale and time_zone belong to a contact of the CRM: say --match")
    if not columns & _ABOUT_CONSENT and order.match is None:
        raise ConfigurationError("map a column to when, opted_in or opted_out: else nothing is said about consent")
    asks_in = columns & {ImportColumn.OPTED_IN, ImportColumn.WHEN}
    said = columns | order.defaults.keys()
    if asks_in and ImportColumn.PURPOSE not in said:
        raise ConfigurationError("to what did they agree? Map a column to purpose, or say --purpose marketing")
    if asks_in and not said & {ImportColumn.HOW, ImportColumn.WORDING}:
        raise ConfigurationError("how did they agree? Map a column to how or wording, or say --how or --wording")


def _heading(file: ContactFile, wanted: str) -> str:
    alike = [each for each in file.headings if each.casefold() == wanted.strip().casefold()]
    exact = [each for each in alike if each == wanted.strip()]
    found = exact or alike
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(f"{file.name} has {len(found)} columns named {wanted}: rename one")
    close = get_close_matches(wanted, file.headings, 1)
    there = f"did you mean {close[0]}?" if close else f"there are {', '.join(each for each in file.headings if each)}"
    raise ConfigurationError(f"{file.name} has no column {wanted}; {there}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ConfigurationError(f"{name} is no IANA time zone, such as Europe/Berlin") from None
