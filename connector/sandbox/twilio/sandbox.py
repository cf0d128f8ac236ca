"""How is the whole emulated gateway started: account, delivery, HTTP server?"""

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.courier import Post
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.gateways.sandbox import ServedGateway
from connector.sandbox.serve import Server
from connector.sandbox.twilio.app import create_app
from connector.sandbox.twilio.world import TwilioWorld

ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "sandbox-auth-token"  # noqa: S105 - the pretend account's, known to everybody
SENDER = "+12025550100"  # reserved for fiction


class TwilioSandbox(ServedGateway):
    """World, delivery engine and server together; a context manager. `post` stands in for HTTP to the connector."""

    def __init__(
        self,
        world: TwilioWorld,
        *,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        post: Post | None = None,
    ) -> None:
        self.world = world
        self.faults = faults or Faults()
        server = Server(create_app(world, world.clock, self.faults), host, port)
        super().__init__(DeliveryEngine(world, post=post), server)


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
        announce(f"TWILIO_LOOKUP_URL={sandbox.url}")
        announce(f"TWILIO_ACCOUNT_SID={account_sid}")
        announce(f"TWILIO_AUTH_TOKENS={auth_token}")
        announce(f"TWILIO_FROM={senders[0]}")
        stopped.get()
