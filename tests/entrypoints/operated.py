"""What is there to operate in tests? An account, two vendors' gateways beside the null one, and texts given up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from connector.adapters.store.migrate import migrate
from connector.bootstrap import Connector
from connector.domain.message import ErrorClass, MessageState
from connector.domain.scoring import Tally
from connector.entrypoints.cli import cli
from connector.ports.messages import MessageRow
from connector.settings import read_settings
from tests.adapters.store.factories import a_message, an_account, an_attempt
from tests.entrypoints.environment import set_environment

ROOT = Path(__file__).parents[2]
BODY = "Your parcel 4711 is at the door"

VENDORS = {
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
    "TWILIO_AUTH_TOKENS": "the-auth-token",
    "TWILIO_FROM": "+12025550100",
    "VONAGE_API_KEY": "abcd1234",
    "VONAGE_API_SECRET": "the-api-secret",
    "VONAGE_FROM": "+12025550101",
}


@dataclass
class Operated:
    """A connector on a ledger in a folder, and what is in it."""

    connector: Connector
    folder: Path
    account_id: str
    now: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.now = self.connector.clock.now()

    def give_up(
        self, code: str = "30008", *, gateway: str = "twilio", is_unknown: bool = False, ago: timedelta | None = None,
        **text: Any,
    ) -> MessageRow:  # fmt: skip
        """Put a text into the ledger that waits for a decision, with its one try; an empty code for none."""
        at = self.now - (ago or timedelta(minutes=10))
        known = {"gateway": gateway, "body": BODY, "created_at": at, "updated_at": at, "not_before": at}
        known |= {"state": MessageState.DEAD_LETTER, "state_reason": f"{gateway} failed for good: {code}", "tries": 1}
        known |= {"expires_at": self.now + timedelta(hours=1)}
        message = a_message(self.account_id, **(known | text))
        with self.connector.ledger.begin() as uow:
            assert uow.messages.add(message)
            if is_unknown:
                uow.attempts.add([an_attempt(message, state=MessageState.UNKNOWN, requested_at=at)])
            elif code:
                kind = ErrorClass.TRANSIENT.value
                failed = {"state": MessageState.FAILED, "error_code": code, "error_class": kind}
                uow.attempts.add([an_attempt(message, requested_at=at, answered_at=at, **failed)])
            uow.commit()
        return message

    def carry(self, gateway: str, *, sent: int, delivered: int, failed: int = 0, country: str = "US") -> None:
        """Let a gateway have carried texts in the last quarter of an hour, the most of which have been heard of."""
        slot = (self.now - timedelta(minutes=15)).replace(second=0, microsecond=0)
        undelivered = sent - delivered
        tally = Tally(gateway, country, "", "", slot, sent, delivered, undelivered, failed, sent * 0.2, delivered * 5.0)
        with self.connector.ledger.begin() as uow:
            uow.traffic.note([tally])
            uow.commit()

    def state_of(self, message: MessageRow) -> MessageState:
        return self.row(message).state

    def row(self, message: MessageRow) -> MessageRow:
        with self.connector.ledger.begin(write=False) as uow:
            return uow.messages.many([message.id])[message.id]

    def decisions(self, message: MessageRow) -> list[str]:
        """Give what persons have decided about a text, as its trace says it."""
        lines = self.connector.traces.explain(message.id)
        return [line.summary for line in lines if line.kind == "attention.given"]


@contextmanager
def operated(folder: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch, **others: str) -> Iterator[Operated]:
    """Prepare a ledger with one account, whose gateways are Twilio, Vonage and the null one."""
    for name in ("mappings", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    set_environment(monkeypatch, folder, redis_url, PUBLIC_URL="http://localhost:8000", **VENDORS, **others)
    connector = Connector(read_settings())
    connector.redis.flushall()  # rates that other tests used up, at times of their own
    migrate(connector.ledger.engine)
    account = an_account(external_id="12345")
    with connector.ledger.begin() as uow:
        uow.accounts.add(account)
        uow.commit()
    yield Operated(connector, folder, account.id)
    connector.ledger.close()


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=typed, env={"COLUMNS": "100"})
