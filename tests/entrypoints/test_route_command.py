"""Does `smsctl route explain` say which way a text would go, why, and why not another way?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.domain.candidates import lot
from connector.domain.circuit import CircuitState, GatewayHealth
from connector.entrypoints.cli.routing import ORDINARY
from connector.errors import ConfigurationError
from connector.services.text_orders import UnusableOrderError
from tests.adapters.store.factories import NUMBER
from tests.entrypoints.operated import Operated, operated, run

ROUTES = """
  marketing: {gateways: [twilio, vonage, telnyx], prefer: balanced}
  codes: twilio
"""


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch) as found:
        add(found, ROUTES)
        yield found


def add(desk: Operated, lines: str) -> None:
    """Write lines at the end of the gateway file, where its routes stand."""
    path = desk.folder / "mappings/gateways.yaml"
    path.write_text(path.read_text(encoding="utf-8").rstrip() + lines, encoding="utf-8")


def explained(*arguments: str) -> str:
    return run("route", "explain", "--to", NUMBER, *arguments).output


def test_people_see_every_candidate_with_its_numbers_and_the_reason(desk: Operated) -> None:
    desk.carry("twilio", sent=200, delivered=196)
    desk.carry("vonage", sent=200, delivered=150)
    output = explained("--purpose", "marketing")
    assert "marketing text of 1 SMS to US" in output
    assert "Route marketing: balanced, at least 80% delivered, 5% of texts try others" in output
    first, second, third = [line for line in output.splitlines() if line.startswith("│ ") and "its own" in line]
    assert "twilio" in first
    assert "0.0083 USD" in first
    assert "vonage" in second
    assert "below the" in second
    assert "telnyx" in third
    assert "is not in" in third
    assert "→ twilio: the only one left that delivers enough" in output


def test_nothing_is_sent_and_nothing_is_written(desk: Operated) -> None:
    explained()
    with desk.connector.ledger.begin(write=False) as uow:
        assert uow.messages.counts() == {}


def test_an_ordinary_text_is_no_trial_as_long_as_a_route_explores_less_than_nearly_all(desk: Operated) -> None:
    assert lot(ORDINARY, "trial") > 0.999


def test_a_route_may_be_named_and_a_gateway_without_rivals_needs_no_table(desk: Operated) -> None:
    output = explained("--route", "codes", "--segments", "3")
    assert "transactional text of 3 SMS to US" in output
    assert "→ twilio: the only one" in output


def test_no_way_says_when_it_is_looked_for_again(desk: Operated) -> None:
    until = desk.now + timedelta(hours=1)
    health = GatewayHealth("twilio", desk.now, desk.now, CircuitState.OPEN, 0.0, "errors", until, openings=1)
    with desk.connector.ledger.begin() as uow:
        uow.traffic.save_health(health)
        uow.commit()
    assert f"its circuit is open; looked at again at {until:%H:%M:%S} UTC" in explained("--route", "codes")
    found = json.loads(explained("--route", "codes", "--json"))
    assert (found["gateway"], found["until"]) == (None, until.isoformat())


def test_a_way_that_no_waiting_opens_is_told_as_such(desk: Operated) -> None:
    path = desk.folder / "mappings/gateways.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("US: {", "US: {most_segments: 2, "), encoding="utf-8")
    assert "may take 2; no use in waiting" in explained("--segments", "3")


def test_the_sender_a_step_names_decides(desk: Operated) -> None:
    add(desk, '\nsenders:\n  - {sender: "+12025550177", gateway: vonage, kind: long_code, countries: [US]}\n')
    found = json.loads(explained("--purpose", "marketing", "--from", "+12025550177", "--json"))
    assert (found["gateway"], found["sender"]) == ("vonage", "+12025550177")
    assert {each["gateway"]: each.get("refused", "") for each in found["candidates"]} == {
        "vonage": "",
        "twilio": "does not send from +12025550177",
        "telnyx": "is not in use here",
    }
    assert found["wanted"] == {
        "purpose": "marketing",
        "country": "US",
        "carrier": None,
        "segments": 1,
        "conversation_sender": None,
    }


def test_the_number_asked_about_is_not_printed(desk: Operated) -> None:
    assert NUMBER not in explained("--purpose", "marketing")
    assert NUMBER not in explained("--purpose", "marketing", "--json")


def test_a_route_that_does_not_exist_and_a_number_that_is_none_are_named(desk: Operated) -> None:
    unknown = run("route", "explain", "--to", NUMBER, "--route", "code")
    assert isinstance(unknown.exception, ConfigurationError)
    assert "no route code; it has standard, marketing, codes" in str(unknown.exception)
    assert isinstance(run("route", "explain", "--to", "12").exception, UnusableOrderError)
