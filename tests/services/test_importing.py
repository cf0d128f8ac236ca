"""Is a file imported once, with its evidence, whatever stands in it and whenever the process dies?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.contact_files import ContactTable, read_contacts
from connector.adapters.event_files import load_events
from connector.adapters.secrets import Vault
from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger, make_engine
from connector.domain.import_rows import ImportColumn as Column
from connector.domain.timeline import EntryKind
from connector.domain.webhook_sources import NamedBy
from connector.errors import ConfigurationError, CRMRefusedError, CRMUnavailableError
from connector.ports.consents import ConsentEvent, ConsentKind, Mechanism, Scope
from connector.ports.crm import CRM, MISSING_SCOPES
from connector.ports.imports import ImportRunRow, ImportState
from connector.ports.ledger import AccountRow, Ledger, UnitOfWork
from connector.ports.records import RecordSubject
from connector.services import importing
from connector.services.consent import ConsentDesk, OptIn, Saying
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader
from connector.services.import_orders import ImportOrder
from connector.services.importing import Importer, ImportTakenError
from tests.services.fake_crm import FakeCRM
from tests.services.stage import SetClock

ROOT = Path(__file__).parents[2]
ACCOUNT, NOW = "account-1", datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
LEA, NOOR, SAM = "+12025550143", "+12025550144", "+12025550145"
COLUMNS = {
    Column.NUMBER: "Mobile", Column.WHEN: "Agreed", Column.HOW: "How", Column.OPTED_OUT: "Out",
}  # fmt: skip
HEAD = "Mobile,Agreed,How,Out\n"


class KilledError(BaseException):
    """The process is dead: nothing of it catches anything any more."""


@dataclass
class Mortal:
    """A ledger whose process dies at one of its commits: just before it, or just after it."""

    ledger: Ledger
    dies_at: int = -1
    is_after: bool = False
    commits: int = 0
    new_id: Callable[[], str] = field(init=False)

    def __post_init__(self) -> None:
        self.new_id = self.ledger.new_id

    def begin(self, *, write: bool = True) -> UnitOfWork:
        uow = self.ledger.begin(write=write)
        commit = uow.commit

        def commit_or_die() -> None:
            self.commits += 1
            if self.commits == self.dies_at and not self.is_after:
                raise KilledError
            commit()
            if self.commits == self.dies_at:
                raise KilledError

        vars(uow)["commit"] = commit_or_die
        return uow


class Office:
    """An account with its CRM, and files that people bring."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.clock = folder, SetClock(NOW)
        folder.mkdir(exist_ok=True)
        self.ledger = SQLLedger(make_engine(f"sqlite:///{folder}/l.sqlite3"), Vault(["k" * 32]), lambda _lane: None)
        metadata.create_all(self.ledger.engine)
        self.crm = FakeCRM(now=self.clock.now)
        self.desk = ConsentDesk(self.ledger.new_id)
        with self.ledger.begin() as uow:
            known = {"default_region": "US", **settings}
            uow.accounts.add(AccountRow(ACCOUNT, "hubspot", "12345", "Acme", "active", "", known, NOW))
            uow.accounts.add(AccountRow("account-2", "hubspot", "67890", "Bmce", "active", "", known, NOW))
            uow.commit()

    def importer(self, ledger: Ledger | None = None) -> Importer:
        catalogue = load_events(ROOT / "mappings").catalogue
        reader = CRMReader(dict[str, CRM](hubspot=self.crm), catalogue, self.clock)
        keeper = ContactKeeper(self.ledger.new_id, self.desk)
        return Importer(ledger or self.ledger, self.desk, reader, keeper, self.clock)

    def file(self, rows: str, head: str = HEAD, name: str = "people.csv") -> ContactTable:
        path = self.folder / name
        path.write_text(head + rows)
        return read_contacts(path)

    def bring(self, rows: str, head: str = HEAD, ledger: Ledger | None = None, **changes: Any) -> ImportRunRow:
        """Import a file to its end."""
        importer, order, file = self.importer(ledger), an_order(**changes), self.file(rows, head)
        return importer.go_on(importer.begin(order, file), order, file, lambda _run: None)

    def history(self, number: str, account: str = ACCOUNT) -> list[ConsentEvent]:
        with self.ledger.begin(write=False) as uow:
            return list(uow.consents.history(account, number))

    def is_blocked(self, number: str) -> bool:
        with self.ledger.begin(write=False) as uow:
            return bool(uow.consents.suppressions(ACCOUNT, [number]))

    def said(self, number: str) -> list[tuple[ConsentKind, Scope]]:
        return [(event.kind, event.scope) for event in self.history(number)]

    def troubles(self, run: ImportRunRow) -> list[tuple[int, str, str]]:
        with self.ledger.begin(write=False) as uow:
            return [(each.row_number, each.column, each.why) for each in uow.imports.troubles(ACCOUNT, run.id, 10_000)]

    def say(self, act: Callable[[UnitOfWork, Saying, datetime], object], number: str, **changes: Any) -> object:
        """Let a person say something by SMS."""
        said = Saying(ACCOUNT, number, Mechanism.KEYWORD, f"message:{self.ledger.new_id()}", self.clock.now())
        with self.ledger.begin() as uow:
            answer = act(uow, replace(said, **changes), self.clock.now())
            uow.commit()
        return answer

    def wanted(self) -> set[RecordSubject]:
        with self.ledger.begin() as uow:
            rows = uow.records.claim("hubspot", 1000, NOW + timedelta(days=1), NOW)
        return {row.kind for row in rows}


