"""Can a person work in the sandbox: move a deal, pay, raise a ticket, read and write texts, ask why?"""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from connector.sandbox.demo import ORG_ID, PORTAL_ID, Demo
from connector.sandbox.twilio.sandbox import SENDER
from tests.browser.fake_connector import FakeConnector, message, step

pytestmark = pytest.mark.browser

MAYA = "+12025550143"


def send(demo: Demo, body: str, to: str = MAYA) -> str:
    return demo.twilio_world.create({"To": to, "From": SENDER, "Body": body}).sid


def contact_id(demo: Demo, first_name: str) -> str:
    records = demo.hubspot_world.list(PORTAL_ID, "contacts")
    return next(str(r["id"]) for r in records if r["properties"]["firstname"] == first_name)


def dealstage(demo: Demo, name: str) -> str:
    records = demo.hubspot_world.list(PORTAL_ID, "deals")
    return next(str(r["properties"]["dealstage"]) for r in records if r["properties"]["dealname"] == name)


def test_a_card_dragged_to_a_column_moves_the_deal_and_tells_the_connector(
    page: Page, demo: Demo, connector: FakeConnector
) -> None:
    page.goto(demo.page.url)
    target = page.locator("[data-stage=appointmentscheduled]")
    page.locator(".deal", has_text="Studio website").drag_to(target)
    expect(target.locator(".deal", has_text="Studio website")).to_be_visible()
    assert dealstage(demo, "Studio website") == "appointmentscheduled"
    assert connector.arrived.wait(10)
    assert connector.events[0]["propertyValue"] == "appointmentscheduled"


