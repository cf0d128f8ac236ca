"""How is a file of contacts and consent imported, so that a process killed anywhere goes on without doing a row twice?

Some rows at a time: what the CRM says of them is read first, then one transaction writes what they say, what was wrong
with them, and that the run has come so far. A run is at one row only, so a second process can never work the same one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from connector.domain.import_rows import CellTrouble, PersonRow
from connector.domain.webhook_sources import NamedBy, PersonName
from connector.errors import ConfigurationError, ConnectorError, CRMRefusedError
from connector.ports.contact_files import ContactFile
from connector.ports.contacts import ContactRow
from connector.ports.crm import MISSING_SCOPES
from connector.ports.imports import ImportRunRow, ImportState, ImportTroubleRow
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.time import Clock
from connector.services.consent import ConsentDesk
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader, Reading
from connector.services.import_orders import MATCHED_BY, FileReader, ImportOrder, new_run, run_to_go_on_with
from connector.services.import_recording import RowRecorder
from connector.services.imported_facts import with_facts

TOGETHER = 100
"""Rows in one transaction: as many as CRMs read in one call, and few enough that a claim never waits long for a number
that is locked meanwhile."""

ROWS, MATCHED, UNMATCHED, DUPLICATES = "rows", "matched", "unmatched", "duplicates"
"""Counts beside those of `Became`."""


class ImportTakenError(ConnectorError):
    """Another process goes on with this import."""


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    person: PersonRow
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the CRM said of the people of some rows, and whom it refused to be asked for."""

    reading: Reading
    refused: set[PersonName] = field(default_factory=set)


@dataclass(slots=True)
class Rehearsed:
    """What an import would do.

    Attributes:
        troubles: with the run's id empty.
    """

    counts: dict[str, int] = field(default_factory=dict)
    troubles: list[ImportTroubleRow] = field(default_factory=list)


Progress = Callable[[ImportRunRow], None]


class Importer:
    """Imports files."""

    def __init__(
        self, ledger: Ledger, desk: ConsentDesk, reader: CRMReader, keeper: ContactKeeper, clock: Clock
    ) -> None:
        self._ledger, self._desk, self._clock = ledger, desk, clock
        self._reader, self._keeper = reader, keeper

    def begin(self, order: ImportOrder, file: ContactFile) -> ImportRunRow:
        """Begin an import, or give the one of this very file and order that was not finished.

        Raises:
            ConfigurationError: the file lacks a heading, the order says too little, or the file was imported already.
        """
        with self._ledger.begin() as uow:
            FileReader(order, file, uow.accounts.get(order.account_id), self._clock)
            run = run_to_go_on_with(uow.imports.of_file(order.account_id, file.hash), order)
            if run is None:
                run = new_run(self._ledger.new_id(), order, file, self._clock)
                uow.imports.add(run)
            uow.commit()
        return run

    def go_on(self, run: ImportRunRow, order: ImportOrder, file: ContactFile, progress: Progress) -> ImportRunRow:
        """Work what is left of a run; `progress` hears of every step.

        Raises:
            CRMError: the CRM could not be asked; started again the run goes on from here.
            ImportTakenError: another process works it.
        """
        if run.state is ImportState.DONE:
            return run
        account = self._account(order)
        for batch in self._batches(order, file, account, run.next_row):
            run = self._work(run, order, account, batch)
            progress(run)
        with self._ledger.begin() as uow:
            if not uow.imports.finish(run.account_id, run.id, self._clock.now()):
                raise ImportTakenError(f"another process has finished import {run.id}")
            done = uow.imports.get(run.account_id, run.id)
            uow.commit()
        return done or run

    def rehearse(self, order: ImportOrder, file: ContactFile) -> Rehearsed:
        """Do everything that an import would do, and let nothing of it stand.

        Raises:
            ConfigurationError: the file lacks a heading, or the order says too little.
            CRMError: the CRM could not be asked.
        """
        account, told, counts = self._account(order), Rehearsed(), Counter[str]()
        recorder = RowRecorder(self._desk, account.id, file.hash)
        out: dict[str | None, PersonRow] = {}
        for batch in self._batches(order, file, account, _FIRST):
            looked = self._look_up(order, account, batch)
            with self._ledger.begin() as uow:  # never committed
                now = self._clock.now()
                for number in {row.person.number for row in batch} & out.keys():
                    recorder.record(uow, 0, out[number], None, now)  # said by a row before, and not let stand
                told.troubles += self._record(uow, order, account, batch, looked, recorder, counts, "")
            out |= {row.person.number: row.person for row in batch if _opts_out(row) and row.person.number}
        told.counts = dict(counts)
        return told

    # --- one step ----------------------------------------------------------------------------------------------

    def _work(self, run: ImportRunRow, order: ImportOrder, account: AccountRow, batch: Sequence[_Row]) -> ImportRunRow:
        looked = self._look_up(order, account, batch)
        counts, to_row = Counter(run.counts or {}), batch[-1].number + 1
        with self._ledger.begin() as uow:
            recorder = RowRecorder(self._desk, account.id, run.file_hash)
            troubles = self._record(uow, order, account, batch, looked, recorder, counts, run.id)
            uow.imports.add_troubles(troubles)
            if not uow.imports.advance(account.id, run.id, run.next_row, to_row, counts):
                raise ImportTakenError(f"another process goes on with import {run.id}")
            uow.commit()
        return replace(run, next_row=to_row, counts=dict(counts))

    def _record(
        self,
        uow: UnitOfWork,
        order: ImportOrder,
        account: AccountRow,
        batch: Sequence[_Row],
        looked: _Looked,
        recorder: RowRecorder,
        counts: Counter[str],
        run_id: str,
    ) -> list[ImportTroubleRow]:
        now = self._clock.now()
        contacts = dict(self._keeper.save(uow, account, looked.reading.contacts, now))
        numbers = {*(row.person.number for row in batch), *(contact.msisdn for contact in contacts.values())}
        uow.lock_numbers(account.id, sorted(number for number in numbers if number))
        troubles: list[ImportTroubleRow] = []
        for row in batch:
            contact = self._contact(order, row.person, looked.reading, contacts)
            if contact is not None:
                contact = _keep_facts(uow, contacts, contact, row.person)
            became, wrong = recorder.record(uow, row.number, row.person, contact, now)
            if contact is None:
                wrong = _with_lack(order, row.person, looked, wrong)
            counts.update([ROWS, became.value, *_facts(order, row, contact)])
            troubles += [ImportTroubleRow(account.id, run_id, row.number, each.column, each.why) for each in wrong]
        return troubles

    # --- contacts ----------------------------------------------------------------------------------------------

    def _look_up(self, order: ImportOrder, account: AccountRow, batch: Sequence[_Row]) -> _Looked:
        """Read the contacts of rows from the CRM, where the operator wants that."""
        names = list(dict.fromkeys(name for row in batch if (name := _name(order, row.person)) is not None))
        looked = _Looked(Reading())
        try:
            self._ask(account, looked.reading, names)
        except CRMRefusedError as error:
            if error.category == MISSING_SCOPES:
                raise  # nobody can be looked up before somebody grants them
            self._ask_each(account, looked, names)
        return looked

    def _ask_each(self, account: AccountRow, looked: _Looked, names: Sequence[PersonName]) -> None:
        """Look people up one by one: what the CRM refuses to be asked costs nobody else their row."""
        for name in names:
            try:
                self._ask(account, looked.reading, [name])
            except CRMRefusedError:
                looked.refused.add(name)

    def _ask(self, account: AccountRow, reading: Reading, names: Sequence[PersonName]) -> None:
        if names:
            self._reader.find_people(account, reading, [(name,) for name in names])
            found = [ids[0] for name in names if (ids := reading.people.get(name))]
            self._reader.read_contacts(account, reading, found)

    def _contact(
        self, order: ImportOrder, person: PersonRow, reading: Reading, contacts: dict[str, ContactRow]
    ) -> ContactRow | None:
        name = _name(order, person)
        ids = reading.people.get(name, ()) if name is not None else ()
        return contacts.get(ids[0]) if ids else None

    # --- rows --------------------------------------------------------------------------------------------------

    def _batches(
        self, order: ImportOrder, file: ContactFile, account: AccountRow, first: int
    ) -> Iterator[Sequence[_Row]]:
        """Give the rows from one on; those before it are read too, to know whom the file has named already."""
        rows, seen = self._rows(order, file, account), set[str]()
        while batch := list(islice(rows, TOGETHER)):
            known = [_known(row, seen) for row in batch]
            left = [row for row in known if row.number >= first]
            if left:
                yield left

    def _rows(self, order: ImportOrder, file: ContactFile, account: AccountRow) -> Iterator[_Row]:
        reader = FileReader(order, file, account, self._clock)
        return (_Row(number, reader.read(cells)) for number, cells in file.rows())

    def _account(self, order: ImportOrder) -> AccountRow:
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(order.account_id)
        if order.match is not None and account.status != _ACTIVE:
            raise ConfigurationError(f"contacts cannot be matched: the account is {account.status}")
        return account


