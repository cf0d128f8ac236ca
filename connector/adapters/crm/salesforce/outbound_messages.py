"""What is in an outbound message of Salesforce, notification by notification, and how is it acknowledged?

A delivery is a SOAP envelope with 1 to 100 notifications of one organisation and one outbound message. One
acknowledgement covers them all. What a notification carries is the record's state when it was sent, not when it
changed; null fields are left out; the order of changes is not kept, and notifications come again until they are
acknowledged, for up to 24 hours. There is no signature and, since February 2026, no session id. Source: the chapter
on outbound messaging of the SOAP API developer guide (developer.salesforce.com/docs).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from connector.adapters.crm.salesforce.ids import full_id
from connector.errors import ConnectorError

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_MOST = 100  # notifications in one delivery, as the vendor's schema has it

ACKNOWLEDGED = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
"""The only answer after which Salesforce does not send the delivery again, with status 200."""


class UnreadableDeliveryError(ConnectorError, ValueError):
    """A delivery that is no outbound message; says what is wrong with it, without quoting it."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification, not yet understood.

    Attributes:
        external_id: the same for every delivery of it: organisation and notification.
        body: JSON: `organization_id`, `notification_id`, `action_id`, `object`, `fields`.
    """

    external_id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One delivery.

    Attributes:
        organization_id: 18 characters.
    """

    organization_id: str
    notifications: Sequence[Notification]


def read_delivery(body: bytes) -> OutboundMessage:
    """Cut a delivery into its notifications, in the order sent.

    Raises:
        UnreadableDeliveryError: no XML, XML that defines entities or a document type, or no outbound message.
    """
    told = _told(body)
    organization_id = full_id(_text(told, "OrganizationId"))
    if not organization_id:
        raise UnreadableDeliveryError("it names no organisation")
    found = told.findall(f"{_OUTBOUND}Notification")
    if not 1 <= len(found) <= _MOST:
        raise UnreadableDeliveryError(f"it has {len(found)} notifications, not 1 to {_MOST}")
    action_id = full_id(_text(told, "ActionId"))
    return OutboundMessage(organization_id, [_notification(organization_id, action_id, each) for each in found])


def _told(body: bytes) -> Element:
    try:
        envelope = ElementTree.fromstring(body, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise UnreadableDeliveryError("it defines a document type or entities") from None
    except (ParseError, ValueError, LookupError):  # the last two: an encoding it does not have or does not keep to
        raise UnreadableDeliveryError("it is not XML") from None
    told = envelope.find(f"{_SOAP}Body/{_OUTBOUND}notifications") if envelope.tag == f"{_SOAP}Envelope" else None
    if told is None:
        raise UnreadableDeliveryError("it is no SOAP envelope with notifications")
    return told


def _notification(organization_id: str, action_id: str, told: Element) -> Notification:
    notification_id = full_id(_text(told, "Id"))
    record = told.find(f"{_OUTBOUND}sObject")
    if not notification_id or record is None:
        raise UnreadableDeliveryError("a notification lacks its id or its record")
    body = {
        "organization_id": organization_id,
        "notification_id": notification_id,
        "action_id": action_id,
        "object": record.get(_XSI_TYPE, "").rpartition(":")[2],
        "fields": dict(_fields(record)),
    }
    return Notification(f"{organization_id}:{notification_id}", json.dumps(body, separators=(",", ":")).encode())


def _fields(record: Element) -> Iterator[tuple[str, str]]:
    for child in record:
        if child.get(_XSI_NIL) != "true" and len(child) == 0:
            yield child.tag.rpartition("}")[2], child.text or ""


def _text(element: Element, name: str) -> str:
    return (element.findtext(f"{_OUTBOUND}{name}") or "").strip()
