"""How many of the texts that may go are let go now, so that no rate is passed anywhere?

Four limits hold for a text at once: of its gateway, its sender, its campaign and its account, over all processes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from connector.domain.circuit import CircuitState
from connector.domain.gateway_book import GatewayBook, Rate
from connector.domain.message import Purpose
from connector.errors import QueueUnavailableError
from connector.ports.messages import MessageRow
from connector.ports.queue import Bucket, SendLimiter
from connector.services.gateway_health import HealthBoard
from connector.services.lane_looks import LaneLooks, depth

_PROBES = Rate(per_second=1.0, burst=1)
"""A gateway that is found out about gets one text a second: it needs no more to show that it is back."""

_URGENT = frozenset({Purpose.OTP, Purpose.TRANSACTIONAL})
"""What somebody waits for goes before what nobody waits for; see `connector.ports.queue.SendLimiter`."""


class Pacer:
    """Lets texts go at the rates of the book.

    Args of the constructor:
        usual: of gateways that the book says nothing of.
    """

    def __init__(self, book: GatewayBook, usual: Rate, limiter: SendLimiter, health: HealthBoard) -> None:
        self._book, self._usual, self._limiter, self._health = book, usual, limiter, health
        self._senders = {
            (entry.gateway, entry.sender): Rate(entry.per_second)
            for entry in book.senders
            if entry.per_second is not None
        }
        self._looks = LaneLooks()
        # Others of a lane's texts may go while a sender's or a campaign's keep back the first ones.
        self._is_narrowed = bool(self._senders or book.rates.account or book.rates.campaign)

    def concurrency(self, gateway: str) -> int:
        """Give how many requests to a gateway one process may have under way now; 0 while its circuit is open."""
        full = self._rate(gateway).concurrency or self._usual.concurrency or 1
        health = self._health.of(gateway)
        if health.state is CircuitState.OPEN:
            return 0
        return 1 if health.state is CircuitState.PROBING else max(1, int(full * health.share))

    def worth_a_look(self, gateway: str, purpose: str, room: int) -> int:
        """Give for how many texts of a lane a look is worth it, at most `room`; 0 when it is not yet worth any."""
        worth = self._looks.worth((gateway, purpose), self._rate(gateway), room, time.monotonic())
        return room if worth and self._is_narrowed else worth

    def granted(self, gateway: str, rows: Sequence[MessageRow]) -> list[MessageRow]:
        """Give those of the texts that may go now; none while Redis is away: sending pauses, it does not burst."""
        if not rows:
            return []
        is_urgent = rows[0].purpose in _URGENT
        grants: Sequence[bool] = ()
        with contextlib.suppress(QueueUnavailableError):
            grants = self._limiter.take_each([self._buckets(gateway, row) for row in rows], is_urgent=is_urgent)
        going = [row for row, is_granted in zip(rows, grants, strict=False) if is_granted]
        lane = gateway, rows[0].purpose.value
        self._looks.note(lane, self._rate(gateway), len(rows), len(going), time.monotonic())
        return going

    def _rate(self, gateway: str) -> Rate:
        return self._book.rates.gateways.get(gateway) or self._usual

    def _buckets(self, gateway: str, row: MessageRow) -> list[Bucket]:
        """Give the limits of a text, its gateway's first."""
        probing = self._health.of(gateway).state is CircuitState.PROBING
        buckets = [_bucket(f"send:{gateway}", self._rate(gateway))]
        if probing:
            buckets.append(_bucket(f"probe:{gateway}", _PROBES))
        sender = self._senders.get((gateway, row.sender or ""))
        if sender is not None:
            buckets.append(_bucket(f"sender:{gateway}:{row.sender}", sender))
        if self._book.rates.account is not None:
            buckets.append(_bucket(f"account:{row.account_id}", self._book.rates.account))
        if self._book.rates.campaign is not None and row.journey:
            buckets.append(_bucket(f"campaign:{row.account_id}:{row.journey}", self._book.rates.campaign))
        return buckets


def _bucket(name: str, rate: Rate) -> Bucket:
    return Bucket(name, rate.per_second, depth(rate))
