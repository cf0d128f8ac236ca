"""How are fields of records written, our opt-out flag among them, and which of ours does an organisation lack?

Names and kinds are looked up before anything is sent, so that a field nobody has refuses its own row and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.adapters.crm.salesforce.collections import Collections, Results, Row
from connector.adapters.crm.salesforce.consents import CONSENT_SETTING, OrgConsents
from connector.adapters.crm.salesforce.contacts import OrgContacts
from connector.adapters.crm.salesforce.errors import GONE_PEOPLE
from connector.adapters.crm.salesforce.fields import Field, Fields, OrgFields, has, timestamp
from connector.adapters.crm.salesforce.ids import CONTACT, LEAD, full_id, is_id, person_of
from connector.adapters.crm.salesforce.names import (
    MESSAGE,
    MESSAGE_ID,
    OPT_OUT,
    OPT_OUT_AT,
    OPT_OUT_SOURCE,
    PERSON_FIELDS,
    REF,
    OrgNames,
)
from connector.domain.opt_out_fields import OptOutField
from connector.errors import CRMRefusedError
from connector.ports.crm import CRMAccount
from connector.ports.crm_writing import WriteResult

_PEOPLE = frozenset({"contact", "lead"})


@dataclass(frozen=True, slots=True)
class OrgProperties:
    """Writes fields."""

    collections: Collections
    fields: OrgFields
    contacts: OrgContacts
    consents: OrgConsents

    def set_opt_out(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> list[WriteResult]:
        """Set the flag, how it came and the time of an opt-out on contacts and leads; see the port.

        Lifting an opt-out is no consent to marketing: the time of that is left to those who asked for it.
        """

        def values(api_name: str, known: Fields) -> Mapping[str, Any]:
            return _flag(OrgNames.of(account), api_name, known, opted_out=opted_out, at=at, source=source)

        found = self._write(account, "contact", dict.fromkeys(contact_ids, values))
        done = [each for each in dict.fromkeys(contact_ids) if found[each].error is None]
        if account.settings.get(CONSENT_SETTING) is True:
            self.consents.tell(account, done, opted_out=opted_out, at=at, source=source)
        return [found[each] for each in contact_ids]

    def set_properties(
        self, account: CRMAccount, object_type: str, values: Mapping[str, Mapping[str, str]]
    ) -> list[WriteResult]:
        """Write properties of records; see the port."""
        wanted = {each: _typed(account, properties) for each, properties in values.items()}
        return list(self._write(account, object_type, wanted).values())

    def lacking(self, account: CRMAccount) -> list[str]:
        """Give the fields that the organisation does not show us, of our package and of the account's own settings: a
        field misspelt there, or hidden from our user, would count as "not opted out" and say nothing.
        """
        self.fields.forget(account)
        names = OrgNames.of(account)
        message = names.packaged(MESSAGE)
        wanted = [(api_name, name) for api_name in (CONTACT, LEAD) for name in map(names.packaged, PERSON_FIELDS)]
        wanted += [("Task", names.packaged(REF)), (message, names.packaged(MESSAGE_ID))]
        wanted += [(api_name, name) for api_name in (CONTACT, LEAD) for name in names.chosen(api_name)]
        return [f"{api_name}.{name}" for api_name, name in wanted if not has(self.fields.of(account, api_name), name)]

    def _write(
        self,
        account: CRMAccount,
        object_type: str,
        wanted: Mapping[str, Callable[[str, Fields], Mapping[str, Any]]],
    ) -> Results:
        """Write what each record is to hold; people who became others meanwhile are followed once."""

        def write() -> Results:
            return self._write_rows(account, {each: (each, values) for each, values in wanted.items()}, object_type)

        found = self.fields.with_present(account, write)
        gone = [each for each, result in found.items() if _is_gone(result) and is_id(each)]
        if object_type in _PEOPLE and gone:
            now = self.contacts.successors(account, gone)
            found |= self._write_rows(
                account, {each: (now[each], wanted[each]) for each in gone if each in now}, "contact"
            )
        return {each: found[each] for each in wanted}

    def _write_rows(
        self,
        account: CRMAccount,
        wanted: Mapping[str, tuple[str, Callable[[str, Fields], Mapping[str, Any]]]],
        object_type: str,
    ) -> Results:
        found: Results = {}
        rows: list[Row] = []
        for ref, (record_id, values) in wanted.items():
            try:
                api_name = _object(account, object_type, record_id)
                written = values(api_name, self.fields.of(account, api_name))
            except CRMRefusedError as error:
                found[ref] = WriteResult(ref, error=error)
            else:
                rows.append(Row(ref, api_name, {"Id": full_id(record_id) or record_id, **written}, record_id))
        return found | self.collections.update(account, f"write {object_type}s", rows)


def _object(account: CRMAccount, object_type: str, record_id: str) -> str:
    api_name = person_of(record_id) if object_type == "contact" else OrgNames.of(account).object(object_type)
    if api_name is None:
        raise CRMRefusedError(f"this organisation has no {object_type}s", status=400, category="INVALID_TYPE")
    return api_name


def _typed(account: CRMAccount, properties: Mapping[str, str]) -> Callable[[str, Fields], Mapping[str, Any]]:
    def values(api_name: str, known: Fields) -> Mapping[str, Any]:
        names = {each: OrgNames.of(account).field(api_name, each) for each in properties}
        unknown = sorted(name for name in names.values() if name not in known or not known[name].may_update)
        if unknown:
            raise CRMRefusedError(
                f"{api_name} has no {', '.join(unknown)} that we may write", status=400, category="INVALID_FIELD"
            )
        return {names[each]: known[names[each]].value(text) for each, text in properties.items()}

    return values


def _flag(
    names: OrgNames, api_name: str, known: Fields, *, opted_out: bool, at: datetime, source: str
) -> Mapping[str, Any]:
    """Give the fields of an opt-out.

    Raises:
        CRMRefusedError: there is no field for it: the package is not installed, or the setting names another.
    """
    flag = next((each for each in names.opt_outs(api_name) if each.property_name in known), None)
    if flag is None:
        raise CRMRefusedError(
            f"{api_name} has no {names.packaged(OPT_OUT)} that we may see; install our package, give our user its "
            "permission set, or name a field of your own in opt_out_fields",
            status=400,
            category="INVALID_FIELD",
        )
    values: dict[str, Any] = {flag.property_name: _said(known[flag.property_name], flag, opted_out=opted_out)}
    at_field, source_field = names.packaged(OPT_OUT_AT), names.packaged(OPT_OUT_SOURCE)
    if opted_out and at_field in known:
        values[at_field] = timestamp(at)
    if source_field in known:
        values[source_field] = known[source_field].cut(source)
    return values


def _said(field: Field, flag: OptOutField, *, opted_out: bool) -> Any:
    """Put "opted out" into a checkbox, or into a list as the account calls it; lifted, a list is emptied."""
    if field.kind == "boolean":
        return opted_out
    return (field.choice(flag.values[0]) or flag.values[0]) if opted_out else None


def _is_gone(result: WriteResult) -> bool:
    return isinstance(result.error, CRMRefusedError) and result.error.category in GONE_PEOPLE
