"""How many webhook events does the web process accept per second, beside the same server with one insert?"""

from __future__ import annotations

import statistics

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
    ports = free_port(), free_port()
    web = ("connector.entrypoints.cli", "web", "--host", "127.0.0.1", "--port", str(ports[0]))
    floor = ("bench.floor_server", str(ports[1]), str(world.folder / "floor.sqlite3"))
    runs: tuple[list[Load], list[Load]] = ([], [])
    with running(world, "web", environment, *web), running(world, "floor", environment, *floor):
        for port in ports:
            wait_for(port)
            drive(port, many(_WARM_UP), CONNECTIONS)
        for _ in range(rounds):
            for port, found in zip(ports, runs, strict=True):
                found.append(drive(port, many(events), CONNECTIONS))
    maximum = own_maximum(many(events), CONNECTIONS)
    return _figures(*runs, maximum)


def _figures(ours: list[Load], floors: list[Load], maximum: float) -> list[Figure]:
    speed, floor_speed = (statistics.median(load.per_second for load in loads) for loads in (ours, floors))
    slow, floor_slow = (statistics.median(load.p99_ms for load in loads) for loads in (ours, floors))
    events = number(len(ours[0].latencies))
    return [
        Figure(
            "ingest",
            "webhook events accepted per second",
            speed,
            "/s",
            floor_speed,
            "the same gunicorn, threads and group commit, one durable insert by bare sqlite3 and nothing else",
            "≥ 0.6",
            f"median of {len(ours)} times {events} signed one-event webhooks over {CONNECTIONS} connections; "
            f"the generator itself reaches {number(maximum)} /s",
        ),
        Figure("ingest", "p99 of the same, saturated", slow, "ms", floor_slow, "as above"),
    ]
