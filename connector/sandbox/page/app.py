"""How does a browser see and touch the pretend world?

`create_page` is the whole page: its HTML, scripts and styles (all served from here, nothing from elsewhere), a
stream of snapshots, and an endpoint per thing a person can do.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as WSGIResponse

from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.refusals import RefusalError as HubSpotRefusalError
from connector.sandbox.hubspot.webhooks import WebhookSender
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.page.actions import Actions, text_of
from connector.sandbox.page.cards import Cards, CardUnavailableError
from connector.sandbox.page.snapshot import Snapshot
from connector.sandbox.page.stream import Stream
from connector.sandbox.page.switches import Switches
from connector.sandbox.page.why import Why
from connector.sandbox.twilio.refusals import RefusalError as TwilioRefusalError
from connector.sandbox.twilio.world import TwilioWorld

# Nothing but our own files; scripts and styles only from files, so no text shown can become either.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_page(
    hubspot_world: HubSpotWorld,
    webhooks: WebhookSender,
    twilio_world: TwilioWorld,
    clock: SandboxClock,
    faults: Faults,
    *,
    connector_url: str,
    client_secret: str,
    portal_id: int,
) -> Flask:
    """The page over both worlds, about one portal; the connector at `connector_url` tells it why."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    snapshot = Snapshot(hubspot_world, twilio_world, clock, portal_id)
    switches = Switches(faults, webhooks, twilio_world)
    stream = Stream(hubspot_world, twilio_world, clock, lambda: {**snapshot.take(), "switches": switches.as_json()})
    cards = Cards(clock, connector_url=connector_url, client_secret=client_secret, portal_id=portal_id)
    _show(app, connector_url, stream, cards, Why(cards, hubspot_world, portal_id))
    _act(app, Actions(hubspot_world, twilio_world, clock, portal_id), switches, stream)
    app.before_request(_only_from_this_page)
    app.after_request(_with_headers)
    for error in (HubSpotRefusalError, TwilioRefusalError, LookupError, ValueError):
        app.register_error_handler(error, _refused)
    app.register_error_handler(CardUnavailableError, _unavailable)
    return app


def _show(app: Flask, connector_url: str, stream: Stream, cards: Cards, why: Why) -> None:
    @app.get("/")
    def page() -> str:
        return render_template("page.html")

    @app.get("/start-page")
    def start_page() -> WSGIResponse:
        return redirect(f"{connector_url}/")

    @app.get("/state")
    def state() -> Response:
        return jsonify(stream.state())

    @app.get("/events")
    def events() -> Response:
        return Response(stream.events(), content_type="text/event-stream")

    @app.get("/connector")
    def connector() -> Response:
        return jsonify(is_up=cards.is_up())

    @app.get("/why/text/<sid>")
    def why_text(sid: str) -> Response:
        return jsonify(why.text(sid, request.args.get("number", "")))

    @app.get("/why/entry/<contact_id>/<record_id>")
    def why_entry(contact_id: str, record_id: str) -> Response:
        return jsonify(why.entry(contact_id, record_id))

    @app.get("/why/contact/<contact_id>")
    def why_contact(contact_id: str) -> Response:
        return jsonify(why.contact(contact_id))


def _act(app: Flask, actions: Actions, switches: Switches, stream: Stream) -> None:
    def on(path: str, act: Callable[..., object]) -> None:
        """Route a POST: the path's values and the JSON body go to `act`."""

        def view(**place: str) -> ResponseReturnValue:
            act(request.get_json(), **place)
            stream.wake()
            return "", 204

        app.add_url_rule(path, path, view, methods=["POST"])

    on("/deals/<deal>/stage", lambda body, deal: actions.move_deal(deal, text_of(body, "stage")))
    on("/invoices/<invoice>/pay", lambda _, invoice: actions.pay_invoice(invoice))
    on(
        "/invoices/<invoice>/due",
        lambda body, invoice: actions.set_due_date(invoice, text_of(body, "due_on")),
    )
    on(
        "/tickets",
        lambda body: actions.raise_ticket(
            text_of(body, "contact"), text_of(body, "subject"), text_of(body, "priority")
        ),
    )
    on(
        "/tickets/<ticket>/priority",
        lambda body, ticket: actions.set_priority(ticket, text_of(body, "priority")),
    )
    on("/phones/<number>/texts", lambda body, number: actions.write_text(number, text_of(body, "body")))
    on("/phones/<number>/power", lambda body, number: actions.switch_phone(number, bool(body.get("is_on"))))
    on("/clock", lambda body: actions.push_clock(text_of(body, "step")))
    on("/switches/<name>", lambda body, name: switches.turn(name, bool(body.get("is_on"))))


def _only_from_this_page() -> ResponseReturnValue | None:
    """Another site's form cannot send JSON without asking first, so JSON is what is asked for."""
    if request.method == "POST" and not request.is_json:
        return jsonify(error="JSON is needed."), 415
    return None


def _with_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def _refused(error: Any) -> ResponseReturnValue:
    message = getattr(error, "message", None) or (error.args[0] if error.args else "That did not work.")
    return jsonify(error=str(message)), 400


def _unavailable(error: CardUnavailableError) -> ResponseReturnValue:
    return jsonify(error=str(error)), 502
