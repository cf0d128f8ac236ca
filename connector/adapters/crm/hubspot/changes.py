"""Which records of a portal changed since a time, when did their properties change, and did an import do it?

A walk goes from one time of change to the next, as no search answers more than 10 000 results. Where more records than
one answer holds changed in the same millisecond, as after an import, it goes through those by their ids. Sources:
developers.hubspot.com/docs/api-reference/latest/crm/search, and the object guides on `propertiesWithHistory`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.adapters.crm.hubspot.records import BY_ID, SEARCH_PAGE, PortalRecords, Properties
from connector.ports.crm import Change, ChangedRecord, ChangePage, CRMAccount, SearchFilter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOURCE = "hs_object_source"  # of the record as a whole: how it was made
_IMPORT = "IMPORT"
_CREATED = {"contact": "createdate", "company": "createdate", "deal": "createdate", "ticket": "createdate"}
_MODIFIED = {"contact": "lastmodifieddate"}

Found = list[tuple[str, Properties]]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a walk stands: at a time, behind all that changed at it, or behind an id among those that did."""

    moment: int  # milliseconds since 1970, which searches compare
    is_behind: bool = False
    last_id: str = ""

    def __str__(self) -> str:
        return f"{self.moment}:{self.last_id}" if self.last_id else f"{self.moment}:"

    @classmethod
    def of(cls, since: datetime, after: str) -> _Place:
        """Read what a page gave as its `next`."""
        if not after:
            return cls((since - _EPOCH) // timedelta(milliseconds=1))
        moment, _, last_id = after.partition(":")
        return cls(int(moment), not last_id, last_id)


@dataclass(frozen=True, slots=True)
class PortalChanges:
    """Walks along what changed."""

    records: PortalRecords

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
        walk = _Walk(self.records, account, object_type, tuple(dict.fromkeys(properties)), tuple(filters))
        found, place = walk.page(_Place.of(since, after))
        return ChangePage(walk.described(found), "" if place is None else str(place))


@dataclass(frozen=True, slots=True)
class _Walk:
    records: PortalRecords
    account: CRMAccount
    object_type: str
    properties: tuple[str, ...]
    filters: tuple[SearchFilter, ...]

    def page(self, place: _Place) -> tuple[Found, _Place | None]:
        """Give the records behind a place, and the place behind them; None at the end."""
        if place.last_id:
            found = self._search([self._changed("EQ", place), SearchFilter(BY_ID, "GT", place.last_id)], BY_ID)
            is_whole = len(found) == SEARCH_PAGE
            return found, replace(place, last_id=found[-1][0]) if is_whole else _Place(place.moment, is_behind=True)
        found = self._search([self._changed("GT" if place.is_behind else "GTE", place)], self._modified)
        if len(found) < SEARCH_PAGE:
            return found, None
        last = self._moment_of(found[-1][1])
        kept = [each for each in found if self._moment_of(each[1]) < last]  # of the last moment there may be more
        if kept:
            return kept, _Place(self._moment_of(kept[-1][1]), is_behind=True)
        return [], _Place(last, last_id="0")

    def described(self, found: Found) -> list[ChangedRecord]:
        """Give records with their history, which a search does not tell."""
        ids = [crm_id for crm_id, _ in found]
        watched = [name for name in self.properties if name not in {BY_ID, self._created, self._modified}]
        histories = self.records.history(self.account, self.object_type, ids, watched) if ids and watched else {}
        return [self._record(crm_id, held, histories.get(crm_id, {})) for crm_id, held in found]

    def _record(
        self, crm_id: str, held: Properties, history: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> ChangedRecord:
        made = _moment(held[self._created])
        present = {name: versions[0] for name, versions in history.items() if versions}
        changes = {name: _moment(str(version.get("timestamp") or "")) for name, version in present.items()}
        return ChangedRecord(
            object_id=crm_id,
            properties={name: _present(present.get(name), held.get(name)) for name in self.properties},
            modified_at=_moment(held[self._modified]) or _EPOCH,
            created=None if made is None else Change(made, held[_SOURCE] == _IMPORT),
            changed={
                name: Change(at, present[name].get("sourceType") == _IMPORT)
                for name, at in changes.items()
                if at is not None
            },
        )

    def _search(self, place: Sequence[SearchFilter], sort: str) -> Found:
        names = dict.fromkeys([*self.properties, self._created, self._modified, _SOURCE])
        groups = [[*self.filters, *place]]
        return self.records.search_sorted(self.account, self.object_type, groups, tuple(names), sort)

    def _changed(self, operator: str, place: _Place) -> SearchFilter:
        return SearchFilter(self._modified, operator, str(place.moment))

    def _moment_of(self, held: Properties) -> int:
        return ((_moment(held[self._modified]) or _EPOCH) - _EPOCH) // timedelta(milliseconds=1)

    @property
    def _created(self) -> str:
        return _CREATED.get(self.object_type, "hs_createdate")

    @property
    def _modified(self) -> str:
        return _MODIFIED.get(self.object_type, "hs_lastmodifieddate")


def _present(version: Mapping[str, Any] | None, found: str | None) -> str | None:
    """Give a property's value: what was just read is newer than what the search index has."""
    return found if version is None else str(version.get("value") or "") or None


def _moment(text: str | None) -> datetime | None:
    """Read a time as HubSpot writes it; None for anything else."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