def an_order(**changes: Any) -> ImportOrder:
    known = {"account_id": ACCOUNT, "columns": COLUMNS, "defaults": {Column.PURPOSE: "marketing"}, "by": "kim"}
    return ImportOrder(**(known | changes))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.ledger.close()


OPT_IN, OPT_OUT = (ConsentKind.OPT_IN, Scope.MARKETING), (ConsentKind.OPT_OUT, Scope.ALL)


def test_consent_is_kept_with_who_when_how_and_the_row_it_stood_in(office: Office) -> None:
    run = office.bring(f"(202) 555-0143,2025-03-31 14:30,tick box,\n{NOOR},2025-04-01,phone,no\n")
    (event,) = office.history(LEA)
    assert (event.kind, event.scope, event.mechanism) == (*OPT_IN, "import")
    assert event.at == datetime(2025, 3, 31, 14, 30, tzinfo=UTC)
    assert event.wording == "How: tick box"
    assert event.source == f"import:{run.file_hash}:2"
    assert office.history(NOOR)[0].source.endswith(":3")
    assert run.state is ImportState.DONE
    assert run.counts == {"rows": 2, "opted_in": 2}
    assert run.started_by == "kim"


def test_an_opt_out_blocks_the_number_and_the_crm_hears_of_it(office: Office) -> None:
    run = office.bring(f"{LEA},,,yes\n")
    assert office.is_blocked(LEA)
    assert run.counts == {"rows": 1, "opted_out": 1}
    assert {RecordSubject.FIND_CONTACTS} <= office.wanted()


@pytest.mark.parametrize(
    "rows", [f"{LEA},2025-03-31,tick box,\n{LEA},,,yes\n", f"{LEA},,,yes\n{LEA},2025-03-31,box,\n"]
)
def test_an_opt_out_wins_over_an_opt_in_of_the_same_file_in_any_order(office: Office, rows: str) -> None:
    run = office.bring(rows)
    assert office.is_blocked(LEA)
    assert (run.counts or {})["duplicates"] == 1


def test_an_opt_out_on_the_very_row_of_an_opt_in_wins(office: Office) -> None:
    office.bring(f"{LEA},2025-03-31,tick box,yes\n")
    assert office.said(LEA) == [OPT_OUT]


def test_an_opt_in_never_lifts_an_opt_out_even_one_made_long_before_it(office: Office) -> None:
    office.say(office.desk.opt_out, LEA, at=datetime(2020, 1, 1, tzinfo=UTC))
    run = office.bring(f"{LEA},2026-11-19,tick box,\n")
    assert office.is_blocked(LEA)
    assert office.said(LEA) == [OPT_OUT]
    assert run.counts == {"rows": 1, "kept_out": 1}
    assert office.troubles(run) == [(2, "", "an opt-out of this number stands: the opt-in changes nothing")]


def test_an_opt_in_does_not_outweigh_words_that_may_have_been_an_opt_out(office: Office) -> None:
    office.say(office.desk.doubt, LEA, at=datetime(2026, 1, 1, tzinfo=UTC))
    office.bring(f"{LEA},2026-11-19,tick box,\n")
    with office.ledger.begin(write=False) as uow:
        assert uow.consents.marketing_consent(ACCOUNT, [LEA]) == {LEA: ConsentKind.DOUBTFUL}


