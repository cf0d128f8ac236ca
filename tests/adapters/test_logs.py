from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from connector.adapters.logs import Redactor, configure_logging

NUMBER, BODY, SECRET = "+12025550143", "Your code is 118 220", "sk-very-secret-value"
WRITTEN_NUMBERS = (
    "+12025550143",
    "+1 202 555 0143",
    "+1 (202) 555-0143",
    "%2B12025550143",
    "0012025550143",
    "(202) 555-0143",
    "202-555-0143",
    "+44 7700 900123",
    "+447700900123",
    "+33639980012",
    "To=%2B447700900123&From=x",
)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Logging is of the process: give it back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def lines() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("DEBUG", secrets=[SECRET], stream=stream)
    return stream


def only(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert isinstance(record, dict)
    return record


def digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


@pytest.mark.parametrize("number", WRITTEN_NUMBERS)
def test_number_in_any_spelling_is_masked(number: str) -> None:
    redacted = Redactor().text(f"cannot reach {number} now")
    assert "*" in redacted
    assert "555014" not in digits(redacted)
    assert "7700900" not in digits(redacted)
    assert "6399800" not in digits(redacted)
    assert redacted.startswith("cannot reach ")
    assert redacted.endswith(" now")


@pytest.mark.parametrize(
    "text",
    [
        "0195d3c2-7c1e-7f3a-8001-001234567890",
        "2026-11-21T03:00:00+00:00",
        "deal 9001234567 moved to stage 3",
        "attempt 1 of 12 after 2.5 s",
        "HTTP 429, code 20429",
        "10.0.0.12:6379",
        "https://example.com/callbacks/twilio/status/0195d3c2",
    ],
)
def test_ids_times_and_codes_stay_readable(text: str) -> None:
    assert Redactor().text(text) == text


@given(st.integers(10**6, 10**14), st.sampled_from(["+", "%2B"]), st.text(max_size=20), st.text(max_size=20))
def test_no_international_number_survives_whatever_stands_around_it(
    number: int, plus: str, before: str, after: str
) -> None:
    assert str(number) not in Redactor().text(f"{before} {plus}{number} {after}")


def test_keys_decide_whatever_the_value_looks_like() -> None:
    line = {
        "to": "2025550143",
        "body": BODY,
        "headers": {"Authorization": "Basic QUM6dA==", "X-Hubspot-Signature-v3": "abc="},
        "rows": [{"msisdn": NUMBER, "access_token": "CAESB"}],
        "sender": "ACME",
        "attempt": "0195d3c2",
    }
    assert Redactor()(None, "info", line) == {
        "to": "********43",
        "body": "[redacted]",
        "headers": {"Authorization": "[redacted]", "X-Hubspot-Signature-v3": "[redacted]"},
        "rows": [{"msisdn": "+1********43", "access_token": "[redacted]"}],
        "sender": "ACME",
        "attempt": "0195d3c2",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"),
        ("at redis://:geheim@host:6379/0", "at redis://[redacted]@host:6379/0"),
        ("postgresql://me:geheim@db/x", "postgresql://[redacted]@db/x"),
        ("GET https://sms.example/api?APIKey=geheim&text=hi ok", "GET https://sms.example/api?[redacted] ok"),
        ("token pat-na1-01234567-89ab-cdef-0123-456789abcdef", "token [redacted]"),
        (f"it was {SECRET}!", "it was [redacted]!"),
    ],
)
def test_secrets_are_struck_out_of_texts(text: str, expected: str) -> None:
    assert Redactor([SECRET]).text(text) == expected


def test_short_secret_does_not_eat_words() -> None:
    assert Redactor(["a"]).text("a cat") == "a cat"


def test_line_is_one_json_object_with_its_time_and_level(lines: io.StringIO) -> None:
    structlog.get_logger("connector.services.dispatch").warning("paused", lane="send:twilio:otp")
    record = only(lines)
    assert record.pop("at").endswith("Z")
    assert record == {
        "event": "paused",
        "lane": "send:twilio:otp",
        "level": "warning",
        "logger": "connector.services.dispatch",
    }


def test_lines_of_other_libraries_are_redacted_too(lines: io.StringIO) -> None:
    logging.getLogger("somebody.else").error("cannot send %r to %s with %s", BODY, NUMBER, SECRET)
    record = only(lines)
    assert NUMBER not in record["event"]
    assert SECRET not in record["event"]


def test_traceback_shows_no_number_no_secret_and_no_local_variable(lines: io.StringIO) -> None:
    def fail(body: str) -> None:
        hidden = body.upper()
        raise RuntimeError(f"{NUMBER} at https://x.example/?k={SECRET}" + hidden[:0])

    try:
        fail(BODY)
    except RuntimeError:
        structlog.get_logger().exception("failed")
    text = lines.getvalue()
    assert "RuntimeError" in text
    assert "Traceback" in text
    for leak in (NUMBER, SECRET, BODY, BODY.upper()):
        assert leak not in text


def test_requests_of_the_http_libraries_are_not_logged_at_any_level(lines: io.StringIO) -> None:
    for name in ("httpx", "httpcore.http11", "urllib3.connectionpool", "hubspot.client", "rq.worker"):
        logging.getLogger(name).info("GET https://api.example/%s", NUMBER)
        logging.getLogger(name).debug("header %s", SECRET)
    assert lines.getvalue() == ""


def test_lines_for_a_person_are_redacted_as_well() -> None:
    stream = io.StringIO()
    configure_logging("INFO", as_json=False, stream=stream)
    structlog.get_logger().info(f"to {NUMBER}", body=BODY)
    assert "to +1********43" in stream.getvalue()
    assert BODY not in stream.getvalue()


def test_level_decides_what_is_shown() -> None:
    stream = io.StringIO()
    configure_logging("WARNING", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert only(stream)["event"] == "loud"


def test_nesting_without_end_is_dropped_not_followed() -> None:
    endless: dict[str, Any] = {}
    endless["inner"] = endless
    assert "[redacted]" in json.dumps(Redactor()(None, "info", {"x": endless}))
