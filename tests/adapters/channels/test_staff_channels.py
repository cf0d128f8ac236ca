"""Slack, Teams, PagerDuty and Jira get what they expect, and a value of the CRM stays a value."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.adapters.channels.jira import JiraChannel
from connector.adapters.channels.pagerduty import PagerDutyChannel
from connector.adapters.channels.slack import SlackChannel
from connector.adapters.channels.teams import TeamsChannel
from connector.errors import ChannelAmbiguousError, ChannelRefusedError, ChannelUnavailableError
from connector.ports.channels import Delivery
from tests.adapters.channels.listening import Listener, Said, poster
from tests.adapters.channels.test_posting import hang_up

TOLD = Delivery("id-1", "Overdue:\nINV-7", "Line <one>\n\nLine & two")


def sent(listener: Listener, number: int = -1) -> dict[str, object]:
    document: dict[str, object] = json.loads(listener.heard[number].body)
    return document


def test_slack_gets_a_title_in_bold_and_nothing_that_mentions_or_links(listener: Listener) -> None:
    listener.say(Said(200, b"ok"))
    SlackChannel(poster(), listener.url()).deliver(TOLD)
    assert sent(listener) == {"text": "*Overdue: INV-7*\nLine &lt;one&gt;\n\nLine &amp; two"}


def test_slacks_word_for_a_refusal_is_told(listener: Listener) -> None:
    listener.say(Said(404, b"no_service"))
    with pytest.raises(ChannelRefusedError, match=r"HTTP 404 \(no_service\)"):
        SlackChannel(poster(), listener.url()).deliver(TOLD)


def test_an_answer_of_slack_that_is_no_word_is_not_repeated(listener: Listener) -> None:
    listener.say(Said(400, b"You said: INV-7"))
    with pytest.raises(ChannelRefusedError) as refused:
        SlackChannel(poster(), listener.url()).deliver(TOLD)
    assert str(refused.value) == "it answered HTTP 400"


def test_slack_is_left_alone_for_as_long_as_it_asks(listener: Listener) -> None:
    listener.say(Said(429, headers={"Retry-After": "30"}))
    with pytest.raises(ChannelUnavailableError) as throttled:
        SlackChannel(poster(), listener.url()).deliver(TOLD)
    assert throttled.value.retry_after == timedelta(seconds=30)


def test_teams_gets_a_card_of_plain_text_runs(listener: Listener) -> None:
    listener.say(Said(202))
    TeamsChannel(poster(), listener.url()).deliver(TOLD)
    (attachment,) = json.loads(listener.heard[0].body)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    blocks = attachment["content"]["body"]
    assert {block["type"] for block in blocks} == {"RichTextBlock"}
    runs = [run for block in blocks for run in block["inlines"]]
    assert [run["text"] for run in runs] == ["Overdue: INV-7", "Line <one>", "Line & two"]
    assert runs[0]["weight"] == "Bolder"


def test_pagerduty_joins_a_repeated_alert_by_our_id(listener: Listener) -> None:
    listener.say(Said(202, b"{}"))
    channel = PagerDutyChannel(poster(), "r" * 32, "critical", listener.url())
    channel.deliver(TOLD)
    event = sent(listener)
    assert channel.is_repeatable
    assert (event["dedup_key"], event["event_action"], event["routing_key"]) == ("id-1", "trigger", "r" * 32)
    assert event["payload"] == {
        "summary": "Overdue: INV-7",
        "source": "sms-connector",
        "severity": "critical",
        "custom_details": {"text": "Line <one>\n\nLine & two"},
    }


def jira(listener: Listener) -> JiraChannel:
    return JiraChannel(poster(), listener.url("/"), "bot@example.com", "token", "OPS", "Bug")


def test_jira_gets_an_issue_with_our_label_when_there_is_none(listener: Listener) -> None:
    listener.say(Said(200, b'{"issues": []}'), Said(201, b'{"key": "OPS-1"}'))
    jira(listener).deliver(TOLD)
    looked, made = listener.heard
    assert parse_qs(urlsplit(looked.path).query)["jql"] == ['labels = "sms-id-1"']
    assert looked.headers["authorization"] == "Basic " + base64.b64encode(b"bot@example.com:token").decode()
    assert (made.method, made.path) == ("POST", "/rest/api/3/issue")
    fields = json.loads(made.body)["fields"]
    assert fields["labels"] == ["sms-id-1"]
    assert (fields["project"], fields["issuetype"]) == ({"key": "OPS"}, {"name": "Bug"})
    assert fields["summary"] == "Overdue: INV-7"
    paragraphs = [part["content"][0]["text"] for part in fields["description"]["content"]]
    assert paragraphs == ["Line <one>", "Line & two"]


def test_jira_gets_no_second_issue(listener: Listener) -> None:
    listener.say(Said(200, b'{"issues": [{"key": "OPS-1"}]}'))
    jira(listener).deliver(TOLD)
    assert [heard.method for heard in listener.heard] == ["GET"]


def test_after_a_lost_answer_jira_is_asked_when_its_search_has_seen_the_issue(listener: Listener) -> None:
    listener.say(Said(200, b'{"issues": []}'), Said(act=hang_up))
    with pytest.raises(ChannelAmbiguousError) as lost:
        jira(listener).deliver(TOLD)
    assert lost.value.retry_after == timedelta(minutes=1)


def test_a_search_of_jira_that_breaks_leaves_nothing_open(listener: Listener) -> None:
    listener.say(Said(act=hang_up))
    with pytest.raises(ChannelUnavailableError):
        jira(listener).deliver(TOLD)


def test_the_fields_jira_complains_about_are_named_and_its_sentences_are_not(listener: Listener) -> None:
    refusal = {"errors": {"issuetype": "Line <one> is no type", "bad name!": "x"}, "errorMessages": ["INV-7?"]}
    listener.say(Said(200, b"{}"), Said(400, json.dumps(refusal).encode()))
    with pytest.raises(ChannelRefusedError) as refused:
        jira(listener).deliver(TOLD)
    assert str(refused.value) == "it answered HTTP 400 (issuetype)"