def test_an_imported_opt_out_is_taken_back_by_the_person_and_by_no_file(office: Office) -> None:
    office.bring(f"{LEA},,,yes\n")
    office.bring(f"{LEA},2026-11-19,tick box,no\n")
    assert office.is_blocked(LEA)
    assert office.say(office.desk.opt_in, LEA) is OptIn.LIFTED
    assert not office.is_blocked(LEA)


def test_an_old_file_imported_again_does_not_undo_what_the_person_said_since(office: Office) -> None:
    office.bring(f"{LEA},,,yes\n")
    office.clock.at += timedelta(hours=1)
    office.say(office.desk.opt_in, LEA)
    run = office.bring(f"{LEA},,,yes\n", is_again=True)
    assert not office.is_blocked(LEA)
    assert run.counts == {"rows": 1, "known": 1}


def test_an_opt_out_of_marketing_alone_lets_other_texts_go_on(office: Office) -> None:
    columns = COLUMNS | {Column.PURPOSE: "For"}
    office.bring(f"{LEA},,,yes,marketing\n", HEAD.replace("\n", ",For\n"), columns=columns)
    assert office.said(LEA) == [(ConsentKind.OPT_OUT, Scope.MARKETING)]


def test_every_row_that_cannot_be_taken_is_told_with_row_and_column_and_never_its_value(office: Office) -> None:
    rows = f"12,2025-03-31,box,\n\n{LEA},soon,box,\n{NOOR},2027-01-01,box,\n{SAM},2025-03-31,box,maybe\n{SAM},2025,x\n"
    run = office.bring(rows)
    assert [(row, column) for row, column, _ in office.troubles(run)] == [
        (2, "number"), (4, "when"), (5, "when"), (6, "opted_out"), (7, ""),
    ]  # fmt: skip
    assert run.counts == {"rows": 5, "refused": 4, "opted_out": 1}
    assert not any(number in why for _, _, why in office.troubles(run) for number in ("12", LEA, NOOR, SAM, "soon"))
    assert [office.said(number) for number in (LEA, NOOR, SAM)] == [[], [], [(ConsentKind.OPT_OUT, Scope.MARKETING)]]


def test_a_row_with_a_cell_too_many_gives_no_consent_to_the_wrong_person(office: Office) -> None:
    run = office.bring(f"{LEA},2025-03-31,box, yes,no\n{NOOR},2025-03-31,box,,\n")
    assert office.said(NOOR) == [OPT_IN]
    assert office.history(LEA) == []
    assert office.troubles(run)[0][0] == 2


def test_numbers_are_read_in_the_region_of_the_account_or_of_the_order(office: Office) -> None:
    office.bring("07700 900461,2025-03-31,box,\n", region="GB")
    assert office.said("+447700900461") == [OPT_IN]


def test_another_account_knows_nothing_of_it(office: Office) -> None:
    run = office.bring(f"{LEA},2025-03-31,box,\n")
    assert office.history(LEA, "account-2") == []
    with office.ledger.begin(write=False) as uow:
        assert uow.imports.get("account-2", run.id) is None
    assert office.bring(f"{LEA},2025-03-31,box,\n", account_id="account-2").counts == {"rows": 1, "opted_in": 1}


# --- contacts of the CRM ---------------------------------------------------------------------------------------------


MATCHED = {Column.EMAIL: "Mail", Column.WHEN: "Agreed", Column.HOW: "How", Column.OPTED_OUT: "Out"}
MAIL_HEAD = "Mail,Agreed,How,Out\n"


def test_contacts_are_matched_in_the_crm_and_consent_is_of_the_number_they_have_there(office: Office) -> None:
    crm_id = office.crm.put("contact", email="lea@example.com", mobilephone=LEA)
    run = office.bring(
        "LEA@example.com,2025-03-31,box,\nnobody@example.com,2025-03-31,box,\n",
        MAIL_HEAD,
        columns=MATCHED,
        match=NamedBy.EMAIL,
    )
    (event,) = office.history(LEA)
    with office.ledger.begin(write=False) as uow:
        assert event.contact_id == uow.contacts.by_crm_ids(ACCOUNT, [crm_id])[crm_id].id
    assert run.counts == {"rows": 2, "opted_in": 1, "matched": 1, "refused": 1, "unmatched": 1}
    assert (3, "email", "no contact of the CRM has it") in office.troubles(run)


def test_somebody_the_crm_does_not_have_still_opts_out_by_number(office: Office) -> None:
    columns = COLUMNS | {Column.EMAIL: "Mail"}
    run = office.bring(
        f"{LEA},,,yes,nobody@example.com\n", HEAD.replace("\n", ",Mail\n"), columns=columns, match=NamedBy.EMAIL
    )
    assert office.is_blocked(LEA)
    assert run.counts == {"rows": 1, "opted_out": 1, "unmatched": 1}


