"""Does the pretend HubSpot call an action, wait and go on as the real one says it does?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from flask import Flask, Response, jsonify, request

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.app import create_app
from connector.sandbox.hubspot.signing import sign_v3
from connector.sandbox.hubspot.workflow_actions import RETRY_AFTER, Stands, WorkflowActions
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server

PORTAL, SECRET = 12345, "hush"
OUTPUTS = {"sms_result": "delivered", "hs_execution_state": "SUCCESS"}
COMPLETION = {"outputFields": OUTPUTS, "typedOutputs": {}}


class App:
    """An app with an action: answers in turn what it is told to, the last answer again and again."""

    def __init__(self) -> None:
        self.flask = Flask(__name__)
        self.flask.post("/action")(self.action)
        self.answers: list[tuple[int, dict[str, Any], dict[str, str]]] = [
            (200, {"outputFields": {"hs_execution_state": "BLOCK", "hs_expiration_duration": "PT15M"}}, {})
        ]
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    def action(self) -> Response:
        self.requests.append((dict(request.headers), request.get_data()))
        status, body, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer = jsonify(body)
        answer.status_code = status
        answer.headers.update(headers)
        return answer


@pytest.fixture
def receiver() -> Iterator[App]:
    receiver = App()
    with Server(receiver.flask) as server:
        receiver.url = f"{server.url}/action"
        yield receiver


@pytest.fixture
def actions(receiver: App, clock: SandboxClock) -> Iterator[WorkflowActions]:
    actions = WorkflowActions(target_url=receiver.url, client_secret=SECRET, clock=clock)
    yield actions
    actions.stop()


@pytest.fixture
def app(world: HubSpotWorld, clock: SandboxClock, faults: Faults, actions: WorkflowActions) -> Flask:
    return create_app(world, clock, faults, workflows=actions)


def run(actions: WorkflowActions, **inputs: str) -> str:
    return actions.run(PORTAL, "CONTACT", "51", {"body": "Hello"} | inputs)


def complete(api: httpx.Client, callback_id: str, body: Any = COMPLETION) -> httpx.Response:
    return api.post(f"/automation/actions/callbacks/2026-09/{callback_id}/complete", json=body)


def complete_all(api: httpx.Client, *callback_ids: str) -> httpx.Response:
    inputs = [{"callbackId": each, **COMPLETION} for each in callback_ids]
    return api.post("/automation/actions/callbacks/2026-09/complete", json={"inputs": inputs})


def test_a_call_is_signed_v2_over_method_address_and_body(actions: WorkflowActions, receiver: App) -> None:
    run(actions)
    [(headers, body)] = receiver.requests
    signed = f"{SECRET}POST{receiver.url}".encode() + body
    assert headers["X-Hubspot-Signature-Version"] == "v2"
    assert headers["X-Hubspot-Signature"] == hashlib.sha256(signed).hexdigest()
    said = json.loads(body)
    assert said["origin"]["portalId"] == PORTAL
    assert (said["object"]["objectId"], said["object"]["objectType"]) == (51, "CONTACT")


def test_a_call_may_be_signed_v3(actions: WorkflowActions, receiver: App) -> None:
    actions.signs = "v3"
    run(actions)
    [(headers, body)] = receiver.requests
    stamp = headers["X-Hubspot-Request-Timestamp"]
    assert headers["X-Hubspot-Signature-V3"] == sign_v3("POST", receiver.url, body, stamp, SECRET)


def test_an_answer_without_a_state_lets_the_workflow_go_on(actions: WorkflowActions, receiver: App) -> None:
    receiver.answers = [(200, {"outputFields": {"sms_result": "queued"}}, {})]
    execution = actions.execution(run(actions))
    assert (execution.stands, execution.outputs) == (Stands.DONE, {"sms_result": "queued"})


def test_a_failed_execution_goes_on_as_failed(actions: WorkflowActions, receiver: App) -> None:
    receiver.answers = [(200, {"outputFields": {"hs_execution_state": "FAIL_CONTINUE"}}, {})]
    assert actions.execution(run(actions)).stands is Stands.FAILED


def test_a_workflow_that_waits_is_completed_once(actions: WorkflowActions, api: httpx.Client) -> None:
    callback_id = run(actions)
    assert actions.execution(callback_id).stands is Stands.WAITING
    assert complete(api, callback_id).status_code == 204
    execution = actions.execution(callback_id)
    assert (execution.stands, execution.outputs, execution.completions) == (Stands.DONE, OUTPUTS, 1)
    assert complete(api, callback_id).status_code == 404
    assert execution.completions == 1


def test_a_batch_is_completed_whole_or_not_at_all(actions: WorkflowActions, api: httpx.Client) -> None:
    first, second = run(actions), run(actions)
    assert complete_all(api, first, "ap-unknown").status_code == 404
    assert actions.execution(first).stands is Stands.WAITING
    assert complete_all(api, first, second).status_code == 204
    assert {actions.execution(each).stands for each in (first, second)} == {Stands.DONE}
    assert complete_all(api).status_code == 400
    assert complete_all(api, *["ap-1"] * 101).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"outputFields": OUTPUTS},
        {"typedOutputs": {}},
        {"outputFields": OUTPUTS, "typedOutputs": []},
        {"outputFields": {"sms_weather": "fair"}, "typedOutputs": {}},
        {"outputFields": {"sms_result": 7}, "typedOutputs": {}},
        {**COMPLETION, "more": 1},
    ],
)
def test_a_completion_of_the_wrong_shape_is_refused(actions: WorkflowActions, api: httpx.Client, body: Any) -> None:
    callback_id = run(actions)
    assert complete(api, callback_id, body).status_code == 400
    assert actions.execution(callback_id).stands is Stands.WAITING


def test_another_portal_cannot_complete_it(actions: WorkflowActions, api: httpx.Client, world: HubSpotWorld) -> None:
    world.add_portal(777, token="pat-other")
    other = {"Authorization": "Bearer pat-other"}
    callback_id = run(actions)
    path = f"/automation/actions/callbacks/2026-09/{callback_id}/complete"
    assert api.post(path, json=COMPLETION, headers=other).status_code == 404
    assert actions.execution(callback_id).stands is Stands.WAITING


def test_completing_needs_the_scope_automation(
    actions: WorkflowActions, api: httpx.Client, world: HubSpotWorld
) -> None:
    world.add_portal(777, token="pat-narrow", scopes=["crm.objects.contacts.read"])
    answer = api.post(
        "/automation/actions/callbacks/2026-09/ap-1/complete",
        json=COMPLETION,
        headers={"Authorization": "Bearer pat-narrow"},
    )
    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    assert actions.duplicates == 0


def test_a_sandbox_without_workflows_has_no_callbacks(world: HubSpotWorld, clock: SandboxClock) -> None:
    client = create_app(world, clock, Faults()).test_client()
    answer = client.post(
        "/automation/actions/callbacks/2026-09/ap-1/complete",
        json=COMPLETION,
        headers={"Authorization": "Bearer pat-test"},
    )
    assert answer.status_code == 404


def test_a_wait_runs_out_by_itself_and_cannot_be_completed_then(
    actions: WorkflowActions, api: httpx.Client, clock: SandboxClock
) -> None:
    callback_id = run(actions)
    clock.advance(timedelta(minutes=15))
    assert complete(api, callback_id).status_code == 404
    assert actions.execution(callback_id).stands is Stands.EXPIRED


@pytest.mark.parametrize(
    ("duration", "wait"),
    [("PT1H30M", timedelta(minutes=90)), ("P1W", timedelta(weeks=1)), (None, timedelta(weeks=1))],
)
def test_waits_are_iso_durations_and_a_week_when_none_is_said(
    actions: WorkflowActions, receiver: App, duration: str | None, wait: timedelta
) -> None:
    more = {} if duration is None else {"hs_expiration_duration": duration}
    receiver.answers = [(200, {"outputFields": {"hs_execution_state": "BLOCK"} | more}, {})]
    execution = actions.execution(run(actions))
    assert execution.expires_at is not None
    assert abs(execution.expires_at - execution.started_at - wait) < timedelta(seconds=5)


def test_our_fault_and_silence_are_tried_again_under_the_same_callback_id(
    actions: WorkflowActions, receiver: App, clock: SandboxClock
) -> None:
    receiver.answers = [(503, {}, {}), receiver.answers[0]]
    callback_id = run(actions)
    assert actions.retry_due() == []
    clock.advance(RETRY_AFTER[0])
    assert actions.retry_due() == [callback_id]
    assert [json.loads(body)["callbackId"] for _, body in receiver.requests] == [callback_id] * 2
    assert actions.execution(callback_id).stands is Stands.WAITING


def test_nobody_there_is_given_up_after_three_days(clock: SandboxClock) -> None:
    actions = WorkflowActions(target_url="http://127.0.0.1:9/action", client_secret=SECRET, clock=clock)
    callback_id = run(actions)
    for pause in RETRY_AFTER:
        clock.advance(pause)
        actions.retry_due()
    execution = actions.execution(callback_id)
    assert (execution.stands, execution.statuses) == (Stands.FAILED, [None] * (1 + len(RETRY_AFTER)))
    assert sum(RETRY_AFTER, timedelta()) <= timedelta(days=3)
    actions.stop()


def test_a_429_is_tried_again_after_the_milliseconds_it_names(
    actions: WorkflowActions, receiver: App, clock: SandboxClock
) -> None:
    receiver.answers = [(429, {}, {"Retry-After": "30000"}), receiver.answers[0]]
    callback_id = run(actions)
    clock.advance(timedelta(seconds=29))
    assert actions.retry_due() == []
    clock.advance(timedelta(seconds=1))
    assert actions.retry_due() == [callback_id]


def test_any_other_no_fails_the_action(actions: WorkflowActions, receiver: App, clock: SandboxClock) -> None:
    receiver.answers = [(401, {}, {})]
    callback_id = run(actions)
    clock.advance(timedelta(days=1))
    assert actions.retry_due() == []
    assert actions.execution(callback_id).stands is Stands.FAILED


def test_copies_of_a_call_change_nothing_after_the_first_answer(actions: WorkflowActions, receiver: App) -> None:
    actions.duplicates = 9
    execution = actions.execution(run(actions))
    assert len({json.loads(body)["callbackId"] for _, body in receiver.requests}) == 1
    assert (len(execution.answers), execution.stands) == (10, Stands.WAITING)
