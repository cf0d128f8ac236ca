"""Does `smsctl streams` listen in one process at a time, and end when it is told to or has nothing to do?"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector, build_connector
from connector.bootstrap.stream_parts import StreamParts
from connector.errors import ConfigurationError
from connector.ports.ledger import AccountRow
from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.pubsub import PubSubServer
from connector.sandbox.salesforce.pubsub_bus import EventBus
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.settings import read_settings
from tests.adapters.store.factories import an_account
from tests.entrypoints.environment import set_environment

ORG, HOST, TOPIC = "00D000000000001EAA", "acme.my.salesforce.com", "/data/OpportunityChangeEvent"
COMMAND = [sys.executable, "-m", "connector.entrypoints.cli", "streams"]
PATIENCE = 30.0  # seconds; a fresh interpreter on a busy machine


@dataclass
class Rig:
    """A pretend Salesforce with streams, an account that listens, and the processes that do."""

    world: SalesforceWorld
    bus: EventBus
    server: PubSubServer
    connector: Connector
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[str]:
        """Start a process, and wait until it has said that it listens."""
        process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout is not None
        assert "Listening.\n" in iter(process.stdout.readline, "")  # logs come before
        return process

    def until_streams(self, count: int) -> None:
        with self.bus.changed:
            assert self.bus.changed.wait_for(lambda: self.server.streams == count, PATIENCE)

    def deal(self) -> str:
        deal = {"Name": "Roof", "StageName": "Prospecting", "CloseDate": "2026-12-24"}
        return str(self.world.create(ORG, "Opportunity", deal)["Id"])

    def until_rows(self, count: int) -> None:
        """Wait until the inbox has so many rows; looked at now and then, since another process writes them."""
        pause = threading.Event()
        for _ in range(int(PATIENCE / 0.1)):
            if self.rows() == count:
                return
            pause.wait(0.1)
        pytest.fail(f"the inbox has {self.rows()} rows, not {count}")

    def rows(self) -> int:
        with self.connector.ledger.begin(write=False) as uow:
            return sum(uow.inbox.waiting(self.connector.clock.now()).values())


def account(**more: Any) -> AccountRow:
    settings = {"instance_url": f"https://{HOST}", "salesforce_topics": [TOPIC]}
    return an_account(crm="salesforce", external_id=ORG, settings=settings, **more)


@pytest.fixture
def connector(tmp_path: Path, redis_url: str, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Connector:
    set_environment(monkeypatch, tmp_path, redis_url)
    monkeypatch.setenv("MAPPINGS_DIR", "mappings")
    monkeypatch.setenv("TEMPLATES_DIR", "templates")
    connector = build_connector(read_settings())
    migrate(connector.ledger.engine)
    return connector


@pytest.fixture
def rig(connector: Connector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    clock = SandboxClock()
    world = SalesforceWorld(clock, seed=1)
    world.add_org(ORG, username="admin@acme.example", instance_host=HOST)
    bus = EventBus(world, clock)
    bus.select(ORG, "Opportunity")
    with connector.ledger.begin() as uow:
        uow.accounts.add(account(access_token=world.grant(ORG).access_token))
        uow.commit()
    with PubSubServer(world, bus) as server:
        monkeypatch.setenv("SALESFORCE_PUBSUB_URL", server.url)
        rig = Rig(world, bus, server, connector)
        yield rig
        for process in rig.processes:
            process.kill()
            process.communicate()


@pytest.mark.slow
def test_a_connector_without_streams_ends_at_once_and_says_why(connector: Connector) -> None:
    ended = subprocess.run(COMMAND, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "No account streams its changes; set salesforce_topics for one first" in ended.stdout


def test_what_streams_need_and_is_not_installed_is_named(connector: Connector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "connector.adapters.crm.salesforce.pubsub.client", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'sms-connector\[salesforce-streams\]'"):
        StreamParts(connector.settings).salesforce_streams  # noqa: B018 - built when asked for


@pytest.mark.slow
def test_a_process_listens_and_ends_in_peace_when_told_to(rig: Rig) -> None:
    process = rig.start()
    rig.until_streams(1)
    rig.deal()
    rig.until_rows(2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    rig.until_streams(0)


@pytest.mark.slow
def test_of_two_processes_one_listens_and_the_other_goes_on_where_it_was_killed(
    rig: Rig, redis_client: redis.Redis
) -> None:
    first = rig.start()
    rig.until_streams(1)
    rig.deal()
    rig.until_rows(2)
    rig.start()
    first.kill()
    rig.until_streams(0)
    rig.deal()  # while nobody listens
    redis_client.flushall()  # the dead one's lease has ended
    rig.until_streams(1)
    rig.until_rows(4)
