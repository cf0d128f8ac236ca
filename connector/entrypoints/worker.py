"""Who starts the worker processes, starts them again when they die, and stops them in time?"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pkgutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

import redis
import structlog

from connector.adapters.lane_worker import LaneWorker
from connector.adapters.redis_server import make_redis
from connector.adapters.task_queue import DRAIN_JOB

_GRACE_SECONDS = 25.0  # for requests under way; platforms kill 30 s after SIGTERM, and leases end what that leaves
_FIRST_PAUSE_SECONDS = 0.5  # one death is an accident
_LONGEST_PAUSE_SECONDS = 30.0  # many are a fault that a restart will not mend, and starting costs a second of CPU
_SOUND_AFTER_SECONDS = 60.0  # a worker that lived this long did not die of how it was started

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """What a worker process needs to know.

    Attributes:
        redis_url: where nudges come from.
        lanes: queue names, most urgent first.
        verify_tls: see `make_redis`.
        prepare: dotted name of a function called once in each process before it works, such as the one that sets
            up logging; empty for none.
        drain_job: dotted name of the function that drains a lane.
        on_stop: dotted name of a function called in each process when it is asked to stop, so that the drain under
            way takes on nothing more; empty for none.
    """

    redis_url: str = field(repr=False)
    lanes: tuple[str, ...]
    verify_tls: bool = True
    prepare: str = ""
    drain_job: str = DRAIN_JOB
    on_stop: str = ""


def run_worker(options: WorkerOptions, processes: int = 2) -> None:
    """Keep `processes` workers running until SIGTERM or SIGINT, then let each finish its drain.

    Must be called from the main thread. Returns when all workers have ended; those that have not after 25 seconds
    are killed.
    """
    slots = [_Slot(options, number) for number in range(processes)]
    with _stop_pipe() as stop_pipe:
        try:
            _supervise(slots, stop_pipe)
        finally:
            _stop(slots)


@dataclass
class _Slot:
    """One place for a worker process and when it is to be filled again."""

    options: WorkerOptions
    number: int
    process: SpawnProcess | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS

    def fill(self, now: float) -> None:
        """Start a process. It is a daemon so that not even a bug here leaves it behind."""
        context = multiprocessing.get_context("spawn")  # forking a process with threads and clients is unsafe
        self.process = context.Process(target=_work, args=(self.options,), name=f"worker-{self.number}", daemon=True)
        self.process.start()
        self.started_at = now

    def note_death(self, now: float) -> None:
        """Plan the next start: soon after one death, later and later after a row of them."""
        assert self.process is not None  # noqa: S101 - only filled slots are watched
        if now - self.started_at >= _SOUND_AFTER_SECONDS:
            self.pause = _FIRST_PAUSE_SECONDS
        self.due_at = now + self.pause
        log.warning("worker died", worker=self.number, code=self.process.exitcode, again_in=self.pause)
        self.pause = min(self.pause * 2, _LONGEST_PAUSE_SECONDS)
        self.process.join()
        self.process = None


def _supervise(slots: Sequence[_Slot], stop_pipe: int) -> None:
    """Fill empty slots when they are due, until a byte arrives in the pipe."""
    while True:
        now = time.monotonic()
        for slot in slots:
            if slot.process is None and slot.due_at <= now:
                slot.fill(now)
        watched = {slot.process.sentinel: slot for slot in slots if slot.process is not None}
        pauses = [max(0.0, slot.due_at - now) for slot in slots if slot.process is None]
        ready = wait([*watched, stop_pipe], min(pauses, default=None))
        if stop_pipe in ready:
            return
        for sentinel in ready:
            if isinstance(sentinel, int):
                watched[sentinel].note_death(time.monotonic())


def _stop(slots: Sequence[_Slot]) -> None:
    running = [slot.process for slot in slots if slot.process is not None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + _GRACE_SECONDS
    for process in running:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            log.warning("worker killed: its drain did not end", worker=process.name)
            process.kill()
            process.join()


@contextlib.contextmanager
def _stop_pipe() -> Iterator[int]:
    """Give a file descriptor that becomes readable on SIGTERM or SIGINT.

    The handlers do nothing themselves: what they interrupt would go on waiting, so Python writes the signal's
    number into the pipe instead.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    stops = (signal.SIGTERM, signal.SIGINT)
    old_handlers = {number: signal.signal(number, lambda *_: None) for number in stops}
    old_writer = signal.set_wakeup_fd(writer)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(old_writer)
        for number, handler in old_handlers.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


def _work(options: WorkerOptions) -> None:
    """Be one worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the supervisor answers it
    threading.Thread(target=_follow_parent, name="follow-parent", daemon=True).start()
    if options.prepare:
        pkgutil.resolve_name(options.prepare)()
    drain = pkgutil.resolve_name(options.drain_job)
    client = make_redis(options.redis_url, verify_tls=options.verify_tls)
    try:
        on_stop = pkgutil.resolve_name(options.on_stop) if options.on_stop else _nothing
        LaneWorker(options.lanes, client, drain, drain_job=options.drain_job, on_stop=on_stop).work()
    except redis.RedisError as exc:
        log.warning("worker found no Redis", error=type(exc).__name__)
        sys.exit(1)


def _nothing() -> None:
    """Do nothing."""


def _follow_parent() -> None:
    """End with a supervisor that was killed: nobody else would ever stop us."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
