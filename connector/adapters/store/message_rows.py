"""How does a message look as a row, and a row as a message?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from connector.adapters.secrets import Vault
from connector.adapters.store.opening import tell_of_closed
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.errors import DecryptionError, MissingKeyError
from connector.ports.messages import MessageRow

BODY_COLUMN = "message.body"
_CALLBACK_COLUMN = "message.callback_url"


def values_of(message: MessageRow, vault: Vault) -> dict[str, Any]:
    """Give the column values of a message, its body sealed."""
    return {
        "id": message.id,
        "account_id": message.account_id,
        "direction": message.direction.value,
        "contact_id": message.contact_id,
        "enrollment_id": message.enrollment_id,
        "journey": message.journey,
        "step": message.step,
        "idempotency_key": message.idempotency_key,
        "purpose": message.purpose.value,
        "recipient": message.recipient,
        "msisdn": message.msisdn,
        "sender": message.sender,
        "gateway": message.gateway,
        "body_sealed": vault.seal(message.body, account=message.account_id, column=BODY_COLUMN),
        "encoding": message.encoding,
        "segments": message.segments,
        "state": message.state.value,
        "state_reason": message.state_reason,
        "policy": message.policy.value,
        "send_window": message.send_window,
        "caps": list(message.caps),
        "time_zones": list(message.time_zones),
        "country": message.country,
        "not_before": message.not_before,
        "expires_at": message.expires_at,
        "tries": message.tries,
        "provider_message_id": message.provider_message_id,
        "cost": None if message.cost is None else str(message.cost),
        "currency": message.currency,
        "created_at": message.created_at,
        "updated_at": message.updated_at or message.created_at,
        "sent_at": message.sent_at,
        "replied_at": message.replied_at,
        "opted_out_at": message.opted_out_at,
        "clicked_at": message.clicked_at,
        "priority": message.priority,
        "route": message.route,
        "routed_at": message.routed_at,
        "template": message.template,
        "wanted_sender": message.wanted_sender,
        "ordered_by": message.ordered_by,
        "order_fingerprint": message.order_fingerprint,
        "callback_url_sealed": None
        if message.callback_url is None
        else vault.seal(message.callback_url, account=message.account_id, column=_CALLBACK_COLUMN),
        "restarted_at": message.restarted_at,
        "tries_before": message.tries_before,
    }


def messages_from_rows(rows: Iterable[Row[Any]], vault: Vault, *, without_keys: bool = False) -> Sequence[MessageRow]:
    """Give the messages of rows, damaged ones without what does not open; one log line tells how many these are.

    Args:
        rows: whole rows of the table.
        vault: opens them.
        without_keys: take those whose key is not here for damaged: nobody will look at what they say.

    Raises:
        MissingKeyError: a key is not here, and that matters.
    """
    found, closed = list[MessageRow](), list[str]()
    for row in rows:
        errors: list[DecryptionError] = []
        found.append(message_from_row(row, vault, errors.append))
        for error in errors:
            if isinstance(error, MissingKeyError) and not without_keys:
                raise error
        if errors:
            closed.append(row.id)
    tell_of_closed("message", closed)
    return found


def _refuse(error: DecryptionError) -> None:
    raise error


def message_from_row(row: Row[Any], vault: Vault, note: Callable[[DecryptionError], None] = _refuse) -> MessageRow:
    """Give the message of a row, its body opened; `note` hears of what does not open, and may raise it."""
    body = _opened(row.body_sealed, vault, row.account_id, BODY_COLUMN, note)
    return MessageRow(
        id=row.id,
        account_id=row.account_id,
        direction=Direction(row.direction),
        contact_id=row.contact_id,
        enrollment_id=row.enrollment_id,
        journey=row.journey,
        step=row.step,
        idempotency_key=row.idempotency_key,
        purpose=Purpose(row.purpose),
        recipient=row.recipient,
        msisdn=row.msisdn,
        sender=row.sender,
        gateway=row.gateway,
        body=body or "",
        is_readable=body is not None,
        encoding=row.encoding,
        segments=row.segments,
        state=MessageState(row.state),
        state_reason=row.state_reason,
        policy=SendPolicy(row.policy),
        send_window=row.send_window,
        caps=tuple(row.caps),
        time_zones=tuple(row.time_zones),
        country=row.country,
        not_before=row.not_before,
        expires_at=row.expires_at,
        tries=row.tries,
        provider_message_id=row.provider_message_id,
        cost=None if row.cost is None else Decimal(row.cost),
        currency=row.currency,
        created_at=row.created_at,
        updated_at=row.updated_at,
        sent_at=row.sent_at,
        replied_at=row.replied_at,
        opted_out_at=row.opted_out_at,
        clicked_at=row.clicked_at,
        priority=row.priority,
        route=row.route,
        routed_at=row.routed_at,
        template=row.template,
        wanted_sender=row.wanted_sender,
        ordered_by=row.ordered_by,
        order_fingerprint=row.order_fingerprint,
        callback_url=_opened(row.callback_url_sealed, vault, row.account_id, _CALLBACK_COLUMN, note),
        restarted_at=row.restarted_at,
        tries_before=row.tries_before,
    )


def _opened(
    sealed: bytes | None, vault: Vault, account_id: str, column: str, note: Callable[[DecryptionError], None]
) -> str | None:
    if sealed is None:
        return None
    try:
        return vault.open_text(sealed, account=account_id, column=column)
    except DecryptionError as error:
        note(error)
        return None
