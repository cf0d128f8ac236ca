"""How is SOAP written and read here, with nothing in it that could open a file or a connection?"""

from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
CONTENT_TYPE = "text/xml; charset=utf-8"


class NotSoapError(ValueError):
    """What came is no XML, or declares a document type."""


def read_xml(body: bytes) -> ET.Element:
    """The root of a document; NotSoapError for what is none, and for one with a DTD."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise NotSoapError("a document type is not allowed")
    try:
        return ET.fromstring(body)  # noqa: S314 - entities cannot be declared, see above
    except ET.ParseError as error:
        raise NotSoapError(str(error)) from error


def element(name: str, value: object) -> str:
    """One element with text in it; booleans as XML has them."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"
