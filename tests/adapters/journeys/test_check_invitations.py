"""A check finds texts that ask for a reply nothing listens to."""

import pytest

from tests.adapters.journeys.checking import NAME, check, said, world

INVITES = '- {send: , text: "Questions? Reply CALL ME."}\n'
TAKES = "- wait_for: {within: 1 day, cases: [{intent: call me}]}\n"
MESSAGE = "invites the reply `CALL ME`, and no step behind it takes that"


def test_an_invitation_that_nothing_takes_is_told_with_the_case_it_needs() -> None:
    (mistake,) = check(INVITES)
    assert (mistake.path, mistake.severity, mistake.message) == ("steps[0].text", "warning", MESSAGE)
    assert mistake.suggestion == "add a wait_for with the case intent: call me"


@pytest.mark.parametrize(
    "behind",
    [
        TAKES,
        "- wait_for: {within: 1 day, cases: [{reply: [CALL ME]}]}",
        "- wait_for: {within: 1 day, cases: [{reply: any}]}",
        "- if: invoice.balance_due > 5\n  then:\n    - wait_for: {within: 1 day, cases: [{intent: call me}]}",
        '- confirm: {text: "Shall we?", reply: [CALL ME], within: 1 day}',
    ],
)
def test_an_invitation_that_something_behind_takes_is_right(behind: str) -> None:
    assert said(INVITES + behind) == []


@pytest.mark.parametrize(
    "steps",
    [
        TAKES + INVITES,
        INVITES + "- wait_for: {within: 1 day, cases: [{intent: paid}]}",
        "- if: invoice.balance_due > 5\n  then:\n    - {send: , text: Reply CALL ME.}\n    - exit: a\n" + TAKES,
    ],
)
def test_what_cannot_be_reached_from_a_text_takes_nothing(steps: str) -> None:
    assert [each.partition(": ")[2] for each in said(steps)] == [MESSAGE]


def test_a_question_takes_the_words_it_asks_for_itself() -> None:
    assert said('- confirm: {text: "Yours? Reply YES", intent: yes, within: 1 day}') == []


def test_words_of_the_journeys_own_are_invitations_too() -> None:
    steps = '- {send: , text: "Reply BOOK"}\n- wait_for: {within: 1 day, cases: [{reply: [BOOK]}]}\n'
    assert said(steps) == []
    (mistake,) = check(steps + '- {send: , text: "Still there? Reply BOOK"}')
    assert (mistake.path, mistake.suggestion) == ("steps[2].text", "add a case for it")


def test_each_language_is_held_against_its_own_words() -> None:
    texts = world(first="We will call.", first_de="Antworten Sie RUF MICH AN.", first_fr="RUF MICH AN, YES")
    assert [mistake.file for mistake in check(f"- send: {NAME}/first", texts)] == [f"templates/{NAME}/first.de.txt.j2"]


@pytest.mark.parametrize("text", ["All is OK.", "Yes, call me, we paid no fee.", "STOP to opt out, HELP for help"])
def test_everyday_words_and_words_of_consent_invite_nothing(text: str) -> None:
    assert said(f'- {{send: , text: "{text}"}}') == []


def test_a_value_in_capitals_invites_nothing() -> None:
    assert said("- {send: , text: \"{{ invoice.number | upper }} {{ contact.first_name | default('YES') }}\"}") == []


def test_a_text_to_the_owner_invites_nobody() -> None:
    assert said('- {send: , text: "Reply CALL ME", to: owner}') == []
