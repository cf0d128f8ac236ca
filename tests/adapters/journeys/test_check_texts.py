"""A check finds texts that are too long or too dear, that lack a language, a code or a link."""

from dataclasses import replace

import pytest

from tests.adapters.journeys.checking import NAME, check, said, world

SEND = f"- send: {NAME}/first"


def test_a_text_is_measured_with_the_longest_plausible_values() -> None:
    text = "{{ contact.name }} " * 30
    (mistake,) = check(SEND, world(first=text))
    assert mistake.severity == "warning"
    assert "takes 10 SMS of 160 characters with the longest plausible values, 4 with usual ones: more than 6" in (
        mistake.message
    )


def test_a_text_that_only_the_longest_values_make_too_long_to_send_is_a_warning() -> None:
    (mistake,) = check(SEND, world(first="{{ contact.name }} " * 60))
    assert mistake.severity == "warning"
    assert mistake.message == "the text is longer than 1600 characters with the longest plausible values"


def test_the_characters_that_make_a_text_dear_are_all_named() -> None:
    (mistake,) = check(SEND, world(first="Hello " * 20 + "\u0142 and \u0105"))
    assert mistake.message.startswith("`\u0142` (U+0142), `\u0105` (U+0105) are not in the SMS alphabet")
    assert mistake.message.endswith("(2 SMS in place of 1)")


def test_a_date_can_make_a_text_dear() -> None:
    (mistake,) = check(SEND, world(first="a", first_cs="Do {{ invoice.due_on | date('EEEE') }} prosime"))
    assert (mistake.severity, "`\u00e1`" in mistake.message) == ("warning", True)


def test_a_language_that_is_written_with_other_letters_is_not_called_dear() -> None:
    assert said(SEND, world(first="a", first_ru="\u0412\u0430\u0448 \u0441\u0447\u0451\u0442")) == []


def test_a_promised_language_that_is_missing_is_a_mistake_with_its_fall_back() -> None:
    (mistake,) = check(SEND, world(first="a", first_de="b"), head="locales: [en, de-AT, fr-CA]\n")
    assert mistake.severity == "error"
    assert mistake.message == (
        "has no fr-CA text, which the journey promises: such people get en (fr-CA \u2192 fr \u2192 en)"
    )
    assert mistake.suggestion == f"add templates/{NAME}/first.fr-CA.txt.j2"


def test_a_verify_and_a_confirm_keep_promises_too() -> None:
    steps = f"""
- verify: {{send: {NAME}/code}}
- confirm: {{send: {NAME}/ask, reply: [YES], within: 1 day}}
"""
    texts = world(code="{{ code }}", ask="Yours?", ask_de="Ihre?")
    found = check(steps, texts, head="locales: [de]\n")
    assert [mistake.path for mistake in found] == ["steps[0].verify.send"]


def test_a_text_in_the_file_cannot_keep_a_promise_of_two_languages() -> None:
    (mistake,) = check("- {send: , text: Hello}", head="locales: [en, de]\n")
    assert (mistake.severity, mistake.suggestion) == ("warning", "move it to a template")
    assert said("- {send: , text: Hello}", head="locales: [en]\n") == []


def test_a_code_is_known_where_one_is_made() -> None:
    right = """
- verify: {text: "Your code: {{ code }}"}
- confirm: {text: "Reply {{ code }}", code: 4, within: 1 hour}
"""
    assert said(right) == []


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("- {send: , text: 'Code {{ code }}'}", "`code` is known only in the text of a `verify`"),
        ("- confirm: {text: 'Reply {{ code }}', reply: [YES], within: 1 hour}", "`code` is known only in"),
        ("- verify: {text: Your code}", "asks for a code and does not name it"),
        ("- confirm: {text: Reply with the code, code: 4, within: 1 hour}", "asks for a code and does not name it"),
    ],
)
def test_a_code_where_there_is_none_and_none_where_there_should_be_are_mistakes(step: str, message: str) -> None:
    (mistake,) = check(step)
    assert (mistake.severity, message in mistake.message) == ("error", True)


def test_a_template_that_a_verify_and_a_send_share_is_held_against_both() -> None:
    steps = f"- verify: {{send: {NAME}/first}}\n- send: {NAME}/first"
    (mistake,) = check(steps, world(first="{{ code }}"))
    assert "`code` is known only" in mistake.message


def test_variables_are_known_behind_the_step_that_sets_them() -> None:
    steps = """
- set: {vars.tries: 1, vars.more: vars.tries + 1}
- {send: , text: "{{ vars.tries }} of {{ vars.more }}"}
- if: vars.more > 1
  then: [{set: {vars.tries: vars.tries + 1}}]
"""
    assert said(steps) == []


def test_a_variable_is_unknown_before_it_is_set() -> None:
    (mistake,) = check('- {send: , text: "{{ vars.tries }}"}\n- set: {vars.tries: 1}')
    assert "`vars` has no `tries`" in mistake.message


def test_the_value_of_a_variable_is_tried_where_it_is_used() -> None:
    (mistake,) = check("- set: {vars.number: invoice.number}\n- if: vars.number > 5\n  then: [{note: x}]")
    assert (mistake.path, mistake.message) == (
        "steps[1].if",
        "two values do not go together, such as a text and a number",
    )


def test_what_an_endpoint_answers_may_have_any_parts() -> None:
    steps = """
- call: {endpoint: shop, send: {order: invoice.id}, as: offer}
- if: vars.offer.amount > 5
  then: [{send: , text: "{{ vars.offer.amount | money('EUR') }}"}]
- set: {vars.total: vars.offer.amount + 1}
- {send: , text: "{{ vars.total }} {{ vars.totl }}"}
"""
    (mistake,) = check(steps)
    assert (mistake.message, mistake.suggestion) == ("`vars` has no `totl`", "did you mean `vars.total`?")


def test_a_schedule_brings_no_records() -> None:
    text = "- {send: , text: '{{ contact.first_name }} {{ invoice.number }}'}"
    within = replace(world(), audiences=None)
    found = check(text, within, event="x.y").copy()
    assert [mistake.path for mistake in found] == ["trigger.event"]


def test_a_purpose_says_how_many_sms_its_texts_may_take() -> None:
    (mistake,) = check(f"- verify: {{send: {NAME}/first}}", world(first="{{ code }}" + "a" * 160))
    assert (mistake.severity, mistake.message) == (
        "warning",
        "takes 2 SMS of 160 characters with the longest plausible values: more than 1",
    )
    assert said(f"- {{send: , text: {'a' * 160}, purpose: otp}}") == []
    (mistake,) = check(f"- {{send: , text: {'a' * 161}, purpose: otp}}")
    assert mistake.message.endswith("more than 1")
