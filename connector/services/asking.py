"""How are gateways asked about many texts at once, without one that hangs keeping everybody waiting?

A request that hangs takes half a minute. A gateway that has left two of a batch unanswered is asked no more of it, and
a batch that has taken its time begins nothing new: a worker has other work, and what was not asked is asked later.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from connector.errors import QueueUnavailableError
from connector.ports.attempts import AttemptRow
from connector.ports.queue import Bucket, SendLimiter

AT_ONCE = 8  # questions under way: vendors count requests per account, and sending needs connections more
BUDGET_SECONDS = 10.0  # a batch that is answered takes two or three; lanes are looked at in between
_SILENT_ENOUGH = 2  # one may be an accident; eight that are under way together are as many as a batch can lose

Answer = TypeVar("Answer")


def ask_each(
    rows: Sequence[AttemptRow], ask: Callable[[AttemptRow], Answer], is_silence: Callable[[Answer], bool]
) -> Sequence[Answer | None]:
    """Ask about each attempt, several at a time; give the answers in their order, None where nobody was asked.

    Args:
        rows: the attempts.
        ask: asks the gateway of one; called in threads.
        is_silence: tells whether an answer says that the gateway gave none.
    """
    ends, silent, lock = time.monotonic() + BUDGET_SECONDS, Counter[str](), threading.Lock()

    def one(row: AttemptRow) -> Answer | None:
        if silent[row.gateway] >= _SILENT_ENOUGH or time.monotonic() >= ends:
            return None
        answer = ask(row)
        if is_silence(answer):
            with lock:
                silent[row.gateway] += 1
        return answer

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ask") as pool:
        return list(pool.map(one, rows))


def permitted(
    limiter: SendLimiter, rows: Sequence[AttemptRow], bucket: Callable[[str], Bucket]
) -> Sequence[AttemptRow]:
    """Give those that may be asked about now at the rate of their gateways' buckets; none while nobody counts."""
    try:
        grants = limiter.take_each([[bucket(row.gateway)] for row in rows], is_urgent=False)
    except QueueUnavailableError:
        return []
    return [row for row, is_granted in zip(rows, grants, strict=True) if is_granted]


def apart(rows: Sequence[AttemptRow], number_of: Callable[[AttemptRow], str]) -> Sequence[AttemptRow]:
    """Give those that may be asked about together: of equal texts to one number a gateway would name the same twice.

    An attempt whose id is known is asked about by it and mistaken for no other.
    """
    seen, found = set[tuple[str, str]](), []
    for row in rows:
        key = (row.gateway, number_of(row))
        if row.provider_message_id or key not in seen:
            found.append(row)
        if not row.provider_message_id:
            seen.add(key)
    return found
