"""How many webhook events does the web process accept per second, beside the same server with one insert?"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from bench.floor_server import TOGETHER
from bench.load import Load, drive, own_maximum
from bench.report import Figure, number
from bench.sending import in_own_process
from bench.texts import prepare_ledger
from bench.webhooks import many
from bench.world import World, free_port, running, wait_for

CONNECTIONS = 32  # enough that the server's eight threads always have work

_WARM_UP = 200


def measure(world: World, events: int, rounds: int) -> list[Figure]:
    """Drive both servers in turn, and compare the medians."""
    environment = world.environment("ingest")
    in_own_process(prepare_ledger, environment)
    servers = {name: free_port() for name in ("web", *TOGETHER)}
    runs: dict[str, list[Load]] = {name: [] for name in servers}
    with ExitStack() as stack:
        for name, port in servers.items():
            stack.enter_context(running(world, name, environment, *_command(world, name, port)))
        for port in servers.values():
            wait_for(port)
            drive(port, many(_WARM_UP), CONNECTIONS)
        for _ in range(rounds):
            for name, port in servers.items():
                runs[name].append(drive(port, many(events), CONNECTIONS))
    return _figures(runs, own_maximum(many(events), CONNECTIONS))


def _command(world: World, name: str, port: int) -> tuple[str, ...]:
    if name == "web":
        return ("connector.entrypoints.cli", "web", "--host", "127.0.0.1", "--port", str(port))
    return ("bench.floor_server", str(port), str(world.folder / f"{name}.sqlite3"), name)


def _figures(runs: Mapping[str, Sequence[Load]], maximum: float) -> list[Figure]:
    speeds = {name: statistics.median(load.per_second for load in loads) for name, loads in runs.items()}
    slow = {name: statistics.median(load.p99_ms for load in loads) for name, loads in runs.items()}
    events = number(len(runs["web"][0].latencies))
    return [
        Figure(
            "ingest",
            "webhook events accepted per second",
            speeds["web"],
            "/s",
            speeds["each"],
            "the same gunicorn and threads, one durable insert by bare sqlite3 and nothing else",
            "≥ 0.6",
            f"median of {len(runs['web'])} times {events} signed one-event webhooks over {CONNECTIONS} connections; "
            f"the generator itself reaches {number(maximum)} /s",
        ),
        Figure(
            "ingest",
            "the same, a floor that commits in groups",
            speeds["web"],
            "/s",
            speeds["together"],
            "as above, but inserts that come together share a commit, as the connector's do",
        ),
        Figure("ingest", "p99 of the same, saturated", slow["web"], "ms", slow["each"], "one durable insert each"),
    ]
