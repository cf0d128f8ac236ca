"""Can an operator import a file, see what would happen before, and what happened after?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from connector.ports.consents import ConsentKind
from tests.entrypoints.operated import Operated, operated, run

LEA, NOOR, SAM = "+12025550143", "+12025550144", "+12025550145"
MAPS = ("--map", "number=Mobile", "--map", "when=Agreed", "--map", "opted_out=Out")
SAID = ("--purpose", "marketing", "--how", "tick box at the checkout", "--from", "old shop")


@pytest.fixture
def operator(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch) as operator:
        yield operator


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    path.write_text(f"Mobile;Agreed;Out\n{LEA};2025-03-31;\n{NOOR};;yes\n{SAM};soon;\n12;2025-03-31;\n")
    return str(path)


def test_a_dry_run_tells_what_would_happen_and_the_import_does_it(operator: Operated, file: str) -> None:
    dry = run("import", "contacts", file, *MAPS, *SAID, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    assert json.loads(dry.stdout)["counts"] == {"rows": 4, "opted_in": 1, "opted_out": 1, "refused": 2}
    assert json.loads(run("import", "list", "--json").stdout) == []
    done = run("import", "contacts", file, *MAPS, *SAID, "--by", "kim")
    assert "is done" in done.stdout
    assert "row 4, when: is no time that has only one meaning" in done.stdout
    assert LEA not in done.output
    with operator.connector.ledger.begin(write=False) as uow:
        (event,) = uow.consents.history(operator.account_id, LEA)
        assert uow.consents.suppressions(operator.account_id, [NOOR]).keys() == {NOOR}
    assert (event.kind, event.wording) == (ConsentKind.OPT_IN, "How: tick box at the checkout\nSource: old shop")


def test_an_import_is_listed_shown_and_its_troubles_are_told(operator: Operated, file: str) -> None:
    run("import", "contacts", file, *MAPS, *SAID, "--by", "kim")
    (listed,) = json.loads(run("import", "list", "--json").stdout)
    assert (listed["state"], listed["file_name"], listed["started_by"]) == ("done", "people.csv", "kim")
    assert "4 rows  people.csv  by kim" in run("import", "list").stdout
    shown = run("import", "show", listed["id"]).stdout
    assert "columns: number=Mobile, opted_out=Out, when=Agreed" in shown
    assert json.loads(run("import", "show", listed["id"], "--json").stdout) == listed
    told = json.loads(run("import", "troubles", listed["id"], "--json").stdout)
    assert [(each["row"], each["column"]) for each in told] == [(4, "when"), (5, "number")]
    assert run("import", "troubles", listed["id"], "--after", "4").stdout.startswith("row 5, number: ")


def test_a_workbook_is_imported_like_a_csv(operator: Operated, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("People")
    for row in (["Mobile", "Agreed", "Out"], [12025550143, "31.03.2025", None], [LEA, None, "x"]):
        sheet.append(row)
    book.save(tmp_path / "people.xlsx")
    how = ("--sheet", "People", "--region", "us", "--date-format", "%d.%m.%Y", "--json")
    done = run("import", "contacts", str(tmp_path / "people.xlsx"), *MAPS, *SAID, *how)
    assert json.loads(done.stdout)["counts"] == {"rows": 2, "opted_in": 1, "opted_out": 1, "duplicates": 1}


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (("--map", "mobile=Mobile"), "mobile is not one of number, email"),
        (("--map", "number"), "expected OURS=HEADING"),
        (("--map", "number=Mobile", "--map", "number=Out"), "number is mapped twice"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_told(
    operator: Operated, file: str, maps: tuple[str, ...], message: str
) -> None:
    refused = run("import", "contacts", file, *maps)
    assert refused.exit_code == 2
    assert message in refused.output


def test_a_file_imported_already_and_an_import_of_nobody_are_told(operator: Operated, file: str) -> None:
    run("import", "contacts", file, *MAPS, *SAID)
    assert "imported already" in str(run("import", "contacts", file, *MAPS, *SAID).exception)
    assert "known" in run("import", "contacts", file, *MAPS, *SAID, "--again").stdout
    assert "has no import" in str(run("import", "show", "nobody").exception)


def test_an_account_sees_nothing_of_another_ones_imports(operator: Operated, file: str) -> None:
    run("import", "contacts", file, *MAPS, *SAID)
    (listed,) = json.loads(run("import", "list", "--json").stdout)
    with operator.connector.ledger.begin() as uow:
        account = uow.accounts.get(operator.account_id)
        uow.accounts.add(type(account)("account-2", "hubspot", "67890", "Bmce", "active", "", {}, account.created_at))
        uow.commit()
    other = ("--account", "67890")
    assert json.loads(run("import", "list", *other, "--json").stdout) == []
    for command in ("show", "troubles"):
        assert "has no import" in str(run("import", command, listed["id"], *other).exception)


def test_more_troubles_than_fit_on_a_screen_are_pointed_to(operator: Operated, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("Mobile,Agreed,Out\n" + "12,2025-03-31,\n" * 30)
    done = run("import", "contacts", str(path), *MAPS, *SAID).stdout
    assert done.count("row ") == 20
    assert "smsctl import troubles" in done
    assert "and 10 more" in run("import", "contacts", str(path), *MAPS, *SAID, "--dry-run").stdout
