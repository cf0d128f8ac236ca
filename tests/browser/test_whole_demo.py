"""Does `make demo` do the main job in a browser, with the real connector behind the page?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from connector.entrypoints.cli.demo_command import running_demo
from connector.sandbox.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAYA, MARCUS, PRIYA, OWNER = "+12025550143", "+14155550132", "+447700900461", "+12025550190"
PATIENCE = 30_000  # milliseconds; a text takes well under one second, a busy test machine several


@pytest.fixture(scope="module")
def whole_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Everything `make demo` starts, but for the browser."""
    with running_demo(data=tmp_path_factory.mktemp("demo"), say=lambda _line: None) as world:
        yield world


def phone(page: Page, number: str) -> Locator:
    return page.locator(f"[data-number='{number}']")


def hears(page: Page, number: str, words: str) -> None:
    """Wait until a phone shows a text with these words."""
    text = phone(page, number).locator(".bubble.received", has_text=re.compile(words))
    expect(text.last).to_be_visible(timeout=PATIENCE)


def says(page: Page, number: str, words: str) -> None:
    field = phone(page, number).get_by_placeholder("Text message")
    field.fill(words)
    field.press("Enter")


def shows(page: Page, words: str) -> None:
    """Wait until the timeline of the contact record says this."""
    expect(page.locator("#timeline").get_by_text(re.compile(words)).first).to_be_visible(timeout=PATIENCE)


def test_a_deal_brings_a_text_a_reply_brings_a_task_and_both_say_why(page: Page, whole_demo: Demo) -> None:
    page.goto(whole_demo.page.url)
    page.locator(".deal", has_text="Studio website").drag_to(page.locator("[data-stage=presentationscheduled]"))
    hears(page, MAYA, "your demo with Sam is booked")
    shows(page, "SMS to contact · delivered")
    says(page, MAYA, "reschedule please!")
    hears(page, MAYA, "Sam will be in touch")
    shows(page, "SMS from contact")
    shows(page, "wants another time for the demo")
    phone(page, MAYA).get_by_text("why?").first.click()
    why = page.get_by_role("dialog")
    expect(why).to_contain_text("Enrolled in demo-booked", timeout=PATIENCE)
    expect(why).to_contain_text(re.compile(r"demo-booked\.yaml:\d+"))


def test_an_urgent_ticket_reaches_owner_and_customer(page: Page, whole_demo: Demo) -> None:
    page.goto(whole_demo.page.url)
    page.get_by_text("Tickets", exact=True).click()
    page.get_by_placeholder("What is the trouble?").fill("Tills are down")
    page.get_by_role("button", name="Raise ticket").click()
    hears(page, OWNER, "Tills are down")
    hears(page, MAYA, "now has top priority")
    says(page, OWNER, "ACK")
    hears(page, MAYA, "Sam is working on your request")


def test_a_stop_is_confirmed_once_and_flags_every_contact_with_the_number(page: Page, whole_demo: Demo) -> None:
    page.goto(whole_demo.page.url)
    hears(page, MARCUS, "INV-1041")
    says(page, MARCUS, "Stop.")
    hears(page, MARCUS, "You will get no more texts")
    for name in ("Marcus Achterberg", "Jo Achterberg"):
        page.locator("#record-pick").select_option(label=name)
        expect(page.locator("main")).to_contain_text(re.compile("opted out", re.IGNORECASE), timeout=PATIENCE)


def open_card(page: Page, url: str, crm: str, name: str) -> None:
    """Open the record card of a contact in one of the CRMs."""
    page.goto(url)
    page.get_by_role("radio", name=crm).check()
    expect(page.locator("html")).to_have_attribute("data-crm", crm.lower())
    page.locator("#record-pick").select_option(label=name)
    page.get_by_role("tab", name="SMS card").click()
    expect(page.get_by_role("log", name="Conversation")).to_be_visible(timeout=PATIENCE)


def answers(page: Page, words: str) -> None:
    """Type an answer on the card, look at its size and send it."""
    page.get_by_label("Your answer").fill(words)
    expect(page.locator("#card-count")).to_contain_text(f"{len(words)} characters", timeout=PATIENCE)
    expect(page.locator("#card-count")).to_contain_text("1 SMS")
    expect(page.locator("#card-count")).to_contain_text("$")
    page.get_by_role("button", name="Send SMS").click()


