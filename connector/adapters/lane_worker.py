"""How does a worker take nudges from Redis and run the one function they may name?

RQ's worker, less what nudges have no use for: registries of started, finished and failed jobs, stored results and
tracebacks, commands over pub/sub, suspension, a fork per job. Whether work was done stands in the ledger, and a drain
that died is noticed by its lease, so each of these would only cost round trips and places to fail. Dropping them also
means that Redis may go away in the middle of a drain: nothing is said to it until the next nudge is waited for.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

import redis
import structlog
from rq import Queue, SimpleWorker, worker_registration
from rq.exceptions import DeserializationError, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.utils import now

from connector.adapters.task_queue import DRAIN_JOB

_TTL_SECONDS = 45  # RQ blocks for 15 s less, so a dead connection is noticed within a minute
_BEAT_SECONDS = 10.0  # often enough for a TTL of 45, far too seldom to cost anything
_LONGEST_WAIT_SECONDS = 5.0  # between tries to reach Redis again; sending pauses meanwhile

log = structlog.get_logger(__name__)


class LaneWorker(SimpleWorker):  # type: ignore[misc]  # RQ is not typed here
    """Drains lanes, the first of `lanes` that was nudged first, one at a time, in this very process.

    Args of the constructor:
        lanes: queue names, most urgent first.
        client: a client of this worker's own; RQ sets its time-out to fit a blocking wait.
        drain: called with the lane's name; whatever it raises is logged and forgotten.
        drain_job: the only function name that is accepted in a job.
        on_stop: called once the worker is asked to stop, in a signal handler: it only sets a flag.
    """

    max_connection_wait_time = _LONGEST_WAIT_SECONDS

    def __init__(
        self,
        lanes: Sequence[str],
        client: redis.Redis,
        drain: Callable[[str], object],
        *,
        drain_job: str = DRAIN_JOB,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(
            list(lanes),
            connection=client,
            serializer=JSONSerializer,
            worker_ttl=_TTL_SECONDS,
            log_job_description=False,
        )
        self._drain = drain
        self._drain_job, self._on_stop = drain_job, on_stop
        self._is_waiting = False
        self._next_beat = float("-inf")

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Drain the lane the job came from, if the job names the drain and nothing else.

        The lane is the queue's own name: who can write to Redis can make us drain, and nothing more.
        """
        if not self._is_drain(job):
            log.error("job refused: it is not a drain", lane=queue.name)
        else:
            self._drain_in_time(queue.name, job.timeout)
        with contextlib.suppress(redis.RedisError):  # the job's own time to live sees to it
            self.connection.delete(job.key)

    def _is_drain(self, job: Job) -> bool:
        try:
            return bool(job.func_name == self._drain_job)
        except DeserializationError:
            return False

    def _drain_in_time(self, lane: str, seconds: float | None) -> None:
        try:
            with self.death_penalty_class(int(seconds or 0), JobTimeoutException):
                self._drain(lane)
        except Exception as exc:  # a drain that fails leaves its lease; the sweep nudges again
            log.exception("drain failed", lane=lane, error=type(exc).__name__)

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for the next nudge; a request to stop ends the wait at once."""
        self._is_waiting = True
        try:
            if self._stop_requested:
                raise StopRequested
            found: tuple[Job, Queue] | None = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            return found
        finally:
            self._is_waiting = False

    def request_stop(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's shape
        """Stop after the drain that runs, or at once while none does.

        A nudge that had just been taken is lost with the wait; the sweep finds its work.
        """
        self._stop_requested = True
        self._on_stop()
        if self._is_waiting:
            raise StopRequested

    def _install_signal_handlers(self) -> None:
        """Leave Ctrl+C to the supervisor, which hears it too and tells its workers once."""
        signal.signal(signal.SIGTERM, self.request_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """Show that the worker lives, now and then; not being able to is no reason to die."""
        if time.monotonic() < self._next_beat:
            return
        with contextlib.suppress(redis.RedisError):
            super().heartbeat(timeout, pipeline)
            self._next_beat = time.monotonic() + _BEAT_SECONDS

    def set_state(self, state: str, pipeline: Any = None) -> None:  # noqa: ARG002 - RQ's signature
        """Remember the state; telling Redis twice per nudge would double what a nudge costs."""
        self._state = state

    def run_maintenance_tasks(self) -> None:
        """Forget workers that died without saying so; there are no registries to clean."""
        self.last_cleaned_at = now()
        with contextlib.suppress(redis.RedisError):
            for queue in self.queues:
                worker_registration.clean_worker_registry(queue)

    def check_for_suspension(self, burst: bool) -> None:
        """Never suspend: what pauses sending stands in the ledger, where it is seen."""

    def subscribe(self) -> None:
        """Take no commands over pub/sub: the supervisor's signals are the only ones."""

    def teardown(self) -> None:
        """Say goodbye if anybody listens."""
        with contextlib.suppress(redis.RedisError):
            self.register_death()
