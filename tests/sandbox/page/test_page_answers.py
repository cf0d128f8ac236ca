"""What does the page's server answer a browser, and what does it refuse?"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx
import pytest

from connector.sandbox.demo import ORG_ID, PORTAL_ID, Demo, build_demo
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.hubspot.signing import sign_v3
from connector.sandbox.page.cards import Cards, CardUnavailableError, KeyDoor, SignedDoor
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
    with httpx.Client(transport=httpx.WSGITransport(app=demo.app), base_url="http://page.test") as client:
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


def test_the_other_crm_shows_the_same_people_with_records_of_its_own(browser: httpx.Client) -> None:
    hubspot, salesforce = (browser.get("/state", params={"crm": crm}).json() for crm in ("hubspot", "salesforce"))
    assert [each["label"] for each in salesforce["crms"]] == ["HubSpot", "Salesforce"]
    assert {each["number"] for each in salesforce["contacts"]} == {each["number"] for each in hubspot["contacts"]}
    assert {deal["name"] for deal in salesforce["deals"]}.isdisjoint(deal["name"] for deal in hubspot["deals"])
    assert [each["name"] for each in salesforce["contacts"] if each["kind"] == "lead"] == [
        "Jo Achterberg (lead)",
        "Lena Vogt (lead)",
    ]
    assert [invoice["days_late"] for invoice in salesforce["invoices"]] == [-1, -3, -6]
    shared = next(phone for phone in salesforce["phones"] if phone["number"] == "+14155550132")
    assert len(shared["contacts"]) == 2, "a contact and a lead share it"
    assert hubspot["workflows"] == []
    assert salesforce["workflows"] is None


def test_a_person_works_in_salesforce(browser: httpx.Client, demo: Demo) -> None:
    state = browser.get("/state?crm=salesforce").json()
    deal, invoice, contact = (state[name][0]["id"] for name in ("deals", "invoices", "contacts"))
    acts: Mapping[str, dict[str, Any]] = {
        f"/deals/{deal}/stage": {"stage": "Demo Booked"},
        f"/invoices/{invoice}/due": {"due_on": "2026-12-24"},
        f"/invoices/{invoice}/pay": {},
        "/tickets": {"contact": contact, "subject": "It is dark", "priority": "High"},
    }
    for path, body in acts.items():
        assert browser.post(f"{path}?crm=salesforce", json=body).status_code == 204, path
    world = demo.salesforce_world
    assert world.get(ORG_ID, "Opportunity", deal)["StageName"] == "Demo Booked"
    bill = world.get(ORG_ID, "Invoice__c", invoice)
    assert (bill["Status__c"], bill["Balance__c"], bill["Due_Date__c"]) == ("Paid", 0, "2026-12-24")
    case = world.list(ORG_ID, "Case")[-1]
    assert (case["Subject"], case["ContactId"]) == ("It is dark", contact)
    assert browser.post(f"/tickets/{case['Id']}/priority?crm=salesforce", json={"priority": "Low"}).status_code == 204
    assert world.get(ORG_ID, "Case", case["Id"])["Priority"] == "Low"


def test_tasks_in_salesforce_read_as_texts_notes_and_tasks(browser: httpx.Client, demo: Demo) -> None:
    contact = browser.get("/state?crm=salesforce").json()["contacts"][0]["id"]
    for subject in ("SMS to contact, delivered: Hi", "Note: It is paid", "Call Maya"):
        task = {"WhoId": contact, "Subject": subject, "Description": "Words", "ActivityDate": "2026-11-24"}
        demo.salesforce_world.create(ORG_ID, "Task", task)
    shown = browser.get("/state?crm=salesforce").json()["contacts"][0]["timeline"]
    assert [(each["kind"], each["title"]) for each in shown] == [("task", "Call Maya"), ("note", ""), ("sms", "")]
    assert shown[0]["at"] == "2026-11-24"


def test_an_opt_out_on_a_lead_is_shown(browser: httpx.Client, demo: Demo) -> None:
    lead = browser.get("/state?crm=salesforce").json()["contacts"][-1]
    demo.salesforce_world.update(ORG_ID, "Lead", lead["id"], {"SMS_Opt_Out__c": True})
    [own] = browser.get("/state?crm=salesforce").json()["contacts"][-1]["properties"]
    assert (own["label"], own["type"], own["value"]) == ("SMS opt-out", "bool", "true")


def test_a_workflow_that_gets_no_answer_calls_again(browser: httpx.Client, demo: Demo) -> None:
    contact = browser.get("/state").json()["contacts"][0]["id"]
    text = {"contact": contact, "body": "Hi", "wait_for": "delivered"}
    assert browser.post("/workflows", json=text).status_code == 204
    [run] = browser.get("/state").json()["workflows"]
    assert (run["contact"], run["stands"], run["result"]) == (contact, "calling", "")


@pytest.mark.parametrize("path", ["/card/102", "/card-templates", "/card/102?crm=salesforce"])
def test_a_card_of_a_connector_that_is_down_says_so(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.json()["error"]) == (502, "The connector cannot be reached. Is it running?")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/deals/1/stage?crm=pipedrive", {"stage": "closedwon"}),
        ("/deals/1/stage?crm=salesforce", {"stage": "Demo Booked"}),
        ("/tickets?crm=salesforce", {"contact": "1", "subject": "Dark", "priority": "URGENT"}),
        ("/workflows", {"contact": "1", "body": "", "wait_for": "delivered"}),
        ("/workflows", {"contact": "1", "body": "Hi", "wait_for": "ever"}),
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
        Cards("https://connector.example/", SignedDoor(demo.clock, "secret", 7, "sam@example.com"), client).of("51")
    url = "https://connector.example/hubspot/card/contacts/51/trace?portalId=7&userId=1&userEmail=sam%40example.com"
    timestamp = asked[0].headers["X-HubSpot-Request-Timestamp"]
    assert str(asked[0].url) == url
    assert asked[0].headers["X-HubSpot-Signature-v3"] == sign_v3("GET", url, b"", timestamp, "secret")


def test_what_a_rep_sends_is_signed_with_its_body(demo: Demo) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(409, json={"code": "opted_out", "detail": "the number has opted out of all texts"})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        cards = Cards("https://connector.example", SignedDoor(demo.clock, "secret", 7), client)
        told = cards.ask("POST", "/contacts/51/messages", body={"body": "Hi", "idempotency_key": "k"})
    assert told == (409, {"code": "opted_out", "detail": "the number has opted out of all texts"})
    timestamp = asked[0].headers["X-HubSpot-Request-Timestamp"]
    signed = sign_v3("POST", str(asked[0].url), asked[0].content, timestamp, "secret")
    assert asked[0].headers["X-HubSpot-Signature-v3"] == signed


def test_salesforces_card_asks_with_the_key_it_has_then() -> None:
    keys: dict[str, str] = {}
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"messages": []})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        cards = Cards("https://connector.example", KeyDoor(lambda: keys.get("salesforce", "")), client)
        keys["salesforce"] = "smsk_made"
        cards.ask("GET", "/contacts/00Q1", {"object_type": "lead"})
    assert str(asked[0].url) == "https://connector.example/api/v1/card/contacts/00Q1?object_type=lead"
    assert asked[0].headers["Authorization"] == "Bearer smsk_made"


def test_an_answer_that_is_no_json_is_said_in_one_line(demo: Demo) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(502, text="<html>Bad gateway</html>"))
    with httpx.Client(transport=transport) as client:
        cards = Cards("https://connector.example", SignedDoor(demo.clock, "secret", 7), client)
        with pytest.raises(CardUnavailableError, match="answered 502"):
            cards.ask("GET", "/contacts/51")


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
