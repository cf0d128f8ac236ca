"""A check shows every mistake to a person, a program and a pull request."""

import json
import shutil
from pathlib import Path

import pytest

from connector.adapters.check import CheckReport, check, format_github, format_json, format_people
from connector.errors import Mistake
from tests.adapters.journeys.conftest import ROOT

JOURNEYS = ("demo-booked", "invoice-overdue", "urgent-ticket")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Give three journeys of those that ship, with everything around them."""
    mappings, templates = tmp_path / "mappings", tmp_path / "templates"
    shutil.copytree(
        ROOT / "mappings", mappings, ignore=lambda folder, names: names if folder.endswith("journeys") else ()
    )
    for name in JOURNEYS:
        shutil.copy(ROOT / "mappings" / "journeys" / f"{name}.yaml", mappings / "journeys")
        shutil.copytree(ROOT / "templates" / name, templates / name)
    return mappings, templates


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_mistake_is_shown_with_its_line_and_a_caret(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "journeys" / "invoice-overdue.yaml"
    _edit(path, "send: invoice-overdue/first", "send: invoice-overdue/frist")
    line = path.read_text(encoding="utf-8").partition("frist")[0].count("\n") + 1
    shown = format_people(check(*folders))
    assert (
        f"{path}:{line}:11  error  steps[0].send\n"
        "  there is no template templates/invoice-overdue/frist.txt.j2\n"
        f"  {line} |   - send: invoice-overdue/frist\n"
        "     |           ^\n"
        "  did you mean `invoice-overdue/first`?\n"
    ) in shown
    assert shown.endswith(
        "1 mistake. 2 journeys can run: demo-booked, urgent-ticket. 1 journey stays out: invoice-overdue.\n"
    )


def test_nothing_wrong_is_said_in_one_line(folders: tuple[Path, Path]) -> None:
    report = check(*folders)
    assert report.is_clean
    assert format_people(report) == "No mistakes. 3 journeys can run: demo-booked, invoice-overdue, urgent-ticket.\n"


def test_color_is_only_there_when_asked_for(folders: tuple[Path, Path]) -> None:
    _edit(folders[0] / "journeys" / "demo-booked.yaml", "purpose: transactional", "purpose: x")
    report = check(*folders)
    assert "\x1b[" not in format_people(report)
    assert "\x1b[31merror\x1b[0m" in format_people(report, color=True)


def test_every_kind_of_file_is_checked(folders: tuple[Path, Path]) -> None:
    _edit(folders[0] / "events" / "hubspot.yaml", "crm: hubspot", "crm: hubspott")
    _edit(folders[0] / "keywords.yaml", "default: en", "default: xx")
    _edit(folders[0] / "compliance.yaml", "purposes:", "purposez:")
    _edit(folders[1] / "demo-booked" / "confirmation.txt.j2", "contact.first_name", "contact.frist_name")
    files = {Path(mistake.file).name for mistake in check(*folders).mistakes}
    assert {"hubspot.yaml", "keywords.yaml", "compliance.yaml", "confirmation.txt.j2"} <= files


def test_a_text_that_no_journey_uses_is_a_warning(folders: tuple[Path, Path]) -> None:
    (folders[1] / "demo-booked" / "old.txt.j2").write_text("hi", encoding="utf-8")
    report = check(*folders)
    assert [mistake.message for mistake in report.warnings] == ["no journey uses this text"]
    assert report.is_clean


def test_a_preview_of_a_text_that_no_journey_uses_is_a_warning(folders: tuple[Path, Path]) -> None:
    (folders[1] / "demo-booked" / "old.previews.yaml").write_text("previews: {a: {}}", encoding="utf-8")
    assert [mistake.message for mistake in check(*folders).warnings] == ["no journey uses this preview's text"]


def test_a_journey_in_a_loop_stays_out_and_the_others_run(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "journeys" / "invoice-overdue.yaml"
    _edit(path, "again: never", "again: always")
    _edit(path, "steps:\n", "steps:\n  - enroll: invoice-overdue\n")
    report = check(*folders)
    assert report.out == ("invoice-overdue",)
    assert "an endless loop" in report.errors[0].message


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    report = check(tmp_path / "mappings", tmp_path / "templates")
    assert str(tmp_path / "templates") in {mistake.file for mistake in report.errors}


def test_json_has_every_field(folders: tuple[Path, Path]) -> None:
    _edit(folders[0] / "journeys" / "demo-booked.yaml", "purpose: transactional", "purpose: transaction")
    document = json.loads(format_json(check(*folders)))
    assert document["ok"] is False
    assert document["journeys"] == ["invoice-overdue", "urgent-ticket"]
    assert document["out"] == ["demo-booked"]
    (mistake,) = document["mistakes"]
    assert (mistake["line"], mistake["column"], mistake["path"], mistake["severity"]) == (4, 10, "purpose", "error")
    assert mistake["suggestion"] == "did you mean `transactional`?"


def test_github_commands_escape_what_would_end_them() -> None:
    mistake = Mistake("a,b:c.yaml", 3, 0, "steps[0]", "50% of\nit", None, "warning")
    shown = format_github(CheckReport((mistake,), {}))
    assert shown == "::warning file=a%2Cb%3Ac.yaml,line=3,title=steps[0]::50%25 of%0Ait\n"


def test_keywords_that_cannot_be_read_are_told_at_one_journey_and_keep_out_all_that_need_them(
    folders: tuple[Path, Path],
) -> None:
    _edit(folders[0] / "keywords.yaml", "default: en", "default: xx")
    report = check(*folders)
    assert sum("keywords.yaml has mistakes" in mistake.message for mistake in report.mistakes) == 1
    assert {"demo-booked", "invoice-overdue"} <= set(report.out)
