"""Which records of an organisation changed since a time?

A walk goes along `SystemModstamp`, which every change moves, and among records of one second along their ids. Of
people, contacts are walked first and leads then. Salesforce keeps a history only of fields an admin chose, so when a
field got its value is not told (developer.salesforce.com, System Fields).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connector.adapters.crm.salesforce.calls import Record
from connector.adapters.crm.salesforce.fields import parsed_moment
from connector.adapters.crm.salesforce.ids import LEAD
from connector.adapters.crm.salesforce.records import OrgRecords, asked
from connector.adapters.crm.salesforce.soql import PAGE, compares, select
from connector.ports.crm import Change, ChangedRecord, ChangePage, CRMAccount, SearchFilter

_MODIFIED, _CREATED = "SystemModstamp", "CreatedDate"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a walk stands: among the records of one object, at a second, behind an id; no id for its beginning."""

    api_name: str
    moment: datetime
    last_id: str = ""

    def __str__(self) -> str:
        return f"{self.api_name}|{self.moment.isoformat()}|{self.last_id}"

    @classmethod
    def of(cls, text: str) -> _Place:
        """Read what a page gave as its `next`."""
        api_name, moment, last_id = text.split("|")
        return cls(api_name, datetime.fromisoformat(moment), last_id)


@dataclass(frozen=True, slots=True)
class OrgChanges:
    """Walks along what changed."""

    records: OrgRecords

    def since(
        self,
        account: CRMAccount,
        object_type: str,
        properties: Sequence[str],
        since: datetime,
        after: str,
        filters: Sequence[SearchFilter],
    ) -> ChangePage:
        """Give the next page of a walk; see the port."""
        objects = self.records.searched(account, object_type, filters)
        if not objects:
            return ChangePage(())
        place = _Place.of(after) if after else _Place(objects[0], since)

        def ask() -> list[Record]:
            return self._records(account, place, properties, filters)

        found = self.records.fields.with_present(account, ask)
        wanted = self.records.wanted(account, place.api_name, properties)
        page = [
            ChangedRecord(
                object_id=str(each["Id"]),
                properties=asked(each, properties, wanted),
                modified_at=_at(each, _MODIFIED),
                created=Change(_at(each, _CREATED)),
            )
            for each in found
        ]
        return ChangePage(page, _next(place, page, objects, since))

    def _records(
        self, account: CRMAccount, place: _Place, properties: Sequence[str], filters: Sequence[SearchFilter]
    ) -> list[Record]:
        where = self.records.conditions(account, place.api_name, filters)
        where += [compares("IsConverted", "=", False)] if place.api_name == LEAD else []
        later = compares(_MODIFIED, ">" if place.last_id else ">=", place.moment)
        same = f"{compares(_MODIFIED, '=', place.moment)} AND {compares('Id', '>', place.last_id)}"
        where.append(f"({later} OR ({same}))" if place.last_id else later)
        wanted = self.records.wanted(account, place.api_name, properties)
        names = [*wanted.values(), _MODIFIED, _CREATED]
        soql = select(names, place.api_name, where, order=f"{_MODIFIED}, Id", limit=PAGE)
        return self.records.calls.query(account, f"read changed {place.api_name}s", soql)


def _next(place: _Place, page: Sequence[ChangedRecord], objects: Sequence[str], since: datetime) -> str:
    if len(page) == PAGE:
        return str(_Place(place.api_name, page[-1].modified_at, page[-1].object_id))
    later = objects[objects.index(place.api_name) + 1 :] if place.api_name in objects else ()
    return str(_Place(later[0], since)) if later else ""


def _at(record: Record, name: str) -> datetime:
    return parsed_moment(str(record.get(name) or "")) or _EPOCH
