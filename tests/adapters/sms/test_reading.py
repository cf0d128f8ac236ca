from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from connector.adapters.http import translate
from connector.adapters.sms.plivo import PLUGIN, PlivoGateway
from connector.adapters.sms.reading import form_fields, shown, signed_form_fields, words
from connector.domain.message import ErrorClass
from connector.errors import TransientSendError
from connector.ports.gateway import AttemptQuery, CallbackRequest
from tests.adapters.sms.texts import BODY, NUMBER


def test_words_are_what_every_database_takes() -> None:
    assert words("a\0b\ud83d") == "ab\ufffd"
    assert words("\ud83d\udc4d") == "\U0001f44d"  # a whole pair is a character


def test_form_is_stored_without_the_nul_that_its_signature_covers() -> None:
    request = CallbackRequest("POST", "https://sms.example.com/c", {}, b"a%00=b%00c")
    assert form_fields(request) == [("a", "bc")]
    assert signed_form_fields(request) == [("a\0", "b\0c")]


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("+12025550100", "+12025550100"),
        ("12345", "12345"),
        ("ACME Dental", "ACME Dental"),
        ("ACME Dentals", None),
        ("phone-0123456789abcdef0123456789abcdef", None),
        ("1234567890123456", None),
        ("", None),
        (None, None),
    ],
)
def test_sender_is_shown_only_when_people_can_see_it(sender: str | None, expected: str | None) -> None:
    assert shown(sender) == expected


def test_question_about_an_attempt_shows_neither_number_nor_body() -> None:
    query = AttemptQuery("a", None, NUMBER, None, BODY, datetime.now(UTC))
    assert NUMBER not in repr(query)
    assert BODY not in repr(query)


@pytest.mark.parametrize("error", [httpx.InvalidURL("key=geheim"), httpx.LocalProtocolError("b'geheim\\n'")])
def test_request_that_cannot_be_written_never_left_and_waits_for_a_person(error: Exception) -> None:
    with pytest.raises(TransientSendError) as caught, translate():
        raise error
    assert caught.value.error_class == ErrorClass.CONFIG
    assert caught.value.__cause__ is None
    assert "geheim" not in f"{caught.value} {caught.value!r}"


def test_line_end_behind_a_copied_value_is_no_part_of_it() -> None:
    values = {setting.name: setting.default for setting in PLUGIN.settings}
    gateway = PLUGIN.build(values | {"PLIVO_AUTH_ID": "MA1\n", "PLIVO_AUTH_TOKENS": "t\n", "PLIVO_FROM": "ACME\n"})
    assert isinstance(gateway, PlivoGateway)
    assert gateway._default_sender == {"src": "ACME"}
    gateway.close()
