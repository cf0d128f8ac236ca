"""Are outbound messages made in an organisation as its flows and our intake want them?"""

from __future__ import annotations

import json

import httpx
import pytest

from connector.adapters.crm.salesforce.metadata_api import OutboundMessageSpec
from connector.adapters.crm.salesforce.names import OrgNames
from connector.adapters.crm.salesforce.outbound_messages import ACKNOWLEDGED, read_delivery
from connector.adapters.crm.salesforce.outbound_setup import outbound_messages
from connector.errors import CRMDisconnectedError, CRMRefusedError
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from tests.adapters.crm.salesforce.conftest import ADMIN, ORG, Salesforce

ENDPOINT = "https://sms.example.com/salesforce/outbound-messages/a-secret"


@pytest.fixture
def specs(salesforce: Salesforce) -> list[OutboundMessageSpec]:
    return list(outbound_messages(OrgNames.of(salesforce.account), ENDPOINT, ADMIN))


def test_all_are_made_once_and_found_as_they_should_be_afterwards(
    salesforce: Salesforce, specs: list[OutboundMessageSpec]
) -> None:
    first = salesforce.crm.metadata.put(salesforce.account, specs)
    assert [(each.full_name, each.is_new, each.trouble) for each in first] == [
        ("Opportunity.SMS_Opportunity_Changed", True, ""),
        ("Case.SMS_Case_Changed", True, ""),
        ("Lead.SMS_Lead_Created", True, ""),
        ("Lead.SMS_Lead_Changed", True, ""),
        ("Contact.SMS_Contact_Created", True, ""),
        ("Contact.SMS_Contact_Changed", True, ""),
        ("Invoice__c.SMS_Invoice_Changed", True, ""),
    ]
    assert not any(each.is_new for each in salesforce.crm.metadata.put(salesforce.account, specs))


def test_an_organisation_without_invoices_gets_no_message_about_them(salesforce: Salesforce) -> None:
    names = OrgNames({"instance_url": "https://acme.my.salesforce.com"})
    assert "Invoice" not in " ".join(each.full_name for each in outbound_messages(names, ENDPOINT, ADMIN))


def test_fields_of_the_package_carry_the_namespace_they_were_installed_with() -> None:
    names = OrgNames({"salesforce_namespace": "acme"})
    lead = next(each for each in outbound_messages(names, ENDPOINT, ADMIN) if each.name == "SMS_Lead_Changed")
    assert "acme__SMS_Opt_Out__c" in lead.fields
    assert "MobilePhone" in lead.fields


def test_a_user_the_organisation_does_not_have_is_told_message_by_message(salesforce: Salesforce) -> None:
    specs = list(outbound_messages(OrgNames.of(salesforce.account), ENDPOINT, "nobody@acme.example"))
    made = salesforce.crm.metadata.put(salesforce.account, specs)
    assert len(made) == len(specs)
    assert all("nobody" not in each.full_name and each.trouble for each in made)


def test_a_token_that_died_is_replaced_once(salesforce: Salesforce, specs: list[OutboundMessageSpec]) -> None:
    salesforce.grant("dead", salesforce.row().refresh_token)
    assert all(each.is_new for each in salesforce.crm.metadata.put(salesforce.account, specs))
    assert salesforce.row().access_token != "dead"


def test_an_organisation_that_took_our_right_away_is_disconnected(
    salesforce: Salesforce, specs: list[OutboundMessageSpec]
) -> None:
    salesforce.grant("dead", "dead too")
    with pytest.raises((CRMDisconnectedError, CRMRefusedError)):
        salesforce.crm.metadata.put(salesforce.account, specs)
    assert salesforce.row().status == "disconnected"


def test_the_address_and_its_secret_stay_out_of_what_is_shown(specs: list[OutboundMessageSpec]) -> None:
    assert "a-secret" not in repr(specs)


def test_what_the_organisation_then_sends_is_understood(
    salesforce: Salesforce, specs: list[OutboundMessageSpec]
) -> None:
    sent: list[bytes] = []

    def post(_url: str, *, content: bytes, **_: object) -> httpx.Response:
        sent.append(content)
        return httpx.Response(200, text=ACKNOWLEDGED)

    salesforce.crm.metadata.put(salesforce.account, specs)
    sender = OutboundMessageSender(salesforce.world, salesforce.clock, post=post)
    deal = salesforce.deal()
    sender.flush()
    sent.clear()
    salesforce.world.update(ORG, "Opportunity", deal, {"StageName": "Closed Won"})
    sender.flush()
    [body] = [json.loads(each.body) for each in read_delivery(sent[0]).notifications]
    notice = salesforce.crm.read_notice(body)
    assert notice is not None
    assert (notice.ref.object_type, notice.property_name, notice.property_value) == ("deal", "StageName", "Closed Won")
