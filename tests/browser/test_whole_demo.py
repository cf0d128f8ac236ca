"""Does `make demo` do the main job in a browser, with the real connector behind the page?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from connector.entrypoints.cli.demo_command import running_demo
from connector.sandbox.demo import Demo

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAYA, MARCUS, OWNER = "+12025550143", "+14155550132", "+12025550190"
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
