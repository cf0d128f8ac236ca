"""Can an admin install, reconnect and remove the connector in a browser, and can nobody take an account over?"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.entrypoints.web.app import create_app
from connector.errors import QueueUnavailableError
from connector.ports.ledger import AccountRow
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.app import create_app as create_hubspot
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server
from tests.entrypoints.operated import Operated, operated

HERE = {"base_url": "http://localhost:8000"}
BACK = "http://localhost:8000/install/hubspot/callback"
PORTAL, OTHER = 12345, 777
PASSWORD = "a password"


@dataclass
class Stage:
    """A connector, a pretend HubSpot, and a browser."""

    desk: Operated
    world: HubSpotWorld
    faults: Faults

    def browser(self) -> FlaskClient:
        return create_app(self.desk.connector).test_client()

    def accounts(self) -> dict[str, AccountRow]:
        with self.desk.connector.ledger.begin(write=False) as work:
            return {row.external_id: work.accounts.with_tokens(row.id) for row in work.accounts.all()}

    def set(self, **settings: Any) -> None:
        self.desk.connector.settings = replace(self.desk.connector.settings, **settings)

    def status(self, status: str) -> None:
        with self.desk.connector.ledger.begin() as work:
            work.accounts.set_status(self.desk.account_id, status, "it was told so")
            work.commit()


@pytest.fixture
def stage(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    clock, faults = SandboxClock(), Faults()
    world = HubSpotWorld(clock, seed=1)
    world.limits.per_ten_seconds = world.limits.searches_per_second = None
    for portal in (PORTAL, OTHER):
        world.add_portal(portal)
    world.tokens.add_app("client-1", "secret-1", 678, [BACK])
    app = {"HUBSPOT_CLIENT_ID": "client-1", "HUBSPOT_CLIENT_SECRETS": "secret-1"}
    with (
        Server(create_hubspot(world, clock, faults)) as server,
        operated(tmp_path, redis_url, monkeypatch, HUBSPOT_API_URL=server.url, **app) as desk,
    ):
        yield Stage(desk, world, faults)


def consent(url: str, portal: int = PORTAL, decision: str = "allow") -> str:
    """Answer at the consent page; give the path and query the browser is sent to."""
    answer = httpx.post(url, data={"portal": str(portal), "decision": decision})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def begin(browser: FlaskClient, path: str = "/install/hubspot", **request: Any) -> str:
    answer = browser.get(path, **(HERE | request))
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def install(browser: FlaskClient, portal: int = PORTAL, path: str = "/install/hubspot", **request: Any) -> TestResponse:
    url = begin(browser, path, **request)
    return browser.get(consent(url, portal), **(HERE | request))


def basic(password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()}


def test_the_operator_installs_a_portal_that_was_not_known(stage: Stage) -> None:
    page = install(stage.browser(), OTHER)
    assert page.status_code == 200
    assert "The SMS connector is installed" in page.text
    row = stage.accounts()["777"]
    assert (row.status, row.settings["installed_by"]) == ("active", "installer@example.com")
    assert row.refresh_token is not None
    assert row.refresh_token not in page.text
    assert "sandbox-access" not in page.text


def test_the_page_runs_nothing_and_is_kept_nowhere(stage: Stage) -> None:
    page = install(stage.browser(), OTHER)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_the_state_is_the_browsers_own_and_goes_with_the_answer(stage: Stage) -> None:
    browser = stage.browser()
    answer = browser.get("/install/hubspot", **HERE)
    cookie = answer.headers["Set-Cookie"]
    for told in ("HttpOnly", "SameSite=Lax", "Path=/install", "Max-Age=600"):
        assert told in cookie
    state = parse_qs(urlsplit(answer.headers["Location"]).query)["state"][0]
    assert f"sms_connector_install={state}" in cookie
    done = browser.get(consent(answer.headers["Location"]), **HERE)
    assert "sms_connector_install=;" in done.headers["Set-Cookie"]


def test_another_browser_cannot_finish_what_this_one_began(stage: Stage) -> None:
    back = consent(begin(stage.browser(), "/install/hubspot"), OTHER)
    page = stage.browser().get(back, **HERE)
    assert page.status_code == 400
    assert "does not belong to this browser" in page.text
    assert "777" not in stage.accounts()


def test_a_stranger_installs_no_portal_that_is_not_known(stage: Stage) -> None:
    stage.set(start_page_password=PASSWORD)
    page = install(stage.browser(), OTHER)
    assert page.status_code == 400
    assert "INSTALL_OPEN" in page.text
    assert "777" not in stage.accounts()
    assert stage.world.calls["hubspot.appinstalls.uninstall"] == 1


def test_a_stranger_may_where_installing_is_open(stage: Stage) -> None:
    stage.set(start_page_password=PASSWORD, install_open=True)
    assert install(stage.browser(), OTHER).status_code == 200
    assert stage.accounts()["777"].status == "active"


def test_strangers_who_begin_without_end_are_slowed_down_and_the_operator_is_not(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connector.entrypoints.web.install._AT_ONCE", 1)
    stage.set(start_page_password=PASSWORD, install_open=True)
    browser = stage.browser()
    assert [browser.get("/install/hubspot", **HERE).status_code for _ in range(2)] == [302, 429]
    assert browser.get("/install/hubspot", **HERE, headers=basic()).status_code == 302


def test_without_redis_one_can_still_install(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> int:
        raise QueueUnavailableError("Redis does not answer")

    stage.set(start_page_password=PASSWORD)
    monkeypatch.setattr(stage.desk.connector.rate_limiter, "take", away)
    assert stage.browser().get("/install/hubspot", **HERE).status_code == 302


def test_the_operator_is_asked_for_the_password_where_there_is_one(stage: Stage) -> None:
    stage.set(start_page_password=PASSWORD)
    assert stage.browser().get("/install/hubspot?operator=1", **HERE).status_code == 401
    page = install(stage.browser(), OTHER, "/install/hubspot?operator=1", headers=basic())
    assert page.status_code == 200


def test_an_admin_of_the_portal_connects_it_again_and_the_account_stays_the_same(stage: Stage) -> None:
    stage.set(start_page_password=PASSWORD)
    stage.status("disconnected")
    browser = stage.browser()
    shown = browser.get(f"/install/reconnect/{stage.desk.account_id}", **HERE)
    assert "may not use this account any more" in shown.text
    assert "12345" not in shown.text  # whoever has the address learns neither whose account it is nor why
    link = re.search(r'href="(/install/hubspot\?account=[^"]+)"', shown.text)
    assert link is not None
    page = install(browser, PORTAL, link[1])
    assert "connected again" in page.text
    row = stage.accounts()["12345"]
    assert (row.id, row.status, row.status_reason) == (stage.desk.account_id, "active", "")


def test_connecting_again_takes_no_other_portal(stage: Stage) -> None:
    stage.status("disconnected")
    page = install(stage.browser(), OTHER, f"/install/hubspot?account={stage.desk.account_id}")
    assert page.status_code == 400
    assert "not the account to be connected again" in page.text
    assert stage.accounts()["12345"].status == "disconnected"
    assert "777" not in stage.accounts()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/install/reconnect/account-9", 404),
        ("/install/hubspot?account=account-9", 400),
        ("/install/zoho", 400),
        ("/install/salesforce", 400),
        ("/install/hubspot?host=evil.example", 400),
        ("/install/hubspot/callback", 400),
        ("/install/hubspot/callback?code=x&state=y", 400),
        ("/install/zoho/callback?code=x&state=y", 400),
    ],
)
def test_what_leads_nowhere_says_so(stage: Stage, path: str, status: int) -> None:
    page = stage.browser().get(path, **HERE)
    assert page.status_code == status
    assert "Not installed" in page.text


def test_a_no_is_told_plainly(stage: Stage) -> None:
    browser = stage.browser()
    back = consent(begin(browser), decision="deny")
    page = browser.get(back, **HERE)
    assert page.status_code == 400
    assert "Nothing was installed" in page.text


def test_an_error_word_of_somebody_elses_making_is_shown_as_text(stage: Stage) -> None:
    browser = stage.browser()
    state = parse_qs(urlsplit(begin(browser)).query)["state"][0]
    page = browser.get(f"/install/hubspot/callback?state={state}&error=<script>alert(1)</script>", **HERE)
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


def test_a_hubspot_that_is_away_is_said_and_nothing_is_added(stage: Stage) -> None:
    browser = stage.browser()
    back = consent(begin(browser), OTHER)
    stage.faults.arm("hubspot.oauth.token", "status")
    page = browser.get(back, **HERE)
    assert page.status_code == 502
    assert "does not answer" in page.text
    assert "777" not in stage.accounts()


def test_a_reload_of_the_result_says_that_it_was_used(stage: Stage) -> None:
    browser = stage.browser()
    back = consent(begin(browser))
    assert browser.get(back, **HERE).status_code == 200
    assert browser.get(back, **HERE).status_code == 400


def test_the_way_in_is_shown_for_the_crms_there_is_an_app_of(stage: Stage) -> None:
    page = stage.browser().get("/install/", **HERE).text
    assert "Install from HubSpot" in page
    assert "Salesforce" not in page


def test_salesforces_login_page_is_chosen_first(stage: Stage) -> None:
    stage.set(salesforce_client_id="consumer-key")
    browser = stage.browser()
    page = browser.get("/install/salesforce", **HERE)
    assert "https://*.my.salesforce.com" in page.headers["Content-Security-Policy"]
    url = begin(browser, "/install/salesforce?host=acme.my.salesforce.com")
    assert url.startswith("https://acme.my.salesforce.com/services/oauth2/authorize?")
    assert browser.get("/install/salesforce?host=evil.example", **HERE).status_code == 400


# The operator's pages


def form(browser: FlaskClient, path: str, **request: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', browser.get(path, **(HERE | request)).text)
    assert found is not None
    return found[1]


def typed_settings(browser: FlaskClient, path: str, **changed: str) -> dict[str, str]:
    """Give the whole form as a browser sends it back, some of it typed anew."""
    page = browser.get(path, **HERE).text.partition('value="save"')[0]
    typed = dict(re.findall(r'<input[^>]* name="([^"]+)" value="([^"]*)"', page))
    typed |= re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)</textarea>', page)
    chosen = re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', page, re.DOTALL)
    typed |= {name: re.findall(r"<option selected>([^<]+)", options)[0] for name, options in chosen}
    return {name: html.unescape(value) for name, value in typed.items()} | changed


def test_accounts_are_the_operators_only(stage: Stage) -> None:
    stage.set(start_page_password=PASSWORD)
    for path in ("/accounts/", f"/accounts/{stage.desk.account_id}"):
        assert stage.browser().get(path, **HERE).status_code == 401
        assert stage.browser().get(path, **HERE, headers=basic()).status_code == 200
    assert stage.browser().post(f"/accounts/{stage.desk.account_id}", **HERE).status_code == 401


def test_every_account_is_listed_with_the_way_back_where_it_is_disconnected(stage: Stage) -> None:
    stage.status("disconnected")
    page = stage.browser().get("/accounts/", **HERE).text
    assert "12345" in page
    assert f"/install/reconnect/{stage.desk.account_id}" in page
    assert f"/install/reconnect/{stage.desk.account_id}" in stage.browser().get("/", **HERE).text


def test_settings_are_changed_in_a_form_and_wrong_ones_are_told_beside_them(stage: Stage) -> None:
    browser, path = stage.browser(), f"/accounts/{stage.desk.account_id}"
    typed = {"token": form(browser, path), "act": "save", "default_region": "US", "unknown_numbers": "attach"}
    typed |= {"replace_smart_characters": "yes", "time_zone": "Mars/Olympus"}
    wrong = browser.post(path, data=typed, **HERE)
    assert wrong.status_code == 422
    assert "IANA name" in wrong.text
    assert 'value="Mars/Olympus"' in wrong.text
    typed |= {"time_zone": "Europe/Berlin", "owner_phones": '{"ann@example.com": "202 555 0110"}'}
    assert browser.post(path, data=typed, **HERE).status_code == 303
    settings = stage.accounts()["12345"].settings
    assert (settings["unknown_numbers"], settings["time_zone"]) == ("attach", "Europe/Berlin")
    assert settings["owner_phones"] == {"ann@example.com": "+12025550110"}
    assert "replace_smart_characters" not in settings  # it was left as it was


def test_a_long_list_is_kept_whole_and_one_too_long_is_refused(stage: Stage) -> None:
    browser, path = stage.browser(), f"/accounts/{stage.desk.account_id}"
    admins = [f"admin{number:04}@northgate.example.com" for number in range(1000)]
    assert (
        browser.post(path, data=typed_settings(browser, path, card_admins=", ".join(admins)), **HERE).status_code == 303
    )
    assert stage.accounts()["12345"].settings["card_admins"] == admins
    page = browser.post(path, data=typed_settings(browser, path, card_admins=", ".join(admins * 4)), **HERE)
    assert (page.status_code, "is longer than 100,000 characters" in page.text) == (422, True)
    assert browser.post(path, data=typed_settings(browser, path, name="Northgate"), **HERE).status_code == 303
    assert stage.accounts()["12345"].settings["card_admins"] == admins


def test_a_form_shown_hours_ago_puts_nothing_back_that_others_changed_since(stage: Stage) -> None:
    browser, path = stage.browser(), f"/accounts/{stage.desk.account_id}"
    stale = typed_settings(browser, path)
    stage.desk.connector.account_settings.change(stage.desk.account_id, {"time_zone": "Europe/Berlin"}, "somebody")
    assert browser.post(path, data=stale | {"name": "Northgate"}, **HERE).status_code == 303
    settings = stage.accounts()["12345"].settings
    assert (settings["name"], settings["time_zone"]) == ("Northgate", "Europe/Berlin")
    page = browser.post(path, data=stale | {"time_zone": "Europe/Paris"}, **HERE)
    assert page.status_code == 422
    assert "somebody has changed it meanwhile, to: Europe/Berlin" in page.text
    again = typed_settings(browser, path, time_zone="Europe/Paris")
    assert browser.post(path, data=again, **HERE).status_code == 303
    assert stage.accounts()["12345"].settings["time_zone"] == "Europe/Paris"


def test_what_a_form_does_not_send_stays_as_it_is(stage: Stage) -> None:
    browser, path = stage.browser(), f"/accounts/{stage.desk.account_id}"
    assert browser.post(path, data=typed_settings(browser, path, time_zone="Europe/Berlin"), **HERE).status_code == 303
    assert browser.post(path, data={"token": form(browser, path), "name": "Northgate"}, **HERE).status_code == 303
    settings = stage.accounts()["12345"].settings
    assert (settings["name"], settings["time_zone"]) == ("Northgate", "Europe/Berlin")


def test_a_form_that_was_not_shown_to_this_visitor_changes_nothing(stage: Stage) -> None:
    path = f"/accounts/{stage.desk.account_id}"
    token = form(stage.browser(), path)
    assert stage.browser().post(path, data={"token": token, "name": "Evil"}, **HERE).status_code == 403
    assert "name" not in stage.accounts()["12345"].settings


def test_an_account_is_uninstalled_when_the_box_is_ticked(stage: Stage) -> None:
    browser = stage.browser()
    install(browser, PORTAL)
    path = f"/accounts/{stage.desk.account_id}"
    token = form(browser, path)
    page = browser.post(path, data={"token": token, "act": "remove"}, **HERE)
    assert "Tick the box" in page.text
    assert stage.accounts()["12345"].status == "active"
    page = browser.post(path, data={"token": token, "act": "remove", "sure": "yes"}, **HERE)
    assert "The account was uninstalled." in page.text
    row = stage.accounts()["12345"]
    assert (row.status, row.refresh_token) == ("uninstalled", None)
    assert stage.world.calls["hubspot.appinstalls.uninstall"] == 1


def test_a_crm_that_cannot_be_told_is_said(stage: Stage) -> None:
    browser = stage.browser()
    install(browser, PORTAL)
    path = f"/accounts/{stage.desk.account_id}"
    stage.faults.arm("hubspot.appinstalls.uninstall", "status")
    page = browser.post(path, data={"token": form(browser, path), "act": "remove", "sure": "yes"}, **HERE)
    assert page.status_code == 502
    assert stage.accounts()["12345"].status == "leaving"


def test_secrets_and_tokens_go_past_a_proxy_of_the_hosts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.delenv("NO_PROXY", raising=False)
    browser = stage.browser()
    url = begin(browser)
    with httpx.Client(trust_env=False) as admin:
        back = urlsplit(admin.post(url, data={"portal": str(PORTAL), "decision": "allow"}).headers["Location"])
    assert browser.get(f"{back.path}?{back.query}", **HERE).status_code == 200


def test_nobody_is_sent_to_begin_where_there_is_no_app(stage: Stage) -> None:
    page = stage.browser().get("/install/salesforce?host=login.salesforce.com", **HERE)
    assert page.status_code == 400
    assert "not set up" in page.text
    assert "Begin anew" not in page.text


def test_an_account_nobody_knows_has_no_page(stage: Stage) -> None:
    assert stage.browser().get("/accounts/account-9", **HERE).status_code == 404
