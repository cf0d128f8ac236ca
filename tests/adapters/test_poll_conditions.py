"""The conditions by which a CRM is searched are read back as written, and refused where they mean nothing."""

import pytest

from connector.adapters.poll_conditions import format_condition, parse_condition


@pytest.mark.parametrize(
    "text",
    [
        "lifecyclestage = customer",
        "a != b c",
        "amount >= 3",
        "amount <= 3",
        "hs_due_date < now - 30 days",
        "stage in (a, b)",
        "phone exists",
    ],
)
def test_a_condition_is_read_back_as_written(text: str) -> None:
    assert format_condition(parse_condition(text)) == text


@pytest.mark.parametrize(
    ("text", "written", "meant"),
    [
        ("lifecyclestage == customer", "==", "lifecyclestage = customer"),
        ("a => 3", "=>", "a >= 3"),
        ("a =< 3", "=<", "a <= 3"),
        ("a <> 3", "<>", "a != 3"),
        ("a === 3", "===", "a = 3"),
    ],
)
def test_a_sign_of_another_language_is_a_mistake_and_what_is_meant_is_said(text: str, written: str, meant: str) -> None:
    with pytest.raises(ValueError, match="is no condition") as refused:
        parse_condition(text)
    assert str(refused.value) == f"`{text}` is no condition: there is no {written} (did you mean `{meant}`?)"
