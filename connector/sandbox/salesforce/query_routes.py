"""How are records found by SOQL over HTTP, a page at a time?"""

import re
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from connector.sandbox.salesforce.gate import Caller, Gate
from connector.sandbox.salesforce.refusals import RefusalError, bad_request
from connector.sandbox.salesforce.shown import DATA
from connector.sandbox.salesforce.soql_run import run_soql

LONGEST_URI = 16_384  # bytes, the vendor's documented cap; longer is 414
SMALLEST_BATCH = 200
_BATCH = re.compile(r"\s*batchSize\s*=\s*(\d+)\s*", re.IGNORECASE)
_LOCATOR = re.compile(r"([0-9A-Za-z]{15,18})-(\d+)")


def query_routes(gate: Gate) -> Blueprint:
    """`query`, `queryAll` and the pages behind their first."""
    routes = Blueprint("queries", __name__, url_prefix=DATA)
    views = _QueryViews(gate)
    for path in ("query", "query/"):
        routes.get(f"/{path}", endpoint=f"query{path}")(views.query)
    for path in ("queryAll", "queryAll/"):
        routes.get(f"/{path}", endpoint=f"all{path}")(views.query_all)
    routes.get("/query/<page>")(views.more)
    routes.get("/queryAll/<page>", endpoint="more_of_all")(views.more)
    return routes


class _QueryViews:
    """One method per operation."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._world = gate.world

    def query(self) -> ResponseReturnValue:
        return self._gate.call("query", lambda caller: self._first(caller, "query", with_deleted=False))

    def query_all(self) -> ResponseReturnValue:
        return self._gate.call("query_all", lambda caller: self._first(caller, "queryAll", with_deleted=True))

    def more(self, page: str) -> ResponseReturnValue:
        def work(caller: Caller) -> ResponseReturnValue:
            parts = _LOCATOR.fullmatch(page)
            if parts is None:
                raise bad_request("INVALID_QUERY_LOCATOR", "invalid query locator")
            start, size = int(parts[2]), self._page_size()
            rows, total = self._world.cursors.page(caller.org.id, parts[1], start, size)
            return _answer(rows, total, f"{request.path.rpartition('/')[0]}/{parts[1]}", start + len(rows))

        return self._gate.call("query_more", work)

    def _first(self, caller: Caller, name: str, *, with_deleted: bool) -> ResponseReturnValue:
        if len(request.full_path.encode()) > LONGEST_URI or len(request.query_string) > LONGEST_URI:
            raise RefusalError(414, "URI_TOO_LONG", "The URI is longer than 16,384 bytes")
        statement = request.args.get("q", "")
        if not statement.strip():
            raise bad_request("MALFORMED_QUERY", "A query string has to be specified")
        rows = run_soql(caller.org, statement, with_deleted=with_deleted)
        size = self._page_size()
        if len(rows) <= size:
            return _answer(rows, len(rows), "", len(rows))
        locator = self._world.cursors.keep(caller.org.id, rows)
        return _answer(rows[:size], len(rows), f"{DATA}/{name}/{locator}", size)

    def _page_size(self) -> int:
        """`Sforce-Query-Options: batchSize=200` asks for smaller pages, down to 200."""
        asked = _BATCH.fullmatch(request.headers.get("Sforce-Query-Options", ""))
        wanted = max(int(asked[1]), SMALLEST_BATCH) if asked else self._world.query_batch
        return min(wanted, self._world.query_batch)


def _answer(rows: list[dict[str, Any]], total: int, locator_path: str, end: int) -> ResponseReturnValue:
    body: dict[str, Any] = {"totalSize": total, "done": end >= total}
    if end < total:
        body["nextRecordsUrl"] = f"{locator_path}-{end}"
    return {**body, "records": rows}
