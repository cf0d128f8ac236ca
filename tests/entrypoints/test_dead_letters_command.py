"""Do people and programs work off the texts that were given up from a terminal?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connector.domain.message import MessageState, Purpose
from connector.entrypoints.cli import dead_letters
from connector.errors import ConfigurationError
from connector.ports.message_filters import DeadLetterFilter
from connector.services.shown_texts import ONE_TIME_CODE
from tests.adapters.store.factories import NUMBER
from tests.entrypoints.operated import BODY, Operated, operated, run


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch) as found:
        yield found


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is there to be asked."""
    monkeypatch.setattr(dead_letters, "is_terminal", lambda: True)


def listed(*arguments: str) -> list[str]:
    return [each["id"] for each in json.loads(run("dlq", "list", "--json", *arguments).output)]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_list_shows_neither_numbers_nor_bodies(desk: Operated, form: list[str]) -> None:
    text = desk.give_up()
    output = run("dlq", "list", *form).output
    assert text.id in output
    assert "+1********43" in output
    assert NUMBER not in output
    assert BODY not in output


def test_an_empty_list_says_so(desk: Operated) -> None:
    assert run("dlq", "list").output == "no text waits for a decision\n"
    assert json.loads(run("dlq", "list", "--json").output) == []


def test_a_list_tells_of_each_text_what_speaks_against_sending_it_again(desk: Operated) -> None:
    desk.give_up("", is_unknown=True, state_reason="nobody can tell")
    desk.give_up("", expires_at=desk.now - timedelta(hours=1), state_reason="no gateway")
    output = run("dlq", "list").output
    assert "2 texts to decide about" in output
    assert "may have arrived" in output
    assert "its time is over" in output
    assert "not tried" in output


def test_filters_narrow_the_list(desk: Operated) -> None:
    old = desk.give_up("30008", ago=timedelta(days=3))
    foreign = desk.give_up("4", gateway="vonage")
    untold = desk.give_up("", is_unknown=True)
    assert listed() == [old.id, foreign.id, untold.id]
    assert listed("--provider", "vonage") == [foreign.id]
    assert listed("--error", "30008") == [old.id]
    assert listed("--error", "unknown") == [untold.id]
    assert listed("--since", "2d") == [foreign.id, untold.id]
    assert listed("--limit", "1") == [old.id]
    assert listed("--account", "12345", "--provider", "twilio") == [old.id, untold.id]
    assert "there may be more" in run("dlq", "list", "--limit", "1").output


def test_one_text_is_shown_with_its_number_its_body_and_its_tries(desk: Operated) -> None:
    text = desk.give_up("30008", journey="deal-won", step="steps[0]")
    output = run("dlq", "show", text.id).output
    for told in (NUMBER, BODY, "30008", "transient", "deal-won, steps[0]", "twilio failed for good"):
        assert told in output
    (attempt,) = json.loads(run("dlq", "show", text.id, "--json").output)["attempts"]
    assert (attempt["gateway"], attempt["error_code"], attempt["state"]) == ("twilio", "30008", "failed")


def test_one_time_codes_are_shown_to_nobody(desk: Operated) -> None:
    text = desk.give_up(purpose=Purpose.OTP, body="123456 is your code")
    output = run("dlq", "show", text.id).output
    assert ONE_TIME_CODE in output
    assert "123456" not in output


def test_a_text_that_may_have_arrived_is_shown_with_a_warning(desk: Operated) -> None:
    text = desk.give_up("", is_unknown=True)
    assert "it may arrive twice" in run("dlq", "show", text.id).output


def test_a_text_is_sent_again_by_its_id_and_the_trace_names_who_decided(desk: Operated) -> None:
    text, other = desk.give_up(), desk.give_up()
    assert run("dlq", "replay", text.id, "--by", "ann").output == "1 text queued to be sent again\n"
    assert (desk.state_of(text), desk.state_of(other)) == (MessageState.QUEUED, MessageState.DEAD_LETTER)
    assert desk.decisions(text) == ["sent again by ann"]


def test_a_text_is_dropped_for_good(desk: Operated) -> None:
    text = desk.give_up()
    assert json.loads(run("dlq", "drop", text.id, "--by", "ann", "--json").output) == {
        "done": [text.id],
        "passed_over": [],
    }
    assert desk.state_of(text) is MessageState.FAILED
    assert desk.decisions(text) == ["dropped by ann"]