@pytest.mark.parametrize("crm", ["HubSpot", "Salesforce"])
def test_a_rep_answers_from_the_card_and_the_person_answers_back(page: Page, whole_demo: Demo, crm: str) -> None:
    open_card(page, whole_demo.page.url, crm, "Maya Lindqvist")
    conversation = page.get_by_role("log", name="Conversation")
    question = f"Shall I call you at four? Sam, by {crm}"
    answers(page, question)
    hears(page, MAYA, re.escape(question))
    expect(page.get_by_label("Your answer")).to_have_value("")
    sent = conversation.locator(".said.outbound", has_text=question)
    expect(sent).to_have_count(1, timeout=PATIENCE)
    expect(sent).to_contain_text("Delivered", timeout=PATIENCE)
    says(page, MAYA, f"Four is fine, {crm}")
    expect(conversation.locator(".said.inbound", has_text=f"Four is fine, {crm}")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("tab", name="Timeline").click()
    shows(page, re.escape(f"Four is fine, {crm}"))


@pytest.mark.parametrize("crm", ["HubSpot", "Salesforce"])
def test_card_of_somebody_who_opts_out_closes_and_says_why(page: Page, whole_demo: Demo, crm: str) -> None:
    open_card(page, whole_demo.page.url, crm, "Priya Sundaram")
    answers(page, f"Is the till back? Sam, by {crm}")
    hears(page, PRIYA, f"by {crm}")
    says(page, PRIYA, "STOP")
    box = page.get_by_label("Your answer")
    expect(box).to_be_disabled(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Send SMS")).to_be_disabled()
    expect(page.locator("#card-why-not")).to_contain_text("opted out")
    expect(page.locator("#card-consent-chip")).to_have_text("Opted out")
    page.get_by_text("Consent and evidence").click()
    expect(page.locator("#card-evidence")).to_contain_text("text STOP")
    says(page, PRIYA, "START")
    expect(box).to_be_enabled(timeout=PATIENCE)


def test_a_template_is_previewed_as_its_reader_would_get_it(page: Page, whole_demo: Demo) -> None:
    open_card(page, whole_demo.page.url, "HubSpot", "Maya Lindqvist")
    box = page.get_by_label("Your answer")
    expect(page.get_by_label("Template").locator("option")).not_to_have_count(1, timeout=PATIENCE)
    page.get_by_label("Template").select_option("demo-booked/rescheduling")
    expect(box).to_have_value(re.compile("No problem, Maya!"), timeout=PATIENCE)
    expect(box).not_to_be_editable()
    page.get_by_role("button", name="Own words").click()
    expect(box).to_be_editable()
    expect(box).to_be_focused()


def test_an_opt_in_is_recorded_with_its_wording(page: Page, whole_demo: Demo) -> None:
    open_card(page, whole_demo.page.url, "HubSpot", "Maya Lindqvist")
    page.get_by_text("Consent and evidence").click()
    page.get_by_label("What they said").fill("Asked for offers on the phone")
    page.get_by_role("button", name="Record opt-in").click()
    expect(page.locator("#card-evidence")).to_contain_text("Asked for offers on the phone", timeout=PATIENCE)
    expect(page.locator("#card-consent-chip")).to_have_text("Opted in", timeout=PATIENCE)


def test_a_workflow_waits_until_its_text_is_delivered(page: Page, whole_demo: Demo) -> None:
    page.goto(whole_demo.page.url)
    page.locator("#record-pick").select_option(label="Maya Lindqvist")
    page.get_by_role("tab", name="Workflow").click()
    page.get_by_label("Text of the workflow").fill("The survey moves to Monday.")
    page.get_by_role("button", name="Run workflow").click()
    hears(page, MAYA, "The survey moves to Monday")
    expect(page.locator(".run").first.locator(".chip")).to_have_text("Delivered", timeout=PATIENCE)


def test_a_stage_in_salesforce_brings_a_text_and_a_task(page: Page, whole_demo: Demo) -> None:
    page.goto(whole_demo.page.url)
    page.get_by_role("radio", name="Salesforce").check()
    page.get_by_label("Move Reading app to").select_option("Demo booked")
    hears(page, PRIYA, "your demo with Sam is booked")
    shows(page, "SMS to contact · delivered")
    page.locator("#timeline").get_by_role("button", name="why?").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("Enrolled in demo-booked", timeout=PATIENCE)
