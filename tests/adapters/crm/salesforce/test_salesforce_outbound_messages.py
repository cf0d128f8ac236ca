"""Are Salesforce's outbound messages cut as they are documented, and nothing else taken for one?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.adapters.crm.salesforce.ids import full_id, is_same
from connector.adapters.crm.salesforce.outbound_messages import UnreadableDeliveryError, read_delivery

ORGANIZATION = "00D000000000001EAA"
FIXTURES = Path(__file__).parent / "fixtures"
NOTIFICATION = """<Notification><Id>04l{n:012}AAA</Id>
 <sObject xsi:type="sf:Opportunity" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
 <sf:Id>006000000000001AAA</sf:Id><sf:StageName>Closed Won</sf:StageName></sObject></Notification>"""


def delivery(*notifications: str, organization: str = ORGANIZATION) -> bytes:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>{organization}</OrganizationId><ActionId>04k000000000001AAA</ActionId>
   <SessionId xsi:nil="true"/><EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/68.0/x</EnterpriseUrl>
   <PartnerUrl>https://acme.my.salesforce.com/services/Soap/u/68.0/x</PartnerUrl>{"".join(notifications)}
 </notifications></soapenv:Body></soapenv:Envelope>""".encode()


def notification(number: int = 1) -> str:
    return NOTIFICATION.format(n=number)


def test_a_documented_delivery_is_cut_into_its_notifications() -> None:
    told = read_delivery((FIXTURES / "opportunity-stage-changed.xml").read_bytes())
    assert told.organization_id == ORGANIZATION
    assert [each.external_id for each in told.notifications] == [f"{ORGANIZATION}:04l000000000001AAA"]
    assert json.loads(told.notifications[0].body) == {
        "organization_id": ORGANIZATION,
        "notification_id": "04l000000000001AAA",
        "action_id": "04k000000000001AAA",
        "object": "Opportunity",
        "fields": {"Id": "006000000000001AAA", "StageName": "Perception Analysis"},
    }


def test_a_hundred_notifications_are_taken_in_their_order() -> None:
    told = read_delivery(delivery(*(notification(number) for number in range(100, 200))))
    assert len(told.notifications) == 100
    assert told.notifications[0].external_id < told.notifications[-1].external_id


def test_a_short_organisation_id_is_the_same_organisation() -> None:
    assert read_delivery(delivery(notification(), organization=ORGANIZATION[:15])).organization_id == ORGANIZATION
    assert is_same(ORGANIZATION, ORGANIZATION[:15])
    assert not is_same(ORGANIZATION, "00D000000000002")


def test_the_suffix_of_an_id_says_which_letters_are_capitals() -> None:
    assert full_id("001aBcDeFgHiJkL") == "001aBcDeFgHiJkLQKV"  # worked out by hand: bits 4; 1 and 3; 0, 2 and 4
    assert full_id("001") == full_id("") == full_id("001-00000000001") == ""


def test_characters_of_any_language_come_through() -> None:
    body = delivery(notification().replace("Closed Won", "Abschluß &amp; Grüße 🎉"))
    assert json.loads(read_delivery(body).notifications[0].body)["fields"]["StageName"] == "Abschluß & Grüße 🎉"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not XML"),
        (b"\xff\xfe\x00", "not XML"),
        (b"<a", "not XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "not XML"),
        (b"<a/>", "no SOAP envelope"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type or entities"),
        (b'<!DOCTYPE a SYSTEM "http://203.0.113.1/x.dtd"><a/>', "document type or entities"),
        (delivery(), "0 notifications"),
        (delivery(*(notification(number) for number in range(100, 201))), "101 notifications"),
        (delivery(notification(), organization="nobody"), "names no organisation"),
        (delivery(notification().replace("<Id>04l", "<No>04l").replace("AAA</Id>", "AAA</No>")), "lacks its id"),
    ],
)
def test_what_is_no_outbound_message_says_why(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableDeliveryError, match=why) as refused:
        read_delivery(body)
    assert "acme" not in str(refused.value)
