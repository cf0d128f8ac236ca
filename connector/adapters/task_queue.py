"""How does a nudge travel from the process that has work for a lane to a worker that drains it?

Over RQ, one queue per lane. A job carries nothing but its lane's name; what there is to do stands in the ledger.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from uuid import uuid4

import redis
import structlog
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from connector.domain.message import Purpose
from connector.ports import queue as lanes

DRAIN_JOB = "connector.entrypoints.jobs.drain"
"""The one function a worker runs, with the lane's name as its only argument."""

_FLAG = "nudge:"
_FLAG_SECONDS = 10  # a flag left by a crash between flag and job blocks its lane no longer than this
_JOB_SECONDS = 3600  # a nudge that waited an hour tells nothing that the sweep did not find long ago
_DRAIN_SECONDS = 120  # a drain is bounded to seconds; after two minutes something in it hangs
_PAUSE_SECONDS = 1.0  # while Redis is away, one nudge a second pays for finding that out, the others do not
_SAY_AGAIN_SECONDS = 60.0  # one log line a minute is enough to know that Redis is away

log = structlog.get_logger(__name__)


class RQTaskQueue:
    """Nudges over RQ; see `connector.ports.queue.TaskQueue`. Safe to use from many threads."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        drain_job: str = DRAIN_JOB,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._drain_job = drain_job
        self._monotonic = monotonic
        self._queues: dict[str, Queue] = {}
        self._lock = threading.Lock()
        self._quiet_until = self._say_again_at = float("-inf")

    def nudge(self, lane: str) -> None:
        """Ask that `lane` be drained soon; a lane that was asked for and has not begun is not asked for again."""
        if self._monotonic() < self._quiet_until:
            return
        try:
            if self._client.set(_FLAG + lane, uuid4().hex, nx=True, ex=_FLAG_SECONDS) and not self.waits([lane]):
                self._enqueue(lane)
        except redis.RedisError as exc:
            self._note_absence(exc)

    def begin(self, lane: str) -> None:
        """Say that a drain of `lane` begins: from now on a nudge means work that this drain may not see."""
        try:
            self._client.delete(_FLAG + lane)
        except redis.RedisError as exc:
            self._note_absence(exc)

    def waits(self, lanes: Sequence[str]) -> bool:
        """Tell whether a nudge for one of these lanes waits for a worker; not while Redis is away."""
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for lane in lanes:
                    pipeline.llen(Queue.redis_queue_namespace_prefix + lane)
                return any(pipeline.execute())
        except redis.RedisError:
            return False

    def workers(self) -> int:
        """Count the workers that listen, on all machines."""
        return int(Worker.count(self._client))

    @staticmethod
    def lanes_in_order(gateways: Sequence[str], crms: Sequence[str]) -> tuple[str, ...]:
        """Give all lanes, most urgent first: a worker takes from the first that has something.

        Replies and receipts come first because an opt-out may be among them, one-time codes before anything else
        that is sent, bulk last, even behind maintenance: a campaign takes hours, and somebody has to ask about codes
        meanwhile. What other systems are told comes before the CRM: a journey may wait for an answer.
        """
        return (
            lanes.RECEIPTS,
            *(lanes.send_lane(gateway, Purpose.OTP) for gateway in gateways),
            lanes.EVENTS,
            lanes.JOURNEYS,
            lanes.WORKFLOWS,
            lanes.LOOKUPS,
            *(lanes.send_lane(gateway, Purpose.TRANSACTIONAL) for gateway in gateways),
            lanes.EFFECTS,
            *(lanes.writeback_lane(crm) for crm in crms),
            lanes.MAINTENANCE,
            *(lanes.send_lane(gateway, Purpose.MARKETING) for gateway in gateways),
        )

    def _enqueue(self, lane: str) -> None:
        self._queue(lane).enqueue_call(
            self._drain_job,
            args=(lane,),
            timeout=_DRAIN_SECONDS,
            ttl=_JOB_SECONDS,
            result_ttl=0,
            failure_ttl=0,
            description=lane,
        )

    def _queue(self, lane: str) -> Queue:
        """Keep one Queue per lane: each asks Redis for its version once."""
        with self._lock:
            if lane not in self._queues:
                self._queues[lane] = Queue(lane, connection=self._client, serializer=JSONSerializer)
            return self._queues[lane]

    def _note_absence(self, exc: redis.RedisError) -> None:
        now = self._monotonic()
        self._quiet_until = now + _PAUSE_SECONDS
        if now >= self._say_again_at:
            self._say_again_at = now + _SAY_AGAIN_SECONDS
            log.warning("nudges are lost, the sweep will find the work", error=type(exc).__name__)
