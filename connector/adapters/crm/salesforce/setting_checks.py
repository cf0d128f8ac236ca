"""Which of an account's settings name fields, or values of them, that can never say anything?

A field misspelt, or hidden from our user, would count as "not opted out" or "has no number", and nobody would be told.
Values of picklists are left alone: records keep those that cannot be chosen any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connector.adapters.crm.salesforce.consents import CONSENT, CONSENT_SETTING
from connector.adapters.crm.salesforce.contacts import PERSON_FIELD_SETTINGS
from connector.adapters.crm.salesforce.fields import Fields, OrgFields, has
from connector.adapters.crm.salesforce.ids import CONTACT, LEAD
from connector.adapters.crm.salesforce.names import OrgNames, our_name
from connector.domain.opt_out_fields import SETTING, TRUE, OptOutField, opt_out_fields
from connector.errors import CRMRefusedError
from connector.ports.crm import CRMAccount

_CHECKBOX = frozenset({"true", "false"})


@dataclass(frozen=True, slots=True)
class SettingChecks:
    """Compares settings with the descriptions of contacts and leads, read anew."""

    fields: OrgFields

    def mistakes(self, account: CRMAccount) -> dict[str, str]:
        """Say what is wrong with the settings that name fields, by setting; empty when nothing is."""
        self.fields.forget(account)
        known = {api_name: self.fields.of(account, api_name) for api_name in (CONTACT, LEAD)}
        told = dict[str, str]()
        for setting, look in ((SETTING, _wrong_flags), ("phone_fields", _wrong_phones)):
            try:
                mistakes = "; ".join(each for name, held in known.items() for each in look(account, name, held))
            except CRMRefusedError as error:  # a name no field can have
                mistakes = str(error)
            if mistakes:
                told[setting] = mistakes
        for setting in PERSON_FIELD_SETTINGS:
            name = str(account.settings.get(setting) or "")
            if name and not any(has(held, name) for held in known.values()):
                told[setting] = (
                    f"neither Contact nor Lead shows us {name}: mend the name, or give our user access to it"
                )
        if account.settings.get(CONSENT_SETTING) is True and not self.fields.of(account, CONSENT):
            told[CONSENT_SETTING] = f"the organisation shows us no {CONSENT}: switch Data Protection and Privacy on"
        return told


def _wrong_flags(account: CRMAccount, api_name: str, known: Fields) -> Iterator[str]:
    own = {each.property_name for each in opt_out_fields(account.settings, our_name(api_name))}
    for flag in OrgNames.of(account).opt_outs(api_name):
        if flag.property_name not in own:
            continue
        if not has(known, flag.property_name):
            yield _hidden(api_name, flag.property_name)
        elif not _may_say(flag, known):
            yield f"{api_name}.{flag.property_name} is a checkbox: its values are true and false"


def _may_say(flag: OptOutField, known: Fields) -> bool:
    held = known.get(flag.property_name)
    is_checkbox = held is not None and held.kind == "boolean"
    return not is_checkbox or flag.values == TRUE or {each.casefold() for each in flag.values} <= _CHECKBOX


def _wrong_phones(account: CRMAccount, api_name: str, known: Fields) -> Iterator[str]:
    said = account.settings.get("phone_fields")
    if isinstance(said, dict) and said.get(api_name):
        names = OrgNames.of(account).phones(api_name)
        yield from (_hidden(api_name, name) for name in names if not has(known, name))


def _hidden(api_name: str, name: str) -> str:
    return f"{api_name} shows us no {name}: mend the name, or give our user access to the field"
