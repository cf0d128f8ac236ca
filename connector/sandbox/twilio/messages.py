"""How does the gateway's API show a message?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from connector.sandbox.gateways import messages

API_VERSION = "2010-04-01"
CANCELABLE = frozenset({"accepted", "scheduled", "queued"})
LONGEST_WAIT = timedelta(hours=10)  # the vendor's default and maximum


@dataclass
class Message(messages.Message):
    """One SMS in either direction, with the vendor's words for its status.

    `form` is what the request carried, unknown fields included.
    """

    valid_for: timedelta | None = LONGEST_WAIT
    account_sid: str = ""
    direction: str = "outbound-api"
    service_sid: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def sid(self) -> str:
        """The vendor's name for the id."""
        return self.id

    @property
    def told_sender(self) -> str | None:
        """Who it comes from, as far as is told: a messaging service chooses when the message is queued."""
        is_to_be_chosen = self.service_sid is not None and self.status in {"accepted", "scheduled"}
        return None if is_to_be_chosen and not self.form.get("From") else self.sender

    @property
    def is_final(self) -> bool:
        """Whether nothing more can happen to it."""
        return self.status == "canceled" or super().is_final

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
            "from": self.told_sender,
            "messaging_service_sid": self.service_sid,
            "num_media": "0",
            "num_segments": str(self.segments),
            "price": None if self.price is None else str(self.price),
            "price_unit": self.currency,
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }


def rfc2822(moment: datetime | None) -> str | None:
    """A time the way this API writes it: `Sat, 21 Nov 2026 09:00:00 +0000`."""
    return None if moment is None else format_datetime(moment.astimezone(UTC))
