"""How does a rep's answer go out: once, in the conversation, and never to somebody who opted out?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.domain.message import Purpose
from connector.domain.permission import Answer
from connector.domain.send_window import ANYTIME
from connector.ports.consents import Scope
from connector.ports.contacts import ContactRow
from connector.ports.ledger import UnitOfWork
from connector.ports.messages import MessageRow
from connector.ports.time import Clock
from connector.services.callbacks import ORDER
from connector.services.card_consent import CardConsent
from connector.services.card_conversation import BY, PAGE, is_conversation
from connector.services.card_preview import LONGEST_BODY, Draft
from connector.services.card_refusals import CardRefusedError
from connector.services.single_texts import SingleTexts
from connector.services.text_orders import KeyReusedError, TextOrder, UnusableOrderError

_KEY = "card:"
_CODES = {"template": "template_incomplete", "body": "empty"}
_LONGEST_NAME = 200  # characters; with the word before it, a name fits the ledger's 255


@dataclass(frozen=True, slots=True)
class Answered:
    """What a rep wants sent.

    Attributes:
        key: made by the card; the same key never sends a second text.
        by: who it is, as the CRM says.
        names: what a template may say of the contact.
    """

    draft: Draft
    key: str
    by: str = ""
    names: Mapping[str, Any] = field(default_factory=dict, repr=False)


class CardReplies:
    """Takes answers."""

    def __init__(self, texts: SingleTexts, consent: CardConsent, clock: Clock) -> None:
        self._texts, self._consent, self._clock = texts, consent, clock

    def may(self, uow: UnitOfWork, contact: ContactRow) -> dict[str, Any]:
        """Say whether a rep may answer now, and why not, or until when the answer would wait."""
        if contact.msisdn is None:
            return {"may": False, "why": contact.msisdn_reason}
        blocks = uow.consents.suppressions(contact.account_id, [contact.msisdn]).get(contact.msisdn, ())
        verdict = self._consent.verdict(
            contact, Purpose.TRANSACTIONAL, blocks, None, at_any_hour=self._is_conversation(uow, contact)
        )
        why = "" if verdict.answer is Answer.SEND else verdict.reason
        if verdict.answer is Answer.HOLD and verdict.until is not None:
            why = f"{why}: it goes out at {verdict.until:%Y-%m-%d %H:%M} UTC"
        return {"may": verdict.answer is not Answer.SUPPRESS, "why": why}

    def put(self, uow: UnitOfWork, contact: ContactRow, answered: Answered) -> MessageRow:
        """Queue an answer, or give the one that was queued before under its key.

        Within a conversation the person began it may go at any hour; else it waits for the send window. Everything the
        claim checks is checked again there.

        Raises:
            CardRefusedError: there is no number, they opted out, or the text cannot be sent as it is.
        """
        known = uow.messages.by_key(contact.account_id, f"{ORDER}{_KEY}{answered.key}")
        if known is None:
            self._demand(uow, contact, answered.draft)
        elif known.contact_id != contact.id or known.template != (answered.draft.template or ""):
            raise _reused()
        elif known.template:
            return known  # what its template says of the contact may have changed meanwhile
        try:
            to = contact.msisdn if known is None else known.msisdn
            return self._texts.put(uow, self._order(uow, contact, answered, to or "")).message
        except KeyReusedError:
            raise _reused() from None
        except UnusableOrderError as error:
            raise CardRefusedError(_CODES.get(error.field, "invalid"), error.detail) from error

    def _demand(self, uow: UnitOfWork, contact: ContactRow, draft: Draft) -> None:
        if contact.msisdn is None:
            raise CardRefusedError("no_number", contact.msisdn_reason)
        if draft.body is not None and len(draft.body) > LONGEST_BODY:
            raise CardRefusedError("too_long", f"a text has at most {LONGEST_BODY} characters")
        uow.lock_numbers(contact.account_id, [contact.msisdn])
        blocks = uow.consents.suppressions(contact.account_id, [contact.msisdn]).get(contact.msisdn, ())
        if any(block.scope is Scope.ALL for block in blocks):
            raise CardRefusedError("opted_out", "the number has opted out of all texts")

    def _order(self, uow: UnitOfWork, contact: ContactRow, answered: Answered, to: str) -> TextOrder:
        draft = answered.draft
        return TextOrder(
            account_id=contact.account_id,
            to=to,
            body=draft.body,
            template=draft.template,
            data=answered.names if draft.template is not None else None,
            idempotency_key=f"{_KEY}{answered.key}",
            ordered_by=f"{BY}{answered.by[:_LONGEST_NAME]}",
            contact_id=contact.id,
            send_window=ANYTIME.name if self._is_conversation(uow, contact) else "",
        )

    def _is_conversation(self, uow: UnitOfWork, contact: ContactRow) -> bool:
        recent = uow.messages.conversation(contact.account_id, contact.msisdn or "", PAGE)
        return is_conversation(recent, self._clock.now())


def _reused() -> CardRefusedError:
    return CardRefusedError("idempotency_key_reused", "another text was sent under this key before")
