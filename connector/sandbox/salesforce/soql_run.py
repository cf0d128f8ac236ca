"""Which records does a SOQL statement find, and how do they look?"""

import operator
import re
from collections.abc import Callable, Iterable
from functools import cmp_to_key
from typing import Any

from connector.sandbox.salesforce.fields import Field, ObjectDefinition
from connector.sandbox.salesforce.ids import normal_id
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import bad_request
from connector.sandbox.salesforce.shown import attributes
from connector.sandbox.salesforce.soql import Comparison, Condition, Order, Value, read_soql
from connector.sandbox.salesforce.soql_paths import Step, checked_path
from connector.sandbox.salesforce.soql_words import ESCAPED
from connector.sandbox.salesforce.values import read_date, read_datetime, stamp

Test = Callable[[Record], bool]
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_UNORDERED = frozenset({"boolean", "picklist", "multipicklist"})  # ids are paged along
_LITERALS = {
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "int": "number",
    "double": "number",
    "currency": "number",
    "percent": "number",
}


def run_soql(org: Org, statement: str, *, with_deleted: bool = False) -> list[dict[str, Any]]:
    """The rows a statement finds, in the API's JSON; `with_deleted` as queryAll has it."""
    query = read_soql(statement)
    definition = org.find_definition(query.object_name)
    if definition is None:
        raise bad_request(
            "INVALID_TYPE",
            f"\nsObject type '{query.object_name}' is not supported. If you are attempting to use a custom object, be "
            "sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )
    steps = [checked_path(org, definition, path) for path in query.fields]
    test = _test(org, definition, query.where) if query.where else None
    columns = [(_sortable(org, definition, each), each) for each in query.order]
    found = [each for each in org.rows(definition.name, with_deleted=with_deleted) if test is None or test(each)]
    found = _sorted(org, found, columns)[: query.limit if query.limit is not None else len(found)]
    return [_row(org, record, steps) for record in found]


def _row(org: Org, record: Record, steps: Iterable[Step]) -> dict[str, Any]:
    row: dict[str, Any] = {"attributes": attributes(record)}
    for step in steps:
        here, at = row, record
        for reference in step.references:
            target = org.find(at.values.get(reference.name))
            name = str(reference.relationship)
            if target is None:
                here[name] = None
                break
            here = here.setdefault(name, {"attributes": attributes(target)})
            at = target
        else:
            here[step.field.name] = step.value(org, record)
    return row


# --- conditions --------------------------------------------------------------------------------------


def _test(org: Org, definition: ObjectDefinition, condition: Condition) -> Test:
    if isinstance(condition, Comparison):
        return _comparison(org, definition, condition)
    parts = [_test(org, definition, part) for part in condition.parts]
    if condition.how == "NOT":
        return lambda record: not parts[0](record)
    joined = all if condition.how == "AND" else any
    return lambda record: joined(part(record) for part in parts)


def _comparison(org: Org, definition: ObjectDefinition, condition: Comparison) -> Test:
    step = checked_path(org, definition, condition.path)
    field = step.field
    if not field.is_filterable:
        raise bad_request("INVALID_FIELD", f"field '{field.name}' can not be filtered in a query call")
    _refuse_operator(field, condition.operator)
    wanted = [_literal(field, value, condition.operator) for value in condition.values]
    compare = _compare(field, condition.operator, wanted)
    return lambda record: compare(_folded(field, step.value(org, record)))


def _compare(field: Field, sign: str, wanted: list[Any]) -> Callable[[Any], bool]:
    if sign in {"=", "IN"}:
        return lambda value: value in wanted
    if sign in {"!=", "NOT IN"}:
        return lambda value: value not in wanted
    if sign == "INCLUDES":
        return lambda value: value is not None and any(each <= value for each in wanted)
    if sign == "LIKE":
        pattern = _pattern(wanted[0])
        return lambda value: value is not None and pattern.fullmatch(value) is not None
    if wanted[0] is None:
        raise bad_request("INVALID_QUERY_FILTER_OPERATOR", f"null can only be used with = and !=: {field.name}")
    compare = _ORDERED[sign]
    return lambda value: value is not None and compare(value, wanted[0])


def _refuse_operator(field: Field, sign: str) -> None:
    is_like_of_no_text = sign == "LIKE" and (not field.is_text or field.is_multiple)
    is_order_of_none = sign in _ORDERED and field.type in _UNORDERED
    is_part_of_one = sign == "INCLUDES" and not field.is_multiple
    if is_like_of_no_text or is_order_of_none or is_part_of_one:
        raise bad_request("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.type} field: {field.name}")


def _literal(field: Field, value: Value, sign: str) -> Any:
    """A literal as the field's values are kept; INVALID_FIELD when it is of another type."""
    if value.kind == "null" and sign != "INCLUDES":
        return None
    kind = _LITERALS.get(field.type, "string")
    if value.kind != kind:
        quotes = "be enclosed in quotes" if kind == "string" else "not be enclosed in quotes"
        text = f"value of filter criterion for field '{field.name}' must be of type {field.type} and should {quotes}"
        raise bad_request("INVALID_FIELD", f"\n{text}")
    if field.type in {"id", "reference"}:
        record_id = normal_id(value.text)
        if record_id is None:
            raise bad_request("INVALID_QUERY_FILTER_OPERATOR", f"\ninvalid ID field: {value.text}")
        return record_id
    return _plain(field, value, sign)


def _plain(field: Field, value: Value, sign: str) -> Any:
    if value.kind == "boolean":
        return value.text == "true"
    if value.kind == "number":
        return float(value.text)
    if value.kind == "datetime":
        moment = read_datetime(value.text)
        return stamp(moment) if moment else _refuse_time(field, value)
    if value.kind == "date":
        return value.text if read_date(value.text) else _refuse_time(field, value)
    text = value.text if sign == "LIKE" else "".join(ESCAPED.get(each, each) for each in value.text)
    return _folded(field, text)


def _refuse_time(field: Field, value: Value) -> Any:
    raise bad_request("INVALID_FIELD", f"{field.name}: {value.text} is no {value.kind}")


def _folded(field: Field, value: Any) -> Any:
    """Text is compared without its case, but for case-sensitive fields and ids; empty text is null. Of several choices
    at once it does not matter in which order they are.
    """
    if isinstance(value, str) and field.is_multiple:
        return frozenset(each.strip() for each in value.lower().split(";")) if value else None
    if isinstance(value, str) and field.is_text and not field.is_case_sensitive:
        return value.lower() or None
    return value


def _pattern(text: str) -> re.Pattern[str]:
    """The pattern of LIKE: % is any text, _ any one character."""
    made = {"%": ".*", "_": ".", **{kept: re.escape(plain) for kept, plain in ESCAPED.items()}}
    return re.compile("".join(made.get(each) or re.escape(each) for each in text or ""), re.DOTALL)


# --- order -------------------------------------------------------------------------------------------


def _sortable(org: Org, definition: ObjectDefinition, order: Order) -> Step:
    step = checked_path(org, definition, order.path)
    if not step.field.is_filterable or step.field.is_multiple:
        raise bad_request("MALFORMED_QUERY", f"field '{step.field.name}' can not be sorted in a query call")
    return step


def _sorted(org: Org, records: list[Record], columns: list[tuple[Step, Order]]) -> list[Record]:
    def compare(one: Record, other: Record) -> int:
        for step, order in columns:
            left, right = (_folded(step.field, step.value(org, each)) for each in (one, other))
            if left == right:
                continue
            if left is None or right is None:
                return (1 if left is None else -1) * (1 if order.nulls_last else -1)
            return (-1 if left < right else 1) * (-1 if order.descending else 1)
        return 0

    return sorted(records, key=cmp_to_key(compare)) if columns else records
