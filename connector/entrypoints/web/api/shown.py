"""How does a row of the ledger look to a program?"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connector.domain.message import Direction
from connector.ports.attempts import AttemptRow
from connector.ports.messages import MessageRow
from connector.services.callbacks import reference_of
from connector.services.shown_texts import shown_body


def message_shown(row: MessageRow) -> dict[str, Any]:
    """Give a text; the numbers as it travelled, the body without one-time codes."""
    is_out = row.direction is Direction.OUT
    return {
        "id": row.id,
        "direction": row.direction.value,
        "state": row.state,
        "reason": row.state_reason,
        "to": row.msisdn if is_out else row.sender,
        "sender": row.sender if is_out else row.msisdn,
        "body": shown_body(row),
        "purpose": row.purpose,
        "priority": row.priority,
        "gateway": row.gateway,
        "encoding": row.encoding,
        "segments": row.segments,
        "tries": row.tries,
        "journey": row.journey or None,
        "idempotency_key": reference_of(row),
        "not_before": row.not_before,
        "expires_at": row.expires_at,
        "created_at": row.created_at,
        "updated_at": row.updated_at or row.created_at,
        "sent_at": row.sent_at,
        "replied_at": row.replied_at,
        "clicked_at": row.clicked_at,
        "opted_out_at": row.opted_out_at,
        "cost": cost_shown(row.cost, row.currency),
    }


def cost_shown(amount: Decimal | None, currency: str | None) -> dict[str, Any] | None:
    """Give what something cost; None when nobody has said."""
    return None if amount is None else {"amount": str(amount), "currency": currency}


def _attempt(row: AttemptRow) -> dict[str, Any]:
    """Give a try."""
    return {
        "id": row.id,
        "gateway": row.gateway,
        "state": row.state,
        "sender": row.sender,
        "provider_message_id": row.provider_message_id,
        "raw_status": row.raw_status,
        "error_class": row.error_class,
        "error_code": row.error_code,
        "requested_at": row.requested_at,
        "answered_at": row.answered_at,
    }


def status_shown(message: MessageRow, attempts: Sequence[AttemptRow]) -> dict[str, Any]:
    """Give a text and every try to send it."""
    return message_shown(message) | {"attempts": [_attempt(each) for each in attempts]}


def page_shown(rows: Sequence[MessageRow], limit: int) -> dict[str, Any]:
    """Give a page of texts; one that is full may have another behind it."""
    return {
        "messages": [message_shown(row) for row in rows],
        "next": rows[-1].id if len(rows) == limit else None,
    }
