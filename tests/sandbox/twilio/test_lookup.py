"""Does the emulated gateway look numbers up as the vendor does?"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.twilio.app import create_app
from connector.sandbox.twilio.lookup import LINE_TYPES, Line
from connector.sandbox.twilio.world import TwilioWorld
from tests.sandbox.twilio.receiver import ACCOUNT, PERSON, TOKEN

PACKAGE = {"Fields": "line_type_intelligence"}
CONTROL = "/_sandbox/twilio/lines"


@pytest.fixture
def lookups(world: TwilioWorld, clock: SandboxClock, faults: Faults) -> Iterator[httpx.Client]:
    transport = httpx.WSGITransport(app=create_app(world, clock, faults))
    with httpx.Client(transport=transport, base_url="http://lookups.test", auth=(ACCOUNT, TOKEN)) as client:
        yield client


def line_of(lookups: httpx.Client, number: str = PERSON) -> dict[str, Any]:
    answer: dict[str, Any] = lookups.get(f"/v2/PhoneNumbers/{number}", params=PACKAGE).json()
    return answer


def test_a_number_is_mobile_unless_something_else_was_said(lookups: httpx.Client, world: TwilioWorld) -> None:
    answer = line_of(lookups)
    assert (answer["valid"], answer["validation_errors"], answer["country_code"]) == (True, [], "US")
    assert (answer["phone_number"], answer["calling_country_code"]) == (PERSON, "1")
    assert answer["line_type_intelligence"] == {
        "carrier_name": "Sandbox Mobile",
        "error_code": None,
        "mobile_country_code": "310",
        "mobile_network_code": "260",
        "type": "mobile",
    }
    assert world.calls["lookup"] == 1


def test_what_is_not_asked_for_is_not_told(lookups: httpx.Client) -> None:
    assert lookups.get(f"/v2/PhoneNumbers/{PERSON}").json()["line_type_intelligence"] is None


@pytest.mark.parametrize("type_", LINE_TYPES)
def test_only_lines_of_carriers_have_a_carrier(lookups: httpx.Client, world: TwilioWorld, type_: str) -> None:
    world.lines[PERSON] = Line(type_)
    line = line_of(lookups)["line_type_intelligence"]
    has_carrier = type_ in {"landline", "mobile", "fixedVoip", "nonFixedVoip"}
    assert (line["type"], line["carrier_name"] is not None) == (type_, has_carrier)
    assert (line["mobile_network_code"] is not None) == (type_ == "mobile")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+1202", "TOO_SHORT"),
        ("+120255501431234", "TOO_LONG"),
        ("+999123456789", "NOT_A_NUMBER"),
        ("nobody", "NOT_A_NUMBER"),
    ],
)
def test_a_number_that_cannot_be_is_told_with_the_reason(lookups: httpx.Client, number: str, reason: str) -> None:
    answer = line_of(lookups, number)
    assert (answer["valid"], answer["validation_errors"]) == (False, [reason])
    assert answer["line_type_intelligence"] is None


def test_a_line_is_set_from_outside(lookups: httpx.Client) -> None:
    told = lookups.put(f"{CONTROL}/{PERSON}", json={"type": "landline", "carrier_name": "Wires"}).json()
    assert told == {"type": "landline", "carrier_name": "Wires", "is_valid": True, "error_code": None}
    assert line_of(lookups)["line_type_intelligence"]["carrier_name"] == "Wires"
    lookups.put(f"{CONTROL}/{PERSON}", json={"is_valid": False})
    assert line_of(lookups)["validation_errors"] == ["INVALID_BUT_POSSIBLE"]
    lookups.put(f"{CONTROL}/{PERSON}", json={"error_code": 60600})
    assert line_of(lookups)["line_type_intelligence"] == {
        "carrier_name": None,
        "error_code": 60600,
        "mobile_country_code": None,
        "mobile_network_code": None,
        "type": None,
    }


@pytest.mark.parametrize("body", [{"type": "telepathy"}, {"colour": "red"}, []])
def test_a_line_that_cannot_be_is_refused(lookups: httpx.Client, body: object) -> None:
    assert lookups.put(f"{CONTROL}/{PERSON}", json=body).status_code == 400


def test_a_package_that_is_not_sold_here_is_refused(lookups: httpx.Client) -> None:
    answer = lookups.get(f"/v2/PhoneNumbers/{PERSON}", params={"Fields": "line_type_intelligence,sim_swap"})
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_a_parameter_of_another_package_does_not_go_unseen(lookups: httpx.Client, world: TwilioWorld) -> None:
    lookups.get(f"/v2/PhoneNumbers/{PERSON}", params=PACKAGE | {"FirstName": "Ada"})
    assert world.unknown_fields == {"FirstName": 1}


def test_nobody_looks_up_without_the_token(lookups: httpx.Client) -> None:
    answer = lookups.get(f"/v2/PhoneNumbers/{PERSON}", auth=(ACCOUNT, "wrong"))
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_a_lookup_can_be_made_to_fail(lookups: httpx.Client, faults: Faults) -> None:
    faults.arm("twilio.lookup", "status", status=503)
    assert lookups.get(f"/v2/PhoneNumbers/{PERSON}").json()["code"] == 20503
    assert lookups.get(f"/v2/PhoneNumbers/{PERSON}").status_code == 200
