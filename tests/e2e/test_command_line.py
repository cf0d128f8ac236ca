"""Does `smsctl` do what an operator asks of it, and say plainly what is missing?"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.processes import run_smsctl
from tests.e2e.rig import Rig
from tests.e2e.scene import Scene

_OURS = ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "SECRET_KEYS", "HUBSPOT_", "TWILIO_", "GATEWAY", "CLOCK_")


def smsctl(rig: Rig, *commands: tuple[str, ...]) -> list[str]:
    """What commands that go well print; side by side, since starting an interpreter takes longest."""
    with ThreadPoolExecutor(len(commands)) as pool:
        done = list(pool.map(lambda command: run_smsctl(rig.environment, *command), commands))
    assert [each.returncode for each in done] == [0] * len(commands), [each.stderr for each in done]
    return [each.stdout for each in done]


def test_portal_added_by_command_gets_our_properties(rig: Rig, scene: Scene) -> None:
    portal = 7_000_001 if rig.environment["DATABASE_URL"].startswith("sqlite") else 7_000_002
    rig.hubspot.add_portal(portal, token="by hand")
    [added] = smsctl(rig, ("account", "add", "--crm", "hubspot", "--external-id", str(portal), "--token", "by hand"))
    told, in_service = added.splitlines()
    assert told == f"hubspot account {portal} is active: HubSpot {portal}"
    assert "invoice-overdue" in in_service
    assert "sms_connector_opted_out" in rig.hubspot.portal(portal).properties["contacts"]
    with rig.connector.ledger.begin(write=False) as uow:
        assert {each.external_id for each in uow.accounts.all()} == {str(scene.portal_id), str(portal)}


def test_text_ordered_twice_by_command_arrives_once_and_is_explained_and_counted(rig: Rig, scene: Scene) -> None:
    person = scene.person()
    order = ("send", "--account", str(scene.portal_id), "--to", person.number, "--body", "Your key is ready")
    first, second = smsctl(rig, (*order, "--key", "k1"), (*order, "--key", "k1"))
    scene.gets(person.number, "Your key is ready")
    scene.books.settle()
    [message] = scene.books.outbound()
    assert scene.texts(person.number) == ["Your key is ready"]
    assert f"message {message.id}, 1 segment(s), gsm7" in first
    assert f"message {message.id}, " in second
    why, told = smsctl(rig, ("explain", message.id), ("status", "--json"))
    assert "a text was ordered by hand" in why
    assert "delivered: the gateway reports delivered" in why
    found = json.loads(told)
    assert found["messages"] == {"delivered": 1}
    assert [each["status"] for each in found["accounts"]] == ["active"]
    assert {each["journey"] for each in found["journeys"]} >= {"demo-booked", "invoice-overdue", "urgent-ticket"}


def test_check_passes_what_ships_and_names_file_line_and_column_of_a_mistake(tmp_path: Path) -> None:
    environment = dict(os.environ)
    assert run_smsctl(environment, "check").returncode == 0
    source = Path("mappings").resolve()
    broken = tmp_path / "mappings"
    for path in source.rglob("*.yaml"):
        copy = broken / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8").replace("deal.stage_label in", "deal.stage_lable in"))
    done = run_smsctl(environment | {"MAPPINGS_DIR": str(broken)}, "check", "--format", "json")
    assert done.returncode == 1
    assert "stage_label" in done.stdout
    assert "demo-booked.yaml" in done.stdout


def test_missing_settings_stop_every_process_with_the_exact_name_and_an_example(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda name: run_smsctl(environment, name, cwd=tmp_path), ("web", "worker", "clock")))
    for each in done:
        assert each.returncode == 1
        assert "smsctl: REDIS_URL: is missing; example: REDIS_URL=redis://localhost:6379/0" in each.stderr
        assert "smsctl: SECRET_KEYS: is missing" in each.stderr
        assert "Traceback" not in each.stderr


def test_settings_that_are_wrong_or_contradict_each_other_stop_the_start(tmp_path: Path) -> None:
    sound = {"REDIS_URL": "redis://127.0.0.1:1/0", "PUBLIC_URL": "https://sms.example.com", "SECRET_KEYS": "k" * 32}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)} | sound
    with ThreadPoolExecutor(3) as pool:
        no_gateway, bad_port, no_tables = pool.map(
            lambda more: run_smsctl(environment | more, "clock", cwd=tmp_path),
            ({}, {"GATEWAY": "null", "PORT": "none"}, {"GATEWAY": "null"}),
        )
    assert (no_gateway.returncode, bad_port.returncode, no_tables.returncode) == (1, 1, 1)
    assert "smsctl: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKENS are missing" in no_gateway.stderr
    assert "smsctl: PORT: " in bad_port.stderr
    assert "smsctl migrate" in no_tables.stderr
    assert not any("Traceback" in each.stderr for each in (no_gateway, bad_port, no_tables))
