"""What does the page's server answer a browser, and what does it refuse?"""

import json
from collections.abc import Iterator
from datetime import datetime

import httpx
import pytest

from connector.sandbox.demo import PORTAL_ID, Demo, build_demo
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.hubspot.signing import sign_v3
from connector.sandbox.page.app import create_page
from connector.sandbox.page.cards import Cards
from connector.sandbox.page.plain_text import plain_text
from connector.sandbox.page.zones import iana_zone, next_morning

NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens, so the connector is down


@pytest.fixture
def demo() -> Iterator[Demo]:
    demo = build_demo(connector_url=NOWHERE, pace=Pace.fast())
    yield demo
    demo.stop()


@pytest.fixture
def browser(demo: Demo) -> Iterator[httpx.Client]:
    app = create_page(
        demo.hubspot_world,
        demo.webhooks,
        demo.twilio_world,
        demo.clock,
        demo.faults,
        connector_url=NOWHERE,
        client_secret=demo.webhooks.client_secret,
        portal_id=PORTAL_ID,
    )
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://page.test") as client:
        yield client


def test_the_page_allows_nothing_but_its_own_files(browser: httpx.Client) -> None:
    answer = browser.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "://" not in answer.text.replace("http://www.w3.org/2000/svg", "")


def test_the_page_leads_to_the_connectors_start_page(browser: httpx.Client) -> None:
    assert 'href="/start-page"' in browser.get("/").text
    assert browser.get("/start-page").headers["Location"] == f"{NOWHERE}/"


def test_the_state_shows_people_deals_invoices_and_phones(browser: httpx.Client) -> None:
    state = browser.get("/state").json()
    assert [contact["name"] for contact in state["contacts"]][:2] == ["Maya Lindqvist", "Marcus Achterberg"]
    assert {deal["contact"]["name"] for deal in state["deals"]} >= {"Maya Lindqvist", "Lena Vogt"}
    assert [invoice["days_late"] for invoice in state["invoices"]] == [2, -1, -4]
    shared = next(phone for phone in state["phones"] if phone["name"] == "Marcus Achterberg")
    assert len(shared["contacts"]) == 2
    assert shared["zone"] == "US/Pacific"
    assert [switch["is_on"] for switch in state["switches"]] == [False] * 5


def test_a_contact_s_timeline_tells_texts_tasks_and_notes_apart(browser: httpx.Client, demo: Demo) -> None:
    contact = demo.hubspot_world.list(PORTAL_ID, "contacts")[0]["id"]
    at = {"hs_timestamp": "2026-11-20T12:00:00Z"}
    demo.hubspot_world.create(PORTAL_ID, "notes", {"hs_note_body": "It is paid", **at}, [("contacts", contact)])
    demo.hubspot_world.create(PORTAL_ID, "tasks", {"hs_task_subject": "Call", **at}, [("contacts", contact)])
    (shown,) = (each for each in browser.get("/state").json()["contacts"] if each["id"] == contact)
    assert {(entry["kind"], entry["title"] or entry["body"]) for entry in shown["timeline"]} >= {
        ("note", "It is paid"),
        ("task", "Call"),
    }
    assert 'id="i-note"' in browser.get("/").text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/deals/1/stage", {"stage": "closedwon"}),
        ("/deals/1/stage", {}),
        ("/tickets", {"contact": "1", "subject": " ", "priority": "HIGH"}),
        ("/clock", {"step": "back"}),
        ("/switches/gravity", {"is_on": True}),
        ("/phones/+12025550143/texts", {"body": "  "}),
        ("/phones/+12025550143/texts", {"body": "x" * 1601}),
        ("/invoices/1/due", {"due_on": "tomorrow"}),
    ],
)
def test_a_mistake_is_answered_400_with_a_sentence(browser: httpx.Client, path: str, body: dict[str, str]) -> None:
    answer = browser.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_form_of_another_site_is_refused(browser: httpx.Client, demo: Demo) -> None:
    assert browser.post("/clock", data={"step": "day"}).status_code == 415
    assert demo.clock.offset.total_seconds() == 0


def test_a_connector_that_is_down_is_said_in_one_line(browser: httpx.Client) -> None:
    contact = browser.get("/state").json()["contacts"][0]["id"]
    answer = browser.get(f"/why/contact/{contact}")
    assert (answer.status_code, answer.json()) == (
        502,
        {"error": "The connector cannot be reached. Is it running?"},
    )
    assert browser.get("/connector").json() == {"is_up": False}


def test_a_card_is_asked_for_with_a_v3_signature_over_the_whole_url(demo: Demo) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"contact": {}, "messages": [], "trace": []})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        Cards(
            demo.clock,
            connector_url="https://connector.example/",
            client_secret="secret",
            portal_id=7,
            client=client,
        ).of("51")
    url = "https://connector.example/cards/hubspot/contacts/51?portalId=7"
    timestamp = asked[0].headers["X-HubSpot-Request-Timestamp"]
    assert str(asked[0].url) == url
    assert asked[0].headers["X-HubSpot-Signature-v3"] == sign_v3("GET", url, b"", timestamp, "secret")


def test_the_stream_sends_a_snapshot_at_once_and_after_a_change(demo: Demo) -> None:
    demo.page.start()
    with httpx.stream("GET", f"{demo.page.url}/events", timeout=10) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data: "))
        first = json.loads(next(lines)[6:])
        demo.twilio_world.reply("+12025550143", next(iter(demo.twilio_world.senders)), "hello")
        second = json.loads(next(lines)[6:])
    assert first["phones"][0]["bubbles"] == []
    assert second["phones"][0]["bubbles"][0]["body"] == "hello"


def test_a_reply_goes_to_the_number_that_wrote_last(browser: httpx.Client, demo: Demo) -> None:
    demo.twilio_world.add_sender("+12025550101")
    demo.twilio_world.create({"To": "+12025550143", "From": "+12025550101", "Body": "Hi"})
    demo.twilio.engine.flush()
    assert browser.post("/phones/+12025550143/texts", json={"body": "Hello"}).status_code == 204
    assert demo.twilio_world.conversation("+12025550143")[-1].to == "+12025550101"


@pytest.mark.parametrize(
    ("value", "zone"),
    [
        ("us_slash_eastern", "US/Eastern"),
        ("america_slash_new_york", "America/New_York"),
        ("Europe/London", "Europe/London"),
        ("", "UTC"),
        ("middle_earth", "UTC"),
        ("../etc/passwd", "UTC"),
    ],
)
def test_time_zones_are_read_as_hubspot_writes_them(value: str, zone: str) -> None:
    assert iana_zone(value, "UTC") == zone


def test_the_next_morning_keeps_nine_across_a_clock_change() -> None:
    before = datetime.fromisoformat("2026-10-31T22:00:00-04:00")
    assert next_morning(before, "America/New_York").isoformat() == "2026-11-01T09:00:00-05:00"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<b>Delivered</b><br>Hi &amp; bye", "Delivered\nHi & bye"),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("plain", "plain"),
        ("&lt;script&gt;", "<script>"),
    ],
)
def test_a_logged_message_reads_as_text(html: str, text: str) -> None:
    assert plain_text(html) == text
