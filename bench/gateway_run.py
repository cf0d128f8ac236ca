"""What do two worker processes send through some gateways in a steady while, and at which cost?

A ledger, a folder of mappings, a pretend gateway, a clock and two workers of each run's own. What is counted is what
arrives at the gateway; what is left in the ledger afterwards is thrown away.
"""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.bare import PROCESSES, Pace
from bench.texts import connector_of, prepare_ledger, queue_texts
from bench.vendors import VENDORS
from bench.world import World, fetch, free_port, running, wait_for
from connector.adapters.redis_server import make_redis
from connector.domain.message import MessageState

WARM_SECONDS = 3.0
"""So many seconds' texts go uncounted: by then connections are open, and statements compiled."""

_WARM_TEXTS = 500  # without a rate

_START_SECONDS = 60.0
_SPARE = 1.5  # times as many requests at once as rate and latency need: answers are taken in every 20 ms, not at once
_UNBRAKED = 10_000.0  # a second: no rate at all
_AT_ONCE = 50  # requests to a gateway without a brake, per process; as `SEND_CONCURRENCY` has it
_SOUND = frozenset({state.value for state in (MessageState.QUEUED, MessageState.DISPATCHING, MessageState.ACCEPTED)})


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the workers.

    Attributes:
        gateways: how many.
        latency: seconds until each of them answers.
        rate: texts a second, through all of them together; 0 for as many as can be.
    """

    gateways: int
    latency: float
    rate: float

    @property
    def slugs(self) -> Sequence[str]:
        """Which gateways."""
        return tuple(VENDORS)[: self.gateways]

    @property
    def at_once(self) -> int:
        """How many requests to one gateway one process may have under way: enough to reach the rate alone."""
        each = self.rate / self.gateways
        return max(4, math.ceil(each * (self.latency + 0.1) * _SPARE)) if each else _AT_ONCE


def send_through_workers(world: World, name: str, database: str, load: Load, seconds: float, backlog: int) -> Pace:
    """Queue texts for all gateways alike, start clock and workers, and count for a while.

    `name` is of the run and names its folder and logs, `database` is a `DATABASE_URL` with nothing in it, and the
    `backlog` of texts has to be enough for the whole while.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = _environment(world, name, database, load, url)
    _forget(world)
    queued = prepare_ledger(environment)
    with connector_of(environment) as connector:
        queue_texts(connector, queued, backlog, [(slug, f"by-{slug}") for slug in load.slugs])
    cli = "connector.entrypoints.cli"
    with running(world, f"{name}-gateway", environment, "bench.gateway", str(port), str(load.latency)):
        wait_for(port)
        with _workers(world, name, environment) as workers:
            _wait_until_all_listen(environment)
            with running(world, f"{name}-clock", environment, cli, "clock"):  # now somebody tells them of the texts
                pace = _counted(url, workers, seconds, int(load.rate * WARM_SECONDS) or _WARM_TEXTS)
    _check(environment, name)
    return pace


def mapping_file(load: Load) -> str:
    """Write `gateways.yaml`: of each gateway a price, a sender, a rate, and a route on which the others follow it."""
    slugs = load.slugs
    each = load.rate / load.gateways or _UNBRAKED
    # Without one a second's worth may go at once after a pause, and what was late at the start would be caught up with.
    rate = f"{{per_second: {each:.1f}, burst: {max(1, round(each / 2))}, concurrency: {load.at_once}}}"
    price = '{currency: USD, source: made up, checked_on: 2026-11-20, default: "0.0080"}'
    in_turn = {slug: ", ".join([*slugs[first:], *slugs[:first]]) for first, slug in enumerate(slugs)}
    lines = [
        "prices:",
        *(f"  {slug}: {price}" for slug in slugs),
        "senders:",
        *(f'  - {{sender: "{VENDORS[slug].sender}", gateway: {slug}, kind: long_code}}' for slug in slugs),
        "rates:",
        "  gateways:",
        *(f"    {slug}: {rate}" for slug in slugs),
        "routes:",
        "  standard: twilio",
        *(f"  by-{slug}: {{gateways: [{others}], prefer: in_order}}" for slug, others in in_turn.items()),
    ]
    return "\n".join(lines) + "\n"


def _environment(world: World, name: str, database: str, load: Load, url: str) -> dict[str, str]:
    mappings = world.folder / f"{name}-mappings"
    shutil.copytree(Path("mappings"), mappings)
    (mappings / "gateways.yaml").write_text(mapping_file(load), encoding="utf-8")
    settings = {key: value for slug in load.slugs for key, value in VENDORS[slug].settings(url).items()}
    return world.environment(
        name,
        **settings,
        DATABASE_URL=database,
        MAPPINGS_DIR=str(mappings),
        WORKER_PROCESSES=str(PROCESSES),
        HUBSPOT_API_URL="http://127.0.0.1:9",  # discard: no CRM is shown anything here
    )


def _forget(world: World) -> None:
    with make_redis(world.redis_url) as client:
        client.flushall()


@contextmanager
def _workers(world: World, name: str, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Run `smsctl worker`; give its process. Its drains are not waited for: they would go on to the last text."""
    with (world.folder / f"{name}-worker.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "connector.entrypoints.cli", "worker"],
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        family = psutil.Process(process.pid)
        try:
            yield family
        finally:
            family.suspend()  # or it would start anew whom we end
            for child in family.children(recursive=True):
                child.kill()
            process.kill()
            process.wait()


def _wait_until_all_listen(environment: Mapping[str, str]) -> None:
    """Wait until every worker has started: what that costs is not a text's."""
    ends = time.monotonic() + _START_SECONDS
    with connector_of(environment) as connector:
        while connector.queue.workers() < PROCESSES:
            if time.monotonic() > ends:
                raise SystemExit("the workers do not start; see their log in the bench's folder")
            time.sleep(0.1)


def _counted(url: str, workers: psutil.Process, seconds: float, uncounted: int) -> Pace:
    """Wait until texts arrive steadily, then count them and the workers' CPU for a while."""
    ends = time.monotonic() + _START_SECONDS
    while _arrived(url)[1] < uncounted:
        if time.monotonic() > ends:
            raise SystemExit("too few texts arrive at the gateway; see the worker's log in the bench's folder")
        time.sleep(0.1)
    began, before = _arrived(url)
    cpu = _cpu(workers)
    time.sleep(seconds)
    ended, after = _arrived(url)
    return Pace((after - before) / (ended - began), 1000 * (_cpu(workers) - cpu) / max(after - before, 1))


def _arrived(url: str) -> tuple[float, int]:
    told = fetch(f"{url}/counts")
    return told["at"], sum(told["counts"].values())


def _cpu(workers: psutil.Process) -> float:
    """Give the seconds of CPU that the worker processes have used."""
    times = [child.cpu_times() for child in workers.children(recursive=True)]
    return float(sum(each.user + each.system for each in times))


def _check(environment: Mapping[str, str], name: str) -> None:
    """See that every text was taken, or still waits for its turn: a figure with failures in it says nothing."""
    with connector_of(environment) as connector, connector.ledger.begin(write=False) as uow:
        counts = uow.messages.counts()
    if set(counts) - _SOUND:
        raise SystemExit(f"{name}: not every text was taken: {counts}")
    if not counts.get(MessageState.QUEUED.value):
        raise SystemExit(f"{name}: there were too few texts for the whole while: {counts}")