@pytest.mark.parametrize("match", [NamedBy.NUMBER, NamedBy.CRM_ID])
def test_contacts_are_matched_by_number_or_id_too(office: Office, match: NamedBy) -> None:
    crm_id = office.crm.put("contact", mobilephone=LEA)
    columns = COLUMNS | {Column.CRM_ID: "Id"}
    head = HEAD.replace("\n", ",Id\n")
    run = office.bring(f"{LEA},2025-03-31,box,,{crm_id}\n", head, columns=columns, match=match)
    assert run.counts == {"rows": 1, "opted_in": 1, "matched": 1}


def test_what_the_crm_refuses_to_be_asked_stops_no_other_row_and_no_opt_out(office: Office) -> None:
    crm_id = office.crm.put("contact", mobilephone=NOOR)
    columns = COLUMNS | {Column.CRM_ID: "Id"}
    refused = CRMRefusedError("no such id", status=400)
    office.crm.fail("read_contacts", refused, refused)  # the batch, then the first of its names
    rows = f"{LEA},,,yes,bad\n{NOOR},2025-03-31,box,,{crm_id}\n"
    run = office.bring(rows, HEAD.replace("\n", ",Id\n"), columns=columns, match=NamedBy.CRM_ID)
    assert office.is_blocked(LEA)
    assert run.counts == {"rows": 2, "opted_out": 1, "unmatched": 1, "opted_in": 1, "matched": 1}
    assert office.troubles(run) == [(2, "crm_id", "the CRM refuses to look it up")]


def test_a_portal_that_grants_too_little_stops_the_import(office: Office) -> None:
    office.crm.fail("find_contacts_by_email", CRMRefusedError("scopes", status=403, category=MISSING_SCOPES))
    with pytest.raises(CRMRefusedError):
        office.bring("lea@example.com,,,yes\n", MAIL_HEAD, columns=MATCHED, match=NamedBy.EMAIL)


@pytest.mark.parametrize(("purpose", "scope"), [("", Scope.ALL), ("marketing", Scope.MARKETING)])
def test_an_opt_out_blocks_the_number_that_the_crm_has_too(office: Office, purpose: str, scope: Scope) -> None:
    office.crm.put("contact", email="lea@example.com", mobilephone=NOOR)
    columns = COLUMNS | {Column.EMAIL: "Mail", Column.PURPOSE: "For"}
    head = HEAD.replace("\n", ",Mail,For\n")
    office.bring(f"{LEA},,,yes,lea@example.com,{purpose}\n", head, columns=columns, match=NamedBy.EMAIL)
    assert [office.said(number) for number in (LEA, NOOR)] == [[(ConsentKind.OPT_OUT, scope)]] * 2


def test_a_second_row_about_a_contact_keeps_what_the_first_said_of_it(office: Office) -> None:
    crm_id = office.crm.put("contact", email="lea@example.com", mobilephone=LEA)
    columns = MATCHED | {Column.LOCALE: "Language", Column.TIME_ZONE: "Zone"}
    rows = "lea@example.com,,,,de-AT,\nlea@example.com,,,,,Europe/Vienna\n"
    office.bring(rows, MAIL_HEAD.replace("\n", ",Language,Zone\n"), columns=columns, match=NamedBy.EMAIL)
    with office.ledger.begin(write=False) as uow:
        contact = uow.contacts.by_crm_ids(ACCOUNT, [crm_id])[crm_id]
    assert (contact.locale, contact.time_zone) == ("de-AT", "Europe/Vienna")


def test_a_flag_set_in_the_crm_outweighs_an_opt_in_of_the_file(office: Office) -> None:
    crm_id = office.crm.put("contact", email="lea@example.com", mobilephone=LEA)
    office.crm.opted_out[crm_id] = True
    run = office.bring("lea@example.com,2025-03-31,box,\n", MAIL_HEAD, columns=MATCHED, match=NamedBy.EMAIL)
    assert office.is_blocked(LEA)
    assert (run.counts or {})["kept_out"] == 1


