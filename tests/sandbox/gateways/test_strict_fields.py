from __future__ import annotations

from typing import Any

import pytest

from connector.sandbox.gateways.strict_fields import FieldMistake, FieldRule, first_mistake

RULES = (
    FieldRule("to", is_required=True, least=1, most=5),
    FieldRule("kind", words=frozenset({"a", "b"})),
    FieldRule("seconds", kinds=(int,), least=5, most=10),
    FieldRule("log", kinds=(bool,)),
)


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ({"to": "1"}, None),
        ({"to": "12345", "kind": "b", "seconds": 5, "log": False}, None),
        ({"to": "1", "kind": None}, None),
        ({}, FieldMistake("to", "missing")),
        ({"to": None}, FieldMistake("to", "missing")),
        ({"to": "1", "too": "2"}, FieldMistake("too", "unknown")),
        ({"to": 1}, FieldMistake("to", "type")),
        ({"to": ""}, FieldMistake("to", "value")),
        ({"to": "123456"}, FieldMistake("to", "value")),
        ({"to": "1", "kind": "c"}, FieldMistake("kind", "value")),
        ({"to": "1", "seconds": 4}, FieldMistake("seconds", "value")),
        ({"to": "1", "seconds": 11}, FieldMistake("seconds", "value")),
        ({"to": "1", "seconds": "7"}, FieldMistake("seconds", "type")),
        ({"to": "1", "seconds": True}, FieldMistake("seconds", "type")),
        ({"to": "1", "log": 1}, FieldMistake("log", "type")),
    ],
)
def test_first_mistake_is_named(body: dict[str, Any], mistake: FieldMistake | None) -> None:
    assert first_mistake(body, RULES) == mistake
