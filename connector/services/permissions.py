"""What does the ledger know that decides whether messages may go out now?

Gathers, with one query each for a whole batch, the suppressions, consents and earlier texts of the numbers, and asks
`domain.permission` about every message. Must run in the transaction that claims the messages (promises P3 and P4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.caps import Cap, parse_cap
from connector.domain.compliance import Compliance
from connector.domain.keyword_answers import is_keyword_answer
from connector.domain.message import Purpose
from connector.domain.permission import Answer, Circumstances, Verdict, may_send
from connector.domain.send_window import Opening, SendWindow, opening
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow

_SentText = tuple[datetime, Purpose, str]
"""When, for which purpose, by which journey."""


@dataclass(frozen=True, slots=True)
class _Caps:
    of_purpose: tuple[Cap, ...]
    of_journey: tuple[Cap, ...]

    def all(self) -> tuple[Cap, ...]:
        return self.of_purpose + self.of_journey


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
        for account_id in {message.account_id for message in messages}:
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
        caps = {message.id: self._caps(message) for message in messages}
        sent = self._sent_times(uow, account_id, messages, caps, now)
        verdicts: dict[str, Verdict] = {}
        for message in messages:
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
                caps=_with_times(message, caps[message.id], sent.get(message.msisdn, ())),
            )
            verdicts[message.id] = may_send(case, now)
            if verdicts[message.id].answer is Answer.SEND:
                sent.setdefault(message.msisdn, []).append((now, message.purpose, message.journey))
        return verdicts

    def _caps(self, message: MessageRow) -> _Caps:
        if is_keyword_answer(message.journey, message.step):
            return _Caps((), ())
        return _Caps(self._compliance.caps_for(message.purpose), tuple(map(parse_cap, message.caps)))

    def _sent_times(
        self,
        uow: UnitOfWork,
        account_id: str,
        messages: Sequence[MessageRow],
        caps: Mapping[str, _Caps],
        now: datetime,
    ) -> dict[str, list[_SentText]]:
        capped = sorted({message.msisdn for message in messages if caps[message.id].all()})
        if not capped:
            return {}
        longest = max((cap.per for found in caps.values() for cap in found.all()), default=timedelta(0))
        return {
            number: list(times) for number, times in uow.messages.sent_times(account_id, capped, now - longest).items()
        }


def _with_times(message: MessageRow, caps: _Caps, sent: Sequence[_SentText]) -> list[tuple[Cap, list[datetime]]]:
    """Give each cap the texts it counts: the purpose's those of the purpose, the journey's those of the journey."""
    of_purpose = [at for at, purpose, _ in sent if purpose is message.purpose]
    of_journey = [at for at, _, journey in sent if journey == message.journey]
    return [(cap, of_purpose) for cap in caps.of_purpose] + [(cap, of_journey) for cap in caps.of_journey]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