def test_language_and_zone_of_the_file_stay_where_the_crm_has_none(office: Office) -> None:
    crm_id = office.crm.put("contact", email="lea@example.com", mobilephone=LEA)
    columns = MATCHED | {Column.LOCALE: "Language", Column.TIME_ZONE: "Zone"}
    head = MAIL_HEAD.replace("\n", ",Language,Zone\n")
    for again in (False, True):  # the second time the contact is read anew
        row = "lea@example.com,2025-03-31,box,,de_AT,Europe/Vienna\n" if not again else "lea@example.com,,,,,\n"
        office.bring(row, head, columns=columns, match=NamedBy.EMAIL)
        with office.ledger.begin(write=False) as uow:
            contact = uow.contacts.by_crm_ids(ACCOUNT, [crm_id])[crm_id]
        assert (contact.locale, contact.time_zone) == ("de-AT", "Europe/Vienna")
    office.crm.change("contact", crm_id, hs_language="fr")
    office.bring("lea@example.com,,,no,,\n", head, columns=columns, match=NamedBy.EMAIL)
    with office.ledger.begin(write=False) as uow:
        assert uow.contacts.by_crm_ids(ACCOUNT, [crm_id])[crm_id].locale == "fr"


def test_a_crm_that_is_away_stops_the_import_and_the_next_start_goes_on(office: Office) -> None:
    office.crm.put("contact", email="lea@example.com", mobilephone=LEA)
    office.crm.fail("find_contacts_by_email", CRMUnavailableError("down", status=503))
    how: dict[str, Any] = {"columns": MATCHED, "match": NamedBy.EMAIL}
    with pytest.raises(CRMUnavailableError):
        office.bring("lea@example.com,2025-03-31,box,\n", MAIL_HEAD, **how)
    assert office.bring("lea@example.com,2025-03-31,box,\n", MAIL_HEAD, **how).counts == {
        "rows": 1, "opted_in": 1, "matched": 1,
    }  # fmt: skip


# --- once, and all of it ---------------------------------------------------------------------------------------------


def people(number: int) -> str:
    """Give rows of which some opt out, some are wrong and some come twice; more than are worked together."""
    rows = []
    for each in range(number):
        phone = f"+1202555{100 + each % 90:04}"
        rows.append(f"{'oops' if each % 17 == 5 else phone},2025-03-31,box,{'yes' if each % 11 == 3 else ''}\n")
    return "".join(rows)


def state(office: Office) -> dict[str, Any]:
    """Give everything an import leaves behind, but for ids."""
    with office.ledger.begin(write=False) as uow:
        (run,) = uow.imports.of_account(ACCOUNT, 10)
    numbers = [f"+1202555{100 + each:04}" for each in range(90)]
    return {
        "counts": run.counts,
        "state": run.state,
        "troubles": office.troubles(run),
        "history": [[(e.kind, e.scope, e.source, e.at, e.wording) for e in office.history(n)] for n in numbers],
        "blocked": [number for number in numbers if office.is_blocked(number)],
    }


def test_an_import_killed_at_any_commit_and_started_again_ends_as_if_nothing_had_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "TOGETHER", 10)
    whole = Office(tmp_path / "whole")
    counting = Mortal(whole.ledger)
    whole.bring(people(25), ledger=counting)
    wanted = state(whole)
    assert counting.commits == 5
    assert wanted["blocked"]
    assert wanted["troubles"]
    for dies_at in range(1, counting.commits + 1):
        for is_after in (False, True):
            office = Office(tmp_path / f"killed-{dies_at}-{is_after}")
            with pytest.raises(KilledError):
                office.bring(people(25), ledger=Mortal(office.ledger, dies_at, is_after))
            if (dies_at, is_after) != (counting.commits, True):  # killed behind the last commit it is done
                office.bring(people(25))
            assert state(office) == wanted, (dies_at, is_after)
            office.ledger.close()
    whole.ledger.close()


def test_two_processes_never_work_the_same_rows(office: Office) -> None:
    importer, order, file = office.importer(), an_order(), office.file(people(250))
    run = importer.begin(order, file)
    assert importer.begin(order, file) == run
    importer.go_on(run, order, file, lambda _run: None)
    with pytest.raises(ImportTakenError):
        office.importer().go_on(run, order, file, lambda _run: None)
    assert (state(office)["counts"] or {})["rows"] == 250


def test_a_file_that_was_imported_is_not_imported_again_by_accident(office: Office) -> None:
    office.bring(f"{LEA},2025-03-31,box,\n")
    with pytest.raises(ConfigurationError, match="imported already"):
        office.bring(f"{LEA},2025-03-31,box,\n")
    assert office.bring(f"{LEA},2025-03-31,box,\n", is_again=True).counts == {"rows": 1, "known": 1}


