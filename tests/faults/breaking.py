"""Which ways of failing does every gateway have to be survived in, and what may each of them come to?"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.faults.emulated import DONE_FIRST, Emulated

_TEXTS = 3  # one of each purpose meets the fault with its first try
_CUT = 0.05  # seconds a connection is held before it is cut
_SLOW = 0.05  # seconds of a slow answer, below the shortened time-outs
_HTML = "<html>oops</html>"


class Leaves(Enum):
    """What a fault leaves the connector with."""

    NOTHING = "it certainly did not go out"
    DOUBT_UNTAKEN = "it did not go out, and nobody said so"
    DOUBT_TAKEN = "it went out, and nobody said so"
    TAKEN = "the gateway said that it took it"
    TAKEN_IN_VAIN = "the gateway said that it took it, and no phone ever shows it"


@dataclass(frozen=True)
class Breakage:
    """One way of failing.

    Attributes:
        name: as the test is called.
        sends: faults of the first send of each text: kind and options of `connector.sandbox.faults`.
        receipts: oddities of all receipts.
        is_heard: receipts are sent, and are believed in the end.
        is_refused, is_unanswered: connections that fail before anything can leave.
        is_waited_out: the time-out is the connector's own.
        is_out: the carriers of everybody's country are down, for this gateway.
    """

    name: str
    leaves: Leaves
    sends: tuple[str, dict[str, Any]] | None = None
    receipts: tuple[tuple[str, dict[str, Any]], ...] = ()
    is_heard: bool = True
    is_refused: bool = False
    is_unanswered: bool = False
    is_out: bool = False
    is_waited_out: bool = False

    def arm(self, vendor: Emulated) -> None:
        """Let it happen."""
        if self.sends is not None:
            kind, options = self.sends
            vendor.break_sends(kind, _TEXTS, **options)
        for kind, options in self.receipts:
            vendor.bend_receipts(kind, **options)
        if self.is_out:
            vendor.cut_off("+44")

    def __str__(self) -> str:
        """Give its name."""
        return self.name


def _status(status: int, **options: Any) -> tuple[str, dict[str, Any]]:
    return "status", {"status": status, "body": _HTML, **options}


_SOON = {"headers": {"Retry-After": "7"}}
_AFTER = {"then": DONE_FIRST}

BREAKAGES = (
    # before the request left
    Breakage("connection refused", Leaves.NOTHING, is_refused=True),
    Breakage("connection unanswered", Leaves.NOTHING, is_unanswered=True),
    # the vendor says that it did nothing
    Breakage("429", Leaves.NOTHING, _status(429)),
    Breakage("429 with Retry-After", Leaves.NOTHING, _status(429, **_SOON)),
    Breakage("503 with Retry-After", Leaves.NOTHING, _status(503, **_SOON)),
    # the request left and was not taken
    Breakage("reset before it was read", Leaves.DOUBT_UNTAKEN, ("reset", {})),
    Breakage("time-out before it was taken", Leaves.DOUBT_UNTAKEN, ("timeout", {}), is_waited_out=True),
    Breakage("cut off before it was taken", Leaves.DOUBT_UNTAKEN, ("timeout", {"seconds": _CUT})),
    Breakage("bare 503", Leaves.DOUBT_UNTAKEN, _status(503)),
    Breakage("500", Leaves.DOUBT_UNTAKEN, _status(500)),
    Breakage("garbage", Leaves.DOUBT_UNTAKEN, _status(200)),
    # the request left and was taken
    Breakage("reset after it was taken", Leaves.DOUBT_TAKEN, ("accept_then_timeout", {"then": "reset"})),
    Breakage("time-out after it was taken", Leaves.DOUBT_TAKEN, ("accept_then_timeout", {}), is_waited_out=True),
    Breakage("cut off after it was taken", Leaves.DOUBT_TAKEN, ("accept_then_timeout", {"seconds": _CUT})),
    Breakage("bare 503 after it was taken", Leaves.DOUBT_TAKEN, _status(503, **_AFTER)),
    Breakage("500 after it was taken", Leaves.DOUBT_TAKEN, _status(500, **_AFTER)),
    Breakage("garbage after it was taken", Leaves.DOUBT_TAKEN, _status(200, **_AFTER)),
    Breakage(
        "reset after it was taken, and no receipt",
        Leaves.DOUBT_TAKEN,
        ("accept_then_timeout", {"then": "reset"}),
        (("silent", {}),),
        is_heard=False,
    ),
    # the answer came
    Breakage("slow", Leaves.TAKEN, ("slow", {"seconds": _SLOW})),
    Breakage("no receipt", Leaves.TAKEN, receipts=(("silent", {}),), is_heard=False),
    Breakage("late receipts", Leaves.TAKEN, receipts=(("late", {"seconds": 3600}),)),
    Breakage("doubled receipts", Leaves.TAKEN, receipts=(("duplicated", {}),)),
    Breakage("reordered receipts", Leaves.TAKEN, receipts=(("shuffled", {}),)),
    Breakage(
        "late, doubled and reordered receipts",
        Leaves.TAKEN,
        receipts=(("late", {"seconds": 3600}), ("duplicated", {}), ("shuffled", {})),
    ),
    Breakage("unsigned receipts", Leaves.TAKEN, receipts=(("unsigned", {}),), is_heard=False),
    Breakage("forged receipts", Leaves.TAKEN, receipts=(("forged", {}),), is_heard=False),
    Breakage("silent non-delivery", Leaves.TAKEN_IN_VAIN, receipts=(("stalled", {}),)),
    Breakage("carrier outage", Leaves.TAKEN_IN_VAIN, is_out=True),
)


@contextmanager
def nobody_listening() -> Iterator[int]:
    """Give a port at which connections are refused."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        yield int(taken.getsockname()[1])


@contextmanager
def nobody_answering() -> Iterator[int]:
    """Give a port at which connections are not even refused: its queue is full, so that the kernel drops what comes."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):  # a queue of length 0 holds one, and one more on its way
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])
