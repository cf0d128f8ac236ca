"""How does an outbound message look on the wire, and what counts as its acknowledgement?

Element names and order: developer.salesforce.com, SOAP API Developer Guide, Outbound Messaging (Understanding
Notifications). Since February 2026 the session id is always nil. Null fields are absent.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from connector.sandbox.salesforce.org import Org
from connector.sandbox.salesforce.outbound_messages import OutboundMessage
from connector.sandbox.salesforce.soap import ENVELOPE, SCHEMA_INSTANCE, NotSoapError, element, read_xml

OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
ENTERPRISE_OBJECTS = "urn:sobject.enterprise.soap.sforce.com"


def envelope(org: Org, message: OutboundMessage, notifications: Iterable[tuple[str, dict[str, Any]]]) -> bytes:
    """The POST's body: each notification is (its id, {field: value} with `Id` among them)."""
    host = org.instance_host or f"{org.id[:15].lower()}.my.salesforce.com"
    base = f"https://{host}/services/Soap"
    own = f"{message.api_version}/{org.id[:15]}"
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:xsd="http://www.w3.org/2001/XMLSchema" ',
        f'xmlns:xsi="{SCHEMA_INSTANCE}">\n <soapenv:Body>\n  <notifications xmlns="{OUTBOUND}">\n',
        f"   {element('OrganizationId', org.id)}\n   {element('ActionId', message.action_id)}\n",
        '   <SessionId xsi:nil="true"/>\n',
        f"   {element('EnterpriseUrl', f'{base}/c/{own}')}\n   {element('PartnerUrl', f'{base}/u/{own}')}\n",
        *(_notification(message.object_name, each_id, values) for each_id, values in notifications),
        "  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>",
    ]
    return "".join(parts).encode()


def is_acknowledged(status: int, body: bytes) -> bool:
    """Whether an answer ends the retries: HTTP 200 and `notificationsResponse` with `Ack` true."""
    if status != 200:
        return False
    try:
        root = read_xml(body)
    except NotSoapError:
        return False
    ack = root.find(f"./{{{ENVELOPE}}}Body/{{{OUTBOUND}}}notificationsResponse/{{{OUTBOUND}}}Ack")
    return root.tag == f"{{{ENVELOPE}}}Envelope" and ack is not None and (ack.text or "").strip() in {"true", "1"}


def _notification(object_name: str, notification_id: str, values: dict[str, Any]) -> str:
    kind = quoteattr(f"sf:{object_name}")
    fields = "".join(f"     {element(f'sf:{name}', _text(value))}\n" for name, value in _present(values))
    return (
        f"   <Notification>\n    {element('Id', notification_id)}\n"
        f"    <sObject xsi:type={kind} xmlns:sf={quoteattr(ENTERPRISE_OBJECTS)}>\n{fields}"
        "    </sObject>\n   </Notification>\n"
    )


def _present(values: dict[str, Any]) -> Sequence[tuple[str, Any]]:
    """The id first, then the fields that hold anything."""
    rest = sorted((name, value) for name, value in values.items() if name != "Id" and value is not None)
    return [("Id", values["Id"]), *rest]


def _text(value: Any) -> Any:
    """A kept value as XML has it: times end in Z."""
    if isinstance(value, str) and value.endswith(".000+0000"):
        return f"{value[:-5]}Z"
    return value
