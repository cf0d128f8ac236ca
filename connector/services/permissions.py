"""What does the ledger know that decides whether messages may go out now?

Gathers, with one query each for a whole batch, the suppressions, consents and limits of the numbers, and asks
`domain.permission` about every message. Must run in the transaction that claims the messages (promises P3 and P4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from connector.domain.compliance import Compliance
from connector.domain.keyword_answers import is_keyword_answer
from connector.domain.message import Purpose
from connector.domain.permission import Circumstances, Verdict, may_send, patience
from connector.domain.send_window import Opening, SendWindow, opening
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.services.limits import BatchLimits, first_come

GIVES_WAY_TO = "gives_way_to"
"""Names, in the timeline entry of a hold, the message that the last room under a cap is kept for."""


class _Openings:
    """Whether windows are open now. Each is worked out once per batch: many of its texts share a window and a zone."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._known: dict[tuple[str, tuple[str, ...]], Opening] = {}

    def of(self, window: SendWindow, time_zones: tuple[str, ...]) -> Opening:
        key = window.name, time_zones
        if key not in self._known:
            self._known[key] = opening(window, time_zones, self.now)
        return self._known[key]


class PermissionDesk:
    """Judges batches of messages by the compliance rules."""

    def __init__(self, compliance: Compliance) -> None:
        self._compliance = compliance

    def judge(self, uow: UnitOfWork, messages: Sequence[MessageRow], now: datetime) -> Mapping[str, Verdict]:
        """Give a verdict per message id; of several texts to one number the later ones see the earlier ones sent."""
        verdicts: dict[str, Verdict] = {}
        openings = _Openings(now)
        for account_id in sorted({message.account_id for message in messages}):  # in one order, as numbers are locked
            of_account = [message for message in messages if message.account_id == account_id]
            verdicts |= self._judge_account(uow, account_id, of_account, openings)
        return verdicts

    def _judge_account(
        self, uow: UnitOfWork, account_id: str, messages: Sequence[MessageRow], openings: _Openings
    ) -> Mapping[str, Verdict]:
        now = openings.now
        numbers = sorted({message.msisdn for message in messages})
        uow.lock_numbers(account_id, numbers)
        ended = uow.enrollments.ended([message.enrollment_id for message in messages if message.enrollment_id])
        suppressions = uow.consents.suppressions(account_id, numbers)
        consents = (
            uow.consents.marketing_consent(account_id, numbers)
            if any(message.purpose is Purpose.MARKETING for message in messages)
            else {}
        )
        limits = BatchLimits(uow, self._compliance, account_id, messages, now)
        verdicts: dict[str, Verdict] = {}
        for message in first_come(messages):
            window = self._compliance.window(message.send_window, message.purpose, message.country)
            case = Circumstances(
                purpose=message.purpose,
                expires_at=message.expires_at,
                is_keyword_answer=is_keyword_answer(message.journey, message.step),
                journey_has_ended=message.enrollment_id in ended,
                suppressed_scopes=frozenset(str(s.scope) for s in suppressions.get(message.msisdn, ())),
                consent=_text(consents.get(message.msisdn)),
                needs_consent=self._compliance.needs_consent(message.purpose),
                window=window.name,
                opening=openings.of(window, message.time_zones),
                limits=limits.of(message),
            )
            verdict = may_send(case, now)
            if verdict.gives_way_to and _has_given_way(uow, message, now):
                verdict = may_send(replace(case, has_given_way=True), now)
            limits.note(message, verdict)
            verdicts[message.id] = verdict
        return verdicts


def _has_given_way(uow: UnitOfWork, message: MessageRow, now: datetime) -> bool:
    """Tell whether a text began so long ago to give way to others that it has done enough of it."""
    entries = uow.timeline.of_message(message.account_id, message.id)
    began = next((entry.at for entry in entries if GIVES_WAY_TO in entry.data), None)
    return began is not None and began + patience(message.created_at, message.expires_at) <= now


def _text(value: object) -> str | None:
    return None if value is None else str(value)
