"""Do the generated pages and `app.json` still say what the code says?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.adapters.sms.catalogue import BUILT_IN, gateway_plugins
from connector.domain.message import MessageState
from connector.domain.receipt import may_move
from connector.entrypoints.cli.gateway_features import COLUMNS, gateway_features_page
from connector.entrypoints.cli.reference import (
    ACCOUNT_SETTINGS_PAGE,
    APP_MANIFEST,
    GATEWAY_FEATURES,
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
from connector.ports.gateway import Capabilities
from connector.ports.gateway_plugin import GatewayPlugin
from connector.setting_list import SETTINGS, Setting
from connector.settings import gateway_settings
from tests.docs.markdown import ROOT

MADE = [SETTINGS_PAGE, ACCOUNT_SETTINGS_PAGE, STATES_PAGE, GATEWAY_FEATURES, JOURNEY_SCHEMA, OPENAPI, APP_MANIFEST]
TWILIO = gateway_settings(gateway_plugins()["twilio"])


def test_nothing_generated_is_stale() -> None:
    assert stale(ROOT) == [], "run: make docs"


def test_the_schema_of_journeys_is_printed_or_written(tmp_path: Path) -> None:
    printed = CliRunner().invoke(schema, [])
    assert json.loads(printed.output) == json.loads(journey_schema_page())
    written = CliRunner().invoke(schema, ["--output", str(tmp_path / "journey.json")])
    assert written.output.strip() == str(tmp_path / "journey.json")
    assert (tmp_path / "journey.json").read_text(encoding="utf-8") == journey_schema_page()


def test_what_is_missing_or_edited_is_written_anew_and_nothing_else(tmp_path: Path) -> None:
    assert write_reference(tmp_path) == MADE
    (tmp_path / SETTINGS_PAGE).write_text("edited by hand", encoding="utf-8")
    assert stale(tmp_path) == [SETTINGS_PAGE]
    assert write_reference(tmp_path) == [SETTINGS_PAGE]
    assert stale(tmp_path) == []


_OF_GATEWAYS = [setting for plugin in gateway_plugins().values() for setting in gateway_settings(plugin)]


@pytest.mark.parametrize("setting", [*SETTINGS, *_OF_GATEWAYS], ids=lambda setting: setting.name)
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


def _features() -> dict[str, list[str]]:
    """Give the rows of the page that compares gateways, by slug."""
    table = gateway_features_page().partition("## What the columns say")[0]
    lines = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    return {cells[0].split("`")[1]: cells[1:] for cells in lines}


def test_every_gateway_of_ours_has_a_row_with_every_column_and_the_one_that_sends_nothing_comes_last() -> None:
    rows = _features()
    assert list(rows) == [plugin.slug for plugin in BUILT_IN]
    assert list(rows)[-1] == "null"
    assert {len(cells) for cells in rows.values()} == {len(COLUMNS)}


def test_every_gateway_that_connects_to_something_has_a_page_and_its_row_leads_there() -> None:
    page = gateway_features_page()
    for plugin in BUILT_IN[:-1]:
        assert f"](../how-to/connect-{plugin.slug}.md)" in page
        assert (ROOT / f"docs/how-to/connect-{plugin.slug}.md").is_file()


def test_what_a_gateway_declares_stands_in_its_row() -> None:
    names = [column.name for column in COLUMNS]
    shown = {slug: dict(zip(names, cells, strict=True)) for slug, cells in _features().items()}
    for plugin in BUILT_IN:
        can, cells = plugin.capabilities, shown[plugin.slug]
        assert cells["longest text"] == f"{can.most_characters} / {can.most_unicode}"
        assert cells["callbacks verified by"] == (can.verified_by or "no")
        assert (cells["lookup"], cells["DLT"]) == tuple("yes" if has else "no" for has in (can.has_lookup, can.has_dlt))
        assert set(cells["can be asked by"].split(", ")) == ({handle.value for handle in can.asked_by} or {"no"})
    assert shown["twilio"]["validity"] == "1 second to 10 hours"
    assert (shown["infobip"]["our reference"], shown["telnyx"]["our reference"]) == ("field and address", "address")


@pytest.mark.parametrize("name", [column.name for column in COLUMNS])
def test_every_column_is_explained_below_the_table(name: str) -> None:
    below = gateway_features_page().partition("## What the columns say")[2]
    assert f"| {name[0].upper()}{name[1:]} | " in below


def test_a_bar_in_what_a_gateway_declares_does_not_break_its_row() -> None:
    odd = replace(BUILT_IN[0].capabilities, verified_by="this | that")
    (row,) = [line for line in gateway_features_page([_plugin(odd)]).splitlines() if "(`acme`)" in line]
    assert row.endswith("| this \\| that |")


def _plugin(capabilities: Capabilities) -> GatewayPlugin:
    return replace(BUILT_IN[0], slug="acme", capabilities=capabilities)


def test_the_manifest_asks_for_no_setting_that_the_platform_gives() -> None:
    asked = app_manifest()["env"]
    assert not {"DATABASE_URL", "REDIS_URL", "PORT"} & asked.keys()
    assert set(asked) <= {setting.name for setting in (*SETTINGS, *TWILIO)}


def test_the_manifest_requires_what_the_settings_require_and_shows_no_secret() -> None:
    for name, asked in app_manifest()["env"].items():
        setting = next(each for each in (*SETTINGS, *TWILIO) if each.name == name)
        assert asked["description"] == setting.meaning
        assert asked["required"] == setting.is_required
        assert not (setting.is_secret and "value" in asked)
    assert app_manifest()["env"]["SECRET_KEYS"]["generator"] == "secret"


def test_the_manifest_starts_the_processes_of_the_procfile() -> None:
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    processes = {line.partition(":")[0] for line in procfile} - {"release"}
    manifest = json.loads((ROOT / APP_MANIFEST).read_text(encoding="utf-8"))
    assert set(manifest["formation"]) == processes