_FIRST = 2  # as a spreadsheet counts: the heading is row 1
_ACTIVE = "active"


def _known(row: _Row, seen: set[str]) -> _Row:
    """Note whether a row names a number that one before it has named."""
    number = row.person.number
    is_duplicate = number in seen
    if number is not None:
        seen.add(number)
    return replace(row, is_duplicate=True) if is_duplicate else row


def _keep_facts(uow: UnitOfWork, contacts: dict[str, ContactRow], contact: ContactRow, person: PersonRow) -> ContactRow:
    """Keep what a row says of its contact, for the rows below it too: two of them may be about one contact."""
    if person.is_refused or not (person.locale or person.time_zone):
        return contact
    told = with_facts(contact, person.locale, person.time_zone)
    uow.contacts.save(told)
    contacts.update({crm_id: told for crm_id, each in contacts.items() if each.id == told.id})
    return told


def _with_lack(
    order: ImportOrder, person: PersonRow, looked: _Looked, wrong: tuple[CellTrouble, ...]
) -> tuple[CellTrouble, ...]:
    """Add that no contact was found by what the row says, unless its cell is known to be wrong."""
    if order.match is None or any(each.column == MATCHED_BY[order.match].value for each in wrong):
        return wrong
    is_refused = _name(order, person) in looked.refused
    why = "the CRM refuses to look it up" if is_refused else "no contact of the CRM has it"
    return (*wrong, CellTrouble(MATCHED_BY[order.match].value, why))


def _opts_out(row: _Row) -> bool:
    return row.person.says.value in {"opt_out", "no_marketing"}


def _name(order: ImportOrder, person: PersonRow) -> PersonName | None:
    by = order.match
    texts = {NamedBy.CRM_ID: person.crm_id, NamedBy.EMAIL: person.email, NamedBy.NUMBER: person.number or ""}
    return PersonName(by, texts[by]) if by is not None and texts[by] else None


def _facts(order: ImportOrder, row: _Row, contact: ContactRow | None) -> list[str]:
    facts = [DUPLICATES] if row.is_duplicate else []
    return facts if order.match is None else [*facts, UNMATCHED if contact is None else MATCHED]
