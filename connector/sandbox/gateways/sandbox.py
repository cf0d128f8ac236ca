"""How is a whole pretend gateway started: account, delivery, HTTP server?"""

from typing import Any, Self

from flask import Flask

from connector.sandbox.clock import SandboxClock
from connector.sandbox.control import control_blueprint
from connector.sandbox.faults import Faults
from connector.sandbox.gateways.control import gateway_control
from connector.sandbox.gateways.courier import Post
from connector.sandbox.gateways.delivery import DeliveryEngine
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.gateways.skin import Skin
from connector.sandbox.gateways.world import GatewayWorld
from connector.sandbox.serve import Server


def create_app(world: GatewayWorld, faults: Faults) -> Flask:
    """The vendor's API over `world`, with the sandbox's own control endpoints under `/_sandbox`."""
    app = Flask(f"sandbox-{world.skin.slug}")
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.register_blueprint(control_blueprint(world.clock, faults))
    app.register_blueprint(gateway_control(world))
    app.register_blueprint(world.skin.blueprint(world, faults))
    return app


class ServedGateway:
    """A delivery engine and a server that start and stop together; a context manager.

    A test that wants to say itself when something is delivered uses `with box.server:` and `box.engine.step()`.
    """

    def __init__(self, engine: DeliveryEngine, server: Server) -> None:
        self.engine = engine
        self.server = server

    @property
    def url(self) -> str:
        """Base URL of the vendor's API, without a trailing slash."""
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


class GatewaySandbox(ServedGateway):
    """World, delivery engine and server of one vendor."""

    def __init__(
        self,
        skin_or_world: Skin | GatewayWorld,
        clock: SandboxClock | None = None,
        pace: Pace | None = None,
        *,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        post: Post | None = None,
        **account: Any,
    ) -> None:
        """With a skin, a world is made for it: `clock`, `pace` (`Pace.fast()`) and `account` are its arguments.

        `post` stands in for HTTP on the way to the connector.
        """
        if isinstance(skin_or_world, GatewayWorld):
            self.world = skin_or_world
        else:
            self.world = GatewayWorld(skin_or_world, clock, pace=pace or Pace.fast(), **account)
        self.faults = faults or Faults()
        server = Server(create_app(self.world, self.faults), host, port)
        super().__init__(DeliveryEngine(self.world, post=post), server)
