"""How does a browser see and touch the pretend world?

`create_page` is the whole page: its HTML, scripts and styles (all served from here, nothing from elsewhere), a
stream of snapshots, and an endpoint per thing a person can do. `?crm=` says in which CRM; without it, in the first.
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as WSGIResponse

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.refusals import RefusalError as HubSpotRefusalError
from connector.sandbox.page.actions import Actions, text_of
from connector.sandbox.page.cards import CardUnavailableError
from connector.sandbox.page.crm import Side
from connector.sandbox.page.record_cards import record_card_routes
from connector.sandbox.page.snapshot import Snapshot
from connector.sandbox.page.stream import Stream
from connector.sandbox.page.switches import Switches
from connector.sandbox.page.why import Why
from connector.sandbox.page.workflows import Workflows
from connector.sandbox.salesforce.refusals import RefusalError as SalesforceRefusalError
from connector.sandbox.twilio.refusals import RefusalError as TwilioRefusalError
from connector.sandbox.twilio.world import TwilioWorld

# Nothing but our own files; scripts and styles only from files, so no text shown can become either.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_page(
    sides: Mapping[str, Side],
    twilio_world: TwilioWorld,
    clock: SandboxClock,
    switches: Switches,
    workflows: Workflows,
    *,
    connector_url: str,
) -> Flask:
    """The page over all worlds; the connector at `connector_url` tells it why, and answers its record cards."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    snapshot = Snapshot(sides, twilio_world, clock)

    def take(crm: str) -> dict[str, Any]:
        # HubSpot's workflows call the action; Salesforce's flows have an action of their own in the package.
        runs = workflows.as_json() if crm == "hubspot" else None
        return {**snapshot.take(crm), "workflows": runs, "switches": switches.as_json()}

    def side() -> Side:
        return sides[request.args.get("crm") or next(iter(sides))]

    stream = Stream(sides.values(), twilio_world, clock, workflows, take)
    _show(app, connector_url, stream, side)
    _act(app, Actions(twilio_world, clock), side, switches, workflows, stream)
    app.register_blueprint(record_card_routes(side))
    app.before_request(_only_from_this_page)
    app.after_request(_with_headers)
    for error in (HubSpotRefusalError, SalesforceRefusalError, TwilioRefusalError, LookupError, ValueError):
        app.register_error_handler(error, _refused)
    app.register_error_handler(CardUnavailableError, _unavailable)
    return app


def _show(app: Flask, connector_url: str, stream: Stream, side: Callable[[], Side]) -> None:
    @app.get("/")
    def page() -> str:
        return render_template("page.html")

    @app.get("/start-page")
    def start_page() -> WSGIResponse:
        return redirect(f"{connector_url}/")

    @app.get("/state")
    def state() -> Response:
        return jsonify(stream.state(side().slug))

    @app.get("/events")
    def events() -> Response:
        return Response(stream.events(side().slug), content_type="text/event-stream")

    @app.get("/connector")
    def connector() -> Response:
        return jsonify(is_up=side().cards.is_up())

    @app.get("/why/text/<sid>")
    def why_text(sid: str) -> Response:
        return jsonify(Why(side()).text(sid, request.args.get("number", "")))

    @app.get("/why/entry/<contact_id>/<record_id>")
    def why_entry(contact_id: str, record_id: str) -> Response:
        return jsonify(Why(side()).entry(contact_id, record_id))

    @app.get("/why/contact/<contact_id>")
    def why_contact(contact_id: str) -> Response:
        return jsonify(Why(side()).contact(contact_id))


def _act(
    app: Flask, actions: Actions, side: Callable[[], Side], switches: Switches, workflows: Workflows, stream: Stream
) -> None:
    def on(path: str, act: Callable[..., object]) -> None:
        """Route a POST: the path's values and the JSON body go to `act`."""

        def view(**place: str) -> ResponseReturnValue:
            act(request.get_json(), **place)
            stream.wake()
            return "", 204

        app.add_url_rule(path, path, view, methods=["POST"])

    on("/deals/<deal>/stage", lambda body, deal: side().desk.move_deal(deal, text_of(body, "stage")))
    on("/invoices/<invoice>/pay", lambda _, invoice: side().desk.pay_invoice(invoice))
    on(
        "/invoices/<invoice>/due",
        lambda body, invoice: side().desk.set_due_date(invoice, text_of(body, "due_on")),
    )
    on(
        "/tickets",
        lambda body: side().desk.raise_ticket(
            text_of(body, "contact"), text_of(body, "subject"), text_of(body, "priority")
        ),
    )
    on(
        "/tickets/<ticket>/priority",
        lambda body, ticket: side().desk.set_priority(ticket, text_of(body, "priority")),
    )
    on(
        "/workflows",
        lambda body: workflows.run(text_of(body, "contact"), text_of(body, "body"), text_of(body, "wait_for")),
    )
    on("/phones/<number>/texts", lambda body, number: actions.write_text(number, text_of(body, "body")))
    on("/phones/<number>/power", lambda body, number: actions.switch_phone(number, bool(body.get("is_on"))))
    on("/clock", lambda body: actions.push_clock(text_of(body, "step"), side().view.time_zone))
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
