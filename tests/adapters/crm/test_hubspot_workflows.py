"""Do workflows that wait for us go on as HubSpot wants them told, together where they can be, and once?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest
from flask import Flask, jsonify
from flask.typing import ResponseReturnValue

from connector.adapters.crm.hubspot.adapter import HubSpotCRM
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import MISSING_SCOPES
from connector.ports.workflows import Completion, WorkflowCRM
from connector.sandbox.hubspot.app import create_app
from connector.sandbox.hubspot.workflow_actions import Stands, WorkflowActions
from connector.sandbox.serve import Server
from tests.adapters.crm.conftest import PORTAL, HubSpot

SAID = {"sms_result": "delivered", "sms_reason": "", "sms_message_id": "m-1", "sms_reply": ""}


@dataclass
class Workflows:
    """Workflows of the portal, all of which wait for what becomes of their text."""

    hubspot: HubSpot
    crm: HubSpotCRM
    actions: WorkflowActions

    def wait(self) -> Completion:
        return Completion(self.actions.run(PORTAL, "CONTACT", "51", {}), SAID)

    def stands(self, completion: Completion) -> Stands:
        return self.actions.execution(completion.callback_id).stands

    def complete(self, *completions: Completion) -> list[CRMError | None]:
        results = self.crm.complete_calls(self.hubspot.account, completions)
        assert [result.callback_id for result in results] == [each.callback_id for each in completions]
        return [result.error for result in results]


@pytest.fixture
def workflows(hubspot: HubSpot) -> Iterator[Workflows]:
    app = Flask("an app")

    @app.post("/action")
    def block() -> ResponseReturnValue:
        return jsonify(outputFields={"hs_execution_state": "BLOCK", "hs_expiration_duration": "PT15M"})

    with Server(app) as ours, httpx.Client() as http:
        actions = WorkflowActions(target_url=f"{ours.url}/action", client_secret="hush", clock=hubspot.clock)
        theirs = create_app(hubspot.world, hubspot.clock, hubspot.faults, workflows=actions)
        with Server(theirs) as server:
            crm = HubSpotCRM(
                ledger=hubspot.ledger,
                clock=hubspot.clock,
                limiter=hubspot.limiter,
                locks=hubspot.locks,
                http=http,
                url=server.url,
                sleep=lambda _: None,
            )
            yield Workflows(hubspot, crm, actions)
        actions.stop()


def test_the_adapter_is_one_whose_workflows_can_wait(workflows: Workflows) -> None:
    assert isinstance(workflows.crm, WorkflowCRM)


def test_many_workflows_go_on_by_one_call_with_all_outputs(workflows: Workflows) -> None:
    waiting = [workflows.wait() for _ in range(3)]
    assert workflows.complete(*waiting) == [None] * 3
    assert {workflows.stands(each) for each in waiting} == {Stands.DONE}
    outputs = workflows.actions.execution(waiting[0].callback_id).outputs
    assert outputs == {**SAID, "hs_execution_state": "SUCCESS"}
    assert workflows.hubspot.calls("automation.callback_complete_batch") == 1


def test_one_that_is_over_keeps_no_other_from_going_on(workflows: Workflows) -> None:
    over, waiting = workflows.wait(), workflows.wait()
    workflows.complete(over)
    assert workflows.complete(over, waiting) == [None, None]
    assert workflows.stands(waiting) is Stands.DONE
    assert workflows.actions.execution(over.callback_id).completions == 1


def test_one_that_hubspot_has_not_noted_yet_is_told_later(workflows: Workflows) -> None:
    early = Completion("ap-nobody-waits-yet", SAID, is_young=True)
    [error] = workflows.complete(early)
    assert isinstance(error, CRMUnavailableError)
    assert workflows.complete(replace(early, is_young=False)) == [None]


def test_progress_made_one_by_one_is_kept_when_hubspot_goes_away(workflows: Workflows) -> None:
    over, first, second, third = (workflows.wait() for _ in range(4))
    workflows.complete(over)
    workflows.hubspot.faults.arm("hubspot.automation.callback_complete", "slow", seconds=0)
    workflows.hubspot.faults.arm("hubspot.automation.callback_complete", "status", times=None, status=503)
    done, *put_off = workflows.complete(first, over, second, third)
    assert done is None
    assert [type(error) for error in put_off] == [CRMUnavailableError] * 3
    assert workflows.hubspot.calls("automation.callback_complete") == 2
    assert [workflows.stands(each) for each in (first, second, third)] == [Stands.DONE, Stands.WAITING, Stands.WAITING]


def test_telling_what_ran_out_meanwhile_is_no_error(workflows: Workflows) -> None:
    waiting = workflows.wait()
    workflows.hubspot.clock.advance(timedelta(minutes=20))
    assert workflows.complete(waiting) == [None]
    assert workflows.stands(waiting) is Stands.EXPIRED


def test_a_completion_of_the_wrong_shape_is_refused_alone(workflows: Workflows) -> None:
    good, bad = workflows.wait(), workflows.wait()
    wrong = Completion(bad.callback_id, {"sms_weather": "fair"})
    first, second = workflows.complete(good, wrong)
    assert first is None
    assert second is not None
    assert second.status == 400
    assert workflows.stands(good) is Stands.DONE


def test_a_portal_that_did_not_grant_automation_says_which_scope_it_lacks(workflows: Workflows) -> None:
    workflows.hubspot.faults.arm("hubspot.automation.callback_complete_batch", "status", status=403)
    waiting = workflows.wait()
    with pytest.raises(CRMRefusedError) as refused:
        workflows.complete(waiting)
    assert refused.value.category == MISSING_SCOPES
    assert workflows.stands(waiting) is Stands.WAITING


@pytest.mark.parametrize("fault", ["accept_then_timeout", "reset"])
def test_a_lost_answer_may_be_asked_for_again(workflows: Workflows, fault: str) -> None:
    workflows.hubspot.faults.arm("hubspot.automation.callback_complete_batch", fault, then="reset")
    waiting = workflows.wait()
    with pytest.raises(CRMUnavailableError):
        workflows.complete(waiting)
    assert workflows.complete(waiting) == [None]
    assert workflows.actions.execution(waiting.callback_id).completions == 1
