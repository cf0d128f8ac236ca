"""How is an organisation told to send us its changes: outbound messages made through the Metadata API?

An outbound message names an endpoint and a user of that very organisation, so none can be shipped in a package. The
Metadata API takes it as SOAP; a repeated `upsertMetadata` changes nothing. Source: "upsertMetadata()" and
"WorkflowOutboundMessage" in the Metadata API developer guide (developer.salesforce.com/docs).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

import requests
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from connector.adapters.crm.salesforce.calls import OrgCalls
from connector.adapters.crm.salesforce.clients import API_VERSION
from connector.adapters.crm.salesforce.token_auth import Tokens
from connector.errors import CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRMAccount

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_METADATA = "http://soap.sforce.com/2006/04/metadata"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_MOST = 10  # components in one call, as the guide says
_WHAT = "make outbound messages"
_INVALID_SESSION = b"INVALID_SESSION_ID"
_HEADERS: Mapping[str, str] = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}


@dataclass(frozen=True, slots=True)
class OutboundMessageSpec:
    """One outbound message as it should be.

    Attributes:
        object_name: such as `Opportunity`.
        name: the message's own name, unique for the object, by which flows fire it.
        label: its name for people.
        description: when it is sent.
        fields: what each notification carries, beside the id.
        endpoint_url: where it goes; holds a secret, so never log it.
        username: the user as whom values are read: only what this user may see is sent.
    """

    object_name: str
    name: str
    label: str
    description: str
    fields: Sequence[str]
    endpoint_url: str = field(repr=False)
    username: str

    @property
    def full_name(self) -> str:
        """How the organisation knows it."""
        return f"{self.object_name}.{self.name}"


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one: created, changed or left as it was, or the reason why not."""

    full_name: str
    is_new: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class MetadataAPI:
    """Makes outbound messages in organisations."""

    calls: OrgCalls
    tokens: Tokens

    def put(self, account: CRMAccount, specs: Sequence[OutboundMessageSpec]) -> Sequence[Made]:
        """Create these outbound messages, or make them say this.

        Raises:
            CRMError: the organisation could not be asked, or does not let us.
        """
        made: list[Made] = []
        for start in range(0, len(specs), _MOST):
            made += self._put(account, specs[start : start + _MOST])
        return made

    def _put(self, account: CRMAccount, specs: Sequence[OutboundMessageSpec]) -> Sequence[Made]:
        """Make one call; the token stands in the body, where no retry of the session's changes it."""
        token = self.tokens.current(account.account_id)
        answer = self._post(account, envelope(specs, token))
        if _INVALID_SESSION in answer:
            token = self.tokens.renewed(account.account_id, token)
            answer = self._post(account, envelope(specs, token))
        return _results(answer)

    def _post(self, account: CRMAccount, body: bytes) -> bytes:
        answer: bytes = self.calls.make(account, _WHAT, lambda sf: _post(sf, body))
        return answer


def envelope(specs: Sequence[OutboundMessageSpec], token: str) -> bytes:
    """Write the request."""
    root = Element(f"{{{_SOAP}}}Envelope")
    session = SubElement(SubElement(root, f"{{{_SOAP}}}Header"), f"{{{_METADATA}}}SessionHeader")
    SubElement(session, f"{{{_METADATA}}}sessionId").text = token
    call = SubElement(SubElement(root, f"{{{_SOAP}}}Body"), f"{{{_METADATA}}}upsertMetadata")
    for spec in specs:
        item = SubElement(call, f"{{{_METADATA}}}metadata", {f"{{{_XSI}}}type": "WorkflowOutboundMessage"})
        for name, value in _values(spec):
            SubElement(item, f"{{{_METADATA}}}{name}").text = value
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _values(spec: OutboundMessageSpec) -> Iterator[tuple[str, str]]:
    """Give the elements in the order of the schema: what all metadata has, then by name."""
    yield "fullName", spec.full_name
    yield "apiVersion", API_VERSION
    yield "description", spec.description
    yield "endpointUrl", spec.endpoint_url
    for each in spec.fields:
        yield "fields", each
    yield "includeSessionId", "false"
    yield "integrationUser", spec.username
    yield "name", spec.label
    yield "protected", "false"
    yield "useDeadLetterQueue", "false"


def _post(sf: Any, body: bytes) -> bytes:
    session: requests.Session = sf.session
    url = f"https://{sf.sf_instance}/services/Soap/m/{API_VERSION}"
    answer = session.post(url, data=body, headers=_HEADERS)
    if answer.status_code >= 500 and b"Fault" not in answer.content:
        raise CRMUnavailableError(f"{_WHAT}: HTTP {answer.status_code}", status=answer.status_code)
    return bytes(answer.content)


def _results(answer: bytes) -> list[Made]:
    try:
        root = ElementTree.fromstring(answer, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise CRMUnavailableError(f"{_WHAT}: the answer cannot be read") from None
    fault = root.findtext(f".//{{{_SOAP}}}Fault/faultstring")
    if fault is not None:
        raise CRMRefusedError(f"{_WHAT}: {fault.strip()}")
    return [_made(each) for each in root.iter(f"{{{_METADATA}}}result")]


def _made(result: Element) -> Made:
    def told(name: str) -> str:
        return (result.findtext(f"{{{_METADATA}}}{name}") or "").strip()

    if told("success") == "true":
        return Made(told("fullName"), told("created") == "true")
    errors = result.findall(f"{{{_METADATA}}}errors")
    reasons = [each.findtext(f"{{{_METADATA}}}message") or "no reason given" for each in errors]
    return Made(told("fullName"), trouble="; ".join(reasons) or "no reason given")
