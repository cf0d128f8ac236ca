"""Which records hold this phone number or word in one of their fields?

The parameterized search only (developer.salesforce.com: REST API Developer Guide, Parameterized Search). A phone is
found by all of its digits or by its last seven or more, however either was written; elsewhere every word of the
question must begin a word of a text field.
"""

import re
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce.gate import Caller, Gate, json_object
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import bad_request
from connector.sandbox.salesforce.shown import DATA, shown_record

SHORTEST_QUESTION = 2
SHORTEST_PHONE = 7
MOST_FOUND = 2000
_SCOPES = {"ALL": None, "PHONE": "phone", "EMAIL": "email", "NAME": "name"}


def search_routes(gate: Gate) -> Blueprint:
    """`parameterizedSearch`, GET or POST."""
    routes = Blueprint("search", __name__, url_prefix=DATA)

    def work(caller: Caller) -> ResponseReturnValue:
        asked = json_object() if request.method == "POST" else _from_query()
        return {"searchRecords": _found(caller.org, asked)}

    for slash in ("", "/"):
        routes.add_url_rule(
            f"/parameterizedSearch{slash}",
            f"search{slash}",
            lambda: gate.call("search", work),
            methods=["GET", "POST"],
        )
    return routes


def _from_query() -> dict[str, Any]:
    names = [each for each in request.args.get("sobject", "").split(",") if each]
    fields = [each for each in request.args.get("fields", "").split(",") if each]
    scope = request.args.get("in", "ALL")
    return {
        "q": request.args.get("q", ""),
        "in": scope,
        "sobjects": [{"name": each} for each in names],
        "fields": fields,
    }


def _found(org: Org, asked: dict[str, Any]) -> list[dict[str, Any]]:
    question, scope = str(asked.get("q", "")).strip(), str(asked.get("in", "ALL")).upper()
    if len(question) < SHORTEST_QUESTION:
        raise bad_request("MALFORMED_SEARCH", "search term must be longer than one character")
    if scope not in _SCOPES:
        raise bad_request("MALFORMED_SEARCH", f"no search group {scope}")
    found: list[dict[str, Any]] = []
    for wanted in asked.get("sobjects") or []:
        definition = org.definition(str(wanted.get("name", "")))
        names = wanted.get("fields") or asked.get("fields") or ["Id"]
        hits = [each for each in org.rows(definition.name) if _matches(org, each, question, scope)]
        found += [shown_record(org, each, names) for each in hits[: int(wanted.get("limit", MOST_FOUND))]]
    return found[: int(asked.get("overallLimit", MOST_FOUND))]


def _matches(org: Org, record: Record, question: str, scope: str) -> bool:
    for field in org.objects[record.object_name].fields.values():
        value = record.values.get(field.name)
        if not isinstance(value, str) or not field.is_text or not _is_searched(field.name, field.type, scope):
            continue
        if _same_phone(question, value) if field.type == "phone" else _same_words(question, value):
            return True
    return False


def _is_searched(name: str, kind: str, scope: str) -> bool:
    if scope == "NAME":
        return name.endswith("Name")
    return scope == "ALL" or kind == _SCOPES[scope]


def _same_phone(question: str, value: str) -> bool:
    wanted, digits = (re.sub(r"\D", "", each) for each in (question, value))
    return bool(wanted) and (digits == wanted or (len(wanted) >= SHORTEST_PHONE and digits.endswith(wanted)))


def _same_words(question: str, value: str) -> bool:
    words = re.findall(r"\w+", value.lower())
    return all(any(word.startswith(each) for word in words) for each in re.findall(r"\w+", question.lower()))
