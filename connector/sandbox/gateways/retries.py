"""When does a gateway send a callback again that was not taken?"""

from dataclasses import dataclass
from datetime import timedelta


def doubling(first: float, longest: float, in_all: int) -> tuple[timedelta, ...]:
    """`in_all` waits in seconds: `first`, twice that, and so on, none above `longest`."""
    return tuple(timedelta(seconds=min(first * 2**number, longest)) for number in range(in_all))


@dataclass(frozen=True)
class RetryPolicy:
    """A wait before each further try, and after which answers there is one.

    The default is what most vendors do: again after a lost connection, a 429 and any 5xx, the waits doubling.

    Attributes:
        waits: before the second, third, … try; when they are used up the callback is given up.
        statuses: the HTTP classes (4: all 4xx) and single statuses that are tried again.
        after_no_answer: whether a refused, cut or timed-out connection is tried again.
    """

    waits: tuple[timedelta, ...] = doubling(5, 3600, 5)
    statuses: frozenset[int] = frozenset({5, 429})
    after_no_answer: bool = True

    def wait(self, status: int | None, tries: int) -> timedelta | None:
        """How long after try number `tries` ended in `status` (None: no answer) the next one comes; None: never."""
        again = self.after_no_answer if status is None else bool({status, status // 100} & self.statuses)
        return self.waits[tries - 1] if again and tries <= len(self.waits) else None
