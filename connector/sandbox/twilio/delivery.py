"""Who does what is due: moves messages along, sends the webhooks, tries them again?

Tests call `step` or `flush`; the demo and the benches `start` threads that step by themselves.
"""

import threading
from collections import deque
from datetime import UTC, datetime
from typing import Self

from connector.sandbox.twilio.agenda import Charge, Move, Notify, Task
from connector.sandbox.twilio.callbacks import Callback, CallbackResult, Courier, Post, Poster, may_retry
from connector.sandbox.twilio.refusals import RefusalError
from connector.sandbox.twilio.twiml import NotTwiMLError, texts
from connector.sandbox.twilio.world import TwilioWorld

IDLE_SECONDS = 0.05  # the clock may be pushed by another process, so an idle engine looks this often
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class DeliveryEngine:
    """Works off the world's agenda. `alerts` are the vendor's debugger entries: (code, what)."""

    def __init__(self, world: TwilioWorld, *, post: Post | None = None) -> None:
        self.world = world
        self._poster = Poster()
        self.courier = Courier(world.auth_token, post or self._poster)
        self.alerts: deque[tuple[int, str]] = deque(maxlen=1000)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def results(self) -> list[CallbackResult]:
        """Every webhook tried, oldest first."""
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
            thread = threading.Thread(target=self._run, name=f"twilio-delivery-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def stop(self) -> None:
        """Stop the threads and close connections; what is on the agenda stays there."""
        self._stopping.set()
        self.world.agenda.grew.set()
        while self._threads:
            self._threads.pop().join(timeout=20)  # a webhook in flight may take its 15 seconds
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
            case Move(sid, stage):
                self.world.move(sid, stage, due_at)
            case Charge(sid):
                self.world.charge(sid)
            case Notify(callback, tries):
                self._notify(callback, tries, due_at)

    def _notify(self, callback: Callback, tries: int, due_at: datetime) -> None:
        result = self.courier.send(callback, due_at)
        self.world.calls[f"callbacks.{callback.kind}"] += 1
        if may_retry(result, tries + 1):
            self.world.agenda.put(due_at, Notify(callback, tries + 1))
        elif not result.is_ok:
            self.alerts.append((11200, f"{callback.url} answered {result.status or result.error}"))
        elif callback.kind == "inbound":
            self._answer(result)

    def _answer(self, result: CallbackResult) -> None:
        try:
            inbound = self.world.fetch(result.callback.form["MessageSid"])
            bodies = texts(result.body, result.content_type)
        except RefusalError:
            return  # deleted while the webhook was under way
        except NotTwiMLError as error:
            self.alerts.append((12100, str(error)))
            return
        for body in bodies:
            self.world.send_back(inbound, body)
