"""Does the adapter listen to the Pub/Sub API as its rules say, and understand what comes?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.adapters.crm.salesforce.pubsub import client
from connector.adapters.crm.salesforce.pubsub.client import RENEWED, PubSubStreams
from connector.domain.event import ChangeKind, ChangeNotice
from connector.errors import (
    ConfigurationError,
    CRMDisconnectedError,
    CRMRefusedError,
    CRMUnavailableError,
    PlaceLostError,
)
from connector.ports.change_streams import MOST, StreamedEvent
from tests.adapters.crm.salesforce.conftest import ORG
from tests.adapters.crm.salesforce.pubsub.conftest import CONTACTS, DEALS, ORDERS, Stage, heard


def notices(stage: Stage, events: list[StreamedEvent]) -> list[ChangeNotice]:
    found = [stage.salesforce.crm.read_notice(json.loads(row.body)) for event in events for row in event.rows]
    return [notice for notice in found if notice is not None]


def bodies(events: list[StreamedEvent]) -> list[dict[str, Any]]:
    return [json.loads(row.body) for event in events for row in event.rows]


# What is told


def test_a_changed_stage_is_told_with_its_value_and_when(stage: Stage) -> None:
    deal = stage.salesforce.deal()
    stream = stage.open()
    stage.change(deal, StageName="Closed Won")
    events, _ = heard(stream, 1)
    told = {notice.property_name: notice for notice in notices(stage, events)}
    stage_change = told["StageName"]
    assert (str(stage_change.ref), stage_change.kind) == (f"deal:{deal}", ChangeKind.CHANGED)
    assert stage_change.property_value == "Closed Won"
    assert abs((stage.salesforce.clock.now() - stage_change.occurred_at).total_seconds()) < 60
    assert not {"LastModifiedDate", "LastModifiedById", "SystemModstamp"} & told.keys()


def test_fields_that_changed_together_are_a_row_each_and_the_event_has_one_id(stage: Stage) -> None:
    deal = stage.salesforce.deal()
    stream = stage.open()
    stage.change(deal, Amount=900, NextStep="call", CloseDate="2026-12-31")
    events, _ = heard(stream, 1)
    assert {row.external_id for row in events[0].rows} >= {
        f"{ORG}:{events[0].event_id}:{deal}:{name}" for name in ("Amount", "NextStep", "CloseDate")
    }
    values = {notice.property_name: notice.property_value for notice in notices(stage, events)}
    assert (values["Amount"], values["NextStep"], values["CloseDate"]) == ("900", "call", "2026-12-31")


def test_a_field_that_was_emptied_is_told_as_such(stage: Stage) -> None:
    deal = stage.salesforce.deal(NextStep="call")
    stream = stage.open()
    stage.change(deal, NextStep=None)
    events, _ = heard(stream, 1)
    assert [(each.property_name, each.property_value) for each in notices(stage, events)] == [("NextStep", None)]


def test_a_new_deal_is_told_as_new_and_with_its_stage(stage: Stage) -> None:
    stream = stage.open()
    deal = stage.salesforce.deal()
    events, _ = heard(stream, 1)
    told = [(str(each.ref), each.kind, each.property_name, each.property_value) for each in notices(stage, events)]
    assert told == [
        (f"deal:{deal}", ChangeKind.CREATED, None, None),
        (f"deal:{deal}", ChangeKind.CHANGED, "StageName", "Prospecting"),
    ]


def test_parts_of_a_persons_name_and_address_are_told_by_their_rest_names(stage: Stage) -> None:
    contact = stage.salesforce.contact(FirstName="Maya", MailingCity="Albany")
    stream = stage.open(CONTACTS)
    world = stage.salesforce.world
    world.update(ORG, "Contact", contact, {"FirstName": "Maja", "MailingCity": "Troy", "MobilePhone": "+12025550143"})
    events, _ = heard(stream, 1)
    told = {each.property_name: (str(each.ref), each.property_value) for each in notices(stage, events)}
    person = f"contact:{contact}"
    assert told["FirstName"] == (person, "Maja")
    assert told["MailingCity"] == (person, "Troy")
    assert told["MobilePhone"] == (person, "+12025550143")


def test_an_opt_out_is_told_in_the_word_a_checkbox_has(stage: Stage) -> None:
    contact = stage.salesforce.contact()
    stream = stage.open(CONTACTS)
    stage.salesforce.world.update(ORG, "Contact", contact, {"SMS_Opt_Out__c": True, "SMS_Handoff__c": "Sales"})
    events, _ = heard(stream, 1)
    told = {each.property_name: each.property_value for each in notices(stage, events)}
    assert told["SMS_Opt_Out__c"] == "true"
    assert "SMS_Handoff__c" not in told  # ours alone: an echo of what we wrote


def test_a_deleted_contact_is_told(stage: Stage) -> None:
    contact = stage.salesforce.contact()
    stream = stage.open(CONTACTS)
    stage.salesforce.world.delete(ORG, "Contact", contact)
    events, _ = heard(stream, 1)
    assert [(str(each.ref), each.kind) for each in notices(stage, events)] == [
        (f"contact:{contact}", ChangeKind.DELETED)
    ]


def test_a_platform_event_says_what_it_is_about_by_its_fields(stage: Stage) -> None:
    stream = stage.open(ORDERS)
    deal = stage.salesforce.deal()
    stage.bus.publish(ORG, "Order_Shipped__e", Record_Id__c=deal, Field__c="StageName", Value__c="Shipped")
    stage.bus.publish(ORG, "Order_Shipped__e", Record_Id__c=deal[:15])
    stage.bus.publish(ORG, "Order_Shipped__e", Note__c="about nothing")
    events, _ = heard(stream, 3)
    assert [(str(each.ref), each.kind, each.property_value) for each in notices(stage, events)] == [
        (f"deal:{deal}", ChangeKind.CHANGED, "Shipped"),
        (f"deal:{deal}", ChangeKind.CREATED, None),
    ]
    assert bodies(events)[2]["fields"]["Note__c"] == "about nothing"  # kept, though nothing follows


@pytest.mark.parametrize("change_type", ["GAP_CREATE", "GAP_UPDATE", "GAP_OVERFLOW"])
def test_changes_without_content_are_holes(stage: Stage, change_type: str) -> None:
    deal = stage.salesforce.deal()
    stream = stage.open()
    stage.bus.gap(ORG, "Opportunity", change_type, [] if change_type == "GAP_OVERFLOW" else [deal])
    (event,), _ = heard(stream, 1)
    assert "Opportunity" in event.hole
    assert [each.kind for each in notices(stage, [event])] == (
        [ChangeKind.CREATED] if change_type == "GAP_CREATE" else []
    )


def test_a_deletion_without_content_lacks_nothing(stage: Stage) -> None:
    stream = stage.open()
    stage.bus.gap(ORG, "Opportunity", "GAP_DELETE", ["006000000000001AAA"])
    (event,), _ = heard(stream, 1)
    assert event.hole == ""
    assert [each.kind for each in notices(stage, [event])] == [ChangeKind.DELETED]


def test_an_event_that_cannot_be_read_is_given_as_it_came(stage: Stage) -> None:
    stream = stage.open()
    event_id = stage.bus.garble(ORG, "Opportunity")
    (event,), batch = heard(stream, 1)
    assert (event.event_id, event.unreadable) == (event_id, "the content does not fit its schema")
    assert batch.place
    assert json.loads(event.rows[0].body)["payload"] == "////////"


def test_an_object_that_gets_a_field_is_read_by_its_new_schema(stage: Stage) -> None:
    deal = stage.salesforce.deal()
    stream = stage.open()
    stage.change(deal, NextStep="one")
    heard(stream, 1)
    definition = stage.salesforce.world.org(ORG).objects["Opportunity"]
    first = definition.fields["nextstep"]
    definition.fields = {"aaa__c": type(first)("Aaa__c"), **definition.fields}
    stage.change(deal, Aaa__c="new")
    events, _ = heard(stream, 1)
    assert [(each.property_name, each.property_value) for each in notices(stage, events)] == [("Aaa__c", "new")]
    assert stage.server.calls["GetSchema"] == 2


def test_an_event_whose_schema_cannot_be_read_is_given_as_it_came(stage: Stage) -> None:
    stream = stage.open()
    streams = stage.bus._of(ORG)
    schema_id = stage.bus.schema_of(ORG, DEALS)
    stage.salesforce.deal()
    with stage.bus.changed:
        streams.schemas[str(schema_id)] = "{}"
    assert stage.streams._schemas == {}
    (event,), _ = heard(stream, 1)
    assert event.unreadable == "the schema of an event cannot be read"


def test_only_so_many_schemas_are_remembered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_KEPT_SCHEMAS", 1)
    deals, contacts = stage.open(), stage.open(CONTACTS)
    for _ in range(2):
        stage.salesforce.deal()
        heard(deals, 1)
        stage.salesforce.contact()
        heard(contacts, 1)
    assert stage.server.calls["GetSchema"] == 4


# Where it is read on


def test_a_stream_is_read_on_behind_the_place(stage: Stage) -> None:
    stream = stage.open()
    first = stage.salesforce.deal("One")
    _, batch = heard(stream, 1)
    stream.close()
    stage.until_streams(0)
    second = stage.salesforce.deal("Two")
    events, _ = heard(stage.open(place=batch.place), 1)
    assert {each.ref.object_id for each in notices(stage, events)} == {second}
    assert first != second


def test_an_idle_stream_is_told_where_it_stands_and_is_read_on_from_there(stage: Stage) -> None:
    stream = stage.open()
    stage.server.keepalive()
    batch = stream.wait()
    assert batch is not None
    assert batch.events == []
    stream.close()
    stage.until_streams(0)
    stage.salesforce.deal()
    events, _ = heard(stage.open(place=batch.place), 1)
    assert len(events) == 1


def test_a_place_that_is_older_than_three_days_is_lost(stage: Stage) -> None:
    stream = stage.open()
    stage.salesforce.deal()
    _, batch = heard(stream, 1)
    stream.close()
    stage.days_pass(4)
    again = stage.streams.open(stage.salesforce.account, DEALS, batch.place)
    again.ask(MOST)
    with pytest.raises(PlaceLostError, match=r"replayid\.corrupted"):
        again.wait()


def test_copies_of_an_event_have_the_same_ids(stage: Stage) -> None:
    stage.server.duplicates = 1
    stream = stage.open()
    stage.salesforce.deal()
    events, _ = heard(stream, 2)
    assert events[0] == events[1]


# Flow control


def test_no_more_comes_than_there_is_room_for(stage: Stage) -> None:
    deal = stage.salesforce.deal()
    stream = stage.open(room=3)
    for number in range(5):
        stage.change(deal, NextStep=str(number))
    stage.server.batch_size = 1
    assert len(heard(stream, 3)[0]) == 3
    stage.server.keepalive()
    batch = stream.wait()
    assert batch is not None
    assert batch.events == []
    stream.ask(2)
    assert len(heard(stream, 2)[0]) == 2


@pytest.mark.parametrize(("room", "code"), [(MOST + 1, "fetch.overflow"), (-1, "requested.events.invalid")])
def test_the_sandbox_is_strict_about_flow_control(stage: Stage, room: int, code: str) -> None:
    stream = stage.streams.open(stage.salesforce.account, DEALS, "")
    stream.ask(room)
    with pytest.raises(CRMUnavailableError, match=code):
        stream.wait()


# What goes wrong


def test_a_stream_that_breaks_can_be_opened_again(stage: Stage) -> None:
    stream = stage.open()
    stage.server.drop()
    with pytest.raises(CRMUnavailableError, match="UNAVAILABLE"):
        stream.wait()
    stage.until_streams(0)
    stage.open().close()


def test_a_token_that_died_is_renewed_once_and_the_stream_goes_on_with_it(stage: Stage) -> None:
    old = stage.token
    stage.salesforce.world.tokens.expire_sessions(ORG)
    stream = stage.streams.open(stage.salesforce.account, DEALS, "")
    stream.ask(MOST)
    with pytest.raises(CRMUnavailableError) as broken:
        stream.wait()
    assert broken.value.category == RENEWED
    assert stage.token != old
    stage.open().close()


def test_a_token_that_dies_while_listening_ends_the_stream(stage: Stage) -> None:
    stream = stage.open()
    stage.salesforce.world.tokens.expire_sessions(ORG)
    stage.server.keepalive()
    with pytest.raises(CRMUnavailableError) as broken:
        stream.wait()
    assert broken.value.category == RENEWED


def test_an_organisation_that_took_our_right_away_is_disconnected(stage: Stage) -> None:
    stage.salesforce.world.tokens.uninstall(ORG)
    stream = stage.streams.open(stage.salesforce.account, DEALS, "")
    stream.ask(MOST)
    with pytest.raises(CRMDisconnectedError):
        stream.wait()
    assert stage.salesforce.row().status == "disconnected"


def test_a_topic_that_is_not_there_is_refused(stage: Stage) -> None:
    stream = stage.streams.open(stage.salesforce.account, "/data/CaseChangeEvent", "")
    stream.ask(MOST)
    with pytest.raises(CRMRefusedError, match=r"topic\.not\.found"):
        stream.wait()


def test_deliveries_that_are_used_up_wait_an_hour(stage: Stage) -> None:
    stream = stage.open()
    stage.server.is_over_quota = True
    stage.salesforce.deal()
    with pytest.raises(CRMUnavailableError, match=r"subscription\.limit\.exceeded") as refused:
        stream.wait()
    assert refused.value.retry_after is not None
    assert refused.value.retry_after.total_seconds() == 3600


def test_a_stream_that_is_closed_ends_in_peace(stage: Stage) -> None:
    stream = stage.open()
    stream.close()
    stream.close()
    assert stream.wait() is None


def test_a_stream_that_salesforce_ends_without_a_word_has_broken(stage: Stage) -> None:
    stream = stage.open()
    stream._call.cancel()
    stream._call = iter(())
    with pytest.raises(CRMUnavailableError, match="Salesforce ended it"):
        stream.wait()
    stream._is_closed = True
    assert stream.wait() is None


def test_tokens_go_out_over_tls(stage: Stage) -> None:
    streams = PubSubStreams("https://127.0.0.1:9", stage.salesforce.crm.tokens)
    stream = streams.open(stage.salesforce.account, DEALS, "")
    stream.ask(MOST)
    with pytest.raises(CRMUnavailableError, match="UNAVAILABLE"):
        stream.wait()
    streams.close()


def test_a_token_is_never_sent_in_clear_to_another_machine(stage: Stage) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        PubSubStreams("http://api.pubsub.salesforce.com:7443", stage.salesforce.crm.tokens)


def test_another_organisations_id_opens_nothing(stage: Stage) -> None:
    stage.salesforce.world.add_org("00D000000000002EAA", username="other@acme.example")
    account = type(stage.salesforce.account)(
        stage.salesforce.account.account_id, "00D000000000002EAA", stage.salesforce.account.settings
    )
    stream = stage.streams.open(account, DEALS, "")
    stream.ask(MOST)
    with pytest.raises(CRMUnavailableError):
        stream.wait()
