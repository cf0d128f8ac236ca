"""What does the gateway know about one message, and how does its API show it?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

API_VERSION = "2010-04-01"
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})
CANCELABLE = frozenset({"accepted", "scheduled", "queued"})


@dataclass
class Message:
    """One SMS in either direction. `form` is what the request carried, unknown fields included."""

    sid: str
    account_sid: str
    to: str
    from_: str | None
    body: str
    direction: str
    status: str
    num_segments: int
    created_at: datetime
    updated_at: datetime
    service_sid: str | None = None
    status_callback: str | None = None
    validity_seconds: int = 36000  # the vendor's default and maximum: ten hours
    sent_at: datetime | None = None
    arrived_at: datetime | None = None
    price: str | None = None
    error_code: int | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_outbound(self) -> bool:
        """Whether it goes to a handset."""
        return self.direction.startswith("outbound")

    def as_json(self) -> dict[str, Any]:
        """The message resource of the API."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": self.body,
            "date_created": rfc2822(self.created_at),
            "date_sent": rfc2822(self.sent_at),
            "date_updated": rfc2822(self.updated_at),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None,
            "from": self.from_,
            "messaging_service_sid": self.service_sid,
            "num_media": "0",
            "num_segments": str(self.num_segments),
            "price": self.price,
            "price_unit": "USD",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


def rfc2822(moment: datetime | None) -> str | None:
    """A time the way this API writes it: `Sat, 21 Nov 2026 09:00:00 +0000`."""
    return None if moment is None else format_datetime(moment.astimezone(UTC))
