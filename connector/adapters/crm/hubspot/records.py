"""What do the portal's records say, and which contacts belong to them?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connector.adapters.crm.hubspot.batches import batched
from connector.adapters.crm.hubspot.calls import PortalCalls
from connector.adapters.crm.hubspot.dated_client import PortalAPI
from connector.adapters.crm.hubspot.object_types import path_name
from connector.ports.crm import CRMAccount, Link, SearchFilter

SEARCH_PAGE = 200  # the most a search answers at once
LARGEST_HISTORY = 50  # inputs of a batch read that asks for histories
BY_ID = "hs_object_id"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Properties = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class PortalRecords:
    """Reads records in batches. Object types are ours (`deal`), property names HubSpot's (`dealstage`)."""

    calls: PortalCalls

    def read(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]
    ) -> dict[str, Properties]:
        """Read many records; ids that do not exist, or cannot, are absent, empty properties are None."""
        found: dict[str, Properties] = {}
        for some in batched(_possible(ids)):
            body = {
                "inputs": [{"id": each} for each in some],
                "properties": list(properties),
                "propertiesWithHistory": [],
            }
            answer = self.calls.make(account, f"read {object_type}s", _read(path_name(object_type), body))
            found |= {str(row["id"]): _asked(row, properties) for row in _rows(answer)}
        return found

    def linked(self, account: CRMAccount, from_type: str, to_type: str, ids: Sequence[str]) -> dict[str, list[Link]]:
        """Give the records of `to_type` associated with each of `ids`, in HubSpot's order, every page of them."""
        found: dict[str, list[Link]] = {}
        for some in batched(list(dict.fromkeys(ids))):
            wanted: list[dict[str, str]] = [{"id": each} for each in some]
            while wanted:
                answer = self.calls.make(
                    account,
                    f"read associations of {from_type}s",
                    _read_links(path_name(from_type), path_name(to_type), {"inputs": wanted}),
                )
                wanted = []
                for row in _rows(answer):
                    from_id = str(row["from"]["id"])
                    found.setdefault(from_id, []).extend(map(_link, row.get("to") or ()))
                    if after := ((row.get("paging") or {}).get("next") or {}).get("after"):
                        wanted.append({"id": from_id, "after": str(after)})
        return found

    def contacts_of(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], through: str
    ) -> dict[str, list[Link]]:
        """Give the contacts of records; those that have none get the contacts of the first they belong to."""
        found = self.linked(account, object_type, "contact", ids)
        bare = [each for each in ids if not found.get(each)]
        if not through or not bare:
            return found
        between = {each: links[0].object_id for each, links in self.linked(account, object_type, through, bare).items()}
        theirs = self.linked(account, through, "contact", list(dict.fromkeys(between.values()))) if between else {}
        for each, middle in between.items():
            links = sorted(theirs.get(middle, ()), key=lambda link: "primary" not in link.labels)
            found[each] = [replace(link, via=f"{through}:{middle}") for link in links]
        return found

    def search(
        self,
        account: CRMAccount,
        object_type: str,
        groups: Sequence[Sequence[SearchFilter]],
        properties: Sequence[str],
    ) -> Iterator[tuple[str, Properties]]:
        """Find records that meet all filters of at least one group, in the order of their ids.

        Pages by id instead of by offset: HubSpot answers no more than 10 000 results to one search, and records that
        change between two pages would shift the offset.
        """
        last = ""
        while True:
            page = self.search_page(account, object_type, groups, properties, last)
            yield from page
            if len(page) < SEARCH_PAGE:
                return
            last = page[-1][0]

    def search_page(
        self,
        account: CRMAccount,
        object_type: str,
        groups: Sequence[Sequence[SearchFilter]],
        properties: Sequence[str],
        after: str,
    ) -> list[tuple[str, Properties]]:
        """Find the first records behind an id, in the order of ids."""
        later = [SearchFilter(BY_ID, "GT", after)] if after else []
        return self.search_sorted(account, object_type, [[*group, *later] for group in groups], properties, BY_ID)

    def search_sorted(
        self,
        account: CRMAccount,
        object_type: str,
        groups: Sequence[Sequence[SearchFilter]],
        properties: Sequence[str],
        sort: str,
    ) -> list[tuple[str, Properties]]:
        """Find the first records in the order of a property; HubSpot sorts by one only."""
        call = _search(path_name(object_type), _search_body(groups, properties, sort))
        rows = _rows(self.calls.make(account, f"search {object_type}s", call, is_search=True))
        return [(str(row["id"]), _asked(row, properties)) for row in rows]

    def history(
        self, account: CRMAccount, object_type: str, ids: Sequence[str], properties: Sequence[str]
    ) -> dict[str, Mapping[str, Sequence[Mapping[str, Any]]]]:
        """Read the versions of properties of many records, the present one first."""
        found: dict[str, Mapping[str, Sequence[Mapping[str, Any]]]] = {}
        for some in batched(_possible(ids), LARGEST_HISTORY):
            body = {
                "inputs": [{"id": each} for each in some],
                "properties": [],
                "propertiesWithHistory": list(properties),
            }
            answer = self.calls.make(account, f"read {object_type}s", _read(path_name(object_type), body))
            found |= {str(row["id"]): row.get("propertiesWithHistory") or {} for row in _rows(answer)}
        return found


