"""Journey files become journeys; a bad one disables itself alone; a stored version becomes the same journey again."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from connector.adapters.journey_files import journey_from_source, load_journeys
from connector.domain.errands import Task
from connector.domain.journey import Again
from connector.domain.steps import CaseKind, If, Send, Wait, WaitFor, walk
from connector.errors import MappingError
from tests.adapters.journeys.conftest import ROOT

THREE = frozenset({"demo-booked", "invoice-overdue", "urgent-ticket"})


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    for path in (tmp_path / "mappings" / "journeys").iterdir():
        if path.stem not in THREE:
            path.unlink()
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    return tmp_path / "mappings", tmp_path / "templates"


def test_every_part_of_a_journey_is_read(folders: tuple[Path, Path]) -> None:
    journey = load_journeys(*folders).journeys["invoice-overdue"]
    assert journey.title == "Overdue invoice reminders"
    assert journey.trigger.event == "invoice.overdue"
    assert journey.trigger.where is not None
    assert journey.trigger.where.source == "invoice.balance_due >= 10"
    assert (journey.enroll.key.source, journey.enroll.again) == ("invoice.id", Again.NEVER)
    assert [rule.event for rule in journey.exit_when] == ["invoice.paid", None]
    first, wait_for, second, *_ = journey.steps
    assert isinstance(first, Send)
    assert (first.id, first.path, first.template) == ("first", "steps[0]", "invoice-overdue/first")
    assert isinstance(wait_for, WaitFor)
    assert (wait_for.within, wait_for.cases[0].kind) == (timedelta(days=3), CaseKind.REPLY)
    assert wait_for.cases[0].intent == "paid"
    assert {"PAID", "BEZAHLT", "PAYÉ", "PAGADO"} <= set(wait_for.cases[0].keywords)
    assert isinstance(second, Send)
    assert second.expires_after == timedelta(hours=12)


def test_places_are_lines_and_columns_of_the_file(folders: tuple[Path, Path]) -> None:
    journey = load_journeys(*folders).journeys["invoice-overdue"]
    lines = Path(journey.file).read_text(encoding="utf-8").split("\n")
    for step in walk(journey.steps):
        assert lines[step.place.line - 1][step.place.column - 2] in "- "
        assert lines[step.place.line - 1][step.place.column - 1 :].strip()


def test_paths_and_ids_of_steps_are_unique(folders: tuple[Path, Path]) -> None:
    for journey in load_journeys(*folders).journeys.values():
        steps = list(walk(journey.steps))
        assert len({step.path for step in steps}) == len({step.id for step in steps}) == len(steps)


def test_options_of_a_send_stand_beside_or_below_it(folders: tuple[Path, Path]) -> None:
    text = (
        "journey: x\npurpose: transactional\ntrigger: {event: contact.created}\nsteps:\n"
        "  - send:\n    text: Hi there\n    policy: at_least_once\n"
        "  - send: {text: Hello, to: owner, expires_after: 1 hour, window: anytime}\n"
        "  - wait: {until: now + 3 days, if_past: fail}\n"
        "  - if: contact.first_name is defined\n    then:\n      - exit: a\n"
        "    elif:\n      - {if: 'true', then: [{exit: b}]}\n"
        "  - task: {for: sam.okafor@example.com, title: Call, due: 2 hours, priority: high}\n"
    )
    (folders[0] / "journeys" / "x.yaml").write_text(text, encoding="utf-8")
    journey = load_journeys(*folders).journeys["x"]
    beside, below, wait, branch, task = journey.steps
    assert isinstance(beside, Send)
    assert beside.text is not None
    assert (beside.text.source, str(beside.policy)) == ("Hi there", "at_least_once")
    assert isinstance(below, Send)
    assert (below.to, below.window, below.expires_after) == ("owner", "anytime", timedelta(hours=1))
    assert isinstance(wait, Wait)
    assert wait.skip_if_past is False
    assert isinstance(branch, If)
    assert [each.condition.source for each in branch.branches] == ["contact.first_name is defined", "true"]
    assert isinstance(task, Task)
    assert (task.assignee, task.due_after, task.priority) == ("sam.okafor@example.com", timedelta(hours=2), "high")
    assert journey.enroll.key.source == "contact.id"


def test_a_bad_file_disables_itself_alone(folders: tuple[Path, Path]) -> None:
    bad = folders[0] / "journeys" / "urgent-ticket.yaml"
    bad.write_text(bad.read_text(encoding="utf-8").replace("steps:", "stepz:"), encoding="utf-8")
    shelf = load_journeys(*folders)
    assert set(shelf.journeys) == THREE - {"urgent-ticket"}
    assert {mistake.file for mistake in shelf.mistakes} == {str(bad)}


def test_a_file_with_the_other_ending_is_not_overlooked_in_silence(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "journeys" / "urgent-ticket.yaml"
    path.rename(path.with_suffix(".yml"))
    shelf = load_journeys(*folders)
    assert [mistake.suggestion for mistake in shelf.mistakes] == ["rename it to .yaml"]
    assert "urgent-ticket" not in shelf.journeys


def test_a_broken_keyword_file_keeps_out_only_the_journeys_that_use_its_intents(folders: tuple[Path, Path]) -> None:
    before = load_journeys(*folders).journeys
    (folders[0] / "keywords.yaml").write_text("nonsense", encoding="utf-8")
    kept = set(load_journeys(*folders).journeys)
    assert kept == {name for name, journey in before.items() if "intents" not in journey.source}
    assert "urgent-ticket" in kept


def test_all_mistakes_of_one_file_are_told_together(folders: tuple[Path, Path]) -> None:
    path = folders[0] / "journeys" / "urgent-ticket.yaml"
    text = (
        path.read_text(encoding="utf-8")
        .replace("purpose: transactional", "purpose: x")
        .replace("ticket.id", "ticket.idd")
    )
    path.write_text(text, encoding="utf-8")
    shelf = load_journeys(*folders)
    assert "urgent-ticket" not in shelf.journeys
    assert [mistake.file for mistake in shelf.mistakes] == [str(path)] * 4


def test_a_stored_version_becomes_the_same_journey_again(folders: tuple[Path, Path]) -> None:
    for journey in load_journeys(*folders).journeys.values():
        stored = json.loads(json.dumps(journey.source))
        assert journey_from_source(stored) == journey
        assert journey_from_source(stored).templates == journey.templates


def test_a_stored_version_does_not_depend_on_what_the_files_say_now(folders: tuple[Path, Path]) -> None:
    journey = load_journeys(*folders).journeys["invoice-overdue"]
    shutil.rmtree(folders[0])
    shutil.rmtree(folders[1])
    assert journey_from_source(dict(journey.source)) == journey


def test_a_stored_version_without_its_parts_is_a_mapping_error() -> None:
    with pytest.raises(MappingError, match="lacks its journey"):
        journey_from_source({})


def test_the_hash_changes_with_the_text_of_a_template_and_not_with_the_folder(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    before = load_journeys(*folders).journeys["invoice-overdue"]
    shutil.move(folders[0], tmp_path / "elsewhere")
    moved = load_journeys(tmp_path / "elsewhere", folders[1]).journeys["invoice-overdue"]
    assert moved.hash == before.hash
    template = folders[1] / "invoice-overdue" / "first.de.txt.j2"
    template.write_text("Hallo {{ invoice.number }}", encoding="utf-8")
    assert load_journeys(tmp_path / "elsewhere", folders[1]).journeys["invoice-overdue"].hash != before.hash


def test_only_the_templates_a_journey_uses_are_part_of_its_version(folders: tuple[Path, Path]) -> None:
    journey = load_journeys(*folders).journeys["demo-booked"]
    assert {path.partition("/")[0] for path in journey.templates} == {"demo-booked"}
