"""Do the generated pages and `app.json` still say what the code says?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.domain.message import MessageState
from connector.domain.receipt import may_move
from connector.entrypoints.cli.reference import (
    APP_MANIFEST,
    JOURNEY_SCHEMA,
    OPENAPI,
    SETTINGS_PAGE,
    STATES_PAGE,
    app_manifest,
    journey_schema_page,
    settings_page,
    stale,
    states_page,
    write_reference,
)
from connector.entrypoints.cli.schema_command import schema
from connector.settings import SETTINGS, Setting
from tests.docs.markdown import ROOT


def test_nothing_generated_is_stale() -> None:
    assert stale(ROOT) == [], "run: make docs"


def test_the_schema_of_journeys_is_printed_or_written(tmp_path: Path) -> None:
    printed = CliRunner().invoke(schema, [])
    assert json.loads(printed.output) == json.loads(journey_schema_page())
    written = CliRunner().invoke(schema, ["--output", str(tmp_path / "journey.json")])
    assert written.output.strip() == str(tmp_path / "journey.json")
    assert (tmp_path / "journey.json").read_text(encoding="utf-8") == journey_schema_page()


def test_what_is_missing_or_edited_is_written_anew_and_nothing_else(tmp_path: Path) -> None:
    assert write_reference(tmp_path) == [SETTINGS_PAGE, STATES_PAGE, JOURNEY_SCHEMA, OPENAPI, APP_MANIFEST]
    (tmp_path / SETTINGS_PAGE).write_text("edited by hand", encoding="utf-8")
    assert stale(tmp_path) == [SETTINGS_PAGE]
    assert write_reference(tmp_path) == [SETTINGS_PAGE]
    assert stale(tmp_path) == []


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_on_the_page_with_its_meaning(setting: Setting) -> None:
    row = next(line for line in settings_page().splitlines() if line.startswith(f"| `{setting.name}`"))
    assert setting.meaning in row
    assert ("🔒" in row) == setting.is_secret


def test_a_bar_in_a_meaning_does_not_break_the_table() -> None:
    setting = Setting("NAME", "One | two.", "1", SETTINGS[0].read)
    assert "| One \\| two. |" in settings_page([setting])


def test_the_page_of_states_lists_every_state_and_every_move_of_ours() -> None:
    rows = {line.split("`")[1]: line for line in states_page().splitlines() if line.startswith("| `")}
    assert list(rows) == list(MessageState)
    for state in MessageState:
        ours = rows[state].split(" | ")[2]
        assert {target for target in MessageState if f"`{target}`" in ours} == {
            target for target in MessageState if may_move(state, target)
        }


def test_the_manifest_asks_for_no_setting_that_the_platform_gives() -> None:
    asked = app_manifest()["env"]
    assert not {"DATABASE_URL", "REDIS_URL", "PORT"} & asked.keys()
    assert set(asked) <= {setting.name for setting in SETTINGS}


def test_the_manifest_requires_what_the_settings_require_and_shows_no_secret() -> None:
    for name, asked in app_manifest()["env"].items():
        setting = next(each for each in SETTINGS if each.name == name)
        assert asked["description"] == setting.meaning
        assert asked["required"] == setting.is_required
        assert not (setting.is_secret and "value" in asked)
    assert app_manifest()["env"]["SECRET_KEYS"]["generator"] == "secret"


def test_the_manifest_starts_the_processes_of_the_procfile() -> None:
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    processes = {line.partition(":")[0] for line in procfile} - {"release"}
    manifest = json.loads((ROOT / APP_MANIFEST).read_text(encoding="utf-8"))
    assert set(manifest["formation"]) == processes
