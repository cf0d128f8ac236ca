"""How many texts does one worker send, and what does each cost, beside bare httpx that only POSTs?

Every measurement runs in a process of its own, the connector's and the floor's alike: its CPU is what that process
used.
"""

from __future__ import annotations

import base64
import multiprocessing
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

import httpx

from bench.history import fill
from bench.report import Figure, number
from bench.texts import BODY, Queued, connector_of, prepare_ledger, queue_texts
from bench.texts import number as phone
from bench.world import ACCOUNT_SID, SENDER, World, free_port, running, wait_for
from connector.bootstrap import Connector

IN_FLIGHT = 50
GATEWAY_SECONDS = 0.05

_CONTACTS = 200
_WARM_UP = 2 * IN_FLIGHT  # opens the connections, compiles the statements
_T = TypeVar("_T")


class Runner(Protocol):
    """Calls a function somewhere and gives its result."""

    def __call__(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Call it."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took."""

    texts: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Texts per second."""
        return self.texts / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds per text, user and system."""
        return 1000 * self.cpu_seconds / self.texts


def in_own_process(function: Callable[..., _T], *arguments: Any) -> _T:
    """Call a function in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def measure(world: World, count: int, rounds: int, history: int, run: Runner = in_own_process) -> list[Figure]:
    """Send through the floor, an almost empty ledger and a full one in turn, and compare the medians."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    few, full = (world.environment(name, TWILIO_API_URL=url) for name in ("few", "full"))
    crm_ids = [str(index) for index in range(_CONTACTS)]
    few_texts, full_texts = (run(prepare_ledger, environment, crm_ids) for environment in (few, full))
    print(f"    filling a ledger with {history:,} texts", file=sys.stderr, flush=True)
    took = fill(world.folder / "full.sqlite3", full_texts.account_id, history)
    floors: list[Run] = []
    runs: list[Run] = []
    full_runs: list[Run] = []
    with running(world, "gateway", few, "bench.gateway", str(port), str(GATEWAY_SECONDS)):
        wait_for(port)
        for _ in range(rounds):
            floors.append(run(send_bare, url, count))
            runs.append(run(send_through_connector, few, few_texts, count))
            full_runs.append(run(send_through_connector, full, full_texts, count))
    return [*_figures(runs, floors), _full_figure(full_runs, runs, history, took)]


def send_through_connector(environment: Mapping[str, str], queued: Queued, count: int) -> Run:
    """Queue texts, then drain their lane as a worker does."""
    with connector_of(environment) as connector:
        _drain(connector, queued, min(_WARM_UP, count))
        return _drain(connector, queued, count)


def _drain(connector: Connector, queued: Queued, count: int) -> Run:
    queue_texts(connector, queued, count)
    with _measured(count) as run:
        while connector.send_path.dispatcher.drain("twilio", "transactional"):
            pass
    with connector.ledger.begin(write=False) as uow:
        left = uow.messages.waiting_lanes(connector.clock.now())
    assert not left, "texts were left in the lane"
    return run[0]


def send_bare(url: str, count: int) -> Run:
    """POST the same requests from as many threads, one client each, and do nothing else."""
    path = f"{url}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{'0' * 32}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    form_type = {"Content-Type": "application/x-www-form-urlencoded"}
    own = threading.local()
    clients: list[httpx.Client] = []

    def post(index: int) -> None:
        client = getattr(own, "client", None)
        if client is None:
            client = own.client = httpx.Client(headers=headers, timeout=30, trust_env=False)
            clients.append(client)
        status = f"https://sms.example.com/callbacks/twilio/status/{index:036d}"
        form = {"To": phone(index), "From": SENDER, "Body": BODY, "StatusCallback": status, "ValidityPeriod": "36000"}
        answer = client.post(path, content=urlencode(form).encode(), headers=form_type)
        assert answer.status_code == 201

    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(post, range(min(_WARM_UP, count))))
        with _measured(count) as run:
            list(pool.map(post, range(count)))
    for client in clients:
        client.close()
    return run[0]


@contextmanager
def _measured(texts: int) -> Iterator[list[Run]]:
    """Give a list that holds the run once the block is over."""
    runs: list[Run] = []
    started, cpu = time.perf_counter(), _cpu()
    yield runs
    runs.append(Run(texts, time.perf_counter() - started, _cpu() - cpu))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _figures(ours: Sequence[Run], floors: Sequence[Run]) -> list[Figure]:
    """Compare runs with the floor's of the same minute, by the median of each."""
    speed, floor_speed = (statistics.median(run.per_second for run in runs) for runs in (ours, floors))
    cpu, floor_cpu = (statistics.median(run.cpu_ms for run in runs) for runs in (ours, floors))
    texts = number(ours[0].texts)
    return [
        Figure(
            "send",
            "texts per second, one worker",
            speed,
            "/s",
            floor_speed,
            f"bare httpx, {IN_FLIGHT} threads with a client each, the same POSTs and nothing else",
            note=f"median of {len(ours)} times {texts} texts to a gateway that answers in 50 ms, {IN_FLIGHT} in flight",
        ),
        Figure(
            "send",
            "CPU per text",
            cpu,
            "ms",
            floor_cpu,
            "CPU of bare httpx per POST",
            "≤ 2.5",
            "may we, claim, attempt, POST, record, timeline, CRM wish; user and system time of the worker process",
        ),
    ]


def _full_figure(full: Sequence[Run], empty: Sequence[Run], history: int, took: float) -> Figure:
    return Figure(
        "send",
        f"the same, {history:,} texts in the ledger",
        statistics.median(run.per_second for run in full),
        "/s",
        statistics.median(run.per_second for run in empty),
        "the figure with an almost empty ledger",
        "≥ 0.9",
        f"{history:,} texts of half a year, each with its attempt and a timeline entry, made in {took:.0f} s",
    )
