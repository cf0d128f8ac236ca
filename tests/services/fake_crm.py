"""A CRM in memory: what services are tested against, kept honest by the contract suite of every CRM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from connector.adapters.crm.hubspot.webhooks import read_notice
from connector.domain.event import ChangeNotice, ContactSnapshot, Owner
from connector.domain.msisdn import normalise
from connector.domain.opt_out_fields import OptOutField, opt_out_fields
from connector.errors import CRMAmbiguousError, CRMError, CRMRefusedError, InvalidNumberError
from connector.ports.crm import Change, ChangedRecord, ChangePage, ContactFields, CRMAccount, Link, SearchFilter
from connector.ports.crm_writing import RecordKind, RecordWrite, WriteResult

Properties = dict[str, str | None]

_PHONES = ("mobilephone", "phone")
_REGION = "US"
OPTED_OUT = "sms_connector_opted_out"

PAGE = 3
"""Records on a page of `search_page`; few, so that tests turn pages."""


@dataclass
class FakeCRM:
    """Holds records by kind and id, as HubSpot names them.

    Attributes:
        failures: errors to raise by method name, one per coming call.
        answers_lost: methods whose coming call does its work and then raises `CRMAmbiguousError`.
        calls: how often each method was called.
        belongs: the record of a kind that another belongs to, by that one's kind and id and the kind.
        merged: ids of contacts that were merged away, and what they became.
        now: tells when something changes.
        imports: whether an import is what changes things now.
        keeps_history: whether the CRM knows when a property got its value.
        fields: contact properties that settings may name; None where every name will do.
    """

    slug: str = "hubspot"
    records: dict[str, dict[str, Properties]] = field(default_factory=dict)
    links: dict[tuple[str, str], list[Link]] = field(default_factory=dict)
    belongs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    people: dict[str, Owner] = field(default_factory=dict)
    written: dict[str, RecordWrite] = field(default_factory=dict)
    opted_out: dict[str, bool] = field(default_factory=dict)
    opted_in: dict[str, datetime | None] = field(default_factory=dict)
    failures: dict[str, list[CRMError]] = field(default_factory=dict)
    answers_lost: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    now: Callable[[], datetime] = lambda: datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
    imports: bool = False
    keeps_history: bool = True
    fields: set[str] | None = None
    modified: dict[tuple[str, str], datetime] = field(default_factory=dict)
    created: dict[tuple[str, str], Change] = field(default_factory=dict)
    history: dict[tuple[str, str], dict[str, Change]] = field(default_factory=dict)
    _ids: count[int] = field(default_factory=lambda: count(9001))

    # The other side's hands

    def put(self, object_type: str, contacts: Sequence[str | Link] = (), /, **properties: str) -> str:
        """Put a record in; give its id."""
        object_id = properties.pop("id", None) or str(next(self._ids))
        self.records.setdefault(object_type, {})[object_id] = {"hs_object_id": object_id, **properties}
        self.links[object_type, object_id] = [each if isinstance(each, Link) else Link(each) for each in contacts]
        self.created[object_type, object_id] = Change(self.now(), self.imports)
        self._note(object_type, object_id, properties)
        return object_id

    def change(self, object_type: str, object_id: str, **properties: str) -> None:
        """Change a record."""
        self.records[object_type][object_id].update(properties)
        self._note(object_type, object_id, properties)

    def _note(self, object_type: str, object_id: str, properties: Mapping[str, str]) -> None:
        self.modified[object_type, object_id] = self.now()
        history = self.history.setdefault((object_type, object_id), {})
        history.update(dict.fromkeys(properties, Change(self.now(), self.imports)))

    def take_away(self, object_type: str, object_id: str) -> None:
        """Delete a record."""
        del self.records[object_type][object_id]

    def merge(self, gone: str, surviving: str) -> None:
        """Merge one contact into another; the old id goes on answering."""
        del self.records["contact"][gone]
        self.merged[gone] = surviving

    def fail(self, method: str, *errors: CRMError) -> None:
        """Let the coming calls of a method fail."""
        self.failures.setdefault(method, []).extend(errors)

    # The port

    def read_notice(self, body: Mapping[str, Any]) -> ChangeNotice | None:
        return read_notice(body)

    def read_records(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]
    ) -> Mapping[str, Mapping[str, str | None]]:
        self._begin("read_records")
        held = self.records.get(object_type, {})
        return {each: {name: held[each].get(name) for name in properties} for each in ids if each in held}

    def read_contacts(
        self, account: CRMAccount, ids: Sequence[str], attributes: Mapping[str, str]
    ) -> Mapping[str, ContactSnapshot]:
        self._begin("read_contacts")
        held = self.records.get("contact", {})
        real = {each: self.merged.get(each, each) for each in ids}
        theirs = opt_out_fields(account.settings, "contact")
        return {each: self._snapshot(real[each], attributes, theirs) for each in ids if real[each] in held}

    def associated_contacts(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], *, through: str = ""
    ) -> Mapping[str, Sequence[Link]]:
        self._begin("associated_contacts")
        return {each: self.links.get((object_type, each)) or self._through(object_type, each, through) for each in ids}

    def _through(self, object_type: str, object_id: str, through: str) -> list[Link]:
        middle = self.belongs.get((object_type, object_id, through))
        links = self.links.get((through, middle), []) if middle else []
        ordered = sorted(links, key=lambda link: "primary" not in link.labels)
        return [replace(link, via=f"{through}:{middle}") for link in ordered]

    def search(
        self, account: CRMAccount, object_type: str, filters: Sequence[SearchFilter], properties: Sequence[str]
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        self._begin("search")
        held = self.records.get(object_type, {})
        met = {each: props for each, props in held.items() if all(_meets(props, one) for one in filters)}
        return [(each, {name: props.get(name) for name in properties}) for each, props in met.items()]

    def search_page(
        self,
        account: CRMAccount,
        object_type: str,
        filters: Sequence[SearchFilter],
        properties: Sequence[str],
        *,
        after: str = "",
    ) -> Sequence[tuple[str, Mapping[str, str | None]]]:
        found = sorted(self.search(account, object_type, filters, properties), key=lambda each: int(each[0]))
        return [each for each in found if int(each[0]) > int(after or 0)][:PAGE]

    def changed_since(
        self,
        account: CRMAccount,
        object_type: str,
        properties: Sequence[str],
        since: datetime,
        *,
        after: str = "",
        filters: Sequence[SearchFilter] = (),
    ) -> ChangePage:
        self._begin("changed_since")
        ids = [
            each
            for each, props in self.records.get(object_type, {}).items()
            if self.modified[object_type, each] >= since
            and all(_meets(self._with_flag(object_type, each, props), one) for one in filters)
        ]
        ids.sort(key=lambda each: (self.modified[object_type, each], int(each)))
        first = int(after or 0)
        page = [self._changed(object_type, each, properties) for each in ids[first : first + PAGE]]
        return ChangePage(page, str(first + PAGE) if first + PAGE < len(ids) else "")

    def _with_flag(self, object_type: str, object_id: str, held: Properties) -> Properties:
        is_flagged = object_type == "contact" and self.opted_out.get(object_id, False)
        return {**held, OPTED_OUT: "true"} if is_flagged else held

    def _changed(self, object_type: str, object_id: str, properties: Sequence[str]) -> ChangedRecord:
        held = self.records[object_type][object_id]
        history = self.history[object_type, object_id] if self.keeps_history else {}
        return ChangedRecord(
            object_id,
            {name: held.get(name) for name in properties},
            self.modified[object_type, object_id],
            self.created[object_type, object_id],
            {name: history[name] for name in properties if name in history},
        )

    def stage_labels(self, account: CRMAccount, object_type: str) -> Mapping[str, str]:
        self._begin("stage_labels")
        return self.labels.get(object_type, {})

    def owners(self, account: CRMAccount) -> Mapping[str, Owner]:
        self._begin("owners")
        return self.people

    def find_contacts_by_number(self, account: CRMAccount, e164: str) -> Sequence[str]:
        self._begin("find_contacts_by_number")
        held = self.records.get("contact", {})
        found = [each for each, props in held.items() if e164 in _numbers(props)]
        return sorted(found, key=lambda each: self.modified["contact", each], reverse=True)

    def find_contacts_by_email(
        self, account: CRMAccount, emails: Sequence[str], property_name: str
    ) -> Mapping[str, Sequence[str]]:
        self._begin("find_contacts_by_email")
        asked = {each.lower() for each in emails}
        held = self.records.get("contact", {})
        latest = sorted(held, key=lambda each: self.modified["contact", each], reverse=True)
        found: dict[str, list[str]] = {}
        for each in latest:
            if (email := (held[each].get(property_name) or "").lower()) in asked:
                found.setdefault(email, []).append(each)
        return found

    def create_contact(self, account: CRMAccount, e164: str, ref: str) -> str:
        self._begin("create_contact")
        held = [each for each, props in self.records.get("contact", {}).items() if e164 in _numbers(props)]
        made = held[0] if held else self.put("contact", mobilephone=e164)
        if "create_contact" in self.answers_lost:
            self.answers_lost.remove("create_contact")
            raise CRMAmbiguousError("no answer came")
        return made

    def contact_fields(self, account: CRMAccount) -> ContactFields:
        ours = OptOutField("contact", OPTED_OUT)
        return ContactFields(frozenset(_PHONES), (ours, *opt_out_fields(account.settings, "contact")))

    def mistakes_in_settings(self, account: CRMAccount) -> Mapping[str, str]:
        self._begin("mistakes_in_settings")
        named = [each.property_name for each in opt_out_fields(account.settings)]
        unknown = [each for each in named if self.fields is not None and each not in self.fields]
        return {"opt_out_fields": f"contacts have no {', '.join(unknown)}"} if unknown else {}

    def create(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        self._begin("create")
        results = [self._create(row) for row in rows]
        if "create" in self.answers_lost:
            self.answers_lost.remove("create")
            raise CRMAmbiguousError("no answer came")
        return results

    def update(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        self._begin("update")
        for row in rows:
            assert row.crm_record_id is not None
            self.written[row.crm_record_id] = row
        return [WriteResult(row.ref, row.crm_record_id) for row in rows]

    def find_written(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> Mapping[str, str]:
        self._begin("find_written")
        wanted = {row.ref for row in rows}
        return {row.ref: each for each, row in self.written.items() if row.ref in wanted}

    def set_opt_out(
        self, account: CRMAccount, contact_ids: Sequence[str], *, opted_out: bool, at: datetime, source: str
    ) -> Sequence[WriteResult]:
        self._begin("set_opt_out")
        known = [each for each in contact_ids if each in self.records.get("contact", {})]
        self.opted_out |= dict.fromkeys(known, opted_out)
        return [
            WriteResult(each, each) if each in known else WriteResult(each, error=CRMRefusedError("no such contact"))
            for each in contact_ids
        ]

    def set_properties(
        self, account: CRMAccount, object_type: str, values: Mapping[str, Mapping[str, str]]
    ) -> Sequence[WriteResult]:
        self._begin("set_properties")
        held = self.records.get(object_type, {})
        for each in held.keys() & values.keys():
            held[each].update(values[each])
        refused = CRMRefusedError("no such record", status=404)
        return [WriteResult(each, each) if each in held else WriteResult(each, error=refused) for each in values]

    def install(self, account: CRMAccount) -> Mapping[str, Any]:
        self._begin("install")
        return {"name": "Acme", "time_zone": "Europe/London", "currency": "GBP"}

    # Inside

    def _begin(self, method: str) -> None:
        self.calls[method] += 1
        waiting = self.failures.get(method)
        if waiting:
            raise waiting.pop(0)

    def _snapshot(self, crm_id: str, attributes: Mapping[str, str], fields: Sequence[OptOutField]) -> ContactSnapshot:
        held = self.records["contact"][crm_id]
        opted_out_by = next((each.property_name for each in fields if each.says_so(held.get(each.property_name))), "")
        return ContactSnapshot(
            crm_id=crm_id,
            phones=tuple((text, name) for name in _PHONES if (text := held.get(name))),
            locale=held.get("hs_language"),
            time_zone=held.get("hs_timezone"),
            country=held.get("country"),
            owner_id=held.get("hubspot_owner_id"),
            attributes={ours: held.get(theirs) for ours, theirs in attributes.items()},
            opted_out=self.opted_out.get(crm_id, False) or bool(opted_out_by),
            opted_out_by=opted_out_by,
            opted_in=crm_id in self.opted_in,
            opted_in_at=self.opted_in.get(crm_id),
            opted_in_property="agreed",
        )

    def _create(self, row: RecordWrite) -> WriteResult:
        if row.contact_crm_id not in self.records.get("contact", {}):
            return WriteResult(row.ref, error=CRMRefusedError("no such contact", status=400))
        crm_id = str(next(self._ids))
        self.written[crm_id] = row
        return WriteResult(row.ref, crm_id)

    def shown(self, contact_id: str, kind: RecordKind | None = None) -> list[RecordWrite]:
        """What stands on a contact's timeline."""
        return [row for row in self.written.values() if row.contact_crm_id == contact_id and kind in {None, row.kind}]


def _meets(held: Properties, condition: SearchFilter) -> bool:
    value = held.get(condition.property_name)
    if condition.operator == "HAS_PROPERTY" or value is None:
        return value is not None
    if condition.operator == "IN":
        return value in condition.value
    wanted = str(condition.value)
    compared = (float(value) > float(wanted)) - (float(value) < float(wanted)) if _both_numbers(value, wanted) else None
    if compared is None:
        compared = (value > wanted) - (value < wanted)
    verdicts = {"EQ": compared == 0, "NEQ": compared != 0, "LT": compared < 0, "LTE": compared <= 0}
    return (verdicts | {"GT": compared > 0, "GTE": compared >= 0})[condition.operator]


def _both_numbers(*texts: str) -> bool:
    return all(text.lstrip("-").replace(".", "", 1).isdigit() for text in texts)


def _numbers(held: Properties) -> set[str]:
    found = set()
    for name in _PHONES:
        try:
            found.add(normalise(held.get(name) or "", [_REGION]).e164)
        except InvalidNumberError:
            continue
    return found
