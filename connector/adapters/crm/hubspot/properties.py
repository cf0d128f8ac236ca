"""Which contact properties are ours, and how do they get into a portal?

HubSpot's certification wants an app to make its properties itself, in a group of its own
(developers.hubspot.com/docs/api-reference/latest/crm/properties).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.hubspot.calls import PortalCalls
from connector.adapters.crm.hubspot.phones import chosen_phones
from connector.domain.opt_out_fields import opt_out_fields
from connector.errors import CRMRefusedError
from connector.ports.crm import HANDOFF, OPTED_IN_AT, CRMAccount

PREFIX = "sms_connector_"
GROUP = "sms_connector"
OPTED_OUT = f"{PREFIX}opted_out"
OPTED_OUT_AT = f"{PREFIX}opted_out_at"
CONSENT_SOURCE = f"{PREFIX}consent_source"
OPT_IN_REQUESTED_AT = f"{PREFIX}opt_in_requested_at"
WANTS_OFFERS = f"{PREFIX}wants_offers"
CODE_REQUESTED_AT = f"{PREFIX}code_requested_at"
CODE_CONFIRMED = f"{PREFIX}code_confirmed"

_YES_NO = [
    {"label": "Yes", "value": "true", "displayOrder": 0, "hidden": False},
    {"label": "No", "value": "false", "displayOrder": 1, "hidden": False},
]


def _property(name: str, label: str, kind: str, field: str, description: str, **more: Any) -> Mapping[str, Any]:
    return {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": field,
        "groupName": GROUP,
        "description": description,
        **more,
    }


DEFINITIONS = (
    _property(OPTED_OUT, "SMS opted out", "bool", "booleancheckbox",
              "No SMS at all goes to this contact's number while this is Yes.", options=_YES_NO),
    _property(OPTED_OUT_AT, "SMS opted out at", "datetime", "date", "When the latest opt-out came."),
    _property(OPTED_IN_AT, "SMS opted in at", "datetime", "date",
              "When this contact agreed to marketing SMS: filled in by a double opt-in, by hand or from a form."),
    _property(CONSENT_SOURCE, "SMS consent source", "string", "text", "How the latest opt-out came, or was lifted."),
    _property(HANDOFF, "SMS handed off to", "string", "text",
              "The workflow a journey handed this contact to, and when. A workflow can start on its change."),
    _property(OPT_IN_REQUESTED_AT, "SMS opt-in requested at", "datetime", "date",
              "When this contact asked for marketing SMS, say on a form. Starts the journey that asks for a yes."),
    _property(WANTS_OFFERS, "SMS offers", "bool", "booleancheckbox",
              "This contact wants offers by SMS, beside their consent to marketing.", options=_YES_NO),
    _property(CODE_REQUESTED_AT, "SMS code requested at", "datetime", "date",
              "When your login asked for a one-time code. Starts the journey that sends one."),
    _property(CODE_CONFIRMED, "SMS code confirmed", "string", "text",
              "The request whose one-time code came back right: the time it was asked for."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Definition:
    """A contact property of a portal.

    Attributes:
        kind: `string`, `number`, `bool`, `enumeration`, `date`, `datetime` …
        options: values of a list; empty where the list is kept elsewhere.
        may_write: False for what HubSpot works out itself.
    """

    name: str
    kind: str
    options: tuple[str, ...] = ()
    may_write: bool = True


Definitions = Mapping[str, Definition]


@dataclass(frozen=True, slots=True)
class PortalProperties:
    """Makes our property group and properties, and looks at those the portal has."""

    calls: PortalCalls

    def install(self, account: CRMAccount) -> list[str]:
        """Make what is missing; what is there already stays as people may have changed it.

        Give the properties that the account's settings name and the portal does not have: an opt-out or a number in
        one of them is never seen.
        """
        if GROUP not in self._names(account, "property groups", lambda api: api.property_groups.get_all("contacts")):
            group = {"name": GROUP, "label": "SMS", "displayOrder": -1}
            self._make(account, "property group", lambda api: api.property_groups.create("contacts", group))
        there = self.definitions(account)
        for definition in DEFINITIONS:
            if definition["name"] not in there:
                self._make(account, "property", _creating(definition))
        own = (each.property_name for each in opt_out_fields(account.settings, "contact"))
        chosen = dict.fromkeys([*own, *chosen_phones(account.settings)])
        ours = {str(definition["name"]) for definition in DEFINITIONS}
        return [f"contact.{name}" for name in chosen if name not in there and name not in ours]

    def definitions(self, account: CRMAccount) -> Definitions:
        """Give the contact properties the portal has, by name."""
        answer = self.calls.make(account, "read properties", lambda api: api.properties.get_all("contacts")) or {}
        return {each.name: each for each in map(_definition, answer.get("results") or ())}

    def _names(self, account: CRMAccount, what: str, call: Any) -> set[str]:
        answer = self.calls.make(account, f"read {what}", call) or {}
        return {str(each["name"]) for each in answer.get("results") or ()}

    def _make(self, account: CRMAccount, what: str, call: Any) -> None:
        try:
            self.calls.make(account, f"create a {what}", call)
        except CRMRefusedError as error:
            if error.status != 409:  # another process made it meanwhile
                raise


def _definition(told: Mapping[str, Any]) -> Definition:
    may = told.get("modificationMetadata") or {}
    return Definition(
        name=str(told["name"]),
        kind=str(told.get("type") or "string"),
        options=tuple(str(each.get("value") or "") for each in told.get("options") or ()),
        may_write=not may.get("readOnlyValue") and not told.get("calculated"),
    )


def _creating(definition: Mapping[str, Any]) -> Any:
    return lambda api: api.properties.create("contacts", definition)
