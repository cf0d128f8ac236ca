"""What does a Python program need to send texts through an SMS connector, and to hear what becomes of them?

    from connector_client import Client

    with Client("https://sms.example.com", "smsk_…") as sms:
        message = sms.send(to="+12025550143", body="Your table is ready")
        print(message.state, message.id)

Callbacks are checked with `connector_client.webhooks.read`.
"""

from __future__ import annotations

from connector_client.client import Client
from connector_client.errors import (
    AccessRefusedError,
    APIProblemError,
    ClientError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    SignatureMismatchError,
    UnavailableError,
)
from connector_client.models import (
    Attempt,
    BatchResult,
    ConsentEvent,
    ConsentStanding,
    Cost,
    Decided,
    FailedCallback,
    Fallen,
    KnownNumber,
    Message,
    MessageStatus,
    Mistake,
    Problem,
    Provider,
    Suppression,
    Text,
)
from connector_client.webhooks import Callback, Reply

__all__ = [
    "APIProblemError",
    "AccessRefusedError",
    "Attempt",
    "BatchResult",
    "Callback",
    "Client",
    "ClientError",
    "ConflictError",
    "ConsentEvent",
    "ConsentStanding",
    "Cost",
    "Decided",
    "FailedCallback",
    "Fallen",
    "InvalidRequestError",
    "KnownNumber",
    "Message",
    "MessageStatus",
    "Mistake",
    "NotFoundError",
    "Problem",
    "Provider",
    "RateLimitedError",
    "Reply",
    "SignatureMismatchError",
    "Suppression",
    "Text",
    "UnavailableError",
]
