"""Through which addresses can one come in, with whose credentials, and what is answered to who asks for another's?"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from connector.bootstrap import Connector
from tests.adapters.webhooks.signing import timestamped
from tests.tenancy.keeping import Kept, account_secret, api_secret
from tests.tenancy.outside import HUBSPOT_SECRET
from tests.tenancy.owners import HUBSPOT, OWN, SHARED, Owner

PUBLIC = "https://sms.example.com"

Headers = dict[str, str]
Show = Callable[["Visit"], Headers]
Bodies = Callable[[Kept], Sequence[Any]]
"""What is sent, made of another tenant's rows: several bodies, or None for no body."""


@dataclass(frozen=True)
class Visit:
    """One request of an account's."""

    connector: Connector
    visitor: Owner
    method: str
    target: str
    body: bytes


def api_key(visit: Visit) -> Headers:
    """Show the visitor's own API key, which has every scope."""
    return {"Authorization": f"Bearer {api_secret(visit.visitor, OWN)}"}


def hubspot(visit: Visit) -> Headers:
    """Be signed by HubSpot, in whose app the visitor sits."""
    stamp = str(int(visit.connector.clock.now().timestamp() * 1000))
    signed = f"{visit.method}{PUBLIC}{visit.target}".encode() + visit.body + stamp.encode()
    signature = base64.b64encode(hmac.digest(HUBSPOT_SECRET.encode(), signed, hashlib.sha256)).decode()
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}


def webhook(visit: Visit) -> Headers:
    """Sign with the visitor's own secret for the system."""
    return timestamped(account_secret(visit.visitor, SHARED), visit.body, visit.connector.clock.now())


def guess(visit: Visit) -> Headers:
    """Show all that a tenant has where something else is asked for."""
    secret = api_secret(visit.visitor, OWN)
    basic = base64.b64encode(f"{visit.visitor.account_id}:{secret}".encode()).decode()
    return api_key(visit) | {"Authorization": f"Basic {basic}", "X-Twilio-Signature": secret}


def _nothing(_kept: Kept) -> Sequence[Any]:
    return [None]


@dataclass(frozen=True)
class Door:
    """What is known of one address and method.

    Attributes:
        show: what the visitor proves itself with.
        answers: the only statuses with which a visitor may be answered who names what is another's alone.
        why: why this is right.
        bodies: what is sent, made of another tenant's rows.
        query: what is asked, likewise; HubSpot's signed portal is added where HubSpot signs.
    """

    show: Show
    answers: frozenset[int]
    why: str
    bodies: Bodies = _nothing
    query: Callable[[Kept], str] = lambda _kept: ""


def _door(show: Show, answers: int | set[int], why: str, **more: Any) -> Door:
    return Door(show, frozenset({answers} if isinstance(answers, int) else answers), why, **more)


def _number(kept: Kept) -> str:
    return kept.owner.number(kept.key)


def _ids(kept: Kept) -> Sequence[Any]:
    return [{"ids": sorted(set(kept.ids()))}]


def _key(kept: Kept) -> str:
    """Give a key that others use too; their own stays out of what is ordered, to be told from what is given away."""
    return kept.texts["queued"].idempotency_key if kept.key == SHARED else f"order to {_number(kept)}"


def _order(kept: Kept) -> dict[str, Any]:
    return {"to": _number(kept), "body": "hello", "idempotency_key": _key(kept)}


def _opt_out(_kept: Kept) -> Sequence[Any]:
    return [{"action": "opt_out", "wording": "stop"}]


def _draft(kept: Kept) -> Sequence[Any]:
    return [{"body": f"hello {kept.key}"}]


def _reply(kept: Kept) -> Sequence[Any]:
    return [{"body": "hello", "idempotency_key": _key(kept)}]


def _call(portal: Callable[[Kept], str]) -> Bodies:
    def made(kept: Kept) -> Sequence[Any]:
        contact = {"objectType": "CONTACT", "objectId": kept.owner.contact_in_crm(kept.key)}
        inputs = {"message_kind": "text", "body": "hello", "wait_for": "reply"}
        callback = kept.rows["workflow_calls"].callback_id
        return [
            {"callbackId": callback, "origin": {"portalId": portal(kept)}, "object": contact, "inputFields": inputs}
        ]

    return made


_OWN_ONLY = "lists and finds the key's account only"
_PASSWORD = "asks for the operator's password, which no tenant has"
_GATEWAY = "asks for the gateway's signature, which no tenant has"
_NOT_THEIRS = "the account has nothing of this id"
_PUBLIC = "is for everybody, and says nothing of anybody"
_IDS_PASSED_OVER = "what is not the account's is passed over, and called by the id it was asked for"
_CARD = "the account has no such contact"
_OWN_TEXT = "may text and record what it likes, in its own account; the row that is made is its own"

