"""What is done for a card, whoever's card it is?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.entrypoints.web.api.problems import ProblemError
from connector.entrypoints.web.requests import connector
from connector.ports.consents import ConsentKind
from connector.services.card_consent import Recorded
from connector.services.card_contacts import CardContact
from connector.services.card_preview import Draft
from connector.services.card_reply import Answered

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CardUser:
    """Who uses a card.

    Attributes:
        by: the person, as the CRM names them; empty where nobody says.
        is_program: a program of the account's own asks, which answers for its people.
    """

    account_id: str
    by: str = ""
    is_program: bool = False


def show(user: CardUser, crm_id: str, query: Mapping[str, Any]) -> JSON:
    """Give a contact's card."""
    return connector().record_card.card(_found(user, crm_id, query).contact, query["before"])


def trace(user: CardUser, crm_id: str) -> JSON:
    """Give every text of a contact the ledger knows with the decisions behind it."""
    return connector().traces.contact_card(user.account_id, crm_id)


def templates(_user: CardUser) -> JSON:
    """Give the templates there are."""
    found = connector().template_folder.names()
    return {"templates": [{"id": name, "title": name, "locales": list(locales)} for name, locales in found.items()]}


def preview(user: CardUser, crm_id: str, query: Mapping[str, Any], given: Mapping[str, Any]) -> JSON:
    """Give a draft as the contact would get it."""
    found, draft = _found(user, crm_id, query), Draft(given["body"], given["template"])
    return connector().card_previews.preview(found, draft, _names(found, draft))


def reply(user: CardUser, crm_id: str, query: Mapping[str, Any], given: Mapping[str, Any]) -> JSON:
    """Queue a rep's answer."""
    found, draft = _found(user, crm_id, query), Draft(given["body"], given["template"])
    answered = Answered(draft, given["idempotency_key"], user.by, _names(found, draft))
    replies, conversation = connector().card_replies, connector().card_conversation
    message = connector().committer.run(lambda uow: replies.put(uow, found.contact, answered))
    return {"message": conversation.message(message)}


def record_consent(user: CardUser, crm_id: str, query: Mapping[str, Any], given: Mapping[str, Any]) -> JSON:
    """Keep what a rep says of a contact's consent."""
    contact = _found(user, crm_id, query).contact
    recorded = Recorded(ConsentKind(given["action"]), given["wording"] or "", connector().ledger.new_id(), user.by)
    consent = connector().card_consent
    refusal = connector().committer.run(lambda uow: consent.record(uow, contact, recorded))
    if refusal is not None:
        raise refusal
    return {"consent": connector().record_card.consent(contact)}


def settings(user: CardUser) -> JSON:
    """Give the account's settings."""
    return connector().card_settings.shown(user.account_id, user.by, is_program=user.is_program)


def change_settings(user: CardUser, given: Mapping[str, Any]) -> JSON:
    """Change some of the account's settings."""
    connector().card_settings.change(user.account_id, given["settings"], user.by, is_program=user.is_program)
    return settings(user)


def change_journey(user: CardUser, journey: str, given: Mapping[str, Any]) -> JSON:
    """Put a journey in service, or take it out."""
    connector().card_settings.switch(
        user.account_id, journey, user.by, is_program=user.is_program, is_on=given["enabled"]
    )
    return settings(user)


def _found(user: CardUser, crm_id: str, query: Mapping[str, Any]) -> CardContact:
    found = connector().card_contacts.find(user.account_id, crm_id, query["object_type"])
    if found is None:
        raise ProblemError("not-found", "the account has no such contact")
    return found


def _names(found: CardContact, draft: Draft) -> Mapping[str, Any]:
    return connector().card_contacts.names(found) if draft.template is not None else {}
