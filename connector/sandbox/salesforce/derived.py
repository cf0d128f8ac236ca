"""Which values does Salesforce work out by itself when a record is written?"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.values import stamp

Values = dict[str, Any]


def derived_values(org: Org, object_name: str, before: Mapping[str, Any], after: Values, now: datetime) -> Values:
    """What follows from the values a record will have; `before` is empty for a new one."""
    work = _WORK.get(object_name)
    return work(org, before, after, now) if work else {}


def _named(_org: Org, _before: Mapping[str, Any], after: Values, _now: datetime) -> Values:
    return {"Name": " ".join(filter(None, [after.get("FirstName"), after.get("LastName")]))}


def _opportunity(org: Org, before: Mapping[str, Any], after: Values, _now: datetime) -> Values:
    stage = _row(org, "OpportunityStage", after.get("StageName"))
    values = {"IsClosed": stage.get("IsClosed", False), "IsWon": stage.get("IsWon", False)}
    if before.get("StageName") != after.get("StageName"):
        values["Probability"] = stage.get("DefaultProbability")
    return values


def _case(org: Org, before: Mapping[str, Any], after: Values, now: datetime) -> Values:
    is_closed = _row(org, "CaseStatus", after.get("Status")).get("IsClosed", False)
    values: Values = {"IsClosed": is_closed, "ClosedDate": _since(before, "ClosedDate", now) if is_closed else None}
    contact = org.find(after.get("ContactId"))
    if contact is not None and not after.get("AccountId"):
        values["AccountId"] = contact.values.get("AccountId")
    return values


def _task(org: Org, before: Mapping[str, Any], after: Values, now: datetime) -> Values:
    is_closed = _row(org, "TaskStatus", after.get("Status")).get("IsClosed", False)
    completed_at = _since(before, "CompletedDateTime", now) if is_closed else None
    return {"IsClosed": is_closed, "CompletedDateTime": completed_at, "AccountId": _account_of(org, after)}


def _account_of(org: Org, task: Values) -> str | None:
    for name in ("WhatId", "WhoId"):
        related = org.find(task.get(name))
        if related is None:
            continue
        account = related.id if related.object_name == "Account" else related.values.get("AccountId")
        if account:
            return str(account)
    return None


def _row(org: Org, list_name: str, value: Any) -> Values:
    return next((row.values for row in org.rows(list_name) if row.values["ApiName"] == value), {})


def _since(before: Mapping[str, Any], name: str, now: datetime) -> str:
    """When it was closed: the first time counts as long as it stays closed."""
    return str(before.get(name) or stamp(now))


_WORK: dict[str, Callable[[Org, Mapping[str, Any], Values, datetime], Values]] = {
    "Contact": _named,
    "Lead": _named,
    "Individual": _named,
    "User": _named,
    "Opportunity": _opportunity,
    "Case": _case,
    "Task": _task,
}
