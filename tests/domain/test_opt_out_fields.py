"""Which fields of a CRM count as an opt-out?"""

from __future__ import annotations

from typing import Any

import pytest

from connector.domain.opt_out_fields import OptOutField, mistakes_in_opt_out_fields, opt_out_fields

CHECKBOX = OptOutField("contact", "do_not_text")


@pytest.mark.parametrize(
    ("setting", "fields"),
    [
        (None, ()),
        ({"contact": "do_not_text"}, (CHECKBOX,)),
        ({"Contact": " do_not_text "}, (CHECKBOX,)),
        ({"contact": {"field": "do_not_text"}}, (CHECKBOX,)),
        (
            {"contact": {"field": "sms_status", "value": "Opted out"}},
            (OptOutField("contact", "sms_status", ("Opted out",)),),
        ),
        (
            {"contact": ["do_not_text", {"field": "sms_status", "value": ["Stop", "Never"]}]},
            (CHECKBOX, OptOutField("contact", "sms_status", ("Stop", "Never"))),
        ),
    ],
)
def test_a_setting_names_fields_in_any_of_its_forms(setting: Any, fields: tuple[OptOutField, ...]) -> None:
    assert opt_out_fields({"opt_out_fields": setting}) == fields
    assert mistakes_in_opt_out_fields(setting) == ()


def test_fields_of_one_kind_of_record_are_told_from_those_of_others() -> None:
    settings = {"opt_out_fields": {"Contact": "do_not_text", "Lead": "SMS_Opt_Out__c"}}
    assert opt_out_fields(settings, "lead") == (OptOutField("lead", "SMS_Opt_Out__c"),)


@pytest.mark.parametrize(
    ("setting", "mistake"),
    [
        ("do_not_text", "expected kinds of record"),
        ({"contact": 7}, "contact"),
        ({"contact": {"value": "x"}}, "field"),
        ({"contacts": "do_not_text"}, "did you mean contact?"),
        ({"leed": "do_not_text"}, "did you mean lead?"),
    ],
)
def test_what_cannot_be_read_is_told_and_left_out(setting: Any, mistake: str) -> None:
    (told,) = mistakes_in_opt_out_fields(setting)
    assert mistake in told
    assert opt_out_fields({"opt_out_fields": setting}) == ()


@pytest.mark.parametrize("value", ["true", "Yes", " 1 ", True, 1])
def test_a_checkbox_that_is_ticked_says_so(value: object) -> None:
    assert CHECKBOX.says_so(value)


@pytest.mark.parametrize("value", [None, "", "false", "No", False, 0, "true story"])
def test_anything_else_says_nothing(value: object) -> None:
    assert not CHECKBOX.says_so(value)


@pytest.mark.parametrize(("value", "says"), [("Calls;Texts", True), ("calls; TEXTS", True), ("Calls;Mails", False)])
def test_of_several_chosen_values_one_is_enough(value: str, *, says: bool) -> None:
    assert OptOutField("contact", "never_by", ("Texts",)).says_so(value) is says
