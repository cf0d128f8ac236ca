"""Do changes reach an endpoint as outbound messages would, and are they sent again until acknowledged?"""

from datetime import timedelta
from typing import Any

import httpx

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from connector.sandbox.salesforce.world import SalesforceWorld
from tests.sandbox.salesforce.endpoint import NAMES, NIL, SOAP, TYPE, Endpoint, local, read
from tests.sandbox.salesforce.plain import ADMIN, ORG, OTHER_ORG, move


def test_a_moved_card_is_told_in_the_vendors_envelope(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    world.org(ORG).instance_host = "acme.my.salesforce.com"
    move(world, deal)
    (delivery,) = stages.flush()
    assert delivery.was_acknowledged
    assert endpoint.headers[0]["Content-Type"] == "text/xml; charset=utf-8"
    assert endpoint.headers[0]["Soapaction"] == '""'
    root = read(endpoint.bodies[0])
    assert root.tag == f"{{{SOAP}}}Envelope"
    (told,) = root.findall("./s:Body/o:notifications", NAMES)
    assert [local(each) for each in told] == [
        "OrganizationId",
        "ActionId",
        "SessionId",
        "EnterpriseUrl",
        "PartnerUrl",
        "Notification",
    ]
    assert told.findtext("o:OrganizationId", None, NAMES) == ORG
    (session,) = told.findall("o:SessionId", NAMES)
    assert (told.findtext("o:ActionId", "", NAMES)[:3], session.get(NIL), session.text) == ("04k", "true", None)
    address = f"https://acme.my.salesforce.com/services/Soap/c/68.0/{ORG[:15]}"
    assert told.findtext("o:EnterpriseUrl", None, NAMES) == address
    assert told.findtext("o:PartnerUrl", None, NAMES) == address.replace("/c/", "/u/")
    (shown,) = told.findall("./o:Notification/o:sObject", NAMES)
    assert shown.get(TYPE) == "sf:Opportunity"
    assert next(each.tag for each in shown) == f"{{{NAMES['sf']}}}Id"
    ((notification_id, values),) = endpoint.notifications()
    assert (notification_id[:3], len(notification_id)) == ("04l", 18)
    # Null fields are absent (NextStep), times are XML's, the id comes first.
    assert list(values) == ["Id", "Amount", "LastModifiedDate", "StageName"]
    assert (values["Id"], values["Amount"], values["StageName"]) == (deal, "1200.5", "Qualification")
    assert values["LastModifiedDate"].endswith("Z")


def test_text_that_looks_like_xml_stays_text(
    world: SalesforceWorld, sender: OutboundMessageSender, endpoint: Endpoint
) -> None:
    sender.subscribe(ORG, "Contact", endpoint.url, ["LastName", "DoNotCall"])
    world.create(ORG, "Contact", {"LastName": "<b>&\"O'Brien"})
    sender.flush()
    ((_, values),) = endpoint.notifications()
    assert (values["LastName"], values["DoNotCall"]) == ("<b>&\"O'Brien", "false")


def test_a_creation_and_another_field_fire_nothing_unless_asked(
    world: SalesforceWorld, stages: OutboundMessageSender, deal: str
) -> None:
    world.update(ORG, "Opportunity", deal, {"Amount": 5})
    move(world, deal, "Prospecting")
    assert stages.waiting == []


def test_content_is_the_state_at_sending_and_not_at_the_change(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    move(world, deal)
    move(world, deal, "Closed Won")
    stages.flush()
    assert [values["StageName"] for _, values in endpoint.notifications()] == ["Closed Won", "Closed Won"]
    assert len({each for each, _ in endpoint.notifications()}) == 2


def test_a_deleted_record_is_told_by_its_id_alone(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    move(world, deal)
    world.delete(ORG, "Opportunity", deal)
    stages.flush()
    assert [values for _, values in endpoint.notifications()] == [{"Id": deal}]


def test_what_a_silent_user_writes_is_not_told(
    world: SalesforceWorld, stages: OutboundMessageSender, deal: str
) -> None:
    rep = world.add_user(ORG, "rep@acme.example")
    world.silence(ORG, ADMIN)
    move(world, deal)
    assert stages.waiting == []
    world.update(ORG, "Opportunity", deal, {"StageName": "Closed Lost"}, by=rep)
    assert len(stages.waiting) == 1


def test_up_to_a_hundred_of_one_message_of_one_org_travel_together(
    world: SalesforceWorld, sender: OutboundMessageSender, endpoint: Endpoint
) -> None:
    sender.subscribe(ORG, "Lead", endpoint.url, ["LastName"])
    sender.subscribe(OTHER_ORG, "Lead", endpoint.url, ["LastName"])
    sender.subscribe(ORG, "Contact", endpoint.url, ["LastName"])
    for number in range(130):
        world.create(ORG, "Lead", {"LastName": str(number), "Company": "x"})
    world.create(OTHER_ORG, "Lead", {"LastName": "foreign", "Company": "x"})
    world.create(ORG, "Contact", {"LastName": "person"})
    sizes = [len(delivery.notifications) for delivery in sender.flush()]
    assert sizes == [100, 30, 1, 1]
    orgs = [read(body).findtext(".//o:OrganizationId", None, NAMES) for body in endpoint.bodies]
    assert orgs == [ORG, ORG, OTHER_ORG, ORG]


def test_a_message_that_was_taken_away_is_sent_no_more(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    move(world, deal)
    world.org(ORG).outbound_messages.clear()
    assert (stages.flush(), stages.waiting, endpoint.bodies) == ([], [], [])


def test_a_subscription_made_again_keeps_its_action(stages: OutboundMessageSender) -> None:
    first = stages.subscribe(ORG, "Opportunity", "http://127.0.0.1:9/", ["StageName"])
    second = stages.subscribe(ORG, "Opportunity", "http://127.0.0.1:9/", ["Amount"])
    assert (second.action_id, second.fields) == (first.action_id, ("Amount",))


def test_the_background_thread_delivers_and_retries_as_the_clock_is_pushed(
    world: SalesforceWorld, stages: OutboundMessageSender, endpoint: Endpoint, clock: SandboxClock, deal: str
) -> None:
    endpoint.faults.arm("hook", "status")
    stages.start()
    move(world, deal)
    endpoint.wait_for_answers(1)
    assert endpoint.bodies == []
    clock.advance(timedelta(minutes=1))
    endpoint.wait_for_answers(2)
    assert len(endpoint.notifications()) == 1


def test_an_api_write_fires_like_a_persons(
    api: httpx.Client, stages: OutboundMessageSender, endpoint: Endpoint, deal: str
) -> None:
    rows = [{"attributes": {"type": "Opportunity"}, "Id": deal, "StageName": "Closed Won"}]
    api.patch("/services/data/v68.0/composite/sobjects", json={"records": rows})
    stages.flush()
    assert [values["StageName"] for _, values in endpoint.notifications()] == ["Closed Won"]


def test_delivery_is_watched_and_changed_over_http(
    bare: httpx.Client, world: SalesforceWorld, stages: OutboundMessageSender, deal: str
) -> None:
    change: dict[str, Any] = {"duplicates": 1, "delay_seconds": 5, "is_paused": True}
    shown = bare.post("/_sandbox/outbound", json=change).json()
    assert (stages.duplicates, stages.delay, stages.is_paused) == (1, timedelta(seconds=5), True)
    move(world, deal)
    assert shown["waiting"] == 0
    assert bare.get("/_sandbox/outbound").json()["waiting"] == 1
    flushed = bare.post("/_sandbox/outbound/flush").json()
    assert [each["acknowledged"] for each in flushed["deliveries"]] == [True, True]
    for wrong in ({"speed": 1}, {"batch_size": "many"}):
        assert bare.post("/_sandbox/outbound", json=wrong).status_code == 400
