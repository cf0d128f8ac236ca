"""Does the action "Send SMS" ask for what the connector reads, and offer what it answers?"""

from __future__ import annotations

import inspect
import re
from typing import Any

from connector.services import workflow_orders, workflow_telling
from connector.services.workflow_orders import MOST_MINUTES, USUAL_MINUTES, outputs
from tests.marketplace.hubspot.project import component

INPUTS: dict[str, set[str]] = {
    "message_kind": {"text", "template"},
    "body": set(),
    "template": set(),
    "purpose": {"transactional", "marketing"},
    "recipient": {"contact", "owner"},
    "wait_for": {"nothing", "delivered", "reply"},
    "wait_minutes": set(),
}
"""Each input with the values it may have; empty for any."""

RESULTS = {
    "queued", "delivered", "undelivered", "replied", "opted_out", "suppressed", "held", "failed", "expired",
}  # fmt: skip
OUTPUTS: dict[str, set[str]] = {"sms_result": RESULTS, "sms_reason": set(), "sms_message_id": set(), "sms_reply": set()}

ERROR_CODES = {"NOT_INSTALLED", "NO_BODY", "TOO_LONG", "UNKNOWN_TEMPLATE", "BAD_INPUT"}
"""Why a call can never make a text, whoever it is for; answered beside the outputs."""


def _fields(name: str) -> dict[str, dict[str, Any]]:
    return {each["typeDefinition"]["name"]: each for each in component("workflow-action")[name]}


def _values(field: dict[str, Any]) -> set[str]:
    return {option["value"] for option in field["typeDefinition"].get("options", ())}


def _labels() -> dict[str, Any]:
    labels: dict[str, Any] = component("workflow-action")["labels"]["en"]
    return labels


def test_the_inputs_are_those_that_are_read() -> None:
    assert {name: _values(field) for name, field in _fields("inputFields").items()} == INPUTS


def test_the_outputs_are_those_that_are_answered() -> None:
    assert {name: _values(field) for name, field in _fields("outputFields").items()} == OUTPUTS


def test_every_input_and_output_has_its_words() -> None:
    labels = _labels()
    assert labels["inputFieldLabels"].keys() == INPUTS.keys()
    assert labels["inputFieldDescriptions"].keys() == INPUTS.keys()
    assert labels["outputFieldLabels"].keys() == OUTPUTS.keys()


def test_every_result_and_every_mistake_has_a_message_in_the_workflows_history() -> None:
    rules = component("workflow-action")["executionRules"]
    mistakes = [{"errorCode": code} for code in sorted(ERROR_CODES)]
    results = [{"sms_result": result} for result in sorted(RESULTS)]
    by_code = sorted((rule["conditions"] for rule in rules), key=lambda each: sorted(each.items()))
    assert by_code == mistakes + results
    assert {rule["labelName"] for rule in rules} == _labels()["executionRules"].keys()


def test_a_mistake_is_told_before_the_result_it_makes() -> None:
    """Rules are looked at in order, and HubSpot shows the message of the first that fits."""
    asked = ["errorCode" in rule["conditions"] for rule in component("workflow-action")["executionRules"]]
    assert asked == sorted(asked, reverse=True)


def test_what_the_connector_answers_is_declared() -> None:
    assert outputs("queued").keys() == OUTPUTS.keys()
    assert set(workflow_telling._RESULTS.values()) <= RESULTS
    told = inspect.getsource(workflow_orders)
    assert set(re.findall(r'(?:return |_impossible\()"([A-Z_]+)"', told)) == ERROR_CODES


def test_choices_are_those_the_connector_takes() -> None:
    for name, allowed, _usual in workflow_orders._CHOICES:
        assert INPUTS[name] == set(allowed)


def test_the_longest_wait_is_said() -> None:
    said = _labels()["inputFieldDescriptions"]["wait_minutes"]
    assert re.findall(r"\d+", said) == [str(USUAL_MINUTES), str(MOST_MINUTES)]


def test_a_field_hangs_on_one_that_is_there_and_on_a_value_it_has() -> None:
    for rule in component("workflow-action")["inputFieldDependencies"]:
        assert rule["controllingFieldValue"] in INPUTS[rule["controllingFieldName"]]
        assert set(rule["dependentFieldNames"]) <= INPUTS.keys()


def test_what_hangs_on_another_field_is_not_demanded_when_it_is_hidden() -> None:
    fields = _fields("inputFields")
    for rule in component("workflow-action")["inputFieldDependencies"]:
        assert not any(fields[name]["isRequired"] for name in rule["dependentFieldNames"])


def test_the_card_in_the_workflow_names_inputs_that_exist() -> None:
    assert set(re.findall(r"\{\{(\w+)\}\}", _labels()["actionCardContent"])) <= INPUTS.keys()
