"""What may be asked for in the order of a single text, and what about it cannot be?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connector.domain.journey import USUAL_PRIORITY
from connector.domain.message import LIFETIMES, Purpose
from connector.errors import ConnectorError

LONGEST_AHEAD = timedelta(days=90)
"""How far ahead a text may be ordered, and may live: a season. A year that was mistyped lies further off."""

LONGEST_KEY = 200  # characters; with the word before it, it fits the ledger's 255


class UnusableOrderError(ConnectorError):
    """An order that cannot be carried out as it is; the message never holds a number, a text or an address.

    Attributes:
        field: the part of the order that is wrong, by the name the API gives it.
    """

    def __init__(self, field_: str, message: str) -> None:
        super().__init__(f"{field_}: {message}")
        self.field, self.detail = field_, message


class KeyReusedError(ConnectorError):
    """Another order came under the same idempotency key before."""


@dataclass(frozen=True, slots=True)
class TextOrder:
    """One text to be sent.

    Attributes:
        to: a phone number as typed.
        body: the text, or None when a template writes it.
        sender: our number to send from, or None for the gateway's default.
        idempotency_key: the same key never sends a second text; None makes every order its own.
        template: a template's folder and name, such as `deal-won/thanks`, filled in with `data`.
        priority: 1 to 9; of several texts for the last slot under a cap the higher one goes.
        callback_url: where whoever ordered it wants to hear of it; checked by `ports`' guard before it gets here.
        send_at: not before this; None for now.
        expires_at: not after this; None for the usual lifetime of its purpose.
        ordered_by: who ordered it, such as `api:<key id>`.
        route: a named route, or empty for the purpose's.
        contact_id: whom of those with the number it is for; None for the first.
        send_window: a named window, or empty for the purpose's. It hangs on when the order came, and so is no part of
            what a second order under the same key is compared with.
        message_id: the id its text gets, where it was chosen before; None for a new one.
    """

    account_id: str
    to: str = field(repr=False)
    body: str | None = field(default=None, repr=False)
    purpose: Purpose = Purpose.TRANSACTIONAL
    sender: str | None = None
    idempotency_key: str | None = None
    template: str | None = None
    data: Mapping[str, Any] | None = field(default=None, repr=False)
    priority: int = USUAL_PRIORITY
    callback_url: str | None = field(default=None, repr=False)
    send_at: datetime | None = None
    expires_at: datetime | None = None
    ordered_by: str = ""
    route: str = ""
    contact_id: str | None = None
    send_window: str = ""
    message_id: str | None = None

    def check(self, now: datetime) -> None:
        """Refuse what contradicts itself or cannot be.

        Raises:
            UnusableOrderError: names the part that is wrong.
        """
        if self.template is None and not (self.body or "").strip():
            raise UnusableOrderError("body", "the text is empty")
        if self.template is not None and self.body is not None:
            raise UnusableOrderError("body", "a text has a body or a template, not both")
        if self.template is None and self.data is not None:
            raise UnusableOrderError("data", "there is no template that it could fill in")
        if self.idempotency_key is not None and not 0 < len(self.idempotency_key) <= LONGEST_KEY:
            raise UnusableOrderError("idempotency_key", f"it has 1 to {LONGEST_KEY} characters")
        if not 1 <= self.priority <= 9:
            raise UnusableOrderError("priority", "it is a number from 1 to 9")
        if self.send_at is not None and self.send_at > now + LONGEST_AHEAD:
            raise UnusableOrderError("send_at", f"it is more than {LONGEST_AHEAD.days} days ahead")
        begins = max(now, self.send_at or now)
        if self.ends_at(now) <= begins:
            raise UnusableOrderError("expires_at", "it is over before the text could go out")
        if self.ends_at(now) > begins + LONGEST_AHEAD:
            raise UnusableOrderError(
                "expires_at", f"it is more than {LONGEST_AHEAD.days} days after the text may go out"
            )

    def ends_at(self, now: datetime) -> datetime:
        """Give when the text is worth nothing any more."""
        return self.expires_at or max(now, self.send_at or now) + LIFETIMES[self.purpose]


def written_out(order: TextOrder) -> str:
    """Write an order out, the same for the same order: what a second one under its key is compared with."""
    parts = {
        "to": order.to,
        "from": order.sender,
        "body": order.body,
        "template": order.template,
        "data": order.data,
        "purpose": order.purpose.value,
        "priority": order.priority,
        "callback_url": order.callback_url,
        "send_at": order.send_at.timestamp() if order.send_at is not None else None,
        "expires_at": order.expires_at.timestamp() if order.expires_at is not None else None,
        **({"route": order.route} if order.route else {}),
    }
    return json.dumps(parts, sort_keys=True, default=str)
