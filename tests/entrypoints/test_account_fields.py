"""Is a setting that names a property a portal lacks refused where it is set: on the command line and on the pages?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConfigurationError
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.app import create_app
from connector.sandbox.hubspot.property_definitions import PropertyDefinition
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server
from tests.entrypoints.operated import Operated, operated, run

PORTAL, TOKEN = 12345, "pat-1"
NAMED = ("--crm", "hubspot", "--external-id", str(PORTAL))


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    clock = SandboxClock()
    world = HubSpotWorld(clock, seed=1)
    world.add_portal(PORTAL, token=TOKEN)
    own = PropertyDefinition("sms_number", "SMS number", field_type="phonenumber", built_in=False)
    world.portal(PORTAL).properties["contacts"][own.name] = own
    with (
        Server(create_app(world, clock, Faults())) as server,
        operated(tmp_path, redis_url, monkeypatch, HUBSPOT_API_URL=server.url) as found,
    ):
        with found.connector.ledger.begin() as work:
            work.accounts.save_tokens(found.account_id, TOKEN, None, None)
            work.commit()
        yield found


def settings(desk: Operated) -> Mapping[str, Any]:
    with desk.connector.ledger.begin(write=False) as work:
        return work.accounts.get(desk.account_id).settings


def test_the_command_line_refuses_what_can_never_match_and_takes_what_can(desk: Operated) -> None:
    wrong = ("--set", "phone_fields=contact=sms_numbr", "--set", "opt_out_fields=contact=do_not_text")
    refused = run("account", "set", *NAMED, *wrong).exception
    assert isinstance(refused, ConfigurationError)
    assert [line.partition(":")[0] for line in str(refused).splitlines()] == ["opt_out_fields", "phone_fields"]
    assert "phone_fields" not in settings(desk)
    taken = run("account", "set", *NAMED, "--set", "phone_fields=contact=sms_number")
    assert taken.exit_code == 0, taken.output
    assert settings(desk)["phone_fields"] == {"contact": ["sms_number"]}
    assert settings(desk)["missing_fields"] == []


def test_the_settings_pages_refuse_it_beside_the_setting(desk: Operated) -> None:
    change = {"phone_fields": {"contact": ["sms_numbr"]}, "locale": "de"}
    told = desk.connector.account_settings.change(desk.account_id, change, "ann")
    assert set(told) == {"phone_fields"}
    assert "no property sms_numbr" in told["phone_fields"]
    assert "locale" not in settings(desk)
