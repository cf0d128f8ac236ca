"""Which status and code does Sinch give a stage, and what is in a batch's report?

Source: developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from connector.sandbox.gateways.messages import Message

STATUSES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "accepted": ("Queued", 400),
        "sending": ("Queued", 400),
        "sent": ("Dispatched", 401),
        "delivered": ("Delivered", 0),
        "undelivered": ("Failed", 403),
        "failed": ("Aborted", 403),
        "expired": ("Expired", 406),
        "cancelled": ("Cancelled", 407),
    }
)
INTERMEDIATE = frozenset({"accepted", "sending", "sent"})


def status_and_code(status: str, error_code: str | int | None) -> tuple[str, int]:
    """Sinch's status for ours, with the code a text met or the usual one."""
    word, code = STATUSES[status]
    return word, int(error_code) if error_code is not None else code


def summary(message: Message, kind: str) -> dict[str, Any]:
    """The report about a batch; a `full` one names its recipient."""
    status, code = status_and_code(message.status, message.error_code)
    row: dict[str, Any] = {"code": code, "status": status, "count": 1}
    if kind == "full":
        row["recipients"] = [message.to]
    report = {"type": "delivery_report_sms", "batch_id": message.id, "total_message_count": 1, "statuses": [row]}
    return report if message.reference is None else {**report, "client_reference": message.reference}
