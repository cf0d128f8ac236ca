"""Which settings does an account have, what may each one be, and what holds while nobody has set it?"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from connector.domain import setting_values as values
from connector.domain.setting_values import Kept


class Kind(StrEnum):
    """How a setting is asked for."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class AccountSetting:
    """One setting.

    Attributes:
        check: gives the value as it is kept; raises ValueError with what is wrong.
        default: holds while nobody has set it; None where that has a meaning of its own, which `help` says.
        options: what there is to choose from.
        crm: the only kind of CRM that has it; empty for every one.
    """

    name: str
    label: str
    kind: Kind
    check: Callable[[Any, Kept], Any]
    help: str
    default: Any = None
    options: tuple[str, ...] = ()
    crm: str = ""


def settings_of(crm: str) -> Sequence[AccountSetting]:
    """Give the settings that accounts of a CRM have."""
    return [each for each in ACCOUNT_SETTINGS if each.crm in {"", crm}]


def read_value(crm: str, name: str, raw: Any, kept: Kept) -> Any:
    """Read a value somebody wants to give a setting; None or an empty text takes the setting back to its default.

    Raises:
        ValueError: there is no such setting, or it cannot have this value; the message says why, without the value.
    """
    known = {each.name: each for each in settings_of(crm)}
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise ValueError("there is no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    if raw is None or (isinstance(raw, str) and not raw.strip()) or raw in ([], {}):
        return None
    return known[name].check(raw, kept)


ACCOUNT_SETTINGS: tuple[AccountSetting, ...] = (
    AccountSetting(
        "name",
        "Name",
        Kind.TEXT,
        values.account_name,
        "Who texts say they are from; else what the CRM calls the account.",
    ),
    AccountSetting(
        "default_region",
        "Country",
        Kind.TEXT,
        values.region,
        "Country whose phone numbers people type without prefix, such as US. Without it such numbers are not texted.",
    ),
    AccountSetting(
        "time_zone",
        "Time zone",
        Kind.TEXT,
        values.zone,
        "Whose clock schedules and the account's days go by; else what the CRM says, else UTC.",
    ),
    AccountSetting(
        "locale", "Language", Kind.TEXT, values.language, "Language of contacts who have none of their own, such as en."
    ),
    AccountSetting(
        "currency", "Currency", Kind.TEXT, values.currency, "Of amounts whose record names none, such as USD."
    ),
    AccountSetting(
        "senders",
        "Senders",
        Kind.LIST,
        values.senders,
        "Numbers and names that are this account's own, as a list or by country: its texts come from them where they "
        "can, no other account's do, and a text to one of them from a number nobody knows is this account's.",
        default=(),
    ),
    AccountSetting(
        "owner_phones",
        "Owners' numbers",
        Kind.MAP,
        values.owner_phones,
        "Where owners get SMS, by their e-mail address.",
        default={},
    ),
    AccountSetting(
        "opt_out_fields",
        "Opt-out fields",
        Kind.MAP,
        values.opt_outs,
        "Fields of the CRM that say, beside our own, that somebody wants no texts, by kind of record.",
        default={},
    ),
    AccountSetting(
        "unknown_numbers",
        "Unknown numbers",
        Kind.CHOICE,
        values.choice("ignore", "attach", "create"),
        "What to do when a number writes that no contact here has: keep the text here, look the number up in the CRM, "
        "or also make a contact.",
        default="ignore",
        options=("ignore", "attach", "create"),
    ),
    AccountSetting(
        "unknown_webhook_people",
        "Unknown people in webhooks",
        Kind.CHOICE,
        values.choice("ignore", "attention"),
        "What to do when another system's webhook is about somebody the CRM does not have: note it, or also ask a "
        "person to look.",
        default="ignore",
        options=("ignore", "attention"),
    ),
    AccountSetting(
        "backfill_hours",
        "Found late",
        Kind.NUMBER,
        values.hours,
        "How long ago something may have happened in the CRM that no webhook told of and a poll found, in hours, to "
        "start a journey all the same; what is older is only noted.",
        default=24.0,
    ),
    AccountSetting(
        "replace_smart_characters",
        "Plain characters",
        Kind.SWITCH,
        values.switch,
        "Whether curly quotes and their like become plain ones, which makes texts shorter and cheaper.",
        default=True,
    ),
    AccountSetting(
        "number_status_property",
        "Number status",
        Kind.TEXT,
        values.crm_property,
        "A property of contacts that gets what was found out about their number; empty for none.",
    ),
    AccountSetting(
        "card_admins",
        "Admins on the card",
        Kind.LIST,
        values.emails,
        "E-mail addresses of those who may change settings on the CRM's own settings page.",
        default=(),
    ),
    AccountSetting(
        "phone_fields",
        "Phone properties",
        Kind.MAP,
        values.phone_properties,
        "Properties of contacts that hold numbers, the best one first; a new contact gets its number in that one.",
        default={"contact": ["mobilephone", "phone"]},
        crm="hubspot",
    ),
    AccountSetting(
        "phone_fields",
        "Phone fields",
        Kind.MAP,
        values.phone_fields,
        "Fields of Contact and Lead that hold numbers, the best one first.",
        default={"Contact": ["MobilePhone", "Phone"], "Lead": ["MobilePhone", "Phone"]},
        crm="salesforce",
    ),
    AccountSetting(
        "locale_field",
        "Language field",
        Kind.TEXT,
        values.api_name,
        "Field of contacts and leads that names their language, such as Language__c; empty where there is none.",
        default="",
        crm="salesforce",
    ),
    AccountSetting(
        "time_zone_field",
        "Time zone field",
        Kind.TEXT,
        values.api_name,
        "Field of contacts and leads that names their time zone, such as Time_Zone__c; empty where there is none.",
        default="",
        crm="salesforce",
    ),
    AccountSetting(
        "salesforce_consent_objects",
        "Consent objects",
        Kind.SWITCH,
        values.switch,
        "Whether opt-outs are also told to Salesforce's consent objects, of people who have an Individual.",
        default=False,
        crm="salesforce",
    ),
    AccountSetting(
        "salesforce_namespace",
        "Namespace",
        Kind.TEXT,
        values.namespace,
        "Of the installed package; empty for one deployed from source.",
        default="",
        crm="salesforce",
    ),
    AccountSetting(
        "invoice_object",
        "Invoice object",
        Kind.TEXT,
        values.api_name,
        "API name of the object that holds invoices; empty where there are none.",
        default="",
        crm="salesforce",
    ),
    AccountSetting(
        "invoice_fields",
        "Invoice fields",
        Kind.MAP,
        values.invoice_fields,
        "Which fields of that object are what event files call them, such as due_date=Due__c.",
        default={},
        crm="salesforce",
    ),
    AccountSetting(
        "salesforce_topics",
        "Streams of changes",
        Kind.LIST,
        values.topics,
        "Topics of the Pub/Sub API to listen to, such as /data/OpportunityChangeEvent; none where outbound messages "
        "tell of changes.",
        default=(),
        crm="salesforce",
    ),
    AccountSetting(
        "new_person",
        "New people become",
        Kind.CHOICE,
        values.choice("lead", "contact"),
        "What to make of a number nobody has, where unknown numbers are to be created.",
        default="lead",
        options=("lead", "contact"),
        crm="salesforce",
    ),
    AccountSetting(
        "api_reserve_percent",
        "API calls kept back",
        Kind.NUMBER,
        values.percent,
        "Percent of the organisation's daily API calls that are left to its other apps.",
        default=5.0,
        crm="salesforce",
    ),
)
