"""How many texts a second do two workers send through several gateways, whatever these take to answer?

Every row asks for a rate that the machine can keep, and tells which share of it was kept and what a text cost. What the
machine can keep at most is looked for first, without any brake, and then from above and below with one.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench import postgres
from bench.bare import PROCESSES, Errand, Pace, post_bare
from bench.gateway_run import WARM_SECONDS, Load, send_through_workers
from bench.report import Figure
from bench.world import World, free_port, running, wait_for

_PER_GATEWAY = 100.0  # texts a second, as `SEND_RATE` has it; four of them are within what two cores can do
_SHARES_OF_LIMIT = (0.5, 0.75, 1.0, 1.25)
_SLOWEST_LIMIT = 0.5  # share of the bare loop's speed that no send path was ever faster than; sizes the backlog
_SPARE_SECONDS = 3.0  # of backlog: between the first arrival and the count, and for the first burst

Databases = dict[str, Callable[[str], str]]
"""By name: what gives the URL of a new database."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Which rows are measured, and for how many seconds each."""

    gateways: tuple[int, ...]
    latencies: tuple[float, ...]
    seconds: float
    databases: tuple[str, ...] = ("SQLite", "PostgreSQL")
    limits: tuple[float, ...] = _SHARES_OF_LIMIT


@dataclass
class _Bench:
    world: World
    extent: Extent
    databases: Databases
    runs: int = 0
    rows: dict[tuple[str, Load], Pace] = field(default_factory=dict)

    def run(self, database: str, load: Load, expected: float) -> Pace:
        """Measure the workers once; `expected` texts a second at most."""
        self.runs += 1
        name = f"gateways_{self.runs}"
        url = self.databases[database](name)
        backlog = int(expected * (self.extent.seconds + WARM_SECONDS + _SPARE_SECONDS))
        told = f"    {database}: {_gateways(load.gateways)}, {load.latency:g} s, {load.rate or expected:.0f}/s at most"
        print(told, file=sys.stderr, flush=True)
        pace = send_through_workers(self.world, name, url, load, self.extent.seconds, backlog)
        print(f"        {pace.per_second:.0f}/s at {pace.cpu_ms:.2f} ms", file=sys.stderr, flush=True)
        return pace

    def floor(self, load: Load) -> Pace:
        """Measure the bare loop."""
        port = free_port()
        with running(
            self.world, "gateway", self.world.environment("none"), "bench.gateway", str(port), f"{load.latency}"
        ):
            wait_for(port)
            threads = load.at_once * load.gateways * (1 if load.rate else PROCESSES)
            return post_bare(Errand(f"http://127.0.0.1:{port}", load.slugs, load.rate, self.extent.seconds, threads))


def measure(world: World, extent: Extent) -> list[Figure]:
    """Measure all rows on each database, then its limit."""
    with _databases(world, extent) as databases:
        bench = _Bench(world, extent, databases)
        return [*_rows(bench), *_limits(bench)]


@contextlib.contextmanager
def _databases(world: World, extent: Extent) -> Iterator[Databases]:
    """Give the databases there are; a PostgreSQL runs only while it is measured."""
    found: Databases = {"SQLite": lambda name: f"sqlite:///{world.folder}/{name}.sqlite3"}
    with contextlib.ExitStack() as stack:
        if "PostgreSQL" in extent.databases and postgres.is_available():
            found["PostgreSQL"] = stack.enter_context(postgres.postgres())
        yield {name: make for name, make in found.items() if name in extent.databases}


def _rows(bench: _Bench) -> Iterator[Figure]:
    for gateways in bench.extent.gateways:
        floors = {}
        for latency in bench.extent.latencies:
            load = Load(gateways, latency, _PER_GATEWAY * gateways)
            floors[latency] = bench.floor(load)
            for database in bench.databases:
                bench.rows[database, load] = bench.run(database, load, load.rate)
                yield from _row(database, load, bench.rows[database, load], floors[latency])
        for database in bench.databases:
            yield _flatness(bench, database, gateways)


def _row(database: str, load: Load, pace: Pace, floor: Pace) -> list[Figure]:
    words = f"{_gateways(load.gateways)}, {1000 * load.latency:,.0f} ms, {database}"
    return [
        Figure(
            "gateways",
            f"texts per second, {words}",
            pace.per_second,
            "/s",
            load.rate,
            f"the rate that is configured; the bare loop posts {floor.per_second:.0f}/s of it",
            "≥ 0.9",
        ),
        Figure(
            "gateways",
            f"CPU per text, {words}",
            pace.cpu_ms,
            "ms",
            floor.cpu_ms,
            "CPU of the bare loop per POST, at the same rate and latency",
        ),
    ]


def _flatness(bench: _Bench, database: str, gateways: int) -> Figure:
    """Hold the cost of a text through slow gateways against that through fast ones."""
    slow, fast = (
        bench.rows[database, Load(gateways, latency, _PER_GATEWAY * gateways)].cpu_ms
        for latency in (max(bench.extent.latencies), min(bench.extent.latencies))
    )
    return Figure(
        "gateways",
        f"CPU per text at {1000 * max(bench.extent.latencies):,.0f} ms, {_gateways(gateways)}, {database}",
        slow,
        "ms",
        fast,
        f"CPU per text at {1000 * min(bench.extent.latencies):,.0f} ms",
        "≤ 1.2",
    )


def _limits(bench: _Bench) -> Iterator[Figure]:
    """Look for the rate that the machine can keep: without a brake, then with one below and above that."""
    gateways, latency = max(bench.extent.gateways), min(bench.extent.latencies)
    bare = bench.floor(Load(gateways, latency, 0.0))
    words = f"{_gateways(gateways)}, {1000 * latency:,.0f} ms"
    for database in bench.databases:
        limit = bench.run(database, Load(gateways, latency, 0.0), bare.per_second * _SLOWEST_LIMIT)
        yield Figure(
            "gateways",
            f"the machine's limit, {words}, {database}",
            limit.per_second,
            "/s",
            bare.per_second,
            "the bare loop without a brake, from as many processes and threads",
            note=f"no brake but the CPU; {limit.cpu_ms:.2f} ms of it per text, bare {bare.cpu_ms:.2f} ms",
        )
        for share in bench.extent.limits:
            rate = limit.per_second * share
            pace = bench.run(database, Load(gateways, latency, rate), rate)
            yield Figure(
                "gateways",
                f"configured {share:.0%} of the limit, {words}, {database}",
                pace.per_second,
                "/s",
                rate,
                "the rate that is configured",
                note=f"{pace.cpu_ms:.2f} ms of CPU per text",
            )


def _gateways(count: int) -> str:
    return "1 gateway" if count == 1 else f"{count} gateways"
