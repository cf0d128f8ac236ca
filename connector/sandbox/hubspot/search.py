"""Which records does a CRM search find?

Limits and operators: developers.hubspot.com/docs/api-reference/latest/crm/search. Text compares without regard
to case, but the values of IN must be lower case already; a record without the property matches only
NOT_HAS_PROPERTY.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from connector.sandbox.hubspot.gate import checked_object
from connector.sandbox.hubspot.object_types import ObjectType, object_type
from connector.sandbox.hubspot.portal import Portal, Record
from connector.sandbox.hubspot.property_definitions import PropertyDefinition
from connector.sandbox.hubspot.refusals import RefusalError, invalid
from connector.sandbox.hubspot.values import ValueRefusedError, kept_value, milliseconds

LONGEST_BODY = 3000  # characters
MOST_GROUPS, MOST_FILTERS, MOST_FILTERS_IN_ALL = 5, 6, 18
LARGEST_PAGE, MOST_RESULTS = 200, 10_000

Values = Mapping[str, str]
Test = Callable[[Record, Values], bool]

_KEYS = ("filterGroups", "filters", "sorts", "query", "properties", "limit", "after")
_WITHOUT_VALUE = frozenset({"HAS_PROPERTY", "NOT_HAS_PROPERTY"})
_WITH_LIST = frozenset({"IN", "NOT_IN"})
_SINGLE = frozenset({"EQ", "NEQ", "LT", "LTE", "GT", "GTE", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN", "BETWEEN"})


def search(portal: Portal, kind: ObjectType, body: Any, indexed_until: datetime) -> dict[str, Any]:
    """The answer to a search body, over the records as they stood at `indexed_until`."""
    asked = _checked_body(body)
    groups = _filter_groups(portal, kind, asked)
    limit, after = _page(asked)
    found = [
        (record, values)
        for record in portal.records[kind.name].values()
        if (values := record.properties_at(indexed_until)) is not None
        and (not groups or any(all(test(record, values) for test in group) for group in groups))
        and _answers_query(values, str(asked.get("query") or ""))
    ]
    _sort(portal, kind, found, asked.get("sorts") or [])
    page = found[after : after + limit]
    names = [*kind.always_read, *(asked.get("properties") or kind.default_properties)]
    following = after + len(page)
    return {
        "total": len(found),
        "results": [record.as_json(names) for record, _ in page],
        **({"paging": {"next": {"after": str(following)}}} if following < len(found) else {}),
    }


def _checked_body(body: Any) -> dict[str, Any]:
    asked = checked_object(body, _KEYS)
    if len(json.dumps(asked)) > LONGEST_BODY:
        raise invalid(f"The request body is longer than {LONGEST_BODY} characters")
    return asked


def _page(asked: Mapping[str, Any]) -> tuple[int, int]:
    try:
        limit, after = int(asked.get("limit") or 10), int(asked.get("after") or 0)
    except (TypeError, ValueError):
        raise invalid("limit and after must be numbers") from None
    if not 1 <= limit <= LARGEST_PAGE:
        raise invalid(f"limit must be between 1 and {LARGEST_PAGE}")
    if after < 0 or after + limit > MOST_RESULTS:
        raise invalid(f"A search cannot page beyond {MOST_RESULTS} results")
    return limit, after


def _filter_groups(portal: Portal, kind: ObjectType, asked: Mapping[str, Any]) -> list[list[Test]]:
    groups = [checked_object(each, ("filters",), ("filters",))["filters"] for each in asked.get("filterGroups") or []]
    if asked.get("filters"):
        groups.append(asked["filters"])
    if len(groups) > MOST_GROUPS or any(len(group) > MOST_FILTERS for group in groups):
        raise invalid(f"At most {MOST_GROUPS} filter groups of {MOST_FILTERS} filters each")
    if sum(map(len, groups)) > MOST_FILTERS_IN_ALL:
        raise invalid(f"At most {MOST_FILTERS_IN_ALL} filters in all")
    return [[_filter(portal, kind, each) for each in group] for group in groups]


def _filter(portal: Portal, kind: ObjectType, raw: Any) -> Test:
    fields = checked_object(
        raw, ("propertyName", "operator", "value", "values", "highValue"), ("propertyName", "operator")
    )
    name, operator = str(fields["propertyName"]), str(fields["operator"])
    if operator not in _WITHOUT_VALUE | _WITH_LIST | _SINGLE:
        raise _bad(f"{operator} is not an operator")
    if name.startswith("associations."):
        return _association_filter(portal, name.removeprefix("associations."), operator, fields)
    definition = portal.properties[kind.name].get(name)
    if definition is None:
        raise _bad(f'Property "{name}" does not exist')
    test = _value_test(definition, operator, fields)
    return lambda _, values: test(values.get(name))


def _association_filter(portal: Portal, to_name: str, operator: str, fields: Mapping[str, Any]) -> Test:
    to_type = object_type(to_name).name
    if operator not in {"EQ", "IN"}:
        raise _bad(f"{operator} does not work with associations")
    wanted = set(map(str, fields.get("values") or [fields.get("value")]))
    return lambda record, _: not wanted.isdisjoint(portal.linked(record.object_type, record.id, to_type))


def _value_test(
    definition: PropertyDefinition, operator: str, fields: Mapping[str, Any]
) -> Callable[[str | None], bool]:
    if operator in _WITHOUT_VALUE:
        return lambda text: (text is not None) == (operator == "HAS_PROPERTY")
    if operator in _WITH_LIST:
        values = fields.get("values")
        if not isinstance(values, list) or not values:
            raise _bad(f"{operator} needs values")
        listed = {str(each) if definition.type == "string" else _comparable(definition, each) for each in values}
        return lambda text: text is not None and (_comparable(definition, text) in listed) == (operator == "IN")
    if fields.get("value") is None or (operator == "BETWEEN" and fields.get("highValue") is None):
        raise _bad(f"{operator} needs a value" + (" and a highValue" if operator == "BETWEEN" else ""))
    if operator.endswith("CONTAINS_TOKEN"):
        pattern = _token_pattern(str(fields["value"]))
        return lambda text: text is not None and bool(pattern.search(text)) == (operator == "CONTAINS_TOKEN")
    return _comparison(definition, operator, fields)


def _comparison(
    definition: PropertyDefinition, operator: str, fields: Mapping[str, Any]
) -> Callable[[str | None], bool]:
    low = _comparable(definition, fields["value"])
    high = _comparable(definition, fields.get("highValue") or fields["value"])
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda value: bool(value == low),
        "NEQ": lambda value: bool(value != low),
        "LT": lambda value: bool(value < low),
        "LTE": lambda value: bool(value <= low),
        "GT": lambda value: bool(value > low),
        "GTE": lambda value: bool(value >= low),
        "BETWEEN": lambda value: bool(low <= value <= high),
    }
    return lambda text: text is not None and tests[operator](_comparable(definition, text))


def _comparable(definition: PropertyDefinition, raw: Any) -> Any:
    """A value in the order its property has: time, number or text without case."""
    if definition.type not in {"number", "date", "datetime"}:
        return str(raw) if definition.type == "enumeration" else str(raw).lower()
    try:
        kept = kept_value(definition, raw)
    except ValueRefusedError as refused:
        raise _bad(str(refused)) from None
    if definition.type == "number":
        return Decimal(kept)
    return milliseconds(kept) if definition.type == "datetime" else kept


def _token_pattern(value: str) -> re.Pattern[str]:
    """Whole words; `*` at an end stands for more letters."""
    return re.compile(r"(?<!\w)" + re.escape(value).replace(r"\*", r"\w*") + r"(?!\w)", re.IGNORECASE)


def _answers_query(values: Values, query: str) -> bool:
    words = " ".join(values.values()).lower()
    return all(word in words for word in query.lower().split())


def _sort(portal: Portal, kind: ObjectType, found: list[tuple[Record, dict[str, str]]], sorts: Iterable[Any]) -> None:
    for n, raw in enumerate(sorts):
        if n:
            raise _bad("Only one sort is allowed")
        sort = {"propertyName": raw} if isinstance(raw, str) else checked_object(raw, ("propertyName", "direction"))
        definition = portal.properties[kind.name].get(str(sort.get("propertyName")))
        if definition is None:
            raise _bad(f'Property "{sort.get("propertyName")}" does not exist')
        has = [each for each in found if definition.name in each[1]]
        rest = [each for each in found if definition.name not in each[1]]
        has.sort(
            key=lambda each: _comparable(definition, each[1][definition.name]),
            reverse=sort.get("direction") == "DESCENDING",
        )
        found[:] = has + rest


def _bad(message: str) -> RefusalError:
    return invalid("There was a problem with the request.", errors=[{"message": message, "code": "INVALID_FILTER"}])
