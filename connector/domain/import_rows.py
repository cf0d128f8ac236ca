"""What does a row of a file say about a person's number and consent, and what is wrong with it?

Pure: cells are texts, and the time comes from outside. What cannot be read is told by its column and never guessed:
a row in doubt gives no consent. An opt-out is taken however little else of its row can be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from connector.domain.locales import normalise_locale
from connector.domain.msisdn import normalise
from connector.errors import InvalidNumberError


class ImportColumn(StrEnum):
    """What a column of the file may be."""

    NUMBER = "number"
    EMAIL = "email"
    CRM_ID = "crm_id"
    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"
    PURPOSE = "purpose"
    WHEN = "when"
    HOW = "how"
    WORDING = "wording"
    SOURCE = "source"
    LOCALE = "locale"
    TIME_ZONE = "time_zone"


class Says(StrEnum):
    """What a row says about consent."""

    NOTHING = "nothing"
    OPT_IN = "opt_in"  # to marketing: nothing else needs one
    OPT_OUT = "opt_out"
    NO_MARKETING = "no_marketing"


@dataclass(frozen=True, slots=True)
class RowRules:
    """How rows are read.

    Attributes:
        columns: our columns that the file has.
        regions: countries whose numbers are written without prefix, best first.
        zone: where times without an offset are meant.
        date_format: as `datetime.strptime` takes it; empty for ISO 8601 only.
        defaults: what counts where the file has no such column, or an empty cell: purpose, how, wording, source.
    """

    columns: frozenset[ImportColumn]
    regions: tuple[str, ...] = ()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    date_format: str = ""
    defaults: Mapping[ImportColumn, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CellTrouble:
    """What is wrong in one cell; never the value itself."""

    column: str
    why: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """What a row says.

    Attributes:
        number: E.164; None when the row has none, or none that can be read.
        region: country of the number.
        at: when consent was given or taken back; None when the row says nothing of the kind.
        evidence: wording, how and source in words, as they are kept.
        troubles: what was wrong; an opt-out counts all the same.
    """

    says: Says
    number: str | None = field(default=None, repr=False)
    region: str | None = None
    email: str = field(default="", repr=False)
    crm_id: str = ""
    at: datetime | None = None
    evidence: str = field(default="", repr=False)
    locale: str = ""
    time_zone: str = ""
    troubles: tuple[CellTrouble, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing of the row is taken."""
        return bool(self.troubles) and self.says not in {Says.OPT_OUT, Says.NO_MARKETING}


Cells = Mapping[ImportColumn, str]

_YES = frozenset({"yes", "y", "true", "t", "1", "x", "on", "opted in", "subscribed", "ja", "oui", "si", "sí"})
_NO = frozenset({"no", "n", "false", "f", "0", "off", "nein", "non", "none", "null", "never", ""})
_OUT = frozenset({"opted out", "opt out", "optout", "unsubscribe", "unsubscribed", "stop", "stopped"})
"""Beside yes: what exports of other systems write into a column of opt-outs."""

_DASHES = frozenset("-\N{EN DASH}\N{EM DASH}")  # what people write for nothing
_DATED = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}(?:[T ,].*)?")
"""A day, with or without a time, in whatever order: when somebody opted out."""

_MARKETING = frozenset({"marketing", "promotional", "all", "any"})
_OTHER_PURPOSES = frozenset({"transactional", "service", "informational"})

_EARLIEST = datetime(1992, 12, 3, tzinfo=UTC)
"""The day of the first SMS. What is earlier is a spreadsheet's zero."""

_ROUNDED = re.compile(r"\d[.,]?\d*e\+?\d+", re.IGNORECASE)


def read_row(cells: Cells, rules: RowRules, now: datetime) -> PersonRow:
    """Read a row; never raises for what it holds."""
    return _Row({column: text.strip() for column, text in cells.items()}, rules, now).read()


