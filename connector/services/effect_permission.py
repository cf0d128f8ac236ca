"""May a message that another system sends to a contact go out now?

It reaches the same person as a text does, so the same question is asked: has the number opted out, is there consent to
marketing, is it a fit hour where the reader is (promises P3 and P4). Caps count texts and do not hold here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connector.domain.compliance import Compliance
from connector.domain.message import Purpose
from connector.domain.permission import Answer, Circumstances, Verdict, may_send
from connector.domain.send_window import opening
from connector.domain.timeline import EntryKind
from connector.ports.consents import Suppression
from connector.ports.contacts import ContactRow
from connector.ports.effects import EffectRow
from connector.ports.ledger import UnitOfWork


class EffectDesk:
    """Judges effects that go to a contact's number; must run in the transaction that claims them."""

    def __init__(self, compliance: Compliance) -> None:
        self._compliance = compliance

    def judge(self, uow: UnitOfWork, rows: Sequence[EffectRow], now: datetime) -> Mapping[str, Verdict]:
        """Give a verdict per effect id, for those that go to a number; hold the numbers until commit.

        All numbers are locked before anything is asked, in the order in which everybody locks them.
        """
        reaching = [row for row in rows if row.payload.get("number")]
        verdicts: dict[str, Verdict] = {}
        for account_id in sorted({row.account_id for row in reaching}):
            of_account = [row for row in reaching if row.account_id == account_id]
            verdicts |= self._judge_account(uow, account_id, of_account, now)
        return verdicts

    def _judge_account(
        self, uow: UnitOfWork, account_id: str, rows: Sequence[EffectRow], now: datetime
    ) -> Mapping[str, Verdict]:
        numbers = sorted({str(row.payload["number"]) for row in rows})
        uow.lock_numbers(account_id, numbers)
        suppressions = uow.consents.suppressions(account_id, numbers)
        consents = uow.consents.marketing_consent(account_id, numbers)
        contacts = uow.contacts.many(account_id, [row.contact_id for row in rows if row.contact_id is not None])
        verdicts: dict[str, Verdict] = {}
        for row in rows:
            number = str(row.payload["number"])
            verdicts[row.id] = _withdrawn(uow, row, contacts) or may_send(
                self._circumstances(row, suppressions.get(number, ()), consents.get(number), now), now
            )
        return verdicts

    def _circumstances(
        self, row: EffectRow, suppressions: Sequence[Suppression], consent: object, now: datetime
    ) -> Circumstances:
        payload = row.payload
        purpose = Purpose(payload.get("purpose") or Purpose.MARKETING)  # what does not say is judged most strictly
        window = self._compliance.window(payload.get("window"), purpose, payload.get("country"))
        return Circumstances(
            purpose=purpose,
            expires_at=row.expires_at,
            is_keyword_answer=False,
            journey_has_ended=False,  # most journeys end when they have handed a conversation over
            suppressed_scopes=frozenset(str(each.scope) for each in suppressions),
            consent=None if consent is None else str(consent),
            needs_consent=self._compliance.needs_consent(purpose),
            window=window.name,
            opening=opening(window, tuple(payload.get("time_zones") or ()), now),
            limits=(),
        )


def _withdrawn(uow: UnitOfWork, row: EffectRow, contacts: Mapping[str, ContactRow]) -> Verdict | None:
    """Say why an effect is not wanted any more: what ends an enrollment whatever its journey says."""
    if row.contact_id is None:
        return None
    contact = contacts.get(row.contact_id)
    if contact is None or contact.deleted_at is not None:
        return Verdict(Answer.CANCEL, "the contact was deleted in the CRM")
    if uow.timeline.facts(row.account_id, row.contact_id, "", row.created_at, [EntryKind.OPTED_OUT]):
        return Verdict(Answer.CANCEL, "the contact has opted out since it was asked for")  # even if in again
    return None
