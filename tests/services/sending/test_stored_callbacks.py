"""Does a stored callback say nothing in clear about a person, and is it read again as it arrived?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from connector.adapters.sms.reading import form_fields
from connector.adapters.store.tables import external_event
from connector.ports.gateway import CallbackRequest, IncomingSMS
from connector.ports.inbox import InboxRow
from connector.ports.ledger import Ledger
from connector.services.intake import Intake
from connector.services.receipts import INBOUND
from connector.services.stored_callbacks import request_of
from tests.adapters.store.factories import NOW
from tests.services.sending.conftest import Desk

ADDRESS = "https://sms.example.com/callbacks/vonage/inbound"
SAID = "msisdn=447700900123&to=12025550100&text=Please+call+me+%26+my+wife&keyword=PLEASE"


@dataclass
class Direct:
    """Commits at once."""

    ledger: Ledger
    results: list[Any] = field(default_factory=list)

    def run(self, work: Callable[..., Any]) -> Any:
        return self.join(lambda uow, _: [work(uow)], None)

    def join(self, handler: Callable[..., Any], item: Any) -> Any:
        with self.ledger.begin() as uow:
            (result,) = handler(uow, [item])
            uow.commit()
        return result


@pytest.fixture
def intake(desk: Desk) -> Intake:
    return Intake(Direct(desk.ledger), desk.ledger.new_id, desk.clock)


def got(query: str, body: bytes = b"", method: str = "GET") -> CallbackRequest:
    headers = {"Content-Type": "text/plain", "Authorization": "secret"}
    return CallbackRequest(method, f"{ADDRESS}?{query}" if query else ADDRESS, headers, body)


def rows(desk: Desk) -> list[InboxRow]:
    with desk.ledger.begin() as uow:
        return list(uow.inbox.claim(["vonage.inbound"], 10, NOW, NOW))


def test_nothing_of_the_query_lies_there_in_clear(desk: Desk, intake: Intake) -> None:
    intake.take_callback("vonage", INBOUND, got(f"key=our-secret&{SAID}"), None)
    with desk.ledger.engine.connect() as connection:
        kept = repr(connection.execute(select(external_event)).mappings().one())
    for secret in ("our-secret", "447700900123", "wife", "msisdn"):
        assert secret not in kept


@pytest.mark.parametrize(
    "query", [f"key=our-secret&{SAID}", f"{SAID}&key=our-secret", f"{SAID}&k%65y=our-secret", SAID]
)
def test_it_is_read_again_without_the_key(desk: Desk, intake: Intake, query: str) -> None:
    intake.take_callback("vonage", INBOUND, got(query), "attempt-1")
    (row,) = rows(desk)
    again = request_of(row)
    assert (again.method, again.url, again.body) == ("GET", f"{ADDRESS}?{SAID}", b"")
    assert dict(form_fields(again))["text"] == "Please call me & my wife"
    assert again.headers == {"content-type": "text/plain"}
    assert row.context["attempt_id"] == "attempt-1"


@pytest.mark.parametrize("query", ["", "key=our-secret", "bodySHA256=0a1b&name=%C3%A9", "name=\u00e9"])
def test_a_body_beside_a_query_stays_whole(desk: Desk, intake: Intake, query: str) -> None:
    body = '{"text": "caf\u00e9?"}'.encode()
    intake.take_callback("vonage", INBOUND, got(query, body, "POST"), None)
    (row,) = rows(desk)
    again = request_of(row)
    left = "" if query.startswith("key") else query
    assert (again.body, again.url) == (body, f"{ADDRESS}?{left}" if left else ADDRESS)


def test_the_same_call_by_another_of_our_keys_is_the_same_call(desk: Desk, intake: Intake) -> None:
    for query in (f"key=new&{SAID}", f"key=old&{SAID}", f"key=old&{SAID}1"):
        intake.take_callback("vonage", INBOUND, got(query), None)
    assert len(rows(desk)) == 2


def test_a_row_of_an_older_release_is_read_as_it_was_written() -> None:
    context: dict[str, Any] = {"method": "GET", "url": f"{ADDRESS}?key=k&{SAID}", "headers": {}, "attempt_id": None}
    row = InboxRow("1", None, "vonage.inbound", "x", b"", context, NOW)
    assert request_of(row) == CallbackRequest("GET", f"{ADDRESS}?key=k&{SAID}", {}, b"")


def test_a_reply_that_came_by_get_reaches_whoever_reads_replies(
    desk: Desk, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[CallbackRequest]()

    def read(request: CallbackRequest) -> list[IncomingSMS]:
        seen.append(request)
        return []

    monkeypatch.setattr(desk.gateway, "read_incoming", read)
    monkeypatch.setattr(desk.gateway, "read_status", lambda _request, _attempt_id: [])
    intake.take_callback("twilio", INBOUND, got(f"key=our-secret&{SAID}"), None)
    desk.receipts.drain()
    assert [request.url for request in seen] == [f"{ADDRESS}?{SAID}"]
