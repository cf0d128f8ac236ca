"""What does a webhook say, whatever somebody may have put into it?"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.domain.webhook_sources import (
    NamedBy,
    OnWebhook,
    Payload,
    PayloadPath,
    PayloadTest,
    PayloadValue,
    PersonPath,
    Signature,
    SignatureKind,
    Unit,
    WebhookSource,
    read_payload,
    scalar_text,
)

GITHUB = Signature(SignatureKind.HMAC, "X-Hub-Signature-256")


def at(name: str) -> PayloadPath:
    find: Callable[[Payload], Any] = lambda payload: payload.get(name)  # noqa: E731 - as an adapter gives it
    return PayloadPath(f"$.{name}", find)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("  Ada ", "Ada"),
        ("", None),
        ("  ", None),
        (None, None),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-5, "-5"),
        (Decimal("19.90"), "19.90"),
        (Decimal("1E+3"), "1000"),
        ([1], None),
        ({"a": 1}, None),
        ("a\x00b\ud800", "ab"),
        (10**200, None),
    ],
)
def test_a_scalar_is_a_text(raw: object, text: str | None) -> None:
    assert scalar_text(raw) == text


def test_a_number_of_a_million_digits_is_not_written_out() -> None:
    assert scalar_text(Decimal("1E+1000000")) == "1E+1000000"


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"\xff", b"[" * 100_000, b'{"a": ' * 50_000])
def test_what_is_no_json_object_is_none_and_raises_nothing(body: bytes) -> None:
    assert read_payload(body) is None


def test_a_number_with_a_point_stays_exact_and_no_number_is_infinite() -> None:
    payload = read_payload(b'{"a": 19.99, "b": NaN, "c": Infinity}')
    assert payload == {"a": Decimal("19.99"), "b": None, "c": None}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists))
def test_every_json_value_is_read_as_a_text_that_a_database_keeps_or_as_nothing(value: object) -> None:
    payload = read_payload(json.dumps({"x": value}).encode())
    assert payload is not None
    text = at("x").read(payload)
    assert text is None or (text.strip() == text and "\x00" not in text and text.encode())


@pytest.mark.parametrize(
    ("amount", "currency", "whole"),
    [
        ("1999", "eur", "19.99"),
        ("5", "USD", "0.05"),
        ("-150", "USD", "-1.50"),
        ("4900", "jpy", "4900"),
        ("12345", "KWD", "12.345"),
        ("19.99", "EUR", None),
        ("many", "EUR", None),
        ("1999", None, None),
        (None, "EUR", None),
    ],
)
def test_the_smallest_unit_of_a_currency_is_made_whole(
    amount: str | None, currency: str | None, whole: str | None
) -> None:
    value = PayloadValue(at("amount"), Unit.MINOR, at("currency"))
    assert value.read({"amount": amount, "currency": currency}) == whole


@pytest.mark.parametrize(
    ("raw", "text"),
    [(1795183200, "2026-11-20T14:00:00+00:00"), ("soon", None), ("1e99", None), ("nan", None)],
)
def test_seconds_since_1970_are_a_time(raw: object, text: str | None) -> None:
    assert PayloadValue(at("at"), Unit.SECONDS).read({"at": raw}) == text


def test_words_of_theirs_become_ours_and_others_stay() -> None:
    value = PayloadValue(at("tag"), words={"InTransit": "in_transit"})
    assert [value.read({"tag": tag}) for tag in ("InTransit", "Lost", "")] == ["in_transit", "Lost", None]


def test_what_no_payload_says_is_always_the_same() -> None:
    assert PayloadValue(None, fixed="DHL").read({}) == "DHL"


@pytest.mark.parametrize(
    ("operator", "values", "payload", "holds"),
    [
        ("EQ", ("paid",), {"x": "paid"}, True),
        ("EQ", ("paid",), {"x": "open"}, False),
        ("EQ", ("5",), {"x": 5}, True),
        ("EQ", ("true",), {"x": True}, True),
        ("NEQ", ("paid",), {"x": "open"}, True),
        ("NEQ", ("paid",), {}, True),
        ("IN", ("a", "b"), {"x": "b"}, True),
        ("IN", ("a", "b"), {}, False),
        ("EXISTS", (), {"x": 0}, True),
        ("EXISTS", (), {"x": {"y": 1}}, True),
        ("EXISTS", (), {"x": None}, False),
        ("EXISTS", (), {"x": ""}, False),
        ("MISSING", (), {"x": None}, True),
        ("MISSING", (), {"x": "then"}, False),
    ],
)
def test_a_condition_holds_or_not(operator: str, values: tuple[str, ...], payload: Payload, holds: bool) -> None:
    assert PayloadTest(at("x"), operator, values).holds(payload) is holds


def test_a_webhook_makes_an_event_when_source_type_and_conditions_fit() -> None:
    on = OnWebhook("shop", ("paid",), (PayloadTest(at("ok"), "EXISTS"),), "order", at("id"))
    assert on.fits("shop", "paid", {"ok": 1})
    assert not on.fits("shop", "paid", {})
    assert not on.fits("shop", "open", {"ok": 1})
    assert not on.fits("shop", None, {"ok": 1})
    assert not on.fits("billing", "paid", {"ok": 1})
    assert OnWebhook("shop", (), (), "order", at("id")).fits("shop", None, {})


def test_people_are_named_in_the_order_written_and_their_names_are_in_no_repr() -> None:
    people = (PersonPath(NamedBy.EMAIL, at("mail")), PersonPath(NamedBy.NUMBER, at("phone")))
    on = OnWebhook("shop", (), (), "order", at("id"), {}, people)
    named = on.names_of_people({"phone": "+12025550143", "mail": "lea@example.com"})
    assert [name.text for name in named] == ["lea@example.com", "+12025550143"]
    assert [name.by for name in on.names_of_people({"phone": "+12025550143"})] == [NamedBy.NUMBER]
    assert "example.com" not in repr(named)


def test_an_event_sent_again_is_known_by_its_own_id_else_by_its_whole_body() -> None:
    by_id, by_body = WebhookSource("a", GITHUB, at("id")), WebhookSource("b", GITHUB)
    assert by_id.identity(b'{"id": "1", "try": 1}') == by_id.identity(b'{"id": "1", "try": 2}')
    assert by_id.identity(b'{"id": "1"}') != by_id.identity(b'{"id": "2"}')
    assert by_body.identity(b'{"id": "1", "try": 1}') != by_body.identity(b'{"id": "1", "try": 2}')
    assert by_id.identity(b'{"try": 1}') == by_body.identity(b'{"try": 1}')
    assert by_id.identity(b"no json") == by_body.identity(b"no json")


def test_one_body_under_two_types_of_a_header_is_two_events_unless_it_has_an_id() -> None:
    by_body, body = WebhookSource("a", GITHUB, type_header="X-Topic"), b'{"id": "1"}'
    assert by_body.identity(body, "orders/paid") == by_body.identity(body, "orders/paid")
    assert by_body.identity(body, "orders/paid") != by_body.identity(body, "orders/updated")
    by_id = WebhookSource("a", GITHUB, at("id"), type_header="X-Topic")
    assert by_id.identity(body, "orders/paid") == by_id.identity(body, "orders/updated")


@pytest.mark.parametrize("text", ["--5", "-", "²", "٣"])
def test_an_amount_of_smallest_units_that_is_no_whole_number_is_none(text: str) -> None:
    value = PayloadValue(at("x"), Unit.MINOR, at("c"))
    assert value.read({"x": text, "c": "EUR"}) is None
