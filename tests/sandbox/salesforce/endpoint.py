"""An endpoint for outbound messages that reads them and can be told to misbehave."""

import threading
from xml.etree import ElementTree as ET

from flask import Flask, Response, request

from connector.sandbox.clock import SandboxClock
from connector.sandbox.control import control_blueprint
from connector.sandbox.faults import Faults

SOAP, OUTBOUND = "http://schemas.xmlsoap.org/soap/envelope/", "http://soap.sforce.com/2005/09/outbound"
NAMES = {"s": SOAP, "o": OUTBOUND, "sf": "urn:sobject.enterprise.soap.sforce.com"}
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ACK = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)


def read(body: bytes) -> ET.Element:
    return ET.fromstring(body)  # noqa: S314 - the sandbox wrote it


def local(element: ET.Element) -> str:
    return element.tag.partition("}")[2]


class Endpoint:
    """An endpoint that reads notifications and can be told to misbehave."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.app = Flask(__name__)
        self.app.register_blueprint(control_blueprint(SandboxClock(), self.faults))
        self.app.post("/hook")(self.faults.guard("hook")(self.hook))
        self.url = ""
        self.answer = Response(ACK, content_type="text/xml")
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self._answered = 0
        self._heard = threading.Condition()
        self.app.after_request(self._count)

    def _count(self, response: Response) -> Response:
        with self._heard:
            self._answered += 1
            self._heard.notify_all()
        return response

    def wait_for_answers(self, count: int) -> None:
        """Until this many requests were answered, whatever the answer."""
        with self._heard:
            assert self._heard.wait_for(lambda: self._answered >= count, timeout=10)

    def hook(self) -> Response:
        self.bodies.append(request.get_data())
        self.headers.append(dict(request.headers))
        return self.answer

    def notifications(self) -> list[tuple[str, dict[str, str]]]:
        """Every notification that arrived: its id and the fields of its record."""
        seen = []
        for body in self.bodies:
            for each in read(body).findall(".//o:Notification", NAMES):
                values = {local(field): field.text or "" for field in each.findall("./o:sObject/*", NAMES)}
                seen.append((each.findtext("o:Id", "", NAMES), values))
        return seen
