"""How does an app learn what an org has: its objects, its limits, what was changed or deleted lately?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce.fields import ObjectDefinition
from connector.sandbox.salesforce.gate import Caller, Gate
from connector.sandbox.salesforce.org import Org, Record
from connector.sandbox.salesforce.refusals import bad_request
from connector.sandbox.salesforce.shown import DATA, VERSION
from connector.sandbox.salesforce.values import read_datetime, stamp

LONGEST_SPAN = timedelta(days=30)  # between start and end, and as far back as deletions are known


def schema_routes(gate: Gate) -> Blueprint:
    """`sobjects`, `describe`, `deleted`, `updated`, `limits` and the list of versions."""
    routes = Blueprint("schema", __name__)
    views = _SchemaViews(gate)
    for slash in ("", "/"):
        routes.get(f"/services/data{slash}", endpoint=f"versions{slash}")(views.versions)
        routes.get(f"{DATA}{slash}", endpoint=f"resources{slash}")(views.resources)
        routes.get(f"{DATA}/sobjects{slash}", endpoint=f"objects{slash}")(views.objects)
        routes.get(f"{DATA}/limits{slash}", endpoint=f"limits{slash}")(views.limits)
        routes.get(f"{DATA}/sobjects/<name>/describe{slash}", endpoint=f"describe{slash}")(views.describe)
        routes.get(f"{DATA}/sobjects/<name>/deleted{slash}", endpoint=f"deleted{slash}")(views.deleted)
        routes.get(f"{DATA}/sobjects/<name>/updated{slash}", endpoint=f"updated{slash}")(views.updated)
        routes.get(f"{DATA}/connect/organization{slash}", endpoint=f"organization{slash}")(views.organization)
    routes.get(f"{DATA}/sobjects/<name>")(views.basic)
    return routes


class _SchemaViews:
    """One method per operation."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def versions(self) -> ResponseReturnValue:
        one = {"label": "Winter '27", "url": DATA, "version": VERSION}
        return self._gate.open_call("versions", lambda: [one])

    def resources(self) -> ResponseReturnValue:
        names = ("sobjects", "query", "queryAll", "search", "parameterizedSearch", "composite", "limits", "connect")
        return self._gate.call("resources", lambda _: {name: f"{DATA}/{name}" for name in names})

    def objects(self) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            shown = [_summary(each) for each in caller.org.objects.values()]
            return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown}

        return self._gate.call("sobjects.list", work)

    def basic(self, name: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            return {"objectDescribe": _summary(caller.org.definition(name)), "recentItems": []}

        return self._gate.call(f"sobjects.{name}.basic", work)

    def describe(self, name: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            return _described(caller.org, caller.org.definition(name))

        return self._gate.call(f"sobjects.{name}.describe", work)

    def limits(self) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            usage = caller.org.usage
            left = max(0, usage.limit - usage.used)
            return {
                "DailyApiRequests": {"Max": usage.limit, "Remaining": left},
                "DailyWorkflowEmails": {"Max": 1000, "Remaining": 1000},
                "DataStorageMB": {"Max": 1024, "Remaining": 1000},
                "HourlyTimeBasedWorkflow": {"Max": 1000, "Remaining": 1000},
            }

        return self._gate.call("limits", work)

    def organization(self) -> ResponseReturnValue:
        """Connect REST's organization: the only place that tells the currency of an org that has but one."""

        def work(caller: Caller) -> ResponseReturnValue:
            org = caller.org
            features = {"defaultCurrencyIsoCode": org.currency, "multiCurrency": org.is_multi_currency}
            return {"orgId": org.id, "name": org.records["Organization"][org.id].values["Name"], "features": features}

        return self._gate.call("connect.organization", work)

    def deleted(self, name: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            start, end = self._span()
            rows = caller.org.rows(caller.org.definition(name).name, with_deleted=True)
            gone = [_gone(each) for each in rows if each.deleted_at and start <= each.deleted_at <= end]
            earliest = stamp(self._world.clock.now() - LONGEST_SPAN)
            return {"deletedRecords": gone, "earliestDateAvailable": earliest, "latestDateCovered": stamp(end)}

        return self._gate.call(f"sobjects.{name}.deleted", work)

    def updated(self, name: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            start, end = self._span()
            rows = caller.org.rows(caller.org.definition(name).name)
            ids = [each.id for each in rows if stamp(start) <= each.values["LastModifiedDate"] <= stamp(end)]
            return {"ids": ids, "latestDateCovered": stamp(end)}

        return self._gate.call(f"sobjects.{name}.updated", work)

    def _span(self) -> tuple[datetime, datetime]:
        start, end = (_asked_time(name) for name in ("start", "end"))
        if end <= start or end - start > LONGEST_SPAN or start < self._world.clock.now() - LONGEST_SPAN:
            raise bad_request("INVALID_REPLICATION_DATE", "startDate must be before endDate, both within 30 days")
        return start, end


def _asked_time(name: str) -> datetime:
    # A plus sign that nobody escaped reads as a space, as at Salesforce: then it is no time.
    moment = read_datetime(request.args.get(name, ""))
    if moment is None:
        raise bad_request("INVALID_REPLICATION_DATE", f"{name} must be an ISO 8601 date and time with a time zone")
    return moment.astimezone(UTC).replace(second=0)  # the vendor ignores seconds


def _gone(record: Record) -> dict[str, str]:
    return {"deletedDate": record.values["LastModifiedDate"], "id": record.id}


def _summary(definition: ObjectDefinition) -> dict[str, Any]:
    here = f"{DATA}/sobjects/{definition.name}"
    urls = {"sobject": here, "describe": f"{here}/describe", "rowTemplate": f"{here}/{{ID}}"}
    return {**definition.summary(), "urls": urls}


def _described(org: Org, definition: ObjectDefinition) -> dict[str, Any]:
    fields = [each.describe(org.options(each)) for each in definition.fields.values()]
    return {**_summary(definition), "fields": fields, "childRelationships": [], "recordTypeInfos": []}
