"""Are outbound messages made through the Metadata API as its published description says?

The client is zeep with the WSDL that ships with simple-salesforce, so that both what is asked and what is answered is
held to Salesforce's own description.
"""

from pathlib import Path
from typing import Any

import httpx
import pytest
import simple_salesforce
import zeep
from zeep.exceptions import Fault

from connector.sandbox.faults import Faults
from connector.sandbox.salesforce.outbound import OutboundMessageSender
from connector.sandbox.salesforce.world import SalesforceWorld
from connector.sandbox.serve import Server
from tests.sandbox.salesforce.plain import ADMIN, APP, ORG, OTHER_ORG

WSDL = Path(simple_salesforce.__file__).with_name("metadata.wsdl")
METADATA = "http://soap.sforce.com/2006/04/metadata"
PATH = "/services/Soap/m/68.0"
KIND = "WorkflowOutboundMessage"
NAME = "Opportunity.SMS_Connector"


class Metadata:
    """The Metadata API of one org as zeep has it."""

    def __init__(self, client: Any, url: str, token: str) -> None:
        self._service = client.create_service(f"{{{METADATA}}}MetadataBinding", url)
        self._message = client.get_type(f"{{{METADATA}}}{KIND}")
        self._header = client.get_element(f"{{{METADATA}}}SessionHeader")
        self.token = token

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        headers = {"SessionHeader": self._header(sessionId=self.token)}
        return getattr(self._service, operation)(*args, **kwargs, _soapheaders=headers)

    def message(self, **changes: Any) -> Any:
        values = {
            "fullName": NAME,
            "apiVersion": 68.0,
            "description": "Tells the connector of stages",
            "endpointUrl": "https://sms.example.com/salesforce/outbound-messages/hush",
            "fields": ["Id", "StageName", "AccountId"],
            "includeSessionId": False,
            "integrationUser": ADMIN,
            "name": "SMS Connector",
            "protected": False,
        }
        return self._message(**(values | changes))

    def upsert(self, **changes: Any) -> Any:
        (result,) = self.call("upsertMetadata", [self.message(**changes)])
        return result


@pytest.fixture(scope="module")
def description() -> Any:
    """The client of Salesforce's own description; zeep is not typed."""
    library: Any = zeep
    return library.Client(str(WSDL))


@pytest.fixture
def metadata(description: Any, server: Server, world: SalesforceWorld) -> Metadata:
    return Metadata(description, f"{server.url}{PATH}/{ORG[:15]}", world.grant(ORG, client_id=APP).access_token)


def test_an_outbound_message_is_created_and_then_written_over(metadata: Metadata, world: SalesforceWorld) -> None:
    first = metadata.upsert()
    assert (first.created, first.fullName, first.success, first.errors) == (True, NAME, True, [])
    again = metadata.upsert(endpointUrl="https://sms.example.com/else")
    assert (again.created, again.success) == (False, True)
    (message,) = world.org(ORG).outbound_messages.values()
    assert (message.endpoint_url, message.fields) == (
        "https://sms.example.com/else",
        ("Id", "StageName", "AccountId"),
    )
    assert world.org(OTHER_ORG).outbound_messages == {}


def test_what_was_made_is_sent(
    metadata: Metadata, server: Server, world: SalesforceWorld, sender: OutboundMessageSender
) -> None:
    metadata.upsert(endpointUrl=f"{server.url}/nowhere")
    values = {"Name": "Roof", "StageName": "Prospecting", "CloseDate": "2026-12-24"}
    deal = world.create(ORG, "Opportunity", values)["Id"]
    world.update(ORG, "Opportunity", deal, {"Amount": 5})
    assert [each.record_id for each in sender.waiting] == [deal]
    world.update(ORG, "Opportunity", deal, {"StageName": "Closed Won"})
    (delivery,) = sender.flush()
    assert (delivery.url, delivery.status, len(delivery.notifications)) == (f"{server.url}/nowhere", 404, 2)
    assert b"<sf:StageName>Closed Won</sf:StageName>" in delivery.body


def test_it_is_read_listed_and_deleted(metadata: Metadata, world: SalesforceWorld) -> None:
    metadata.upsert()
    (read,) = metadata.call("readMetadata", KIND, [NAME])
    assert (read.fullName, read.name, read.integrationUser, read.apiVersion) == (NAME, "SMS Connector", ADMIN, 68.0)
    assert (read.fields, read.includeSessionId) == (["Id", "StageName", "AccountId"], False)
    assert [each.fullName for each in metadata.call("readMetadata", KIND, ["Case.Nothing"])] == [None]
    (gone, unknown) = metadata.call("deleteMetadata", KIND, [NAME, NAME])
    assert (gone.success, unknown.success) == (True, False)
    assert world.org(ORG).outbound_messages == {}


def test_a_list_names_what_is_there_and_who_made_it(metadata: Metadata, world: SalesforceWorld) -> None:
    assert metadata.call("listMetadata", [{"type": KIND}], 68.0) == []
    metadata.upsert()
    (one,) = metadata.call("listMetadata", [{"type": KIND}], 68.0)
    assert (one.fullName, one.type, one.fileName) == (NAME, KIND, "workflows/Opportunity.workflow")
    assert (one.createdById, one.lastModifiedByName) == (world.user_id(ORG, ADMIN), "admin")
    assert one.createdDate <= world.clock.now()


