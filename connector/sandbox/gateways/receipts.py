"""When does a message change its status, and which callbacks does its sender get about it?

Kinds that can be armed:

- `undelivered` (`error_code`, the vendor's for an unreachable phone when not given): the last word is no.
- `failed` (`error_code`, the vendor's unknown failure): it never leaves the gateway.
- `torn` (`part`, 2; `error_code` as above): of a long text this part is undelivered, and so is the whole of it.
- `silent`: statuses move, no callback is sent.
- `stalled`: the last status is `sent`; nothing ever follows.
- `late` (`seconds`, 3600): statuses move in time, callbacks come that much later.
- `held` (`seconds`, 3600): the message waits in the queue; past its validity it expires.
- `shuffled`: all callbacks come at the end, newest first.
- `duplicated` (`copies`, 2): every callback comes that often.
- `unsigned`: its callbacks go out without a signature; one that is tried again is signed.
- `forged`: its callbacks go out with a wrong signature.
"""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

# In the order they are applied: how it ends, when, what the sender hears, and last with which signature.
KINDS = (
    *("undelivered", "torn", "failed", "stalled", "held", "late", "shuffled", "duplicated", "silent"),
    *("unsigned", "forged"),
)
SIGNATURES = frozenset({"unsigned", "forged"})

Code = str | int


@dataclass(frozen=True)
class FailureCodes:
    """The vendor's codes for what happens to a text on its way; None where it gives none.

    `expired_as` is what a text is called whose validity is over.
    """

    unreachable: Code | None = None
    blocked: Code | None = None
    failed: Code | None = None
    expired: Code | None = None
    expired_as: str = "expired"


@dataclass(frozen=True)
class Stage:
    """A status a message reaches `after` its creation; `callbacks` are the times its sender hears of it.

    `torn_part`: the only part this is true of, the others having arrived; None when it is true of all.
    """

    status: str
    after: timedelta
    error_code: Code | None = None
    callbacks: tuple[timedelta, ...] = ()
    torn_part: int | None = None

    def of_part(self, number: int) -> "Stage":
        """What this stage is for part `number`, from 1, where the vendor reports each."""
        if self.torn_part in {None, number}:
            return self
        return replace(self, status="delivered", error_code=None)


@dataclass(frozen=True)
class Pace:
    """How long the stages take, in seconds after creation, and how much they vary.

    The defaults are what a domestic long code shows on a quiet day: under three seconds to the handset,
    the price some seconds later.
    """

    sending: float = 0.3
    sent: float = 0.9
    delivered: float = 2.6
    priced: float = 6.0
    jitter: float = 0.25

    @classmethod
    def fast(cls) -> "Pace":
        """Everything at once, for benches and tests that do not look at times."""
        return cls(sending=0, sent=0, delivered=0, priced=0, jitter=0)

    def stages(self, chance: random.Random) -> list[Stage]:
        """The way of a message nothing happens to."""
        stretch = 1 + self.jitter * chance.random()
        times = {"sending": self.sending, "sent": self.sent, "delivered": self.delivered}
        return [heard(Stage(status, timedelta(seconds=s * stretch))) for status, s in times.items()]


@dataclass(frozen=True)
class Oddity:
    """One thing that goes differently with the next message's receipts."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def bend(self, stages: list[Stage], validity: timedelta, codes: FailureCodes) -> list[Stage]:
        """The stages as this oddity makes them."""
        if self.kind in {"undelivered", "torn", "failed"}:
            return self._ended(stages, codes)
        if self.kind == "silent":
            return [replace(stage, callbacks=()) for stage in stages]
        if self.kind == "stalled":
            return stalled(stages)
        if self.kind == "held":
            return held(stages, self._delay, validity, codes)
        return [replace(stage, callbacks=self._calls(stage, stages)) for stage in stages]

    def _ended(self, stages: list[Stage], codes: FailureCodes) -> list[Stage]:
        if self.kind == "failed":
            code = self.options.get("error_code", codes.failed)
            return [heard(replace(stages[0], status="failed", error_code=code))]
        ended = refused(stages, self.options.get("error_code", codes.unreachable))
        if self.kind == "torn":
            ended[-1] = replace(ended[-1], torn_part=int(self.options.get("part", 2)))
        return ended

    @property
    def _delay(self) -> timedelta:
        return timedelta(seconds=float(self.options.get("seconds", 3600)))

    def _calls(self, stage: Stage, stages: list[Stage]) -> tuple[timedelta, ...]:
        if self.kind == "late":
            return tuple(call + self._delay for call in stage.callbacks)
        if self.kind == "duplicated":
            return stage.callbacks * int(self.options.get("copies", 2))
        if self.kind != "shuffled" or not stage.callbacks:
            return stage.callbacks
        behind = len(stages) - stages.index(stage)  # one microsecond apart, the newest first
        return (stages[-1].after + timedelta(microseconds=behind),)


def refused(stages: list[Stage], code: Code | None) -> list[Stage]:
    """The same way with a carrier's no at its end."""
    return [*stages[:-1], replace(stages[-1], status="undelivered", error_code=code)]


def stalled(stages: list[Stage]) -> list[Stage]:
    """The same way without its last word."""
    return [stage for stage in stages if stage.status != "delivered"]


def held(stages: list[Stage], delay: timedelta, validity: timedelta, codes: FailureCodes) -> list[Stage]:
    """The same way after a wait of `delay`, unless the text's `validity` is over by then."""
    if delay >= validity:
        return [heard(Stage(codes.expired_as, validity, codes.expired))]
    return [heard(replace(stage, after=stage.after + delay)) for stage in stages]


def heard(stage: Stage) -> Stage:
    """The stage with one callback at its time."""
    return replace(stage, callbacks=(stage.after,))


class Oddities:
    """Thread-safe list of armed oddities. One message meets every kind that is armed, once each."""

    def __init__(self) -> None:
        self._armed: list[tuple[Oddity, int | None]] = []
        self._lock = threading.Lock()

    def arm(self, kind: str, times: int | None = 1, **options: Any) -> None:
        """Let the next `times` messages (None: all) meet `kind`; an unknown kind is a ValueError."""
        if kind not in KINDS:
            raise ValueError(f"no receipt oddity {kind!r}; one of {', '.join(KINDS)}")
        if times is not None and times < 1:
            raise ValueError("an oddity is armed for at least one message")
        with self._lock:
            self._armed.append((Oddity(kind, options), times))

    def disarm(self, kind: str) -> None:
        """Forget what is armed of `kind`."""
        with self._lock:
            self._armed = [entry for entry in self._armed if entry[0].kind != kind]

    def armed(self) -> list[dict[str, Any]]:
        """What is armed, oldest first, as plain data."""
        with self._lock:
            return [{"kind": oddity.kind, "left": left, **oddity.options} for oddity, left in self._armed]

    def take(self) -> list[Oddity]:
        """What the next message meets, used up by one."""
        met: dict[str, Oddity] = {}
        kept: list[tuple[Oddity, int | None]] = []
        with self._lock:
            for oddity, left in self._armed:
                if oddity.kind in met:
                    kept.append((oddity, left))
                    continue
                met[oddity.kind] = oddity
                if left != 1:
                    kept.append((oddity, None if left is None else left - 1))
            self._armed = kept
        return sorted(met.values(), key=lambda oddity: KINDS.index(oddity.kind))
