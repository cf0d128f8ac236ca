"""A check finds marketing that does not say how to stop, and requests to opt in that do not say who asks."""

import pytest

from connector.adapters.journey_world import World
from connector.adapters.purpose_checks import names_the_sender, says_how_to_stop
from connector.errors import Mistake
from tests.adapters.journeys.checking import NAME, check, said, world

SEND = f"- send: {NAME}/first"


def errors(steps: str, within: World | None = None, **options: str) -> list[Mistake]:
    return [mistake for mistake in check(steps, within, **options) if mistake.severity == "error"]


def test_a_first_marketing_text_without_a_stop_word_is_a_mistake() -> None:
    (mistake,) = errors(SEND, world(first="Our sale begins."), purpose="marketing")
    assert (mistake.file, mistake.severity) == (f"templates/{NAME}/first.txt.j2", "error")
    assert "names no word that stops it (STOP, STOPALL, STOP ALL)" in mistake.message


def test_each_language_needs_its_own_stop_word() -> None:
    texts = world(first="Sale. STOP to opt out", first_de="Angebote.", first_fr="Soldes. STOP: arret")
    assert [mistake.file for mistake in errors(SEND, texts, purpose="marketing")] == [
        f"templates/{NAME}/first.de.txt.j2"
    ]


def test_a_word_of_the_texts_own_language_will_do() -> None:
    assert errors(SEND, world(first="Sale. UNSUBSCRIBE to end", first_es="Rebajas. BAJA"), purpose="marketing") == []


def test_a_transactional_text_needs_none() -> None:
    assert said(SEND, world(first="Your invoice is open.")) == []


def test_a_text_to_the_owner_needs_none() -> None:
    steps = "- {send: , text: A lead, to: owner}\n- {send: , text: Sale. STOP to end}"
    assert errors(steps, purpose="marketing") == []


def test_only_the_first_text_of_each_way_is_looked_at() -> None:
    steps = """
- if: invoice.balance_due > 5
  then: [{send: , text: First on one way}]
  else: [{send: , text: First on the other. STOP to end}]
- {send: , text: Second}
"""
    assert [mistake.path for mistake in errors(steps, purpose="marketing")] == ["steps[0].then[0].text"]


def test_a_text_that_may_be_left_out_makes_the_next_one_first_too() -> None:
    steps = "- {send: , text: Sale. STOP to end, when: invoice.balance_due > 5}\n- {send: , text: Second}"
    assert [mistake.path for mistake in errors(steps, purpose="marketing")] == ["steps[1].text"]


def test_one_marketing_text_in_another_journey_counts_too() -> None:
    steps = "- {send: , text: Your invoice}\n- {send: , text: Our sale, purpose: marketing}"
    assert [mistake.path for mistake in errors(steps)] == ["steps[1].text"]


def test_a_first_marketing_text_that_names_nobody_is_told_in_each_language() -> None:
    texts = world(first="{{ account.name }}: sale. STOP to end", first_de="Angebote! STOP", first_fr="Acme: STOP")
    (mistake,) = check(SEND + "\n- {send: , text: Second}", texts, purpose="marketing")
    assert (mistake.file, mistake.severity) == (f"templates/{NAME}/first.de.txt.j2", "warning")
    assert mistake.message == "is the first marketing text and does not say who is writing"
    assert mistake.suggestion == "begin with {{ account.name }}, or with the name and a colon"


CONFIRM = "- confirm: {{text: {}, reply: [YES], within: 1 day, grants: marketing}}"


def test_a_request_to_opt_in_needs_a_stop_word_and_a_sender() -> None:
    found = check(CONFIRM.format("News by SMS? Reply YES"))
    assert [(mistake.severity, mistake.path) for mistake in found] == [
        ("error", "steps[0].confirm.text"),
        ("warning", "steps[0].confirm.text"),
    ]
    assert "names no word that stops it" in found[0].message
    assert "does not say who is asking" in found[1].message


@pytest.mark.parametrize("sender", ["Brightwater: news", "{{ account.name }} news"])
def test_a_request_that_says_both_is_right(sender: str) -> None:
    assert said(CONFIRM.format(f'"{sender} by SMS? Reply YES. STOP to opt out"')) == []


def test_a_confirmation_that_grants_nothing_needs_neither() -> None:
    assert said("- confirm: {text: Is the load yours?, reply: [YES], within: 1 day}") == []


def test_a_question_for_consent_in_a_marketing_journey_is_no_marketing_itself() -> None:
    steps = CONFIRM.format('"Brightwater: news by SMS? Reply YES. STOP to opt out"')
    assert said(steps, purpose="marketing") == []


@pytest.mark.parametrize("text", ["Reply STOP", "stop: STOP.", "OPT-OUT here", "Abmelden: STOP", "ARRÊT"])
def test_a_stop_word_in_capitals_says_how_to_stop(text: str) -> None:
    assert says_how_to_stop(text, ("STOP", "OPT OUT", "ARRET"))


@pytest.mark.parametrize("text", ["Stop by our shop", "by the end of May", "NONSTOP", "Opt for OUT", "Ihr Ende"])
def test_an_everyday_word_does_not(text: str) -> None:
    assert not says_how_to_stop(text, ("STOP", "END", "OPT OUT", "ENDE"))


def test_a_name_and_a_colon_at_the_start_names_the_sender() -> None:
    assert names_the_sender("Brightwater & Sons: hello")
    assert not names_the_sender("Hello there, this is a note: pay")
    assert not names_the_sender("3: hello")