def test_an_import_under_way_does_not_go_on_with_other_columns(office: Office) -> None:
    importer, file = office.importer(), office.file(f"{LEA},2025-03-31,box,\n")
    run = importer.begin(an_order(), file)
    with pytest.raises(ConfigurationError, match=f"import {run.id} of this file is under way"):
        importer.begin(an_order(region="GB"), file)
    assert importer.begin(an_order(region="GB", is_again=True), file).id != run.id


@pytest.mark.parametrize("read_as", [{"encoding": "cp1250"}, {"delimiter": ";"}])
def test_an_import_under_way_does_not_go_on_with_a_file_that_is_read_otherwise(
    office: Office, read_as: dict[str, str]
) -> None:
    importer, file = office.importer(), office.file(f"{LEA},2025-03-31,box,\n")
    importer.begin(an_order(), file)
    with pytest.raises(ConfigurationError, match="is under way with other columns or options"):
        importer.begin(an_order(**read_as), file)


def test_a_dry_run_tells_what_would_happen_and_lets_nothing_stand(office: Office) -> None:
    order, file = an_order(), office.file(people(250))
    rehearsed = office.importer().rehearse(order, file)
    assert office.history("+12025550103") == []
    with office.ledger.begin(write=False) as uow:
        assert uow.imports.of_account(ACCOUNT, 10) == []
    office.bring(people(250))
    real = state(office)
    assert [(each.row_number, each.column, each.why) for each in rehearsed.troubles] == real["troubles"]
    assert rehearsed.counts == real["counts"]


def test_progress_is_told_after_every_step(office: Office) -> None:
    importer, order, file, heard = office.importer(), an_order(), office.file(people(250)), list[int]()
    importer.go_on(importer.begin(order, file), order, file, lambda run: heard.append(run.next_row))
    assert heard == [102, 202, 252]


def test_nobody_is_told_on_the_timeline_of_an_opt_in_that_changes_nothing(office: Office) -> None:
    office.bring(f"{LEA},2025-03-31,box,\n")
    table = metadata.tables["timeline_entry"]
    with office.ledger.engine.connect() as connection:
        kinds = {row.kind for row in connection.execute(table.select())}
    assert EntryKind.OPTED_OUT.value not in kinds


# --- orders that make no sense ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": {Column.NUMBER: "Mobil", Column.OPTED_OUT: "Out"}}, "did you mean Mobile"),
        ({"columns": {Column.NUMBER: "xyz", Column.OPTED_OUT: "Out"}}, "there are Mobile, Agreed, How, Out"),
        ({"columns": {Column.OPTED_OUT: "Out"}}, "map a column to number"),
        ({"columns": {Column.NUMBER: "Mobile"}}, "nothing is said about consent"),
        ({"columns": {Column.NUMBER: "Mobile", Column.LOCALE: "How", Column.OPTED_OUT: "Out"}}, "say --match"),
        ({"match": NamedBy.EMAIL}, "no column is mapped"),
        ({"defaults": {}}, "to what did they agree"),
        ({"columns": {Column.NUMBER: "Mobile", Column.WHEN: "Agreed"}}, "how did they agree"),
        ({"time_zone": "Berlin"}, "no IANA time zone"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_before_a_row_is_read(
    office: Office, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        office.bring(f"{LEA},2025-03-31,box,\n", **changes)
    with office.ledger.begin(write=False) as uow:
        assert uow.imports.of_account(ACCOUNT, 10) == []


def test_headings_are_found_whatever_their_capitals_and_two_alike_are_refused(office: Office) -> None:
    office.bring(f"{LEA},2025-03-31,box,\n", " mobile ,AGREED,how,out\n")
    assert office.said(LEA) == [OPT_IN]
    with pytest.raises(ConfigurationError, match="2 columns named Mobile"):
        office.bring(f"{LEA},2025-03-31,box,,x\n", "mobile,Agreed,How,Out,MOBILE\n")


def test_an_account_that_is_disconnected_imports_consent_but_matches_nobody(office: Office) -> None:
    with office.ledger.begin() as uow:
        uow.accounts.set_status(ACCOUNT, "disconnected", "token revoked")
        uow.commit()
    office.bring(f"{LEA},,,yes\n")
    assert office.is_blocked(LEA)
    with pytest.raises(ConfigurationError, match="the account is disconnected"):
        office.bring("lea@example.com,2025-03-31,box,\n", MAIL_HEAD, columns=MATCHED, match=NamedBy.EMAIL)
