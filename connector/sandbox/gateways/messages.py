"""What does a pretend gateway know about one message, in words no vendor uses for itself?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

STATUSES = ("accepted", "sending", "sent", "delivered", "undelivered", "failed", "expired", "cancelled", "received")
FINAL = frozenset({"delivered", "undelivered", "failed", "expired", "cancelled", "received"})


@dataclass
class Message:
    """One SMS in either direction.

    Attributes:
        id: the vendor's; of a text whose parts have ids of their own, that of the first.
        to, sender: numbers in E.164 whatever the vendor's wire form is, or a sender id. Of a text a person wrote
            (`is_inbound`), `sender` is the person.
        status: one of `STATUSES`.
        callback_url: where this message's callbacks go.
        reference: the client's own, as the request gave it.
        valid_for: how long it may wait, or None for as long as the vendor likes.
        details: what the skin wants to remember of the request.
        error_code: the vendor's.
        price: of all segments, in `currency`; a skin shows it where its vendor does.
        part_ids: one id per segment where the vendor gives each its own, else empty.
        signing: `signed`, `unsigned` or `forged`: how its callbacks go out.
    """

    id: str
    to: str
    sender: str
    body: str
    status: str
    segments: int
    created_at: datetime
    updated_at: datetime
    is_inbound: bool = False
    callback_url: str | None = None
    reference: str | None = None
    valid_for: timedelta | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    error_code: str | int | None = None
    price: Decimal | None = None
    currency: str = "USD"
    part_ids: tuple[str, ...] = ()
    sent_at: datetime | None = None
    arrived_at: datetime | None = None
    signing: str = "signed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to it."""
        return self.status in FINAL

    def reach(self, status: str, error_code: str | int | None, at: datetime) -> None:
        """Take on a status, and remember when it left and when it arrived."""
        self.status, self.error_code, self.updated_at = status, error_code, at
        if status in {"sent", "delivered"}:
            self.sent_at = self.sent_at or at
        if status == "delivered":
            self.arrived_at = at

    @property
    def is_outbound(self) -> bool:
        """Whether it goes to a handset."""
        return not self.is_inbound