def test_create_and_update_mind_what_is_there(metadata: Metadata) -> None:
    def outcome(operation: str) -> str | None:
        (result,) = metadata.call(operation, [metadata.message()])
        return str(result.errors[0].statusCode) if result.errors else None

    assert outcome("updateMetadata") == "INVALID_CROSS_REFERENCE_KEY"
    assert outcome("createMetadata") is None
    assert outcome("createMetadata") == "DUPLICATE_DEVELOPER_NAME"
    assert outcome("updateMetadata") is None


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"integrationUser": "nobody@acme.example"}, "INVALID_CROSS_REFERENCE_KEY", "integrationUser"),
        ({"integrationUser": "left@acme.example"}, "INVALID_CROSS_REFERENCE_KEY", "integrationUser"),
        ({"integrationUser": ""}, "REQUIRED_FIELD_MISSING", "integrationUser"),
        ({"endpointUrl": "sms.example.com"}, "INVALID_INPUT", "endpointUrl"),
        ({"fields": ["Id", "Nope__c"]}, "INVALID_FIELD", "fields"),
        ({"fields": ["id"]}, "INVALID_FIELD", "fields"),
        ({"fullName": "Ghost__c.SMS_Connector"}, "INVALID_CROSS_REFERENCE_KEY", "fullName"),
        ({"fullName": "SMS_Connector"}, "INVALID_CROSS_REFERENCE_KEY", "fullName"),
        ({"fullName": "Opportunity.SMS__Connector"}, "FIELD_INTEGRITY_EXCEPTION", "fullName"),
        ({"name": "x" * 81}, "STRING_TOO_LONG", "name"),
        ({"apiVersion": 99.0}, "INVALID_INPUT", "apiVersion"),
    ],
)
def test_what_the_org_cannot_take_is_an_error_of_that_component(
    metadata: Metadata, world: SalesforceWorld, change: dict[str, Any], code: str, field: str
) -> None:
    world.add_user(ORG, "left@acme.example", is_active=False)
    result = metadata.upsert(**change)
    assert (result.success, result.created) == (False, False)
    (error,) = result.errors
    assert (error.statusCode, error.fields) == (code, [field])
    assert world.org(ORG).outbound_messages == {}


def test_a_wrong_component_does_not_stop_the_others(metadata: Metadata) -> None:
    both = [metadata.message(integrationUser="nobody"), metadata.message(fullName="Case.SMS_Connector", fields=["Id"])]
    assert [each.success for each in metadata.call("upsertMetadata", both)] == [False, True]


def test_more_than_ten_components_are_a_fault(metadata: Metadata) -> None:
    with pytest.raises(Fault, match="EXCEEDED_ID_LIMIT"):
        metadata.call("upsertMetadata", [metadata.message()] * 11)


def test_another_type_is_a_fault(metadata: Metadata) -> None:
    with pytest.raises(Fault, match="INVALID_TYPE"):
        metadata.call("readMetadata", "Flow", ["x"])


@pytest.mark.parametrize("token", ["", "nobody"])
def test_an_unknown_session_is_a_fault(metadata: Metadata, token: str) -> None:
    metadata.token = token
    with pytest.raises(Fault) as told:
        metadata.upsert()
    assert told.value.code == "sf:INVALID_SESSION_ID"


def test_another_orgs_address_a_missing_right_and_a_gone_quota_are_faults(
    metadata: Metadata, world: SalesforceWorld
) -> None:
    own, metadata.token = metadata.token, world.grant(OTHER_ORG, client_id=APP).access_token
    with pytest.raises(Fault, match="INVALID_SESSION_ID"):
        metadata.upsert()
    metadata.token = own
    world.org(ORG).may_customize = False
    with pytest.raises(Fault, match="INSUFFICIENT_ACCESS"):
        metadata.upsert()
    world.org(ORG).usage.exhaust()
    with pytest.raises(Fault, match="REQUEST_LIMIT_EXCEEDED"):
        metadata.upsert()
    assert world.org(ORG).outbound_messages == {}


def envelope(body: str, token: str) -> str:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Header>'
        f'<SessionHeader xmlns="{METADATA}"><sessionId>{token}</sessionId></SessionHeader></e:Header>'
        f'<e:Body>{body.replace(">", f""" xmlns="{METADATA}">""", 1)}</e:Body></e:Envelope>'
    )


WHOLE = {
    "fullName": NAME,
    "apiVersion": "68.0",
    "endpointUrl": "https://sms.example.com/x",
    "includeSessionId": "false",
    "integrationUser": ADMIN,
    "name": "SMS",
    "protected": "false",
}


def component(**changes: str) -> str:
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in (WHOLE | changes).items())
    return f'<upsertMetadata><metadata xsi:type="{KIND}">{inner}</metadata></upsertMetadata>'


@pytest.mark.parametrize(
    "body",
    [
        component(endpoint="https://sms.example.com"),
        component(protected="no"),
        component(includeSessionId="perhaps"),
        component(name="<b>x</b>"),
        component().replace("</metadata>", "<name>again</name></metadata>"),
        "<renameMetadata></renameMetadata>",
    ],
)
def test_what_the_description_does_not_know_is_a_fault(bare: httpx.Client, metadata: Metadata, body: str) -> None:
    answer = bare.post(PATH, content=envelope(body, metadata.token))
    assert answer.status_code == 500
    assert "<faultcode>soapenv:Client</faultcode>" in answer.text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "soapenv:Client"),
        ("<x/>", "soapenv:VersionMismatch"),
        ('<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>', "soapenv:Client"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "soapenv:Client"),
    ],
)
def test_what_is_no_call_is_a_fault(bare: httpx.Client, content: str, code: str) -> None:
    answer = bare.post(PATH, content=content)
    assert answer.status_code == 500
    assert f"<faultcode>{code}</faultcode>" in answer.text


def test_a_fault_may_be_armed_for_an_operation(metadata: Metadata, faults: Faults) -> None:
    faults.arm("salesforce.metadata.upsertMetadata", "status", status=503, body="busy")
    with pytest.raises(zeep.exceptions.TransportError):
        metadata.upsert()
    assert metadata.upsert().success
