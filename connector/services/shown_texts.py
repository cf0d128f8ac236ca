"""What of a text may people read in the CRM, on a card or in a hand-off?

Everything but one-time codes: who can read a contact's timeline could otherwise pass for the contact while the code is
good. The ledger keeps the text as it was, encrypted.
"""

from __future__ import annotations

import re

from connector.domain.message import Direction, Purpose
from connector.ports.messages import MessageRow

ONE_TIME_CODE = "(a one-time code)"
UNREADABLE = "(a text that cannot be read)"

_DIGIT = re.compile(r"\d")


def shown_body(message: MessageRow) -> str:
    """Give a text as people may read it; a reply to a one-time code has the code's purpose, and shows no digits."""
    if not message.is_readable:
        return UNREADABLE
    if message.purpose is not Purpose.OTP:
        return message.body
    return ONE_TIME_CODE if message.direction is Direction.OUT else _DIGIT.sub("\N{BULLET}", message.body)
