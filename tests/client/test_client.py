"""Does the Python client say what the API understands, hear what it says, and try again what may be tried again?"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from flask import Flask

import connector_client
from connector.bootstrap import Connector
from connector.domain.message import Direction, MessageState
from connector.entrypoints.web.api import openapi_document
from connector_client import Client, Text, models
from connector_client.calling import TRIES
from connector_client.reading import read
from tests.adapters.store.factories import an_attempt
from tests.entrypoints.api.conftest import NUMBER, Program, put
from tests.entrypoints.api.test_admission import a_failed_callback, know

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def sms(app: Flask, program: Program) -> Iterator[Client]:
    transport = httpx.WSGITransport(app)
    with Client("http://localhost/", program.secret, transport=transport, sleep=lambda _seconds: None) as client:
        yield client


def scripted(*answers: Answer | Exception) -> tuple[Client, list[httpx.Request], list[float]]:
    """Make a client whose calls are answered by a script; give what it asks and how long it waits."""
    asked: list[httpx.Request] = []
    waits: list[float] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        said = left.pop(0)
        if isinstance(said, Exception):
            raise said
        return said(request)

    transport = httpx.MockTransport(answer)
    client = Client("http://sms.test", "smsk_1", transport=transport, sleep=waits.append, rng=random.Random(7))
    return client, asked, waits


def problem(status: int, **headers: str) -> Answer:
    document = {"type": "urn:sms-connector:problem:x", "title": "No", "status": status, "unheard": "of"}
    return lambda _request: httpx.Response(status, json=document, headers=headers)


def batch(request: httpx.Request) -> httpx.Response:
    count = len(json.loads(request.content)["messages"])
    wrong = {"type": "x", "title": "No", "status": 422}
    results = [{"index": index, "status": 422, "message": None, "problem": wrong} for index in range(count)]
    return httpx.Response(200, json={"results": results, "refused": count})


def test_a_text_is_sent_asked_about_and_stopped(sms: Client) -> None:
    sent = sms.send(to=NUMBER, body="Your table is ready", sender="+12025550100", priority=7)
    assert (sent.state, sent.to, sent.sender, sent.priority) == ("queued", NUMBER, "+12025550100", 7)
    assert sent.created_at.tzinfo is not None
    found = sms.message(sent.id)
    assert (found.body, found.attempts, found.cost) == ("Your table is ready", (), None)
    assert sms.cancel(sent.id).state == "cancelled"


def test_a_time_is_said_with_its_zone(sms: Client) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    assert sms.send(to=NUMBER, body="Later", send_at=at).not_before == at


def test_many_are_sent_each_with_its_result(sms: Client) -> None:
    good, bad = sms.send_many([Text(to=NUMBER, body="Hello"), Text(to="12", body="Hello")])
    assert good.message is not None
    assert (good.status, good.problem, good.message.state) == (201, None, "queued")
    assert bad.problem is not None
    assert (bad.message, bad.problem.errors[0].pointer) == (None, "/to")


def test_texts_are_given_page_by_page(sms: Client) -> None:
    results = sms.send_many([Text(to=NUMBER, body=str(number)) for number in range(205)])
    ids = [each.message.id for each in results if each.message is not None]
    assert [each.id for each in sms.messages(to=NUMBER)] == ids[::-1]
    assert list(sms.messages(state="failed")) == []
    assert list(sms.messages(since=datetime.now(UTC) + timedelta(minutes=1))) == []


def test_a_conversation_has_both_sides(sms: Client, connector: Connector) -> None:
    sms.send(to=NUMBER, body="Shall we?")
    put(connector, direction=Direction.IN, state=MessageState.RECEIVED, body="Yes", sender="+12025550100")
    assert [(each.direction, each.body) for each in sms.conversation(NUMBER)] == [("in", "Yes"), ("out", "Shall we?")]


def test_consent_is_recorded_and_read(sms: Client) -> None:
    assert sms.consent(NUMBER).may_be_texted
    agreed = sms.opt_in(NUMBER, scope="marketing", wording="Yes", asked="Offers?", source="form:1")
    assert (agreed.marketing, agreed.history[0].asked) == ("opt_in", "Offers?")
    refused = sms.opt_out(NUMBER, wording="No more")
    assert (refused.may_be_texted, refused.suppressions[0].mechanism) == (False, "api")


def test_failed_callbacks_are_listed_and_replayed(sms: Client, connector: Connector) -> None:
    row = a_failed_callback(connector)
    (lost,) = sms.failed_callbacks()
    assert (lost.id, lost.type, lost.host) == (row.id, "message.delivered", "https://shop.example")
    assert sms.replay_callbacks([row.id]) == [row.id]
    assert sms.failed_callbacks(limit=1) == []


def test_dead_letters_are_listed_sent_again_and_dropped(sms: Client, connector: Connector) -> None:
    first, second = (put(connector, state=MessageState.DEAD_LETTER) for _ in range(2))
    assert [each.id for each in sms.dead_letters()] == [first.id, second.id]
    assert sms.dead_letters(gateway="null", since=datetime.now(UTC) - timedelta(days=1)) == []
    assert sms.replay([first.id]) == models.Decided((first.id,), ())
    assert sms.drop([first.id, second.id]) == models.Decided((second.id,), (first.id,))


def test_what_is_known_of_a_number_is_told(sms: Client, connector: Connector) -> None:
    know(connector)
    known, unheard_of = sms.known_numbers([NUMBER, "+12025550144"])
    assert (known.line_type, known.state, unheard_of.state) == ("mobile", "known", "unheard_of")
    with pytest.raises(connector_client.ConflictError, match="no gateway to ask"):
        sms.look_up(NUMBER)


def test_a_cost_and_every_try_are_read(sms: Client, connector: Connector) -> None:
    row = put(connector, state=MessageState.DELIVERED, cost=Decimal("0.0079"), currency="USD")
    with connector.ledger.begin() as uow:
        uow.attempts.add([an_attempt(row, error_code="30003")])
        uow.commit()
    found = sms.message(row.id)
    assert found.cost == models.Cost(Decimal("0.0079"), "USD")
    assert [(each.gateway, each.error_code) for each in found.attempts] == [("twilio", "30003")]


def test_a_whole_number_may_stand_for_a_fraction_and_nothing_else_for_anything_else() -> None:
    assert read(models.Fallen, {"country": "US", "carrier": None, "unheard": "of"}) == models.Fallen("US", None)
    whole = _PROVIDER | {"share": 1}
    assert read(models.Provider, whole).share == 1.0
    for wrong in ({"share": "1"}, {"since": "yesterday"}, {"fallen": [7]}, {"name": 7}):
        with pytest.raises((TypeError, ValueError)):
            read(models.Provider, _PROVIDER | wrong)
    with pytest.raises(KeyError):
        read(models.Fallen, {"country": "US"})


_PROVIDER: dict[str, Any] = {
    "name": "null", "vendor": "none", "state": "closed", "share": 1.0, "reason": "", "since": "2026-11-20T14:00:00Z",
    "until": None, "usual_seconds": 0.5, "error_rate": 0.0, "delivery_rate": 0.9, "routes": ["usual"], "fallen": [],
    "has_incoming": False, "has_lookup": False, "receipts": "",
}  # fmt: skip


def test_gateways_are_told_about(sms: Client) -> None:
    (only,) = sms.providers()
    assert (only.name, only.state) == ("null", "closed")
    assert sms.provider("null").vendor == only.vendor
    with pytest.raises(connector_client.NotFoundError):
        sms.provider("pigeon")


def test_what_was_refused_is_raised_by_its_meaning(sms: Client, app: Flask) -> None:
    with pytest.raises(connector_client.InvalidRequestError, match="/to") as caught:
        sms.send(to="12", body="Hello")
    assert caught.value.problem.type.endswith(":invalid")
    with pytest.raises(connector_client.NotFoundError):
        sms.message("unheard-of")
    sms.send(to=NUMBER, body="One", idempotency_key="key")
    with pytest.raises(connector_client.ConflictError):
        sms.send(to=NUMBER, body="Two", idempotency_key="key")
    with (
        Client("http://localhost", "smsk_wrong", transport=httpx.WSGITransport(app)) as intruder,
        pytest.raises(connector_client.AccessRefusedError),
    ):
        intruder.message("1")


def test_an_id_that_would_lead_elsewhere_is_not_asked_for() -> None:
    client, asked, _ = scripted()
    for text in ("", "../providers", "1/cancel", "1?x=y"):
        with pytest.raises(ValueError, match="not an id"):
            client.message(text)
    assert asked == []


def test_a_call_that_may_have_arrived_is_made_again_under_the_same_key() -> None:
    client, asked, waits = scripted(
        httpx.ReadTimeout("late"), httpx.ConnectError("down"), problem(503, **{"Retry-After": "7"}), problem(422)
    )
    with pytest.raises(connector_client.InvalidRequestError):
        client.send(to=NUMBER, body="Hello")
    assert len({request.content for request in asked}) == 1
    assert b'"idempotency_key"' in asked[0].content
    assert waits[2] == 7
    assert 0 < waits[0] <= 1
    assert 0 < waits[1] <= 2


def test_consent_is_recorded_again_under_the_same_source() -> None:
    client, asked, _ = scripted(httpx.ReadTimeout("late"), problem(409))
    with pytest.raises(connector_client.ConflictError):
        client.opt_out(NUMBER)
    assert asked[0].content == asked[1].content
    assert b'"source"' in asked[0].content


def test_after_some_tries_it_gives_up() -> None:
    client, asked, waits = scripted(*[httpx.ConnectError("down")] * TRIES)
    with pytest.raises(connector_client.UnavailableError, match="ConnectError"):
        client.message("1")
    assert (len(asked), len(waits)) == (TRIES, TRIES - 1)
    client, _, waits = scripted(*[problem(429, **{"Retry-After": "9999"})] * TRIES)
    with pytest.raises(connector_client.RateLimitedError):
        client.message("1")
    assert waits == [30.0] * (TRIES - 1)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _request: httpx.Response(502, text="<html>a proxy's</html>"),
        lambda _request: httpx.Response(404, json={"error": "a stranger's"}),
        lambda _request: httpx.Response(404, json=["a stranger's"]),
        problem(500),
    ],
)
def test_what_is_no_answer_of_the_connectors_is_told_as_such(answer: Answer) -> None:
    client, _, _ = scripted(*[answer] * TRIES)
    with pytest.raises(connector_client.UnavailableError):
        client.message("1")


def test_a_problem_of_an_unheard_of_kind_is_a_problem() -> None:
    client, _, _ = scripted(problem(418))
    with pytest.raises(connector_client.APIProblemError) as caught:
        client.message("1")
    assert type(caught.value) is connector_client.APIProblemError


def test_more_than_one_call_takes_are_sent_in_several() -> None:
    client, asked, _ = scripted(batch, batch)
    results = client.send_many([Text(to=NUMBER, body="Hello")] * 501)
    assert len(asked) == 2
    assert [each.index for each in results] == list(range(501))


def test_neither_number_nor_text_is_shown_by_accident(sms: Client) -> None:
    sent = sms.send(to=NUMBER, body="s3cret")
    assert NUMBER not in repr(sent)
    assert "s3cret" not in repr([sent, Text(to=NUMBER, body="s3cret")])


_FOLLOWS: dict[str, type[Any]] = {
    "Send": models.Text,
    "Message": models.Message,
    "MessageStatus": models.MessageStatus,
    "Attempt": models.Attempt,
    "Cost": models.Cost,
    "BatchResult": models.BatchResult,
    "ConsentStanding": models.ConsentStanding,
    "ConsentEvent": models.ConsentEvent,
    "Suppression": models.Suppression,
    "FailedCallback": models.FailedCallback,
    "Decided": models.Decided,
    "KnownNumber": models.KnownNumber,
    "Fallen": models.Fallen,
    "Provider": models.Provider,
    "Problem": models.Problem,
    "ProblemMistake": models.Mistake,
}


@pytest.mark.parametrize("name", _FOLLOWS)
def test_the_models_have_what_the_description_has(app: Flask, name: str) -> None:
    schema = openapi_document(app)["components"]["schemas"][name]
    assert {part.metadata.get("name", part.name) for part in fields(_FOLLOWS[name])} == set(schema["properties"])


def test_the_client_makes_every_call_there_is(app: Flask) -> None:
    document = openapi_document(app)
    described = {
        what["operationId"]
        for path, methods in document["paths"].items()
        for method, what in methods.items()
        if method != "parameters" and not path.startswith("/api/v1/card/")  # for cards, which are no programs
    }
    covered = {
        "sendMessage", "sendMessages", "messageStatus", "searchMessages", "cancelMessage", "readConversation",
        "readConsent", "recordConsent", "listFailedCallbacks", "replayCallbacks", "listDeadLetters",
        "replayDeadLetters", "dropDeadLetters", "knownOfNumbers", "lookUpNumber", "listProviders", "providerStatus",
    }  # fmt: skip
    assert described - covered == {"listMessages"}, "the search does what the list does"


def test_what_costs_money_is_asked_once() -> None:
    client, asked, waits = scripted(problem(502), httpx.ConnectError("away"))
    for _ in range(2):
        with pytest.raises(connector_client.UnavailableError):
            client.look_up(NUMBER)
    assert (len(asked), waits) == (2, [])
