"""What became of a text, as Vonage's Reports API has it on record?

Source: developer.vonage.com/api/reports. Both of Vonage's gateways here ask it: the SMS API and the Messages API have
no status query of their own. Records are asked for by id, or by the time Vonage received the request, which may span
24 hours; our reference is in each record. A page has up to 1000 records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connector.adapters.http import HTTPClients, retry_after, translate
from connector.adapters.sms.error_table import ErrorTable
from connector.adapters.sms.reading import json_object, mapping, words
from connector.errors import TransientSendError
from connector.ports.gateway import AttemptQuery

SETTLES_AFTER = timedelta(minutes=5)
"""How long we think that a text may have been taken without being on record; Vonage names no delay."""

_CLOCKS_DIFFER = timedelta(minutes=2)  # ours may drift for days before anybody mends it; theirs shows whole seconds
_RECEIVED_WITHIN = timedelta(minutes=2)  # a request we give up on after half a minute does not arrive later
_MOST_PAGES = 20  # 20,000 texts within those minutes: not a question for a list any more

_ERRORS = ErrorTable("Vonage Reports", {})  # it numbers no errors

Record = Mapping[str, Any]


class VonageReports:
    """The records of one product. Safe to call from many threads.

    Args of the constructor:
        clients: with the account's Basic authentication, the only one this API takes.
        api_url: base URL, without a path.
        account_id: the account's API key.
        product: `SMS` or `MESSAGES`.
        clock: the time, aware.
    """

    def __init__(
        self, clients: HTTPClients, api_url: str, account_id: str, product: str, clock: Callable[[], datetime]
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._records = (
            httpx.URL(api_url)
            .join("/v2/reports/records")
            .copy_merge_params({"account_id": account_id, "product": product, "direction": "outbound"})
        )

    def by_id(self, message_id: str) -> Record | None:
        """Give the record of a message, or of one part of it; None when there is none.

        Raises:
            SendError: Vonage could not be asked.
        """
        found = self._pages(self._records.copy_merge_params({"id": message_id}))
        return next((record for record in found if record.get("message_id") == message_id), None)

    def by_reference(self, query: AttemptQuery) -> list[Record]:
        """Give the records with an attempt's id as our reference, one per part, those of other attempts left out.

        Raises:
            SendError: Vonage could not be asked, or it is too early for an empty list to mean anything.
        """
        found = [
            record
            for record in self._pages(self._received_around(query.requested_at))
            if words(record.get("client_ref")) == query.attempt_id and record.get("message_id") not in query.exclude
        ]
        if not found and self._clock() < query.requested_at + SETTLES_AFTER:
            raise TransientSendError("too early: Vonage may not have it on record yet", code="too_early")
        return found

    def _received_around(self, moment: datetime) -> httpx.URL:
        start, end = moment - _CLOCKS_DIFFER, min(moment + _RECEIVED_WITHIN, self._clock())
        return self._records.copy_merge_params(
            {"date_start": _written(start), "date_end": _written(max(end, start + timedelta(seconds=1)))}
        )

    def _pages(self, url: httpx.URL) -> Iterator[Record]:
        for _ in range(_MOST_PAGES):
            with self._clients.lend() as client, translate():
                answer = client.get(url)
            page = _page(answer)
            yield from (mapping(record) for record in page["records"])
            further = words(mapping(mapping(page.get("_links")).get("next")).get("href"))
            if not further:
                return
            url = self._records.copy_with(raw_path=httpx.URL(further).raw_path)  # a path of theirs, never another host
        raise TransientSendError("Vonage has too many texts on record to look through", code="too_many")


def message_id_of(record: Record) -> str:
    """Give the id of a record's message or part."""
    return words(record.get("message_id"))


def _page(answer: httpx.Response) -> Mapping[str, Any]:
    if not answer.is_success:
        raise _ERRORS.refusal(answer.status_code, "", retry_after(answer.headers))
    page = json_object(answer.content)
    records = page.get("records")
    if records is None and words(page.get("ids_not_found")):
        return {"records": ()}
    if not isinstance(records, list):
        raise TransientSendError("Vonage Reports answered with a body nobody can read", code="unreadable_answer")
    return page


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
