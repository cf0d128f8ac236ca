"""How is the whole emulated gateway started: account, delivery, HTTP server?"""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.serve import Server
from connector.sandbox.twilio.app import create_app
from connector.sandbox.twilio.delivery import DeliveryEngine
from connector.sandbox.twilio.world import TwilioWorld

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "sandbox-auth-token"  # noqa: S105 - the pretend account's, known to everybody
SENDER = "+12025550100"  # reserved for fiction


class TwilioSandbox:
    """World, delivery engine and server together; a context manager."""

    def __init__(
        self, world: TwilioWorld, *, faults: Faults | None = None, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.world = world
        self.faults = faults or Faults()
        self.engine = DeliveryEngine(world)
        self.server = Server(create_app(world, world.clock, self.faults), host, port)

    @property
    def url(self) -> str:
        """What `TWILIO_API_URL` is to be."""
        return self.server.url

    def start(self, threads: int = 1) -> Self:
        """Serve, and deliver by itself."""
        self.server.start()
        self.engine.start(threads)
        return self

    def stop(self) -> None:
        """Stop delivering, then serving."""
        self.engine.stop()
        self.server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def run(
    port: int,
    *,
    announce: Callable[[str], None],
    host: str = "127.0.0.1",
    account_sid: str = ACCOUNT_SID,
    auth_token: str = AUTH_TOKEN,
    senders: Sequence[str] = (SENDER,),
    inbound_url: str | None = None,
    clock_path: Path | None = None,
) -> None:
    """Serve the gateway until SIGTERM or SIGINT; `announce` gets the lines a person needs to use it."""
    world = TwilioWorld(SandboxClock(clock_path), account_sid, auth_token, inbound_url=inbound_url)
    for sender in senders:
        world.add_sender(sender)
    # A SimpleQueue, as its put may interrupt its get: an Event's lock is not reentrant, and two signals in a row
    # would leave the process waiting for itself.
    stopped: SimpleQueue[int] = SimpleQueue()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda number, _: stopped.put(number))
    with TwilioSandbox(world, host=host, port=port) as sandbox:
        announce(f"TWILIO_API_URL={sandbox.url}")
        announce(f"TWILIO_ACCOUNT_SID={account_sid}")
        announce(f"TWILIO_AUTH_TOKENS={auth_token}")
        announce(f"TWILIO_FROM={senders[0]}")
        stopped.get()
