"""What do all pretend gateways have in common: phones, texts on their way, callbacks, ways to let them go wrong?"""

import random
import threading
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from connector.sandbox.clock import SandboxClock
from connector.sandbox.gateways.agenda import Agenda, Move, Notify
from connector.sandbox.gateways.courier import Callback, CallbackResult
from connector.sandbox.gateways.handsets import Handset, is_on_screen
from connector.sandbox.gateways.messages import Message
from connector.sandbox.gateways.receipts import SIGNATURES, FailureCodes, Oddities, Pace, Stage, held, stalled
from connector.sandbox.gateways.skin import Call, Calls

VALIDITY = timedelta(days=2)  # what carriers commonly grant a text that names no validity of its own

M = TypeVar("M", bound=Message)


class Exchange(ABC, Generic[M]):
    """One account with one vendor, as far as no vendor differs. Thread-safe; time is the sandbox's.

    Attributes:
        receipts: what is armed for the receipts of the next messages.
        outages: calling prefixes (`+44`) of countries whose texts are accepted and never arrive: `sent` is their
            last word.
        calls: requests and callbacks, by operation.
        version: grows with every change.
    """

    def __init__(self, clock: SandboxClock, codes: FailureCodes, pace: Pace | None = None, seed: int = 0) -> None:
        self.clock = clock
        self.pace = pace or Pace()
        self.receipts, self.agenda = Oddities(), Agenda()
        self.outages: set[str] = set()
        self.handsets: dict[str, Handset] = {}
        self.calls: Counter[str] = Counter()
        self.version = 0
        self._codes = codes
        self._messages: dict[str, M] = {}
        self._by_number: defaultdict[str, list[M]] = defaultdict(list)
        self._chance = random.Random(seed)
        self._lock = threading.RLock()

    # -- phones

    def add_handset(self, number: str, name: str = "") -> Handset:
        """A phone with a name on it. Other numbers get a phone when the first text is sent to them."""
        with self._lock:
            handset = self.handsets.setdefault(number, Handset(number))
            handset.name = name or handset.name
            self.version += 1
            return handset

    def switch_handset(self, number: str, is_on: bool) -> None:
        """Turn a phone on or off."""
        self.add_handset(number).is_on = is_on
        self.version += 1

    def conversation(self, number: str) -> list[M]:
        """What the phone of `number` shows, in the order it got there."""
        shown = [message for message in self.messages(number) if is_on_screen(message)]
        return sorted(shown, key=lambda message: message.arrived_at or message.created_at)

    # -- texts

    def messages(self, number: str | None = None) -> list[M]:
        """All messages, or those to or from `number`, oldest first."""
        with self._lock:
            found = self._messages.values() if number is None else self._by_number.get(number, [])
            return list(found)

    def forget_messages(self) -> None:
        """Drop every message, as a vendor does when its time of keeping them is over."""
        with self._lock:
            self._messages.clear()
            self._by_number.clear()
            self.version += 1

    def count(self, name: str) -> None:
        """Count a request or a callback."""
        with self._lock:
            self.calls[name] += 1

    # -- what happens by itself: called by the engine

    def move(self, message_id: str, stage: Stage, at: datetime) -> None:
        """Let a message reach `stage`, and put the callbacks about it on the agenda."""
        with self._lock:
            message = self._messages.get(message_id)
            if message is None or message.is_final:
                return
            message.reach(stage.status, stage.error_code, at)
            self.version += 1
            if message.callback_url is not None and stage.callbacks:
                times = [at + max(call - stage.after, timedelta()) for call in stage.callbacks]
                self._notify("status", message, self._status_calls(message, stage, at), times)

    @abstractmethod
    def signed(self, callback: Callback, tries: int, at: datetime) -> Call:
        """The callback as it goes out at `at`, after `tries` tries before."""

    @abstractmethod
    def retry_after(self, result: CallbackResult, tries: int) -> timedelta | None:
        """How long after `tries` failed tries the next one comes, or None."""

    @abstractmethod
    def taken(self, result: CallbackResult) -> None:
        """The receiver took a callback; what it answered may mean something."""

    @abstractmethod
    def gave_up(self, result: CallbackResult) -> None:
        """Nobody took a callback; this was the last try."""

    # -- inside

    @abstractmethod
    def _status_calls(self, message: M, stage: Stage, at: datetime) -> Calls:
        """The callbacks about a stage that was just reached."""

    def _keep(self, message: M) -> M:
        self._messages[message.id] = message
        for number in {message.to, message.sender}:
            self._by_number[number].append(message)
        self.version += 1
        return message

    def _plan(self, message: M, delay: timedelta = timedelta(), before: Iterable[Stage] = ()) -> None:
        """Put the message's way on the agenda: `before`, the pace's stages, and what is armed."""
        stages = [*before, *self.pace.stages(self._chance)]
        stages = self.add_handset(message.to).bend(stages, self._codes)
        if message.to.startswith(tuple(self.outages)):
            stages = stalled(stages)
        if delay:
            stages = held(stages, delay, timedelta.max, self._codes)
        for oddity in self.receipts.take():
            stages = oddity.bend(stages, message.valid_for or VALIDITY, self._codes)
            message.signing = oddity.kind if oddity.kind in SIGNATURES else message.signing
        for stage in stages:
            self.agenda.put(message.created_at + stage.after, Move(message.id, stage))

    def _notify(self, kind: str, message: M, calls: Calls, times: Iterable[datetime]) -> None:
        each = [calls] if isinstance(calls, Call) else calls or ()
        for at in times:
            for call in each:
                self.agenda.put(at, Notify(Callback(kind, message.id, call, message.signing)))
