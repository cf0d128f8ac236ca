"""What is remembered of what was put into a ledger, and with what do its owners prove themselves?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from connector.ports.enrollments import JourneyVersionRow
from connector.ports.messages import MessageRow
from connector.services.api_keys import WORD
from tests.adapters.store.factories import NOW
from tests.tenancy.owners import Owner

SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(days=30)
JOURNEY, STEP, EVENT = "journey", "steps/0", "invoice.overdue"
INTAKE = "salesforce.intake"
GATEWAY = "twilio"


@dataclass
class Kept:
    """What was put into a ledger for one account and one set of rows: rows by the repository they are in.

    Attributes:
        rows: what `add`, `save`, `want` and their kin were given, by the repository's name.
        texts: its messages by what they are: `queued`, `delivered`, `dead`, `reply`.
    """

    owner: Owner
    key: str
    rows: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, MessageRow] = field(default_factory=dict)
    version: JourneyVersionRow | None = None

    def ids(self) -> Iterator[str]:
        """Give every id that one of its rows goes by, with us or outside."""
        for row in self.rows.values():
            for name in ("id", "code", "crm_id", "external_id", "callback_id", "key", "idempotency_key", "journey"):
                if isinstance(found := getattr(row, name, None), str) and found:
                    yield found
        yield from (text.id for text in self.texts.values())
        yield from (text.provider_message_id for text in self.texts.values() if text.provider_message_id)


Ledgerful = dict[tuple[str, str], Kept]


def api_secret(owner: Owner, key: str) -> str:
    """Give the clear text of an API key."""
    return f"{WORD}{owner.account_id}-{key}-opens-the-api"


def account_secret(owner: Owner, key: str) -> str:
    """Give what an outside system shows: an organisation's address in the own set, a webhook's secret in the shared."""
    return f"{owner.account_id}-{key}-opens-a-door"


def install_state(owner: Owner, key: str) -> str:
    """Give the state of an installation under way."""
    return f"{owner.account_id}-{key}-state"
