"""What does a gateway say about an attempt, when it is asked?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

import structlog

from connector.errors import SendError, UnanswerableError
from connector.ports.attempts import AttemptRow
from connector.ports.gateway import AttemptQuery, SMSGateway, StatusReport
from connector.ports.ledger import Ledger
from connector.ports.messages import MessageRow

log = structlog.get_logger(__name__)

_SAME_CONVERSATION = timedelta(days=1)
"""How far back equal texts to one number may be mistaken for each other by a list query, which filters by day."""


class Kind(Enum):
    """What came of a question."""

    FOUND = "found"
    NEVER_SEEN = "never seen"
    SILENT = "silent"  # the gateway could not be asked just now
    UNASKABLE = "unaskable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway says of an attempt."""

    kind: Kind
    report: StatusReport | None = None


class Inquirer:
    """Asks gateways."""

    def __init__(self, ledger: Ledger, gateways: Mapping[str, SMSGateway]) -> None:
        self._ledger, self._gateways = ledger, gateways

    def answer(self, attempt: AttemptRow, message: MessageRow) -> Answer:
        """Ask one gateway about one attempt; in a thread of its own."""
        gateway = self._gateways.get(attempt.gateway)
        if gateway is None:
            return Answer(Kind.UNASKABLE)
        with self._ledger.begin(write=False) as uow:
            known = uow.attempts.provider_ids_to(message.msisdn, attempt.requested_at - _SAME_CONVERSATION)
        query = AttemptQuery(
            attempt_id=attempt.id,
            provider_message_id=attempt.provider_message_id,
            to=message.msisdn,
            sender=attempt.sender,
            body=message.body,
            requested_at=attempt.requested_at,
            exclude=known - {attempt.provider_message_id},
        )
        try:
            report = gateway.find(query)
        except UnanswerableError:
            return Answer(Kind.UNASKABLE)
        except SendError as error:
            log.warning("reconcile.not_answered", attempt_id=attempt.id, code=error.code)
            return Answer(Kind.SILENT)
        except Exception as error:  # noqa: BLE001 - a defect over one attempt must not keep the others from their answers
            log.error("reconcile.defect", attempt_id=attempt.id, error=type(error).__name__)
            return Answer(Kind.SILENT)
        return Answer(Kind.NEVER_SEEN) if report is None else Answer(Kind.FOUND, report)