_ID = re.compile(r"[0-9]{1,19}")  # a whole number of 64 bits


def _possible(ids: Sequence[str]) -> list[str]:
    """Give each id once, without those that no record can have: one of them has a whole batch refused."""
    return [each for each in dict.fromkeys(ids) if _ID.fullmatch(each)]


def _read(name: str, body: Mapping[str, Any]) -> Any:
    def call(api: PortalAPI) -> Any:
        return api.batches.read(name, body)

    return call


def _read_links(from_name: str, to_name: str, body: Mapping[str, Any]) -> Any:
    def call(api: PortalAPI) -> Any:
        return api.associations.get_page(from_name, to_name, body)

    return call


def _search(name: str, body: Mapping[str, Any]) -> Any:
    def call(api: PortalAPI) -> Any:
        return api.searches.do_search(name, body)

    return call


def _search_body(groups: Sequence[Sequence[SearchFilter]], properties: Sequence[str], sort: str) -> Mapping[str, Any]:
    return {
        "filterGroups": [{"filters": [_filter(each) for each in group]} for group in groups],
        "properties": list(properties),
        "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
        "limit": SEARCH_PAGE,
    }


def _filter(condition: SearchFilter) -> Mapping[str, Any]:
    wire: dict[str, Any] = {"propertyName": condition.property_name, "operator": condition.operator}
    if condition.operator == "IN":
        value = condition.value
        wire["values"] = [_searchable(each) for each in ((value,) if isinstance(value, str) else value)]
    elif condition.operator != "HAS_PROPERTY":
        value = condition.value
        wire["value"] = _searchable(value if isinstance(value, str) else ";".join(value))
    return wire


def _searchable(value: str) -> str:
    """Searches compare times as epoch milliseconds; everything else goes as it is."""
    if len(value) < len("2026-01-01T00:00Z") or "T" not in value:
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return str(int((moment - _EPOCH).total_seconds() * 1000)) if moment.tzinfo else value


def _asked(row: Mapping[str, Any], names: Sequence[str]) -> Properties:
    """HubSpot leaves out properties the portal does not have, and says "" for one that was emptied."""
    held = row.get("properties") or {}
    return {name: held.get(name) or None for name in names}


def _link(row: Mapping[str, Any]) -> Link:
    names = (str(kind.get("label") or "") for kind in row.get("associationTypes") or ())
    labels = dict.fromkeys("primary" if name.lower() == "primary" else name for name in names if name)
    return Link(str(row["toObjectId"]), tuple(labels))


def _rows(answer: Any) -> list[Mapping[str, Any]]:
    """The results; a partial (207) answer only leaves out what does not exist or has no associations."""
    return list((answer or {}).get("results") or ())
