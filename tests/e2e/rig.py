"""What stands in an end-to-end test: the connector's own processes between a pretend HubSpot and a pretend Twilio?

Everything goes over loopback HTTP, a real Redis and a real database. Time is pushed through a file that all of them
read; nobody sleeps it away.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from unittest import mock

import httpx
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError

from connector.adapters.redis_server import EmbeddedRedis, make_redis
from connector.adapters.store.tables import (
    crm_record,
    enrollment,
    external_event,
    message,
    metadata,
    workflow_call,
)
from connector.bootstrap import Connector, build_connector
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.hubspot.app import create_app as create_hubspot
from connector.sandbox.hubspot.webhooks import LARGEST_BATCH, WebhookSender
from connector.sandbox.hubspot.workflow_actions import WorkflowActions
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server
from connector.sandbox.twilio.sandbox import ACCOUNT_SID, AUTH_TOKEN, SENDER, TwilioSandbox
from connector.sandbox.twilio.world import TwilioWorld
from connector.settings import read_settings
from tests.e2e.processes import Process, free_port, run_smsctl, smsctl
from tests.waiting import eventually

CLIENT_SECRET = "e2e-client-secret"
APP_ID = 678

_EVER = timedelta(days=3650)  # what a pretend gateway still has to do is due within days
_NOON_UTC, _DAY_ENDS_UTC = 16, 20
"""Between these hours of UTC every send window is open from New York to London."""

_EXPECTED = (
    "could not connect to Redis",  # RQ's word for it while a test has killed Redis
    "raise KeyError(account_id)",  # a poll under way when the next test empties the ledger
    '"error": "KeyError", "event": "events.failed"',  # an event that was
    '"error": "KeyError", "event": "maintenance.failed"',  # a poll or a schedule that was
    '"error": "KeyError", "event": "search.broke"',  # a look for what webhooks missed, likewise
)

_LEASES = (
    (external_event.c.lease_until, external_event.c.handled_at.is_(None)),
    (enrollment.c.lease_until, enrollment.c.status == "live"),
    (message.c.lease_until, message.c.state == "dispatching"),
    (crm_record.c.lease_until, crm_record.c.state.in_(["waiting", "creating"])),
    (workflow_call.c.lease_until, workflow_call.c.state != "done"),
)
"""Columns that say that a worker is at a row, and when they do."""


@dataclass(frozen=True)
class Taken:
    """A text that a gateway took, by its id there."""

    id: str
    body: str


class Rig:
    """The pretend world and the connector around one database; `start` and `stop` them together.

    `connector` is composed in the test's own process over the same settings: to read the ledger, to install portals
    without the cost of a command, and, while `rings` is on, to ring the alarm when the clock was pushed, as a second
    clock process would.
    """

    def __init__(self, database_url: str, directory: Path) -> None:
        self.directory = directory
        self.clock, self.faults = SandboxClock(directory / "clock"), Faults()
        self.url = f"http://127.0.0.1:{free_port()}"
        self.hubspot = HubSpotWorld(self.clock)
        self.webhooks = WebhookSender(
            self.hubspot,
            target_url=f"{self.url}/webhooks/hubspot",
            app_id=APP_ID,
            client_secret=CLIENT_SECRET,
            clock=self.clock,
        )
        self.workflows = WorkflowActions(
            target_url=f"{self.url}/hubspot/actions/send-sms", client_secret=CLIENT_SECRET, clock=self.clock
        )
        self.twilio = TwilioWorld(
            self.clock, ACCOUNT_SID, AUTH_TOKEN, inbound_url=f"{self.url}/callbacks/twilio/inbound", pace=Pace.fast()
        )
        self.twilio.add_sender(SENDER)
        self._twilio_server = TwilioSandbox(self.twilio, faults=self.faults)
        self._hubspot_server = Server(
            create_hubspot(self.hubspot, self.clock, self.faults, self.webhooks, workflows=self.workflows)
        )
        self.redis = EmbeddedRedis(directory / "redis")
        self.environment = self._environment(database_url)
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)
        self.processes: dict[str, Process] = {}
        self.rings = True
        with mock.patch.dict(os.environ, self.environment):
            self.connector: Connector = build_connector(read_settings())

    def _environment(self, database_url: str) -> dict[str, str]:
        return {
            **os.environ,
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url,
            "PUBLIC_URL": self.url,
            "SECRET_KEYS": "an end-to-end test has no secrets to keep",
            "HUBSPOT_API_URL": self._hubspot_server.url,
            "HUBSPOT_CLIENT_SECRETS": CLIENT_SECRET,
            "TWILIO_API_URL": self._twilio_server.url,
            "TWILIO_LOOKUP_URL": self._twilio_server.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKENS": AUTH_TOKEN,
            "TWILIO_FROM": SENDER,
            "GATEWAY": "twilio",
            "CLOCK_OFFSET_FILE": str(self.directory / "clock"),
            "CRASHES_DIR": str(self.directory),
        }

    def start(self) -> None:
        """Start everything, in the order an operator would."""
        self._hubspot_server.start()
        self._twilio_server.start()
        migrated = run_smsctl(self.environment, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        self.begin_day()
        self.start_process("web")
        self.start_process("worker")
        self.start_process("clock")
        self.wait_until_ready()

    def stop(self) -> None:
        """Stop everything that still runs."""
        for name in list(self.processes):
            self.stop_process(name)
        self.http.close()
        self._twilio_server.stop()
        self.webhooks.stop()
        self.workflows.stop()
        self._hubspot_server.stop()
        self.connector.ledger.close()
        self.connector.redis.close()
        self.redis.close()

    # -- the phones

    def taken(self, number: str) -> list[Taken]:
        """Every text to a number that a gateway took, whether it arrived or not."""
        return [Taken(each.sid, each.body) for each in self.twilio.messages(number) if each.is_outbound]

    def shown(self, number: str) -> list[str]:
        """What the phone of a number got from us, oldest first."""
        return [each.body for each in self.twilio.conversation(number) if each.is_outbound]

    def reply(self, number: str, text: str, gateway: str) -> None:
        """Let a person write to our number at a gateway."""
        assert gateway == "twilio", gateway
        self.twilio.reply(number, SENDER, text)

    # -- processes

    def command(self, name: str) -> list[str]:
        """Give the command that starts `web`, `worker` or `clock`."""
        options = {
            "web": ("--host", "127.0.0.1", "--port", self.url.rpartition(":")[2]),
            "worker": ("--processes", "1"),
        }
        return smsctl(name, *options.get(name, ()))

    def start_process(self, name: str, command: list[str] | None = None) -> None:
        """Start one of `web`, `worker` and `clock`, or something that stands in for it."""
        self.processes[name] = Process(command or self.command(name), self.environment, self.log(name))

    def stop_process(self, name: str) -> int:
        """Stop one; give its exit code."""
        return self.processes.pop(name).stop()

    def log(self, name: str) -> Path:
        """Where a process writes what it has to say."""
        return self.directory / f"{name}.log"

    def complaints(self) -> list[str]:
        """What the processes logged as errors, but for what the tests themselves bring about."""
        lines = [line for log in self.directory.glob("*.log") for line in log.read_text(encoding="utf-8").splitlines()]
        errors = [line for line in lines if '"level": "error"' in line or line.startswith("Traceback")]
        return [line for line in errors if not any(word in line for word in _EXPECTED)]

    def is_ready(self) -> bool:
        """Whether the web process answers and finds ledger and queue."""
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def wait_until_ready(self) -> None:
        """Wait for the web process.

        Raises:
            AssertionError: it ended, or does not answer; says what it wrote last.
        """
        web = self.processes["web"]
        eventually(lambda: self.is_ready() or not web.is_running, "the web process answers", 60)
        assert web.is_running, self.log("web").read_text(encoding="utf-8")[-2000:]

    # -- time

    def begin_day(self) -> None:
        """Push the clock to an hour at which people may be texted, unless it is one."""
        now = self.clock.now()
        if _NOON_UTC <= now.hour < _DAY_ENDS_UTC:
            return
        noon = now.replace(hour=_NOON_UTC, minute=0, second=0, microsecond=0)
        self.clock.advance(noon - now if noon > now else noon + timedelta(days=1) - now)

    def push(self, **delta: float) -> None:
        """Let time pass, `hours=3` for instance, and wake what has become due unless `rings` is off."""
        self.clock.advance(timedelta(**delta))
        if self.rings:
            self.connector.alarm.ring()

    def while_time_passes(
        self, found: Callable[[], object], what: str, *, step: float = 2, wait: float = 30, waits_for_work: bool = True
    ) -> None:
        """Look until there is something to see, while time passes in steps of so many seconds.

        Time stands still while a worker is at something: it would not finish a request within minutes of pushed time
        that last milliseconds. Without `waits_for_work` it passes all the same, so that leases of the dead run out.
        """

        def look() -> object:
            seen = found()
            if not seen and not (waits_for_work and self._is_at_work()):
                self.push(seconds=step)
            return seen

        eventually(look, what, wait)

    def _is_at_work(self) -> bool:
        """Whether a row is leased."""
        now = self.clock.now()
        with self.connector.ledger.engine.connect().execution_options(writes=False) as connection:
            return any(
                connection.execute(select(lease).where(lease > now, still).limit(1)).first() for lease, still in _LEASES
            )

    # -- a clean beginning

    def begin_test(self) -> None:
        """Forget what earlier tests left, in the ledger and in the pretend world."""
        self.faults.clear()
        for armed in self.twilio.receipts.armed():
            self.twilio.receipts.disarm(str(armed["kind"]))
        self.webhooks.duplicates, self.webhooks.shuffle, self.webhooks.batch_size = 0, False, LARGEST_BATCH
        self.webhooks.flush()
        while self.twilio.agenda.pop(self.clock.now() + _EVER):
            pass  # receipts of texts that the ledger is about to forget
        eventually(self._wipe, "the ledger is empty")
        self.begin_day()

    def _wipe(self) -> bool:
        try:
            with self.connector.ledger.engine.begin() as connection:
                for table in metadata.sorted_tables:
                    connection.execute(delete(table))
        except OperationalError:
            return False  # PostgreSQL found a ring of waits with a worker that still writes; once more
        return True

    # -- Redis

    def kill_redis(self) -> None:
        """Kill the server as a crash would."""
        with make_redis(self.redis.url) as client:
            os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        self.redis.close()

    def restart_redis(self) -> None:
        """Start it again on its port, with whatever its file holds."""
        port = int(self.environment["REDIS_URL"].split(":")[2].split("/")[0])
        with mock.patch("connector.adapters.redis_server._free_port", return_value=port):
            self.redis = EmbeddedRedis(self.directory / "redis")