class _Row:
    def __init__(self, cells: Cells, rules: RowRules, now: datetime) -> None:
        self._cells, self._rules, self._now = cells, rules, now
        self._troubles: list[CellTrouble] = []

    def read(self) -> PersonRow:
        number, region = self._number()
        email, crm_id = self._cell(ImportColumn.EMAIL), self._cell(ImportColumn.CRM_ID)
        if not (number or email or crm_id or self._troubles):
            self._say(ImportColumn.NUMBER, "names nobody: there is no number, e-mail address or CRM id")
        says = self._says()
        at = self._at(says) if says is not Says.NOTHING else None
        return PersonRow(
            says=says,
            number=number,
            region=region,
            email=email,
            crm_id=crm_id,
            at=at,
            evidence=self._evidence(says),
            locale=self._locale(),
            time_zone=self._time_zone(),
            troubles=tuple(self._troubles),
        )

    def _number(self) -> tuple[str | None, str | None]:
        text = self._cell(ImportColumn.NUMBER).removeprefix("'")  # spreadsheets keep a number as a text with it
        if not text:
            return None, None
        if _ROUNDED.fullmatch(text):
            why = "a spreadsheet has rounded this number: format the column as text and export it again"
            self._say(ImportColumn.NUMBER, why)
            return None, None
        try:
            found = normalise(text, list(self._rules.regions))
        except InvalidNumberError as error:
            self._say(ImportColumn.NUMBER, str(error))
            return None, None
        return found.e164, found.region if len(found.region) == 2 and found.region.isalpha() else None

    # --- consent -----------------------------------------------------------------------------------------------

    def _says(self) -> Says:
        purpose, word = self._purpose(), self._yes(ImportColumn.OPTED_OUT, also=_OUT)
        if word is None:
            return Says.NO_MARKETING  # somebody wrote something about an opt-out: no advertising until it is known what
        if word:
            named = self._cell(ImportColumn.PURPOSE).lower()  # a default is about opt-ins: nobody wrote it beside this
            return Says.NO_MARKETING if named in _MARKETING - {"all", "any"} else Says.OPT_OUT
        return Says.OPT_IN if self._is_opt_in() and purpose else Says.NOTHING

    def _is_opt_in(self) -> bool:
        if ImportColumn.OPTED_IN in self._rules.columns:
            return bool(self._yes(ImportColumn.OPTED_IN))
        return bool(self._cell(ImportColumn.WHEN))

    def _purpose(self) -> bool:
        """Tell whether the purpose is marketing."""
        text = (self._cell(ImportColumn.PURPOSE) or self._default(ImportColumn.PURPOSE)).lower()
        if text and text not in _MARKETING | _OTHER_PURPOSES:
            self._say(ImportColumn.PURPOSE, "is no purpose: expected marketing or transactional")
        return text in _MARKETING

    def _yes(self, column: ImportColumn, also: frozenset[str] = frozenset()) -> bool | None:
        """Read yes or no, whatever its capitals and signs; None for a word that is neither, which is told."""
        text = self._cell(column)
        word = "" if text in _DASHES else re.sub(r"[\W_]+", " ", text.casefold()).strip()
        if word in _YES | also or (column is ImportColumn.OPTED_OUT and _DATED.fullmatch(text)):
            return True
        if word in _NO and (word or not text or text in _DASHES):  # signs alone are no word
            return False
        self._say(column, "is neither yes nor no")
        return None

    def _at(self, says: Says) -> datetime | None:
        """Read when it was said; of an opt-out that cannot be read, now."""
        is_opt_in, text = says is Says.OPT_IN, self._cell(ImportColumn.WHEN)
        if not text:
            if is_opt_in:
                self._say(ImportColumn.WHEN, "says not when they agreed")
            return None if is_opt_in else self._now
        moment = self._moment(text, is_early=is_opt_in)
        if moment is None or moment < _EARLIEST:
            self._say(ImportColumn.WHEN, self._no_time() if moment is None else "is before the first SMS was sent")
        elif moment > self._now and is_opt_in:
            self._say(ImportColumn.WHEN, "is in the future")
        else:
            return min(moment, self._now)
        return None if is_opt_in else self._now

    def _moment(self, text: str, *, is_early: bool) -> datetime | None:
        """Read a time. A day alone is its beginning for an opt-in and its end for an opt-out: a doubt of hours never
        lets an opt-in outweigh an opt-out of the same day.
        """
        try:
            return self._parsed(text, is_early=is_early).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def _parsed(self, text: str, *, is_early: bool) -> datetime:
        moment = self._in_given_format(text)
        is_day = not re.search(r"%[HIMSfcXT]", self._rules.date_format)
        if moment is None:
            moment = datetime.fromisoformat(text)
            is_day = re.fullmatch(r"\d{4}-?\d\d-?\d\d", text) is not None
        if is_day:
            moment = datetime.combine(moment.date(), time.min) + (timedelta(0) if is_early else _A_DAY)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self._rules.zone)

    def _in_given_format(self, text: str) -> datetime | None:
        """Read a time as the operator says they are written, before any other way: `%Y-%d-%m` looks like ISO 8601."""
        try:
            return datetime.strptime(text, self._rules.date_format) if self._rules.date_format else None  # noqa: DTZ007 - the zone is put in by who asks
        except ValueError:
            return None

    def _no_time(self) -> str:
        expected = "such as 2025-03-31 or 2025-03-31 14:30"
        if self._rules.date_format:
            return f"is no time: expected {self._rules.date_format} or one {expected}"
        return f"is no time that has only one meaning: expected one {expected}, or say how with --date-format"

    def _evidence(self, says: Says) -> str:
        if says is Says.NOTHING:
            return ""
        words = {
            column: self._cell(column) or self._default(column)
            for column in (ImportColumn.WORDING, ImportColumn.HOW, ImportColumn.SOURCE)
        }
        if says is Says.OPT_IN and not (words[ImportColumn.HOW] or words[ImportColumn.WORDING]):
            self._say(ImportColumn.HOW, "says not how they agreed")
        labels = {ImportColumn.HOW: "How: ", ImportColumn.SOURCE: "Source: "}
        return "\n".join(labels.get(column, "") + text[:_LONGEST] for column, text in words.items() if text)

    # --- the person --------------------------------------------------------------------------------------------

    def _locale(self) -> str:
        text = self._cell(ImportColumn.LOCALE)
        locale = normalise_locale(text) if text else ""
        if locale is None:
            self._say(ImportColumn.LOCALE, "is no language: expected one such as de or de-AT")
        return locale or ""

    def _time_zone(self) -> str:
        text = self._cell(ImportColumn.TIME_ZONE)
        try:
            return ZoneInfo(text).key if text else ""
        except (ValueError, OSError, KeyError):  # a path, a folder, a name that is none
            self._say(ImportColumn.TIME_ZONE, "is no IANA time zone: expected one such as Europe/Berlin")
            return ""

    def _cell(self, column: ImportColumn) -> str:
        return self._cells.get(column, "")

    def _default(self, column: ImportColumn) -> str:
        return self._rules.defaults.get(column, "")

    def _say(self, column: ImportColumn, why: str) -> None:
        self._troubles.append(CellTrouble(column.value, why))


_A_DAY = timedelta(days=1) - timedelta(seconds=1)

_LONGEST = 1_000
"""Characters of evidence per cell, as much as the card takes from a rep."""
