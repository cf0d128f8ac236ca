"""Which objects, fields, classes and components are there for the package's files to speak of?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from tests.marketplace.salesforce.package import CLASSES, COMPONENTS, PLACEHOLDERS, SHIPPED

_SYSTEM = frozenset(
    {"Id", "Name", "OwnerId", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp"}
)
_OF_A_PERSON = frozenset({"Email", "LastName", "MobilePhone", "Phone"})

STANDARD: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Account": _SYSTEM,
        "Contact": _SYSTEM | _OF_A_PERSON | {"AccountId", "MailingAddress"},
        "Lead": _SYSTEM | _OF_A_PERSON | {"Address", "Company", "LeadSource"},
        "Opportunity": _SYSTEM | {"AccountId", "Amount", "CloseDate", "NextStep", "StageName"},
        "Case": (_SYSTEM - {"Name"}) | {"AccountId", "CaseNumber", "ContactId", "Priority", "Status", "Subject"},
        "UserExternalCredential": _SYSTEM,  # where keys are kept: who may not read it cannot use the credential
        "Task": (_SYSTEM - {"Name"}) | {"ActivityDate", "Description", "WhatId", "WhoId"},
    }
)
"""Standard fields that the package speaks of (developer.salesforce.com, Object Reference)."""

NO_FIELD_SECURITY = _SYSTEM | {"CloseDate", "Company", "LastName", "StageName"}
"""Fields that a permission set cannot name: every user has them, or none."""


@cache
def fields() -> Mapping[str, frozenset[str]]:
    """Give the fields of every object: standard ones, the package's, and those of the tests' invoice object."""
    own = {
        folder.name: frozenset(path.name.partition(".")[0] for path in folder.glob("fields/*.field-meta.xml"))
        for folder in (SHIPPED / "objects").iterdir()
    }
    activity = own.pop("Activity")  # fields of tasks and events are made there
    invoice = {value for name, value in PLACEHOLDERS.items() if name.endswith("_field")}
    known = {name: set(STANDARD.get(name, _SYSTEM)) | own.get(name, set()) for name in {*STANDARD, *own}}
    known["Task"] |= activity
    known[PLACEHOLDERS["invoice_object"]] = set(_SYSTEM) | invoice
    return {name: frozenset(found) for name, found in known.items()}


def is_field(path: str) -> bool:
    """Tell whether there is a field, named as `Contact.SMS_Opt_Out__c`."""
    object_name, _, name = path.partition(".")
    return name in fields().get(object_name, frozenset())


@cache
def aura_methods() -> Mapping[str, frozenset[str]]:
    """Give the methods that components may call, with the names of their parameters, as `Class.method`."""
    found = {}
    for path in CLASSES.glob("*.cls"):
        source = path.read_text(encoding="utf-8")
        for method in re.finditer(r"@AuraEnabled(?:\([^)]*\))?\s+public static \S+ (\w+)\(([^)]*)\)", source):
            names = [each.split()[-1] for each in method[2].split(",") if each.strip()]
            found[f"{path.stem}.{method[1]}"] = frozenset(names)
    return found


@cache
def components() -> Mapping[str, frozenset[str]]:
    """Give the Lightning web components with the attributes that others may set."""
    found = {}
    for folder in COMPONENTS.iterdir():
        source = (folder / f"{folder.name}.js").read_text(encoding="utf-8")
        found[folder.name] = frozenset(re.findall(r"@api\s+(?:get\s+)?(\w+)", source))
    return found


def camel(name: str) -> str:
    """Give the name in JavaScript of one in HTML: `smsNotSent` of `sms-not-sent`."""
    return re.sub(r"-([a-z])", lambda found: found[1].upper(), name)