_CARDS: Sequence[tuple[str, str, str, set[int], str, Bodies]] = (
    ("show_card", "show", "GET", {404}, _CARD, _nothing),
    ("trace_card", "trace", "GET", {200}, "a contact the account does not have has no trace", _nothing),
    ("list_templates", "templates", "GET", {200}, "names the templates, which are everybody's", _nothing),
    ("preview_text", "preview", "POST", {404}, _CARD, _draft),
    ("send_reply", "reply", "POST", {404}, _CARD, _reply),
    ("record_card_consent", "record_consent", "POST", {404}, _CARD, _opt_out),
    ("show_settings", "settings", "GET", {200}, _OWN_ONLY, _nothing),
    ("change_settings", "change_settings", "PATCH", {200}, _OWN_ONLY, lambda _kept: [{"settings": {}}]),
    ("change_journey", "change_journey", "PATCH", {404, 409}, _NOT_THEIRS, lambda _kept: [{"enabled": True}]),
)
"""A card's acts, by what they are called for programs and for HubSpot's own card."""

DOORS: Mapping[str, Door] = {
    "GET static": _door(guess, {200, 404}, _PUBLIC),
    "GET health.alive": _door(guess, 200, _PUBLIC),
    "GET health.ready": _door(guess, 200, _PUBLIC),
    "GET api-docs.openapi_json": _door(guess, 200, _PUBLIC),
    "GET links.follow": _door(guess, {302, 404}, "the code stands in the text: whoever has it was given it"),
    "GET start_page.show": _door(guess, 401, _PASSWORD),
    "GET dead_letters_page.show": _door(guess, 401, _PASSWORD),
    "POST dead_letters_page.decide": _door(guess, 401, _PASSWORD),
    "GET accounts_page.listed": _door(guess, 401, _PASSWORD),
    "GET accounts_page.show": _door(guess, 401, _PASSWORD),
    "POST accounts_page.change": _door(guess, 401, _PASSWORD),
    "GET journeys_page.listed": _door(guess, 401, _PASSWORD),
    "GET journeys_page.show": _door(guess, 401, _PASSWORD),
    "POST journeys_page.act": _door(guess, 401, _PASSWORD),
    "GET install.choose": _door(guess, 200, _PUBLIC),
    "GET install.begin": _door(
        guess, {200, 302, 400, 429}, "connects the account of whoever is let through at the CRM's consent page"
    ),
    "GET install.finish": _door(guess, 400, "the state stands in the cookie of the browser that set out"),
    "GET install.reconnect": _door(guess, {200, 404}, "says that an account has to be connected again, and not whose"),
    "POST webhooks.hubspot": _door(guess, 401, "asks for HubSpot's signature", bodies=lambda _kept: [[{}]]),
    "POST salesforce.outbound_messages": _door(guess, 404, "the secret in the path is the only thing that opens"),
    "POST generic_webhooks.generic": _door(webhook, {401, 404}, "each account's systems sign with its own secret"),
    **{f"{method} callbacks.{kind}": _door(guess, {401, 403, 404}, _GATEWAY)
       for method in ("GET", "POST") for kind in ("status", "inbound")},
    "POST workflow_actions.send_sms": _door(
        guess, 401, "asks for HubSpot's signature", bodies=_call(lambda kept: kept.owner.external_id)
    ),
    "GET workflow_actions.templates": _door(hubspot, 200, "names the templates, which are everybody's"),
    "POST workflow_actions.templates": _door(hubspot, 200, "names the templates, which are everybody's"),
    "POST api_messages.send_message": _door(api_key, {200, 201}, _OWN_TEXT, bodies=lambda kept: [_order(kept)]),
    "POST api_messages.send_messages": _door(
        api_key, 200, _OWN_TEXT, bodies=lambda kept: [{"messages": [_order(kept)]}]
    ),
    "GET api_messages.list_messages": _door(
        api_key, 200, _OWN_ONLY, query=lambda kept: f"before={kept.texts['queued'].id}"
    ),
    "POST api_messages.search_messages": _door(api_key, 200, _OWN_ONLY, bodies=lambda kept: [{"to": _number(kept)}]),
    "GET api_messages.message_status": _door(api_key, 404, _NOT_THEIRS),
    "POST api_messages.cancel_message": _door(api_key, 404, _NOT_THEIRS),
    "POST api_conversations.read_conversation": _door(
        api_key, 200, _OWN_ONLY, bodies=lambda kept: [{"number": _number(kept)}]
    ),
    "POST api_consents.read_consent": _door(api_key, 200, _OWN_ONLY, bodies=lambda kept: [{"number": _number(kept)}]),
    "POST api_consents.record_consent": _door(
        api_key, 200, _OWN_TEXT,
        bodies=lambda kept: [{"number": _number(kept), "kind": "opt_in", "scope": "all", "wording": "yes"}],
    ),
    "POST api_lookups.known_of_numbers": _door(
        api_key, 200, _OWN_ONLY, bodies=lambda kept: [{"numbers": [_number(kept)]}]
    ),
    "POST api_lookups.look_up_number": _door(
        api_key, {409, 502}, "asks a gateway on the account's own budget; here none answers",
        bodies=lambda kept: [{"number": _number(kept)}],
    ),
    "GET api_callbacks.list_failed_callbacks": _door(api_key, 200, _OWN_ONLY),
    "POST api_callbacks.replay_callbacks": _door(api_key, 200, _IDS_PASSED_OVER, bodies=_ids),
    "GET api_dead_letters.list_dead_letters": _door(api_key, 200, _OWN_ONLY),
    "POST api_dead_letters.replay_dead_letters": _door(api_key, 200, _IDS_PASSED_OVER, bodies=_ids),
    "POST api_dead_letters.drop_dead_letters": _door(api_key, 200, _IDS_PASSED_OVER, bodies=_ids),
    "GET api_providers.list_providers": _door(api_key, 200, "how gateways fare, which are everybody's"),
    "GET api_providers.provider_status": _door(api_key, 404, "no gateway is called so"),
    **{f"{method} api_card.{name}": _door(api_key, answers, why, bodies=bodies)
       for name, _, method, answers, why, bodies in _CARDS},
    **{f"{method} hubspot_card.{name}": _door(hubspot, answers, why, bodies=bodies)
       for _, name, method, answers, why, bodies in _CARDS},
}  # fmt: skip
"""By method and endpoint: every address there is."""