def test_a_card_is_moved_with_the_keyboard_too(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    menu = page.get_by_label("Move Bookshop tills to")
    menu.focus()
    page.keyboard.press("ArrowDown")
    column = page.locator("[data-stage=appointmentscheduled]")
    expect(column.locator(".deal", has_text="Bookshop tills")).to_be_visible()
    expect(page.locator("#record-pick")).to_have_value(contact_id(demo, "Priya"))


def test_a_sent_text_appears_on_the_right_phone(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    expect(page.locator(".phone")).to_have_count(4)
    send(demo, "See you on Tuesday at ten.")
    phone = page.locator(f"[data-number='{MAYA}']")
    expect(phone.locator(".bubble.received")).to_have_text(re.compile("See you on Tuesday at ten."))
    expect(page.locator(".bubble")).to_have_count(1)


def test_a_typed_reply_is_shown_and_reaches_the_connector(page: Page, demo: Demo, connector: FakeConnector) -> None:
    page.goto(demo.page.url)
    phone = page.locator(f"[data-number='{MAYA}']")
    phone.get_by_placeholder("Text message").fill("Could we make it <b>eleven</b>?")
    phone.get_by_label("Send").click()
    expect(phone.locator(".bubble.written p")).to_have_text("Could we make it <b>eleven</b>?")
    assert connector.arrived.wait(10)
    assert connector.inbound[0]["Body"] == "Could we make it <b>eleven</b>?"
    assert (connector.inbound[0]["From"], connector.inbound[0]["To"]) == (MAYA, SENDER)


def test_stop_is_one_tap_away(page: Page, demo: Demo, connector: FakeConnector) -> None:
    page.goto(demo.page.url)
    page.locator(f"[data-number='{MAYA}']").get_by_role("button", name="STOP").click()
    assert connector.arrived.wait(10)
    assert connector.inbound[0]["Body"] == "STOP"


def test_why_opens_the_trace_of_a_text(page: Page, demo: Demo, connector: FakeConnector) -> None:
    page.goto(demo.page.url)
    sid = send(demo, "Hi Maya")
    maya = contact_id(demo, "Maya")
    connector.give(maya, message(sid, "Hi Maya", engagement=["replied"]))
    page.locator(f"[data-number='{MAYA}']").get_by_role("button", name="why?").click()
    drawer = page.get_by_role("dialog")
    expect(drawer.locator(".trace li")).to_contain_text("Queued the text of step confirm")
    expect(drawer.locator(".place")).to_contain_text("mappings/journeys/appointment.yaml:14")
    expect(drawer.locator(".chips")).to_contain_text("Delivered")
    expect(drawer.locator(".chips")).to_contain_text("Replied")
    drawer.locator("summary").click()
    expect(drawer.locator("details")).to_contain_text("booked")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_why_on_a_timeline_record_opens_its_trace(page: Page, demo: Demo, connector: FakeConnector) -> None:
    maya = contact_id(demo, "Maya")
    record = demo.hubspot_world.create(
        PORTAL_ID,
        "communications",
        {
            "hs_communication_channel_type": "SMS",
            "hs_communication_logged_from": "CRM",
            "hs_communication_body": "<b>Delivered</b><br>Hi Maya &amp; team <script>alert(1)</script>",
            "hs_timestamp": demo.clock.now().isoformat(),
        },
        [("contacts", maya)],
    )
    connector.give(maya, message(None, "Hi Maya & team", crm_record_id=record["id"]))
    page.goto(demo.page.url)
    entry = page.locator(".entry")
    expect(entry.locator(".entry-body")).to_contain_text("Delivered\nHi Maya & team", use_inner_text=True)
    entry.get_by_role("button", name="why?").click()
    expect(page.get_by_role("dialog").locator(".trace")).to_contain_text("Queued the text of step confirm")


def test_why_no_text_shows_the_contacts_own_decisions(page: Page, demo: Demo, connector: FakeConnector) -> None:
    lena = contact_id(demo, "Lena")
    connector.give(lena, trace=[step("message.suppressed", "No text: Lena Vogt has no mobile number")])
    page.goto(demo.page.url)
    page.locator("#record-pick").select_option(label="Lena Vogt")
    expect(page.locator("#record-facts")).to_contain_text("None on file")
    page.get_by_role("button", name="Why no text?").click()
    expect(page.get_by_role("dialog")).to_contain_text("No text: Lena Vogt has no mobile number")


def test_a_text_the_connector_does_not_know_says_so(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    send(demo, "From somewhere else")
    page.locator(f"[data-number='{MAYA}']").get_by_role("button", name="why?").click()
    expect(page.get_by_role("dialog")).to_contain_text("The connector does not know this text")


def test_an_invoice_is_paid(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    row = page.locator("[data-invoice]", has_text="INV-1041")
    expect(row.locator(".chip")).to_have_text("2 days overdue")
    row.get_by_role("button", name="Pay").click()
    expect(row.locator(".chip")).to_have_text("Paid")
    expect(row.get_by_role("button", name="Pay")).to_be_hidden()
    paid = demo.hubspot_world.get(PORTAL_ID, "invoices", row.get_attribute("data-invoice") or "")
    assert (paid["properties"]["hs_invoice_status"], paid["properties"]["hs_balance_due"]) == ("paid", "0")


def test_a_ticket_is_raised_for_a_contact(page: Page, demo: Demo, connector: FakeConnector) -> None:
    page.goto(demo.page.url)
    page.get_by_role("tab", name="Tickets").click()
    page.get_by_label("Subject").fill("The till is on fire")
    page.locator("#ticket-contact").select_option(label="Priya Sundaram")
    page.get_by_role("button", name="Raise ticket").click()
    expect(page.locator("[data-ticket]", has_text="The till is on fire")).to_contain_text("Priya Sundaram")
    expect(page.locator("#record-pick")).to_have_value(contact_id(demo, "Priya"))
    assert connector.arrived.wait(10)


def test_the_clock_is_pushed_a_day(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("button", name="+1 day").click()
    expect(page.locator("#clock-date")).to_contain_text("1 d ahead")
    expect(page.locator("[data-invoice]", has_text="INV-1041").locator(".chip")).to_have_text("3 days overdue")
    assert demo.clock.offset == timedelta(days=1)


def test_the_clock_is_pushed_to_the_morning(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("button", name="Next 09:00").click()
    expect(page.locator("#clock-time")).to_have_text(re.compile(r"^09:00:\d\d$"))


def test_trouble_is_switched_on_and_off(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("button", name="Trouble").click()
    page.get_by_role("switch", name="CRM is down").check()
    expect(page.locator("#trouble-count")).to_have_text("1")
    assert demo.faults.armed()[0]["operation"] == "hubspot.*"
    page.get_by_role("switch", name="Webhooks come three times").check()
    expect(page.locator("#trouble-count")).to_have_text("2")
    assert demo.webhooks.duplicates == 2
    page.get_by_role("switch", name="CRM is down").uncheck()
    expect(page.locator("#trouble-count")).to_have_text("1")
    assert demo.faults.armed() == []


def test_a_phone_is_switched_off(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("button", name="Switch Maya Lindqvist's phone off").click()
    expect(page.locator(f"[data-number='{MAYA}']")).to_contain_text("Switched off")
    assert demo.twilio_world.handsets[MAYA].is_on is False


def test_an_opt_out_held_by_the_crm_is_shown_on_the_record(page: Page, demo: Demo) -> None:
    portal = demo.hubspot_world.portal(PORTAL_ID)
    template = portal.properties["contacts"]["firstname"]
    portal.properties["contacts"]["sms_connector_opted_out"] = replace(
        template, name="sms_connector_opted_out", label="SMS opt-out", type="bool", built_in=False
    )
    page.goto(demo.page.url)
    demo.hubspot_world.update(PORTAL_ID, "contacts", contact_id(demo, "Maya"), {"sms_connector_opted_out": "true"})
    fact = page.locator("[data-property=sms_connector_opted_out]")
    expect(fact).to_contain_text("Yes")
    expect(fact).to_have_attribute("data-tone", "bad")


def test_typed_text_survives_what_arrives_meanwhile(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    phone = page.locator(f"[data-number='{MAYA}']")
    field = phone.get_by_placeholder("Text message")
    field.fill("half a sent")
    send(demo, "An interruption")
    expect(phone.locator(".bubble.received")).to_be_visible()
    expect(field).to_have_value("half a sent")
    expect(field).to_be_focused()


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_nothing_is_cut_off_at_the_side(page: Page, demo: Demo, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(demo.page.url)
    expect(page.locator(".phone")).to_have_count(4)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_crm_is_switched_by_keyboard_and_stays_as_it_was_left(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("radio", name="HubSpot").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Opportunities")).to_be_visible()
    expect(page.locator(".deal", has_text="Brand film")).to_be_visible()
    expect(page.locator(".deal", has_text="Studio website")).to_have_count(0)
    expect(page.get_by_role("tab", name="Workflow")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("radio", name="Salesforce")).to_be_checked()


def test_the_person_looked_at_is_kept_when_the_crm_is_switched(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.locator("#record-pick").select_option(label="Jo Achterberg")
    page.get_by_role("radio", name="Salesforce").check()
    expect(page.locator("#record-pick option:checked")).to_have_text("Jo Achterberg (lead)")


def test_a_stage_in_salesforce_is_changed_by_dragging(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("radio", name="Salesforce").check()
    target = page.locator("[data-stage='Needs Analysis']")
    page.locator(".deal", has_text="Brand film").drag_to(target)
    expect(target.locator(".deal", has_text="Brand film")).to_be_visible()
    deals = {str(each["Name"]): each["StageName"] for each in demo.salesforce_world.list(ORG_ID, "Opportunity")}
    assert deals["Brand film"] == "Needs Analysis"


def test_a_case_is_opened_for_a_contact_and_leads_have_none(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("radio", name="Salesforce").check()
    page.get_by_role("tab", name="Cases").click()
    expect(page.locator("#ticket-contact option")).to_have_text(
        ["Maya Lindqvist", "Marcus Achterberg", "Priya Sundaram"]
    )
    page.get_by_label("Subject").fill("The lamp is out")
    page.get_by_role("button", name="Open case").click()
    expect(page.locator("[data-ticket]", has_text="The lamp is out")).to_be_visible()


def test_tabs_of_the_record_are_walked_by_keyboard(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("tab", name="Timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="SMS card")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="SMS card")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tabpanel", name="Timeline")).to_be_visible()


def test_a_card_the_connector_refuses_says_so(page: Page, demo: Demo) -> None:
    page.goto(demo.page.url)
    page.get_by_role("tab", name="SMS card").click()
    expect(page.get_by_role("alert")).to_have_text("The connector answered 404. Its log says more.")


@pytest.mark.parametrize("tab", ["Timeline", "SMS card", "Workflow"])
def test_nothing_is_wider_than_a_phone(page: Page, demo: Demo, tab: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(demo.page.url)
    page.get_by_role("tab", name=tab).click()
    expect(page.get_by_role("tabpanel", name=tab)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
