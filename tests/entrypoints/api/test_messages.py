"""Can a program send one text or many, ask what became of them and stop them, and is it told what is wrong?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from connector.bootstrap import Connector
from connector.domain.message import Direction, MessageState, Purpose
from connector.errors import DecryptionError
from connector.ports.attempts import AttemptRow
from tests.adapters.store.factories import an_attempt
from tests.entrypoints.api.conftest import HELLO, NUMBER, Program, kind_of, put


def test_a_text_is_queued_and_shown_where_the_answer_says(program: Program) -> None:
    answer = program.call("POST", "/messages", HELLO | {"idempotency_key": "table-7", "from": "+12025550100"})
    sent = answer.json
    assert sent is not None
    assert (answer.status_code, sent["state"], sent["to"], sent["from"]) == (201, "queued", NUMBER, "+12025550100")
    assert (sent["body"], sent["idempotency_key"], sent["segments"]) == ("Your table is ready", "table-7", 1)
    assert answer.headers["Location"] == f"/api/v1/messages/{sent['id']}"
    assert program.get(f"/messages/{sent['id']}") == sent | {"attempts": []}


def test_everything_that_can_be_ordered_is_in_the_row(program: Program, connector: Connector) -> None:
    now = connector.clock.now()
    sent = program.send(
        purpose="otp",
        priority=9,
        callback_url="https://shop.example/hook",
        send_at=(now + timedelta(hours=1)).isoformat(),
        expires_at=(now + timedelta(hours=2)).isoformat(),
    )
    with connector.ledger.begin(write=False) as uow:
        row = uow.messages.get("account-1", sent["id"])
        (key,) = uow.api_keys.of_account("account-1")
    assert row is not None
    assert (row.purpose, row.priority, row.callback_url) == (Purpose.OTP, 9, "https://shop.example/hook")
    assert (row.state, row.not_before) == (MessageState.HELD, now + timedelta(hours=1))
    assert row.expires_at == now + timedelta(hours=2)
    assert row.ordered_by == f"api:{key.id}"


def test_a_one_time_code_is_never_given_back(program: Program) -> None:
    sent = program.send(body="Your code is 123456", purpose="otp")
    assert "123456" not in json.dumps([sent, program.get(f"/messages/{sent['id']}"), program.get("/messages")])


def test_a_template_is_filled_in(program: Program, connector: Connector) -> None:
    (connector.settings.templates_dir / "shop").mkdir()
    (connector.settings.templates_dir / "shop" / "ready.txt.j2").write_text("Order {{ order.id }} is ready")
    sent = program.post("/messages", {"to": NUMBER, "template": "shop/ready", "data": {"order": {"id": 7}}}, 201)
    assert sent["body"] == "Order 7 is ready"
    wrong = program.post("/messages", {"to": NUMBER, "template": "shop/ready", "data": {}}, 422)
    assert wrong["errors"][0]["pointer"] == "/template"
    assert "order" in wrong["errors"][0]["detail"]


def test_the_same_key_answers_with_the_same_text_wherever_it_stands(program: Program) -> None:
    first = program.send(idempotency_key="table-7")
    again = program.send(200, idempotency_key="table-7")
    by_header = program.post("/messages", HELLO, 200, Idempotency_Key="table-7")
    assert first["id"] == again["id"] == by_header["id"]


def test_the_same_key_with_another_order_is_a_conflict(program: Program) -> None:
    program.send(idempotency_key="table-7")
    assert kind_of(program.send(409, idempotency_key="table-7", body="Another")) == "idempotency-key-reused"


def test_two_keys_at_once_are_a_mistake(program: Program) -> None:
    wrong = program.post("/messages", HELLO | {"idempotency_key": "a"}, 422, Idempotency_Key="b")
    assert wrong["errors"][0]["pointer"] == "/idempotency_key"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"to": None}, "/to"),
        ({"to": "12"}, "/to"),
        ({"to": ""}, "/to"),
        ({"body": None}, "/body"),
        ({"body": "x" * 1601}, "/body"),
        ({"priority": 10}, "/priority"),
        ({"priority": "high"}, "/priority"),
        ({"purpose": "fun"}, "/purpose"),
        ({"send_at": "tomorrow"}, "/send_at"),
        ({"send_at": "2026-11-20T14:00:00"}, "/send_at"),
        ({"callback_url": "ftp://shop.example"}, "/callback_url"),
        ({"callback_url": "https://user:pass@shop.example"}, "/callback_url"),
        ({"data": {"a": 1}}, "/data"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_mistake_is_named_by_its_place(program: Program, changes: dict[str, Any], pointer: str) -> None:
    wrong = program.send(422, **changes)
    assert kind_of(wrong) == "invalid"
    assert pointer in [each["pointer"] for each in wrong["errors"]]


def test_all_mistakes_are_told_at_once_and_none_of_their_values(program: Program) -> None:
    answer = program.call("POST", "/messages", {"to": "", "body": "s3cret" * 300, "priority": 99, "purpose": "s3cret"})
    assert answer.mimetype == "application/problem+json"
    assert len((answer.json or {})["errors"]) == 4
    assert "s3cret" not in answer.text


@pytest.mark.parametrize(
    ("body", "mimetype", "status", "kind"),
    [
        (b"{not json", "application/json", 400, "bad-request"),
        (b"[]", "application/json", 422, "invalid"),
        (b"to=1", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b" " * 2_000_000, "application/json", 413, "too-large"),
    ],
)
def test_what_is_no_order_is_refused(program: Program, body: bytes, mimetype: str, status: int, kind: str) -> None:
    headers = {"Authorization": f"Bearer {program.secret}"}
    answer = program.client.post("/api/v1/messages", data=body, content_type=mimetype, headers=headers)
    assert (answer.status_code, kind_of(answer.json or {})) == (status, kind)


def test_many_are_sent_each_with_its_own_result(program: Program, connector: Connector) -> None:
    program.send(idempotency_key="known")
    texts = [
        HELLO,
        HELLO | {"to": "12"},
        HELLO | {"idempotency_key": "known"},
        HELLO | {"idempotency_key": "known", "body": "Another"},
        HELLO | {"priority": 99, "colour": "red"},
        HELLO | {"callback_url": "gopher://shop.example"},
        "no text at all",
    ]
    answer = program.post("/messages/batch", {"messages": texts})
    results = answer["results"]
    assert [each["status"] for each in results] == [201, 422, 200, 409, 422, 422, 422]
    assert [each["index"] for each in results] == list(range(7))
    assert answer["refused"] == 5
    assert results[0]["message"]["state"] == "queued"
    assert (results[0]["problem"], results[1]["message"]) == (None, None)
    assert {each["pointer"] for each in results[4]["problem"]["errors"]} == {"/priority", "/colour"}
    with connector.ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {"queued": 2}


def test_a_batch_sent_twice_under_one_header_sends_each_text_once(program: Program, connector: Connector) -> None:
    texts = {"messages": [HELLO, HELLO | {"idempotency_key": "own"}, HELLO]}
    first, again = (program.post("/messages/batch", texts, Idempotency_Key="monday") for _ in range(2))
    assert [each["status"] for each in again["results"]] == [200, 200, 200]
    assert [each["message"]["id"] for each in first["results"]] == [each["message"]["id"] for each in again["results"]]
    assert [each["message"]["idempotency_key"] for each in first["results"]] == ["monday:0", "own", "monday:2"]
    with connector.ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {"queued": 3}


@pytest.mark.parametrize("count", [0, 501])
def test_a_batch_has_1_to_500_texts(program: Program, count: int) -> None:
    wrong = program.post("/messages/batch", {"messages": [HELLO] * count}, 422)
    assert wrong["errors"][0]["pointer"] == "/messages"


def test_a_batch_of_500_is_taken(program: Program) -> None:
    answer = program.post("/messages/batch", {"messages": [HELLO] * 500})
    assert [each["status"] for each in answer["results"]] == [201] * 500


def test_a_ledger_that_is_away_answers_503_and_when_to_come_again(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_disk(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr("connector.services.single_texts.SingleTexts.put_all", no_disk)
    answer = program.call("POST", "/messages", HELLO)
    assert (answer.status_code, kind_of(answer.json or {})) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "disk" not in answer.text


def test_a_defect_is_told_without_its_details(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> None:
        raise ZeroDivisionError("s3cret")

    monkeypatch.setattr("connector.services.message_desk.MessageDesk.status", defect)
    answer = program.call("GET", "/messages/1")
    assert (answer.status_code, kind_of(answer.json or {})) == (500, "defect")
    assert "s3cret" not in answer.text


def test_an_error_that_means_nothing_to_the_caller_is_a_defect(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_open(*_: object) -> None:
        raise DecryptionError("sealed with a retired key")

    monkeypatch.setattr("connector.services.message_desk.MessageDesk.status", cannot_open)
    answer = program.call("GET", "/messages/1")
    assert (answer.status_code, kind_of(answer.json or {})) == (500, "defect")
    assert "sealed" not in answer.text


def test_a_status_shows_every_try(program: Program, connector: Connector) -> None:
    row = put(connector, state=MessageState.DELIVERED, sent_at=connector.clock.now())
    attempt: AttemptRow = an_attempt(row, state=MessageState.FAILED, error_code="30008", provider_message_id="SM1")
    with connector.ledger.begin() as uow:
        uow.attempts.add([attempt])
        uow.commit()
    shown = program.get(f"/messages/{row.id}")
    assert shown["attempts"][0] | {"state": "failed", "error_code": "30008"} == shown["attempts"][0]


def test_a_text_that_came_in_has_no_status(program: Program, connector: Connector) -> None:
    row = put(connector, direction=Direction.IN, state=MessageState.RECEIVED)
    assert kind_of(program.call("GET", f"/messages/{row.id}").json or {}) == "not-found"


def test_texts_are_listed_page_by_page_newest_first(program: Program, connector: Connector) -> None:
    ids = [program.send()["id"] for _ in range(5)]
    first = program.get("/messages?limit=2")
    assert [each["id"] for each in first["messages"]] == ids[:2:-1]
    second = program.get(f"/messages?limit=2&before={first['next']}")
    last = program.get(f"/messages?limit=2&before={second['next']}")
    assert [each["id"] for each in second["messages"] + last["messages"]] == ids[2::-1]
    assert last["next"] is None


def test_texts_are_found_by_state_time_and_number(program: Program, connector: Connector) -> None:
    program.send()
    failed = put(connector, state=MessageState.FAILED, created_at=connector.clock.now())
    other = program.send(to="+12025550144")
    assert [each["id"] for each in program.get("/messages?state=failed")["messages"]] == [failed.id]
    since = (connector.clock.now() + timedelta(minutes=1)).isoformat().replace("+", "%2B")
    assert program.get(f"/messages?since={since}")["messages"] == []
    found = program.post("/messages/search", {"to": "+1 202 555 0144"})
    assert [each["id"] for each in found["messages"]] == [other["id"]]


@pytest.mark.parametrize(
    ("query", "pointer"), [("limit=0", "/limit"), ("limit=201", "/limit"), ("state=gone", "/state"), ("to=12", "/to")]
)
def test_a_query_with_a_mistake_is_refused(program: Program, query: str, pointer: str) -> None:
    answer = program.call("GET", f"/messages?{query}")
    assert answer.status_code == 422
    assert [each["pointer"] for each in (answer.json or {})["errors"]] == [pointer]


def test_a_search_for_no_number_is_refused(program: Program) -> None:
    assert program.post("/messages/search", {"to": "12"}, 422)["errors"][0]["pointer"] == "/to"


@pytest.mark.parametrize("state", [MessageState.HELD, MessageState.QUEUED])
def test_a_text_that_waits_is_stopped_as_often_as_one_likes(
    program: Program, connector: Connector, state: MessageState
) -> None:
    row = put(connector, state=state)
    for _ in range(2):
        stopped = program.post(f"/messages/{row.id}/cancel")
        assert (stopped["state"], stopped["reason"]) == (
            "cancelled",
            f"cancelled by the API key shop ({program.secret[:11]}…)",
        )
    with connector.ledger.begin(write=False) as uow:
        assert [entry.data["state"] for entry in uow.timeline.of_message("account-1", row.id)] == ["cancelled"]


@pytest.mark.parametrize("state", [MessageState.DISPATCHING, MessageState.SENT, MessageState.DELIVERED])
def test_a_text_that_a_gateway_may_have_cannot_be_stopped(
    program: Program, connector: Connector, state: MessageState
) -> None:
    row = put(connector, state=state)
    assert kind_of(program.post(f"/messages/{row.id}/cancel", status=409)) == "too-late"


def test_a_path_or_method_that_does_not_exist_is_a_problem_too(program: Program) -> None:
    unknown = program.call("GET", "/nothing")
    assert (unknown.status_code, unknown.mimetype) == (404, "application/problem+json")
    wrong = program.call("DELETE", "/messages")
    assert (wrong.status_code, kind_of(wrong.json or {})) == (405, "method-not-allowed")
    assert "POST" in wrong.headers["Allow"]


@pytest.mark.parametrize("odd", ["\x00", "\ud800"])
def test_what_no_database_keeps_is_refused_wherever_it_stands(program: Program, odd: str) -> None:
    for field in ("to", "body", "from", "idempotency_key"):
        answer = program.send(422, **{field: f"a{odd}"})
        assert [each["pointer"] for each in answer["errors"]] == [f"/{field}"]
    for data in ({"a": [{"b": odd}]}, {"a": {odd: 1}}):
        order = {"to": NUMBER, "template": "shop/ready", "data": data}
        assert program.post("/messages", order, 422)["errors"][0]["pointer"] == "/data"
    batch = program.post("/messages/batch", {"messages": [HELLO, HELLO | {"body": odd}]})
    assert [each["status"] for each in batch["results"]] == [201, 422]
    program.post("/dead-letters/drop", {"ids": [odd]}, 422)
    program.post("/consents", {"number": NUMBER, "kind": "opt_out", "wording": odd}, 422)


def test_an_id_that_no_database_keeps_is_nobodys(program: Program) -> None:
    assert program.call("GET", "/messages/%00").status_code == 404
    assert program.call("GET", "/messages?before=%00").status_code == 422


@pytest.mark.parametrize("since", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B12:00"])
def test_a_year_that_nobody_means_is_refused(program: Program, since: str) -> None:
    for path in ("/messages", "/dead-letters"):
        answer = program.call("GET", f"{path}?since={since}")
        assert (answer.status_code, (answer.json or {})["errors"][0]["pointer"]) == (422, "/since")


def test_what_is_nested_too_deeply_cannot_be_read(program: Program) -> None:
    body = b'{"a":' * 100_000
    headers = {"Authorization": f"Bearer {program.secret}"}
    answer = program.client.post("/api/v1/messages", data=body, content_type="application/json", headers=headers)
    assert (answer.status_code, kind_of(answer.json or {})) == (400, "bad-request")
