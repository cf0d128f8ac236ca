"""How does a test let a process of the send path die at every place there is, and look at what is left?"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from connector.ports.gateway import CallbackRequest
from connector.sandbox.serve import Server
from tests.e2e.processes import ROOT
from tests.faults.emulated import Emulated, OverHTTP
from tests.faults.mortal_sender import Order, written
from tests.faults.proving import Traveller


class Postbox:
    """Keeps receipts until a process of the connector has taken them; says them again to the next one otherwise."""

    def __init__(self, vendors: Sequence[Emulated], time: Traveller) -> None:
        self._vendors, self._time = vendors, time
        self._waiting: dict[int, CallbackRequest] = {}
        self._numbers, self._lock = itertools.count(), threading.Lock()
        app = Flask("postbox")
        app.add_url_rule("/step", view_func=self._step, methods=["POST"])
        app.add_url_rule("/took", view_func=self._took, methods=["POST"])
        app.add_url_rule("/due", view_func=self._due, methods=["POST"])
        self.server = Server(app)

    def take(self, call: CallbackRequest) -> int:
        """Keep one."""
        with self._lock:
            self._waiting[next(self._numbers)] = call
        return 200

    def store(self, gateway: str, kind: str, request: CallbackRequest) -> None:
        """Keep none that came over a bind: there is no bind here."""
        raise OSError(f"{gateway} has no bind")

    def empty(self) -> None:
        """Forget all."""
        self._waiting.clear()

    def _step(self) -> ResponseReturnValue:
        now = datetime.fromisoformat(request.get_json())
        self._time.move_to(now, tick=False)
        for vendor in self._vendors:
            vendor.step(now)
        calls = [(number, asdict(call)) for number, call in sorted(self._waiting.items())]
        return jsonify([(number, {**call, "body": call["body"].hex()}) for number, call in calls])

    def _took(self) -> ResponseReturnValue:
        number, status = request.get_json()
        if status == 200:
            del self._waiting[number]
        return jsonify(None)

    def _due(self) -> ResponseReturnValue:
        moments = [moment for vendor in self._vendors if (moment := vendor.next_due()) is not None]
        return jsonify(min(moments).isoformat() if moments else None)


class Mortals:
    """Runs processes that may die; see `mortal_sender`."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.mortal_sender"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
            )

    def run(self, order: Order) -> int:
        """Run one process to its end; give its exit code, negative the signal that killed it."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(written(order))
        self._program.stdin.flush()
        answer = self._program.stdout.readline()
        assert answer, self._log.read_text(encoding="utf-8")
        return int(answer)

    def last_words(self) -> str:
        """What they complained of."""
        return self._log.read_text(encoding="utf-8")[-3000:]

    def stop(self) -> None:
        """Take no more orders."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait(10)
        self._program.stdout.close()


@dataclass
class Killing:
    """One way of a text, walked again and again, with a death at another place each time.

    Attributes:
        begin: makes a fresh ledger, with a text in it, and a fresh world; gives the ledger's URL.
    """

    mortals: Mortals
    order: Order
    begin: Callable[[], str]

    def places(self) -> list[str]:
        """Walk the way without a death; give the places that were come by."""
        self._walk(0)
        return self._come_by()

    def die_at(self, number: int) -> str:
        """Let a process die at a place and another one finish; give the place."""
        assert self._walk(number) == -9
        place = self._come_by()[-1]
        assert self._run(0) == 0, self.mortals.last_words()
        return place

    def _walk(self, dies_at: int) -> int:
        self.order = replace(self.order, ledger=self.begin())
        Path(self.order.places).unlink(missing_ok=True)
        return self._run(dies_at)

    def _run(self, dies_at: int) -> int:
        return self.mortals.run(replace(self.order, dies_at=dies_at))

    def _come_by(self) -> list[str]:
        return Path(self.order.places).read_text(encoding="utf-8").splitlines()


def urls(vendors: Sequence[Emulated]) -> dict[str, str]:
    """Give where pretend vendors listen, by slug."""
    return {vendor.slug: vendor.box.url for vendor in vendors if isinstance(vendor, OverHTTP)}