def test_without_a_name_it_is_the_user_of_this_machine_who_decides(
    desk: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "sam")
    text = desk.give_up()
    run("dlq", "drop", text.id)
    assert desk.decisions(text) == ["dropped by sam"]


def test_a_user_without_a_name_can_decide_too(desk: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr("getpass.getuser", nobody)
    text = desk.give_up()
    run("dlq", "drop", text.id)
    assert desk.decisions(text) == ["dropped by somebody without a user name"]


def test_a_filter_sends_again_what_an_outage_left_behind(desk: Operated) -> None:
    texts = [desk.give_up("30008") for _ in range(3)]
    foreign = desk.give_up("4", gateway="vonage")
    assert run("dlq", "replay", "--provider", "twilio", "--limit", "2").output == "2 texts queued to be sent again\n"
    assert [desk.state_of(text) for text in [*texts, foreign]] == [
        MessageState.QUEUED,
        MessageState.QUEUED,
        MessageState.DEAD_LETTER,
        MessageState.DEAD_LETTER,
    ]


def test_a_person_is_asked_before_a_filter_acts_and_told_of_what(desk: Operated, terminal: None) -> None:
    texts = [desk.give_up("30008"), desk.give_up("", is_unknown=True, state_reason="nobody can tell")]
    refused = run("dlq", "replay", "--provider", "twilio", typed="n\n")
    assert refused.exit_code == 1
    assert "twilio: nobody can tell" in refused.output
    assert "nobody can tell of 1 of them whether they arrived" in refused.output
    assert {desk.state_of(text) for text in texts} == {MessageState.DEAD_LETTER}
    assert run("dlq", "replay", "--provider", "twilio", typed="y\n").exit_code == 0
    assert {desk.state_of(text) for text in texts} == {MessageState.QUEUED}


def test_a_person_is_not_asked_about_texts_named_one_by_one_nor_when_the_answer_is_given(
    desk: Operated, terminal: None
) -> None:
    named, filtered = desk.give_up(), desk.give_up()
    assert run("dlq", "drop", named.id).exit_code == 0
    assert run("dlq", "drop", "--provider", "twilio", "--yes").exit_code == 0
    assert {desk.state_of(named), desk.state_of(filtered)} == {MessageState.FAILED}


def test_a_text_whose_time_is_over_is_sent_again_only_afresh(desk: Operated) -> None:
    text = desk.give_up(expires_at=desk.now - timedelta(hours=1))
    told = run("dlq", "replay", text.id).output
    assert "1 text passed over, whose time is over: --afresh" in told
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert run("dlq", "replay", text.id, "--afresh").output == "1 text queued to be sent again\n"
    ends = desk.row(text).expires_at
    assert ends is not None
    assert ends > desk.now + timedelta(hours=40)


def test_a_text_somebody_else_has_decided_about_meanwhile_is_told(
    desk: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = desk.give_up()
    (stale,) = desk.connector.dead_letters.find(DeadLetterFilter())
    desk.connector.dead_letters.drop([stale], "bob")
    monkeypatch.setattr(dead_letters, "_named", lambda *_: [stale])
    assert "1 text passed over: somebody else was faster" in run("dlq", "replay", text.id).output
    assert desk.decisions(text) == ["dropped by bob"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["replay"], "say which texts"), (["drop"], "say which texts"), (["drop", "some-id", "--limit", "3"], "not both")],
)
def test_all_of_them_are_never_meant_by_saying_nothing(desk: Operated, arguments: list[str], said: str) -> None:
    text = desk.give_up()
    result = run("dlq", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_a_name_that_is_wrong_stops_everything(desk: Operated) -> None:
    text = desk.give_up()
    result = run("dlq", "drop", text.id, "no-such-text")
    assert isinstance(result.exception, ConfigurationError)
    assert "no-such-text" in str(result.exception)
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_texts_whose_time_is_over_do_not_keep_a_filter_from_the_others(desk: Operated) -> None:
    desk.give_up(expires_at=desk.now - timedelta(hours=1))
    alive = desk.give_up()
    done = json.loads(run("dlq", "replay", "--provider", "twilio", "--limit", "1", "--yes", "--json").output)
    assert done == {"done": [alive.id], "passed_over": []}
