"""What does a record card on the page ask the connector for, as the CRM's own card would?

The answers pass through as they are, refusals too: the page shows what a rep would see.
"""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from connector.sandbox.page.cards import JSON
from connector.sandbox.page.crm import Side

_BODIES: Mapping[str, frozenset[str]] = {
    "preview": frozenset({"body", "template"}),
    "messages": frozenset({"body", "template", "idempotency_key"}),
    "consent": frozenset({"action", "wording"}),
}
"""What a card may post, and with which fields: the page passes nothing else on."""


def record_card_routes(side: Callable[[], Side]) -> Blueprint:
    """`/card/<contact>` (GET), `/card/<contact>/preview|messages|consent` (POST) and `/card-templates` (GET).

    `side` gives the CRM this request is about.
    """
    routes = Blueprint("record_cards", __name__)

    @routes.get("/card/<contact>")
    def show(contact: str) -> ResponseReturnValue:
        before = request.args.get("before", "")
        return _ask("GET", contact, {"before": before} if before else {})

    @routes.post("/card/<contact>/<any(preview, messages, consent):act>")
    def do(contact: str, act: str) -> ResponseReturnValue:
        given = request.get_json()
        body = {name: value for name, value in given.items() if name in _BODIES[act]}
        return _ask("POST", contact, {}, act, body)

    @routes.get("/card-templates")
    def templates() -> ResponseReturnValue:
        status, said = side().cards.ask("GET", "/templates")
        return jsonify(said), status

    def _ask(
        method: str, contact: str, query: Mapping[str, str], act: str = "", body: JSON | None = None
    ) -> ResponseReturnValue:
        path = f"/contacts/{quote(contact, safe='')}" + (f"/{act}" if act else "")
        kind = {"object_type": side().object_type(contact)}
        status, said = side().cards.ask(method, path, {**kind, **query}, body)
        return jsonify(said), status

    return routes
