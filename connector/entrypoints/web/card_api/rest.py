"""How does the card of any other CRM, such as Salesforce's component, reach the connector? With an API key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.entrypoints.web.api.authentication import caller
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.card_api import acts
from connector.entrypoints.web.card_api.acts import CardUser
from connector.entrypoints.web.card_api.schemas import (
    CardQuerySchema,
    CardSettingsSchema,
    CardTraceSchema,
    ConsentAnswerSchema,
    DraftSchema,
    JourneyChangeSchema,
    PersonQuerySchema,
    PreviewSchema,
    RecordCardSchema,
    RecordedConsentSchema,
    ReplySchema,
    SentReplySchema,
    SettingsChangeSchema,
    TemplateListSchema,
    TemplatesQuerySchema,
)
from connector.ports.api_keys import APIScope

blueprint = APIBlueprint("card", "/card", "What a card on a contact's record shows and does.")

_CONTACT = "/contacts/<string:crm_id>"
_UNKNOWN = {404: "The account has no such contact."}
_REFUSED = {409: "Refused; `code` says why, such as `opted_out` or `no_number`."}


@blueprint.operation(Operation("GET", _CONTACT, APIScope.CARD, RecordCardSchema, query=CardQuerySchema, also=_UNKNOWN))
def show_card(query: Mapping[str, Any], crm_id: str) -> Any:
    """Show a contact's conversation, consent and what was not sent."""
    return acts.show(_user(), crm_id, query)


@blueprint.operation(Operation("GET", f"{_CONTACT}/trace", APIScope.CARD, CardTraceSchema))
def trace_card(crm_id: str) -> Any:
    """Show every decision about a contact that the ledger knows."""
    return acts.trace(_user(), crm_id)


@blueprint.operation(Operation("GET", "/templates", APIScope.CARD, TemplateListSchema, query=TemplatesQuerySchema))
def list_templates(_query: Mapping[str, Any]) -> Any:
    """List the templates there are."""
    return acts.templates(_user())


@blueprint.operation(
    Operation(
        "POST",
        f"{_CONTACT}/preview",
        APIScope.CARD,
        PreviewSchema,
        takes=DraftSchema,
        query=PersonQuerySchema,
        also=_UNKNOWN,
    )
)
def preview_text(query: Mapping[str, Any], given: Mapping[str, Any], crm_id: str) -> Any:
    """Show a text as its reader would get it, with its size and price."""
    return acts.preview(_user(), crm_id, query, given)


@blueprint.operation(
    Operation(
        "POST",
        f"{_CONTACT}/messages",
        APIScope.CARD,
        SentReplySchema,
        202,
        takes=ReplySchema,
        query=PersonQuerySchema,
        also=_UNKNOWN | _REFUSED,
        sends=True,
    )
)
def send_reply(query: Mapping[str, Any], given: Mapping[str, Any], crm_id: str) -> Any:
    """Send a rep's text.

    The same idempotency key answers with the text that was queued before, and never sends a second one.
    """
    return acts.reply(_user(given["by"]), crm_id, query, given)


@blueprint.operation(
    Operation(
        "POST",
        f"{_CONTACT}/consent",
        APIScope.CARD,
        ConsentAnswerSchema,
        takes=RecordedConsentSchema,
        query=PersonQuerySchema,
        also=_UNKNOWN | _REFUSED,
    )
)
def record_card_consent(query: Mapping[str, Any], given: Mapping[str, Any], crm_id: str) -> Any:
    """Record an opt-out or an opt-in that a person told a rep."""
    return acts.record_consent(_user(given["by"]), crm_id, query, given)


@blueprint.operation(Operation("GET", "/settings", APIScope.CARD, CardSettingsSchema))
def show_settings() -> Any:
    """Show the account's settings and journeys."""
    return acts.settings(_user())


@blueprint.operation(Operation("PATCH", "/settings", APIScope.CARD, CardSettingsSchema, takes=SettingsChangeSchema))
def change_settings(given: Mapping[str, Any]) -> Any:
    """Change some of the account's settings; all of those given, or none."""
    return acts.change_settings(_user(), given)


@blueprint.operation(
    Operation(
        "PATCH",
        "/journeys/<string:journey>",
        APIScope.CARD,
        CardSettingsSchema,
        takes=JourneyChangeSchema,
        also={404: "There is no such journey."},
    )
)
def change_journey(given: Mapping[str, Any], journey: str) -> Any:
    """Let a journey take people in, or no more; those in it finish."""
    return acts.change_journey(_user(), journey, given)


def _user(by: str = "") -> CardUser:
    key = caller()
    return CardUser(key.account_id, by or key.name, is_program=True)
