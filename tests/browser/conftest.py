"""Which browser do tests use, and what does it look at?

`page` is a Playwright page in Debian's Chromium (`CHROMIUM` names another one); a test that asks for it is skipped
by name where there is none. A test fails when the page logs an error or breaks its own content security policy.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from connector.sandbox.demo import CLIENT_SECRET, Demo, build_demo
from connector.sandbox.gateways.receipts import Pace
from connector.sandbox.serve import Server
from tests.browser.fake_connector import FakeConnector

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 15_000  # milliseconds; two shared cores


def chromium_path() -> str | None:
    """The Chromium tests use, or None."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the run."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium found: install Debian's chromium or set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page with nothing stored; its errors fail the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    # A refused request or a stream that ends with its server is the network's, not a mistake of the page.
    mistakes = [error for error in errors if "Failed to load resource" not in error and "net::ERR" not in error]
    assert mistakes == []


@pytest.fixture
def connector() -> Iterator[FakeConnector]:
    """A connector that records and tells given traces."""
    fake = FakeConnector(CLIENT_SECRET)
    with Server(fake.app()) as server:
        fake.url = server.url
        yield fake


@pytest.fixture
def demo(connector: FakeConnector) -> Iterator[Demo]:
    """The pretend world with its page, in front of the recording connector; texts arrive at once."""
    with build_demo(connector_url=connector.url, pace=Pace.fast()) as demo:
        yield demo
