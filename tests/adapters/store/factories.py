"""How do the store's tests make rows?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from connector.adapters.store.ids import new_id
from connector.adapters.store.tables import account
from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.message import Direction, MessageState, Purpose, SendPolicy
from connector.ports.attempts import AttemptRow
from connector.ports.inbox import InboxRow
from connector.ports.ledger import AccountRow
from connector.ports.messages import MessageRow

NOW = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
NUMBER = "+12025550143"
SENDER = "+12025550100"


def an_account(**changes: Any) -> AccountRow:
    values: dict[str, Any] = {
        "id": new_id(),
        "crm": "hubspot",
        "external_id": new_id(),
        "name": "Acme",
        "status": "active",
        "status_reason": "",
        "settings": {"default_region": "US"},
        "created_at": NOW,
    }
    return AccountRow(**values | changes)


def damage_tokens(ledger: SQLLedger, account_id: str, sealed: bytes = b"cut short") -> None:
    """Let an account's tokens be such as do not open."""
    damaged = {"access_token_sealed": sealed, "refresh_token_sealed": sealed}
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(account).where(account.c.id == account_id).values(**damaged))


def a_message(account_id: str, **changes: Any) -> MessageRow:
    id_ = changes.get("id", new_id())
    values: dict[str, Any] = {
        "id": id_,
        "account_id": account_id,
        "direction": Direction.OUT,
        "idempotency_key": id_,
        "purpose": Purpose.TRANSACTIONAL,
        "msisdn": NUMBER,
        "body": "Hello",
        "gateway": "twilio",
        "encoding": "gsm7",
        "segments": 1,
        "state": MessageState.QUEUED,
        "policy": SendPolicy.AT_MOST_ONCE,
        "not_before": NOW,
        "created_at": NOW,
    }
    return MessageRow(**values | changes)


def an_attempt(message: MessageRow, **changes: Any) -> AttemptRow:
    values: dict[str, Any] = {
        "id": new_id(),
        "account_id": message.account_id,
        "message_id": message.id,
        "gateway": message.gateway,
        "state": MessageState.DISPATCHING,
        "requested_at": NOW,
    }
    return AttemptRow(**values | changes)


def an_event(account_id: str | None, **changes: Any) -> InboxRow:
    values: dict[str, Any] = {
        "id": new_id(),
        "account_id": account_id,
        "source": "hubspot",
        "external_id": new_id(),
        "body": b'{"eventId":1}',
        "context": {},
        "received_at": NOW,
    }
    return InboxRow(**values | changes)
