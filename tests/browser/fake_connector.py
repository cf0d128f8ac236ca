"""Who answers the sandbox in tests of the page: a connector that only records, and tells the traces it is given?"""

import threading
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.hubspot.signing import sign_v3


def step(kind: str, summary: str, **more: Any) -> dict[str, Any]:
    """One line of a trace."""
    place = {"path": "steps[0].send", "file": "mappings/journeys/appointment.yaml", "line": 14}
    return {"at": "2026-11-21T14:03:07+00:00", "kind": kind, "summary": summary, "values": {}, **place, **more}


def message(sid: str | None, body: str, **more: Any) -> dict[str, Any]:
    """One message of a contact's card."""
    return {
        "id": "01939d2e-7f3a-7bd0-8f41-0a4c7bd6a001",
        "direction": "out",
        "to": "+12025550143",
        "from": "+12025550100",
        "body": body,
        "state": "delivered",
        "state_reason": None,
        "purpose": "transactional",
        "journey": "appointment-confirmation",
        "step": "confirm",
        "segments": 1,
        "created_at": "2026-11-21T14:03:06+00:00",
        "provider_message_id": sid,
        "crm_record_id": None,
        "engagement": [],
        "not_before": None,
        "expires_at": None,
        "trace": [step("message.queued", "Queued the text of step confirm", values={"deal.stage": "booked"})],
        **more,
    }


@dataclass
class FakeConnector:
    """Records what arrives; `cards` are the answers to signed card requests, by contact id."""

    client_secret: str
    cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    inbound: list[dict[str, str]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def app(self) -> Flask:
        app = Flask("fake_connector")

        @app.get("/healthz")
        def health() -> str:
            return "ok"

        @app.post("/webhooks/hubspot")
        def webhook() -> str:
            self.events += request.get_json()
            self.arrived.set()
            return ""

        @app.post("/callbacks/twilio/inbound")
        def inbound() -> ResponseReturnValue:
            self.inbound.append(request.form.to_dict())
            self.arrived.set()
            return "<Response/>", 200, {"Content-Type": "text/xml"}

        @app.get("/hubspot/card/contacts/<contact_id>/trace")
        def card(contact_id: str) -> ResponseReturnValue:
            if not self._is_signed():
                return "not from them", 401
            if contact_id not in self.cards:
                return "", 404
            return jsonify(self.cards[contact_id])

        return app

    def give(self, contact_id: str, *messages: dict[str, Any], trace: list[dict[str, Any]] | None = None) -> None:
        """Let the card of a contact hold these messages and contact-level decisions."""
        contact = {"crm_id": contact_id, "msisdn": "+12025550143", "opted_out": False}
        self.cards[contact_id] = {"contact": contact, "messages": list(messages), "trace": trace or []}

    def _is_signed(self) -> bool:
        timestamp = request.headers.get("X-HubSpot-Request-Timestamp", "")
        url = self.url + request.full_path
        wanted = sign_v3("GET", url, b"", timestamp, self.client_secret)
        return request.headers.get("X-HubSpot-Signature-v3") == wanted
