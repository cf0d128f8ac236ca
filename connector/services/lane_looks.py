"""How many texts of a lane are worth looking at, when a rate will let only some of them go?

Every text that is looked at is read, opened, routed and judged, all for nothing when its gateway's rate keeps it back.
So a lane that was kept back of late is looked at less often, and for no more texts than the rate has made room for
since: of all processes together that is the rate, of this one the part that it got last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from connector.domain.gateway_book import Rate

_ENOUGH = 20  # texts for which a look is worth it at once: by then what a claim costs whatever its size weighs little
_APART = 0.25  # seconds after which it is worth it for fewer: texts that wait for a rate wait longer than that
_DEPTH = 0.5  # of a bucket may fill up between two looks: what is more than full is lost to the rate
_REMEMBERED = 5.0  # seconds after which a lane counts as free again: it has had fewer texts than its rate takes
_LEAST_PART = 0.05  # of a rate: a process that got nothing goes on asking for a little
_GROWTH = 1.5  # of the part after a look that got all it asked for: what others leave over is found within some looks


@dataclass(slots=True)
class _Look:
    """The last look at a lane, when its rate last kept texts back, and which part of the rate this process gets."""

    at: float
    kept_back_at: float = -math.inf
    part: float = 1.0


class LaneLooks:
    """Remembers what became of the looks at each lane. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._looks: dict[tuple[str, str], _Look] = {}

    def worth(self, lane: tuple[str, str], rate: Rate, room: int, now: float) -> int:
        """Say for how many texts a look is worth it, at most `room`; 0 when it is not yet worth any."""
        look = self._looks.get(lane)
        if look is None or now - look.kept_back_at > _REMEMBERED:
            return min(room, depth(rate))
        since = now - look.at
        worth = min(room, math.ceil(rate.per_second * since * look.part))
        is_due = since >= min(_APART, _DEPTH * depth(rate) / rate.per_second)
        return worth if is_due or worth >= min(room, _ENOUGH) else 0

    def note(self, lane: tuple[str, str], rate: Rate, asked: int, granted: int, now: float) -> None:
        """Remember how many of the texts that could have gone the rates let go."""
        look = self._looks.setdefault(lane, _Look(now))
        refilled = rate.per_second * (now - look.at)
        look.at = now
        if granted == asked:
            look.part = min(1.0, look.part * _GROWTH)
            return
        look.kept_back_at = now
        if refilled:
            look.part = max(_LEAST_PART, (look.part + min(1.0, granted / refilled)) / 2)


def depth(rate: Rate) -> int:
    """Give how many texts may go at once after a pause."""
    return rate.burst or max(1, round(rate.per_second))
