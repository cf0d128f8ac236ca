"""How fast, and at which cost, does a bare loop post the requests that gateways get, with no ledger behind it?"""

from __future__ import annotations

import itertools
import multiprocessing
import resource
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from bench.texts import BODY, number
from bench.vendors import VENDORS

PROCESSES = 2
"""As many as there are workers."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast texts went, and the CPU that they cost in all processes that sent."""

    per_second: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Errand:
    """What one process posts: by so many threads for so long, `rate` a second, or as fast as it can when that is 0."""

    url: str
    slugs: Sequence[str]
    rate: float
    seconds: float
    threads: int


def post_bare(errand: Errand) -> Pace:
    """Post from two processes at once, which share rate and threads."""
    share = Errand(
        errand.url, errand.slugs, errand.rate / PROCESSES, errand.seconds, max(1, errand.threads // PROCESSES)
    )
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        told = pool.map(_post, [share] * PROCESSES, chunksize=1)
    posts = sum(count for count, _, _ in told)
    return Pace(sum(count / seconds for count, seconds, _ in told), 1000 * sum(cpu for _, _, cpu in told) / posts)


def _post(errand: Errand) -> tuple[int, float, float]:
    """Give how many were posted, in how many seconds, with how many seconds of CPU."""
    begin = threading.Barrier(errand.threads + 1)
    turns = itertools.count()
    with ThreadPoolExecutor(errand.threads) as pool:
        done = [pool.submit(_one_thread, errand, index, begin, turns) for index in range(errand.threads)]
        begin.wait()  # every thread has its connection
        started, cpu = time.perf_counter(), _cpu()
        posts = sum(future.result() for future in done)
        return posts, time.perf_counter() - started, _cpu() - cpu


def _one_thread(errand: Errand, index: int, begin: threading.Barrier, turns: itertools.count[int]) -> int:
    """Post every turn it gets, through one gateway after the other; give how many."""
    posts = 0
    with httpx.Client(timeout=30, trust_env=False) as client:
        vendors = [VENDORS[slug] for slug in errand.slugs]
        for vendor in vendors[index % len(vendors) :][:1]:
            _post_one(client, errand.url, vendor.slug, index)
        begin.wait()
        began = time.perf_counter()
        is_due = _pace(errand.rate, began)
        while time.perf_counter() - began < errand.seconds:
            turn = next(turns)
            is_due(turn)
            _post_one(client, errand.url, vendors[turn % len(vendors)].slug, turn)
            posts += 1
    return posts


def _pace(rate: float, began: float) -> Callable[[int], None]:
    """Give what waits for the time of a turn."""

    def wait(turn: int) -> None:
        pause = began + turn / rate - time.perf_counter() if rate else 0.0
        if pause > 0:
            time.sleep(pause)

    return wait


def _post_one(client: httpx.Client, url: str, slug: str, index: int) -> None:
    vendor = VENDORS[slug]
    answer = client.post(url + vendor.path, content=vendor.request(index, number(index), BODY), headers=vendor.headers)
    assert answer.is_success


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
