"""Who does what is due: moves messages along, sends the callbacks, tries them again?

Tests call `step` or `flush`; the demo and the benches `start` threads that step by themselves.
"""

import threading
from datetime import UTC, datetime
from typing import Any, Self

from connector.sandbox.gateways.agenda import Later, Move, Notify, Task
from connector.sandbox.gateways.courier import Callback, CallbackResult, Courier, Post, Poster
from connector.sandbox.gateways.exchange import Exchange

IDLE_SECONDS = 0.05  # the clock may be pushed by another process, so an idle engine looks this often
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class DeliveryEngine:
    """Works off a world's agenda; `post` stands in for HTTP on the way to the connector."""

    def __init__(self, world: Exchange[Any], *, post: Post | None = None) -> None:
        self.world = world
        self._poster = Poster()
        self.courier = Courier(post or self._poster)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def results(self) -> list[CallbackResult]:
        """Every callback tried, oldest first."""
        return list(self.courier.results)

    def step(self, now: datetime | None = None) -> int:
        """Do what is due at `now` (the clock's time when not given), what comes of it included."""
        limit = now or self.world.clock.now()
        done = 0
        while (entry := self.world.agenda.pop(limit)) is not None:
            self._do(*entry)
            done += 1
        return done

    def flush(self) -> int:
        """Do everything on the agenda, however far in the future, in due order."""
        return self.step(END_OF_TIME)

    def start(self, threads: int = 1) -> Self:
        """Step by itself. With several threads callbacks of one message may overtake each other."""
        self._stopping.clear()
        for number in range(threads):
            thread = threading.Thread(target=self._run, name=f"gateway-delivery-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def stop(self) -> None:
        """Stop the threads and close connections; what is on the agenda stays there."""
        self._stopping.set()
        self.world.agenda.grew.set()
        while self._threads:
            self._threads.pop().join(timeout=20)  # a callback in flight may take its 15 seconds
        self._poster.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            entry = self.world.agenda.pop(self.world.clock.now())
            if entry is not None:
                self._do(*entry)
            else:
                self.world.agenda.grew.clear()
                self.world.agenda.grew.wait(IDLE_SECONDS)

    def _do(self, due_at: datetime, task: Task) -> None:
        match task:
            case Move(message_id, stage):
                self.world.move(message_id, stage, due_at)
            case Notify(callback, tries):
                self._notify(callback, tries, due_at)
            case Later(work):
                work(due_at)

    def _notify(self, callback: Callback, tries: int, due_at: datetime) -> None:
        call = self.world.signed(callback, tries, due_at)
        result = self.courier.send(callback, call, due_at)
        self.world.count(f"callbacks.{callback.kind}")
        if result.is_ok:
            self.world.taken(result)
            return
        wait = self.world.retry_after(result, tries + 1)
        if wait is None:
            self.world.gave_up(result)
        else:
            self.world.agenda.put(due_at + wait, Notify(callback, tries + 1))
