"""Previews in a text's companion file are checked like all else, and show the text as people will get it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connector.adapters.preview_file import previews_of, read_preview_files
from connector.adapters.yaml_file import read_yaml
from connector.errors import Mistake
from tests.adapters.journeys.checking import NAME, check, world

FILE = f"templates/{NAME}/first.previews.yaml"
NAMES = {
    "contact": {"first_name": "Alexandra", "name": "Alexandra Schneider"},
    "invoice": {
        "amount": Decimal(5),
        "due_on": date(2026, 1, 1),
        "due_at": datetime(2026, 1, 1, tzinfo=UTC),
        "paid": True,
    },
}


def _checked(previews: str, text: str = "{{ contact.first_name }} {{ invoice.number }}", **more: str) -> list[Mistake]:
    within = replace(world(first=text, **more), previews={f"{NAME}/first": read_yaml(previews, FILE)})
    return check(f"- send: {NAME}/first", within)


def test_previews_that_name_what_there_is_are_right() -> None:
    previews = """
previews:
  long name: {contact: {first_name: Maximilian-Alexander}}
  large amount:
    invoice: {balance_due: "128000.50", due_on: 2026-12-24, due_at: 2026-12-24 15:30}
    account: {name: Brightwater}
"""
    assert _checked(previews) == []


CASES = [
    ("{contact: {⟦frist_name: Bo}}", "`contact` has no `frist_name`", "did you mean `contact.first_name`?"),
    ("{⟦contcat: {first_name: Bo}}", "there is no `contcat`", "did you mean `contact`?"),
    ("{invoice: {balance_due: ⟦lots}}", "expected a number such as 1249.50, found `lots`", None),
    ("{invoice: {balance_due: ⟦NaN}}", "expected a number", None),
    ("{invoice: {due_on: ⟦24.12.2026}}", "expected a date such as 2026-11-20, found `24.12.2026`", None),
    ("{invoice: {due_at: ⟦noon}}", "expected a time such as", None),
    ("{contact: ⟦Bo}", "expected values by name (contact: …), found `Bo`", None),
    ("{contact: {first_name: ⟦[Bo]}}", "expected one value, found a list", None),
    ("⟦Bo", "expected values by name", None),
]


@pytest.mark.parametrize(("values", "message", "suggestion"), CASES)
def test_a_mistake_in_a_preview_is_told_at_its_place(values: str, message: str, suggestion: str | None) -> None:
    text = f"previews:\n  one: {values}\n"
    (mistake,) = _checked(text.replace("⟦", ""))
    before = text.partition("⟦")[0]
    assert (mistake.file, mistake.line) == (FILE, 2)
    assert mistake.column == len(before) - before.rfind("\n")
    assert message in mistake.message
    assert (suggestion or "") in (mistake.suggestion or "")


@pytest.mark.parametrize("text", ["- a\n", "previews: [a]\n", "previews:\n"])
def test_a_file_that_holds_no_previews_says_what_it_should_hold(text: str) -> None:
    (mistake,) = _checked(text)
    assert "expected previews by name" in mistake.message


def test_an_unknown_key_of_the_file_is_a_mistake() -> None:
    (mistake,) = _checked("preview:\n  a: {}\npreviews:\n  a: {}\n")
    assert (mistake.line, mistake.suggestion) == (1, "did you mean `previews`?")


def test_a_preview_without_a_value_that_the_text_needs_is_a_mistake_in_each_language() -> None:
    found = _checked("previews:\n  unknown: {invoice: {number: }}\n", first_de="Rechnung {{ invoice.number }}")
    assert [mistake.message for mistake in found] == [
        "cannot be shown in en: `invoice.number` has no value",
        "cannot be shown in de: `invoice.number` has no value",
    ]
    assert {(mistake.line, mistake.column, mistake.path) for mistake in found} == {(2, 3, "previews.unknown")}


def test_a_preview_that_makes_the_text_too_long_is_a_warning() -> None:
    name = "a" * 1_000
    (mistake,) = _checked(f"previews:\n  long: {{contact: {{first_name: {name}}}}}\n")
    assert (mistake.severity, mistake.message) == ("warning", "takes 7 SMS in en: more than 6")


def test_one_bad_preview_hides_no_other() -> None:
    found = _checked("previews:\n  a: {contact: {x: 1}}\n  b: {contact: {y: 1}}\n")
    assert [mistake.line for mistake in found] == [2, 3]


def test_values_are_of_the_kind_their_name_has() -> None:
    text = """
previews:
  a: {invoice: {amount: "7.50", due_on: 2026-12-24, due_at: "2026-12-24T15:30+01:00", paid: no}, contact: {name: }}
  b: {invoice: , contact: {first_name: "007"}}
"""
    (first, second), mistakes = previews_of(read_yaml(text, FILE), NAMES)
    assert mistakes == []
    assert first.values == {
        "invoice": {
            "amount": Decimal("7.50"),
            "due_on": date(2026, 12, 24),
            "due_at": datetime(2026, 12, 24, 14, 30, tzinfo=UTC),
            "paid": False,
        },
        "contact": {"name": None},
    }
    assert second.values == {"invoice": {}, "contact": {"first_name": "007"}}


def test_yes_and_no_are_all_that_a_yes_or_no_can_be() -> None:
    _, (mistake,) = previews_of(read_yaml("previews: {a: {invoice: {paid: maybe}}}", FILE), NAMES)
    assert "expected yes or no" in mistake.message


def test_companion_files_are_found_by_the_name_of_their_text(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.previews.yaml").write_text("previews: {a: {}}", encoding="utf-8")
    (tmp_path / "x" / "b.previews.yml").write_text("previews: {a: {}}", encoding="utf-8")
    (tmp_path / "x" / "c.previews.yaml").write_text("a: [", encoding="utf-8")
    found, mistakes = read_preview_files(tmp_path)
    assert found.keys() == {"x/a"}
    assert {Path(mistake.file).name for mistake in mistakes} == {"b.previews.yml", "c.previews.yaml"}
