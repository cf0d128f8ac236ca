"""What does a Metadata API request say, and how is it answered?

Messages and types: the Metadata WSDL (Metadata API 63.0 and later), namespace http://soap.sforce.com/2006/04/metadata.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from connector.sandbox.salesforce.outbound_messages import OutboundMessage
from connector.sandbox.salesforce.soap import ENVELOPE, SCHEMA_INSTANCE, NotSoapError, element, read_xml

METADATA = "http://soap.sforce.com/2006/04/metadata"
_TYPE = f"{{{SCHEMA_INSTANCE}}}type"


class FaultError(Exception):
    """A request that is answered by a SOAP fault with HTTP 500: a code and a message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SaveError(Exception):
    """One component that cannot be saved: `statusCode` and `message` of its result."""

    def __init__(self, code: str, message: str, fields: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = tuple(fields)


@dataclass(frozen=True)
class Call:
    """A request: the session it came with, the operation and its element."""

    session_id: str
    operation: str
    body: ET.Element

    def texts(self, name: str) -> list[str]:
        """The texts of the operation's children of that name."""
        return [(each.text or "").strip() for each in self.body.findall(f"{{{METADATA}}}{name}")]

    def components(self) -> list[ET.Element]:
        """The `metadata` elements of a write."""
        return self.body.findall(f"{{{METADATA}}}metadata")


def read_call(body: bytes) -> Call:
    """The call in an envelope; a fault when it is none."""
    try:
        root = read_xml(body)
    except NotSoapError as error:
        raise FaultError("soapenv:Client", f"content is not valid XML: {error}") from error
    if root.tag != f"{{{ENVELOPE}}}Envelope":
        raise FaultError("soapenv:VersionMismatch", "no SOAP 1.1 envelope")
    session = root.find(f"./{{{ENVELOPE}}}Header/{{{METADATA}}}SessionHeader/{{{METADATA}}}sessionId")
    inner = root.find(f"./{{{ENVELOPE}}}Body/*")
    if inner is None or not inner.tag.startswith(f"{{{METADATA}}}"):
        raise FaultError("soapenv:Client", "No operation available for request")
    session_id = (session.text or "").strip() if session is not None else ""
    return Call(session_id, inner.tag.partition("}")[2], inner)


def type_of(component: ET.Element) -> str:
    """The metadata type of a component: its xsi:type without a prefix."""
    return component.get(_TYPE, "").rpartition(":")[2]


def fields_of(component: ET.Element) -> dict[str, list[str]]:
    """The children of a component in the metadata namespace: name to texts, in order."""
    read: dict[str, list[str]] = {}
    for child in component:
        if not child.tag.startswith(f"{{{METADATA}}}") or len(child):
            raise FaultError("soapenv:Client", f"Element {child.tag} invalid at this location")
        read.setdefault(child.tag.partition("}")[2], []).append((child.text or "").strip())
    return read


def answer(operation: str, results: Iterable[str]) -> str:
    """The envelope of an operation's answer; the results are XML already."""
    body = "".join(f"<result>{each}</result>" for each in results)
    return _envelope(f'<{operation}Response xmlns="{METADATA}">{body}</{operation}Response>')


def fault(error: FaultError) -> str:
    """The envelope of a fault."""
    code = error.code if ":" in error.code else f"sf:{error.code}"
    text = error.message if ":" in error.code else f"{error.code}: {error.message}"
    return _envelope(
        f'<soapenv:Fault xmlns:sf="{METADATA}"><faultcode>{code}</faultcode>'
        f"<faultstring>{escape(text)}</faultstring></soapenv:Fault>"
    )


def saved(full_name: str, *, created: bool | None = None) -> str:
    """The result of a component that was saved; `created` for upserts only."""
    return f"{_created(created)}{element('fullName', full_name)}{element('success', True)}"


def not_saved(full_name: str, error: SaveError, *, created: bool | None = None) -> str:
    """The result of one that was not."""
    fields = "".join(element("fields", each) for each in error.fields)
    told = f"<errors>{fields}{element('message', error.message)}{element('statusCode', error.code)}</errors>"
    return f"{_created(created)}{told}{element('fullName', full_name)}{element('success', False)}"


def shown(message: OutboundMessage) -> str:
    """An outbound message as readMetadata has it, in the order of its type."""
    described = element("description", message.description) if message.description else ""
    fields = "".join(element("fields", each) for each in message.fields)
    return (
        f'<records xsi:type="WorkflowOutboundMessage">{element("fullName", message.full_name)}'
        f"{element('apiVersion', message.api_version)}{described}{element('endpointUrl', message.endpoint_url)}"
        f"{fields}{element('includeSessionId', False)}{element('integrationUser', message.integration_user)}"
        f"{element('name', message.label or message.name)}{element('protected', message.is_protected)}</records>"
    )


def listed(message: OutboundMessage, user_id: str, user_name: str) -> str:
    """An outbound message as listMetadata has it, made and last changed by this user."""
    made, changed = (
        f"{element(f'{did}ById', user_id)}{element(f'{did}ByName', user_name)}{element(f'{did}Date', message.saved_at)}"
        for did in ("created", "lastModified")
    )
    return (
        f"{made}{element('fileName', f'workflows/{message.object_name}.workflow')}"
        f"{element('fullName', message.full_name)}{element('id', message.action_id)}{changed}"
        f"{element('type', 'WorkflowOutboundMessage')}"
    )


def _created(created: bool | None) -> str:
    return "" if created is None else element("created", created)


def _envelope(body: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" '
        f'xmlns:xsi="{SCHEMA_INSTANCE}"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )
