"""Does `smsctl lookup` ask a gateway about a number, and say what is known of one without asking?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connector.adapters.sms.twilio import TwilioGateway
from connector.errors import ConfigurationError
from connector.ports.number_lookup import LineType, LookupAnswer
from tests.adapters.store.factories import NUMBER
from tests.entrypoints.operated import Operated, operated, run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The numbers Twilio is asked about."""
    numbers: list[str] = []

    def look_up(_: Any, e164: str) -> LookupAnswer:
        numbers.append(e164)
        return LookupAnswer(LineType.MOBILE, True, "US", "310260", Decimal("0.005"), "USD")

    monkeypatch.setattr(TwilioGateway, "look_up", look_up)
    return numbers


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch) as found:
        yield found


def test_a_gateway_is_asked_and_its_answer_is_shown_and_kept(desk: Operated, asked: list[str]) -> None:
    output = run("lookup", "(202) 555-0143").output
    assert output.splitlines()[:2] == [f"{NUMBER}: mobile", "country US, carrier 310260, can be reached now"]
    assert "lookup:twilio at" in output
    assert "for 0.005 USD" in output
    assert run("lookup", NUMBER, "--known").output == output
    assert asked == [NUMBER]


def test_what_nobody_has_asked_about_is_not_known(desk: Operated, asked: list[str]) -> None:
    assert run("lookup", NUMBER, "--known").output == f"{NUMBER}: nothing is known of it\n"
    found = json.loads(run("lookup", NUMBER, "--known", "--json").output)
    assert (found["state"], found["line_type"], found["known_at"], found["cost"]) == (
        "unheard_of",
        "unknown",
        None,
        None,
    )
    assert asked == []


def test_programs_get_what_the_api_gives(desk: Operated) -> None:
    found = json.loads(run("lookup", NUMBER, "--provider", "twilio", "--json").output)
    assert found.pop("known_at") is not None
    assert found == {
        "number": NUMBER,
        "state": "known",
        "line_type": "mobile",
        "is_reachable": True,
        "country": "US",
        "carrier": "310260",
        "source": "lookup:twilio",
        "cost": {"amount": "0.005", "currency": "USD"},
    }


def test_a_gateway_that_cannot_be_asked_is_named_with_those_that_can(desk: Operated, asked: list[str]) -> None:
    result = run("lookup", NUMBER, "--provider", "null")
    assert isinstance(result.exception, ConfigurationError)
    assert "those in use that can be asked: twilio" in str(result.exception)
    assert asked == []


def test_asking_nobody_and_asking_somebody_are_not_said_at_once(desk: Operated) -> None:
    result = run("lookup", NUMBER, "--known", "--provider", "twilio")
    assert result.exit_code == 2
    assert "--known asks nobody" in result.output
