"""How does the browser hear of a change the moment it happens?

Server-sent events: a whole snapshot after every change. The worlds only count their changes, so a stream looks at
the counters a few times a second, which costs nothing and also sees a clock pushed by another process.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.page.crm import Side
from connector.sandbox.page.workflows import Workflows
from connector.sandbox.twilio.world import TwilioWorld

LOOK_EVERY = 0.1  # seconds; below what a person notices
BREATH_EVERY = 1.0  # a line for nothing, so that a closed connection is noticed


class Stream:
    """Snapshots of one CRM or another for any number of browsers."""

    def __init__(
        self,
        sides: Iterable[Side],
        twilio: TwilioWorld,
        clock: SandboxClock,
        workflows: Workflows,
        take: Callable[[str], dict[str, Any]],
    ) -> None:
        self._twilio = twilio
        self._clock = clock
        self._workflows = workflows
        self._take = take
        self._crm_changes = 0
        self._woken = threading.Event()
        for side in sides:
            side.on_change(self._hear)

    def state(self, crm: str) -> dict[str, Any]:
        """One snapshot."""
        return self._take(crm)

    def wake(self) -> None:
        """Count a change no world counts, such as a switch that was turned."""
        self._hear()

    def events(self, crm: str) -> Iterator[str]:
        """Snapshots for one browser, until it goes away."""
        seen: tuple[object, ...] | None = None
        breathed_at = time.monotonic()
        while True:
            version = self._version()
            if version != seen:
                seen = version
                yield f"data: {json.dumps(self._take(crm), separators=(',', ':'))}\n\n"
                breathed_at = time.monotonic()
            elif time.monotonic() - breathed_at > BREATH_EVERY:
                yield ":\n\n"
                breathed_at = time.monotonic()
            self._woken.wait(LOOK_EVERY)
            self._woken.clear()

    def _hear(self, _change: object = None) -> None:
        self._crm_changes += 1
        self._woken.set()

    def _version(self) -> tuple[object, ...]:
        return (self._crm_changes, self._twilio.version, self._clock.offset, self._workflows.version)