_USUAL = {"source": "stripe", "gateway": "twilio", "crm": "hubspot", "name": "twilio", "filename": "start_page.css"}
"""Parts of a path that name no row, while another part is tried."""


def doors(app: Flask) -> Iterator[tuple[str, Rule]]:
    """Give every address of the application, once for each method."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield f"{method} {rule.endpoint}", rule


def paths(app: Flask, rule: Rule, kept: Kept) -> Iterator[str]:
    """Give a rule's path once for each id of another owner's in each of its variables.

    An id of the CRM's that the account does not know is asked for in the CRM, which takes time: of those a few are
    tried, each of another kind.
    """
    address = app.url_map.bind("sms.example.com")
    if not rule.arguments:
        yield address.build(rule.endpoint)
    for tried in sorted(rule.arguments):
        for each in sorted(_few(kept) if tried == "crm_id" else _many(kept)):
            values = {name: each if name == tried else _USUAL.get(name, each) for name in rule.arguments}
            yield address.build(rule.endpoint, values)


def _few(kept: Kept) -> set[str]:
    contact = kept.rows["contacts"]
    return {contact.id, contact.crm_id, kept.texts["delivered"].id, kept.owner.account_id, kept.owner.external_id}


def _many(kept: Kept) -> set[str]:
    return {*kept.ids(), *_few(kept)}


def come_in(
    connector: Connector, client: FlaskClient, visitor: Owner, name: str, path: str, kept: Kept
) -> Iterator[tuple[str, TestResponse]]:
    """Call one address as a visitor with everything another owner has; give what was asked with each answer."""
    door, method = DOORS[name], name.split(maxsplit=1)[0]
    signed = (
        f"portalId={visitor.external_id}&userEmail=rep@{visitor.tenant}.example.com" if door.show is hubspot else ""
    )
    query = "&".join(filter(None, (signed, door.query(kept))))
    target = f"{path}?{query}" if query else path
    for body in door.bodies(kept):
        raw = b"" if body is None else json.dumps(body).encode()
        headers = door.show(Visit(connector, visitor, method, target, raw))
        kind = None if body is None else "application/json"
        answer = client.open(target, method=method, data=raw, headers=headers, content_type=kind)
        yield f"{target} {raw.decode()}", answer


def may_visit(name: str, visitor: Owner) -> bool:
    """Tell whether an account can come to a door at all: only a portal sits in HubSpot."""
    return visitor.crm == HUBSPOT or DOORS[name].show is not hubspot
