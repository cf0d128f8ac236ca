"""How fast is the connector, and how far is that from what the machine could do? `make bench`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench import backtest, crm, gateways, ingest, latency, routing, sending
from bench.gateways import Extent
from bench.report import Figure, as_json, show
from bench.world import World, make_world


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: enough for figures that can be told from noise, or just enough to see that it runs."""

    events: int
    texts: int
    rounds: int
    history: int
    latencies: int
    written_back: int
    backtested: int
    routed_hours: float
    gateways: Extent


FULL = Size(
    events=4000,
    texts=1500,
    rounds=3,
    history=1_000_000,
    latencies=20,
    written_back=600,
    backtested=20_000,
    routed_hours=6,
    gateways=Extent((1, 2, 4), (0.05, 0.2, 1.0), seconds=8.0),
)
QUICK = Size(
    events=1000,
    texts=500,
    rounds=1,
    history=100_000,
    latencies=5,
    written_back=200,
    backtested=2000,
    routed_hours=1,
    gateways=Extent((1, 4), (0.05, 1.0), seconds=5.0, databases=("SQLite",), limits=(0.75,)),
)

PARTS: dict[str, Callable[[World, Size], list[Figure]]] = {
    "ingest": lambda world, size: ingest.measure(world, size.events, size.rounds),
    "latency": lambda world, size: latency.measure(world, size.latencies),
    "send": lambda world, size: sending.measure(world, size.texts, size.rounds, size.history),
    "gateways": lambda world, size: gateways.measure(world, size.gateways),
    "backtest": lambda world, size: backtest.measure(world, size.backtested),
    "crm": lambda world, size: crm.measure(world, size.written_back),
    "routing": lambda _world, size: routing.measure(size.routed_hours),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    options = _options(arguments)
    size = QUICK if options.quick else FULL
    figures: list[Figure] = []
    with make_world() as world:
        for part in options.only:
            print(f"==> Measuring {part}", file=sys.stderr, flush=True)
            figures += PARTS[part](world, size)
    if options.json:
        print(as_json(figures))
    else:
        show(figures)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: seconds, and noisier figures")
    parser.add_argument("--only", type=_parts, default=list(PARTS), metavar=",".join(PARTS), help="parts to measure")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args(arguments)


def _parts(text: str) -> list[str]:
    names = text.split(",")
    if unknown := sorted(set(names) - set(PARTS)):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}; known are {', '.join(PARTS)}")
    return names


if __name__ == "__main__":
    main()
