"""Can a person work off the texts that were given up in a browser, and nobody else in that person's name?"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from connector.domain.message import MessageState
from connector.entrypoints.web import dead_letters_page, operators
from connector.entrypoints.web.app import create_app
from tests.adapters.store.factories import NUMBER, an_account
from tests.entrypoints.operated import BODY, Operated, operated

HERE = {"base_url": "http://localhost:8000"}
PATH = "/dead-letters"
PASSWORD = "a password with ümlaut"


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with operated(tmp_path, redis_url, monkeypatch) as found:
        yield found


@pytest.fixture
def client(desk: Operated) -> FlaskClient:
    return create_app(desk.connector).test_client()


def locked(desk: Operated) -> FlaskClient:
    """Give a browser of somebody far away, where the page has a password."""
    desk.connector.settings = replace(desk.connector.settings, start_page_password=PASSWORD)
    return create_app(desk.connector).test_client()


def basic(user: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def token_of(client: FlaskClient, **request: Any) -> str:
    """Open the page as a browser does; give the token of its form."""
    page = client.get(PATH, **(HERE | request))
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


def post(client: FlaskClient, form: dict[str, Any], **request: Any) -> Any:
    return client.post(PATH, data=form, **(HERE | request))


def test_each_text_is_shown_with_both_buttons_and_without_number_or_body(desk: Operated, client: FlaskClient) -> None:
    text = desk.give_up("30008", journey="deal-won", step="steps[0]")
    page = client.get(PATH, **HERE).text
    assert f'name="replay" value="{text.id}">Send again<' in page
    assert f'name="drop" value="{text.id}">Drop<' in page
    for told in ("1 text to decide about", "+1********43", "deal-won steps[0]", "twilio failed for good", "30008"):
        assert told in page
    assert NUMBER not in page
    assert BODY not in page


def test_a_page_without_texts_says_so(client: FlaskClient) -> None:
    assert "No text waits for a decision" in client.get(PATH, **HERE).text


def test_what_makes_a_decision_hard_is_marked(desk: Operated, client: FlaskClient) -> None:
    desk.give_up("", is_unknown=True)
    late = desk.give_up(expires_at=desk.now - timedelta(hours=1))
    page = client.get(PATH, **HERE).text
    assert "may have arrived" in page
    assert "its time is over" in page
    assert f'name="late" value="{late.id}">Send again, late<' in page


def test_a_reason_with_marks_of_html_is_shown_as_it_is(desk: Operated, client: FlaskClient) -> None:
    desk.give_up(state_reason="<b>refused</b>")
    assert "&lt;b&gt;refused&lt;/b&gt;" in client.get(PATH, **HERE).text


def test_what_an_outage_left_behind_is_one_click_away(desk: Operated, client: FlaskClient) -> None:
    outage, other = desk.give_up("30008"), desk.give_up("4", gateway="vonage")
    assert 'href="/dead-letters?provider=twilio&amp;error=30008">twilio 30008: 1<' in client.get(PATH, **HERE).text
    page = client.get(f"{PATH}?provider=twilio&error=30008", **HERE).text
    assert outage.id in page
    assert other.id not in page


def test_accounts_are_told_apart_only_where_there_are_several(desk: Operated, client: FlaskClient) -> None:
    desk.give_up()
    assert "Acme" not in client.get(PATH, **HERE).text
    with desk.connector.ledger.begin() as uow:
        uow.accounts.add(an_account(name="Northgate"))
        uow.commit()
    assert "Acme" in client.get(PATH, **HERE).text


def test_more_texts_than_fit_are_announced(
    desk: Operated, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_letters_page, "SHOWN", 1)
    first, second = desk.give_up(), desk.give_up()
    page = client.get(PATH, **HERE).text
    assert first.id in page
    assert second.id not in page
    assert "There are more" in page


def test_a_text_is_sent_again_and_the_trace_names_this_page(desk: Operated, client: FlaskClient) -> None:
    text, other = desk.give_up(), desk.give_up()
    answer = post(client, {"token": token_of(client), "replay": text.id})
    assert answer.status_code == 303
    assert (desk.state_of(text), desk.state_of(other)) == (MessageState.QUEUED, MessageState.DEAD_LETTER)
    assert desk.decisions(text) == ["sent again by somebody, on the operators' page"]
    assert "1 text was queued to be sent again." in client.get(answer.headers["Location"], **HERE).text


def test_a_text_is_dropped(desk: Operated, client: FlaskClient) -> None:
    text = desk.give_up()
    answer = post(client, {"token": token_of(client), "drop": text.id})
    assert desk.state_of(text) is MessageState.FAILED
    assert "1 text was dropped." in client.get(answer.headers["Location"], **HERE).text


def test_all_that_are_ticked_are_decided_at_once_and_the_filter_stays(desk: Operated, client: FlaskClient) -> None:
    ticked, left = [desk.give_up(), desk.give_up()], desk.give_up()
    form = {"token": token_of(client), "act": "drop", "id": [text.id for text in ticked], "provider": "twilio"}
    answer = post(client, form)
    assert {desk.state_of(text) for text in ticked} == {MessageState.FAILED}
    assert desk.state_of(left) is MessageState.DEAD_LETTER
    assert "provider=twilio" in answer.headers["Location"]


def test_a_text_whose_time_is_over_is_sent_again_only_by_its_own_button(desk: Operated, client: FlaskClient) -> None:
    text = desk.give_up(expires_at=desk.now - timedelta(hours=1))
    answer = post(client, {"token": token_of(client), "act": "replay", "id": text.id})
    assert desk.state_of(text) is MessageState.DEAD_LETTER
    assert "1 text was passed over" in client.get(answer.headers["Location"], **HERE).text
    post(client, {"token": token_of(client), "late": text.id})
    assert desk.state_of(text) is MessageState.QUEUED


def test_who_was_slower_is_told(desk: Operated, client: FlaskClient) -> None:
    text, token = desk.give_up(), token_of(client)
    post(client, {"token": token, "drop": text.id})
    answer = post(client, {"token": token, "replay": text.id})
    assert desk.state_of(text) is MessageState.FAILED
    told = client.get(answer.headers["Location"], **HERE).text
    assert "0 texts were queued to be sent again. 1 text was passed over: somebody else was faster" in told


def test_an_address_made_up_by_others_puts_no_words_on_the_page(client: FlaskClient) -> None:
    page = client.get(f"{PATH}?done=<script>&texts=call+me&passed=x", **HERE).text
    assert "script" not in page
    assert "call me" not in page


def test_a_form_that_says_nothing_is_refused(desk: Operated, client: FlaskClient) -> None:
    text = desk.give_up()
    assert post(client, {"token": token_of(client), "id": text.id}).status_code == 400
    assert desk.state_of(text) is MessageState.DEAD_LETTER


@pytest.mark.parametrize("token", ["", "nonsense", "9999999999.nonsense", "²³.x"])
def test_a_form_without_a_token_of_ours_changes_nothing(desk: Operated, client: FlaskClient, token: str) -> None:
    text = desk.give_up()
    token_of(client)
    assert post(client, {"token": token, "drop": text.id}).status_code == 403
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_the_token_of_another_visitor_changes_nothing(desk: Operated, client: FlaskClient) -> None:
    text = desk.give_up()
    token_of(client)
    theirs = token_of(create_app(desk.connector).test_client())
    assert post(client, {"token": theirs, "drop": text.id}).status_code == 403
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_a_token_without_the_cookie_it_belongs_to_changes_nothing(desk: Operated, client: FlaskClient) -> None:
    text, token = desk.give_up(), token_of(client)
    stranger = create_app(desk.connector).test_client()
    assert post(stranger, {"token": token, "drop": text.id}).status_code == 403
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_a_token_grows_old(desk: Operated, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    text = desk.give_up()
    monkeypatch.setattr(operators, "_FORM_LIFETIME", timedelta(seconds=-2))
    old = token_of(client)
    monkeypatch.undo()
    assert post(client, {"token": old, "drop": text.id}).status_code == 403
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_a_browser_that_says_another_site_made_it_send_the_form_is_refused(desk: Operated, client: FlaskClient) -> None:
    text = desk.give_up()
    form = {"token": token_of(client), "drop": text.id}
    assert post(client, form, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert post(client, form, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_the_cookie_is_for_this_page_and_this_site_only(client: FlaskClient) -> None:
    cookie = client.get(PATH, **HERE).headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", f"Path={PATH}"):
        assert part in cookie
    assert "Secure" not in cookie
    page = client.get(PATH, base_url="https://localhost:8000")
    assert "Secure" in page.headers["Set-Cookie"]


def test_without_a_password_only_this_machine_sees_and_decides(desk: Operated, client: FlaskClient) -> None:
    text, token = desk.give_up(), token_of(client)
    elsewhere = {"REMOTE_ADDR": "203.0.113.7"}
    assert client.get(PATH, **HERE, environ_overrides=elsewhere).status_code == 403
    refused = post(client, {"token": token, "drop": text.id}, environ_overrides=elsewhere)
    assert refused.status_code == 403
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_a_wrong_password_neither_shows_nor_decides_anything(desk: Operated) -> None:
    client, text = locked(desk), desk.give_up()
    token = token_of(client, headers=basic("ann"))
    for headers in ({}, basic("ann", "a password with umlaut")):
        page = client.get(PATH, **HERE, headers=headers)
        assert page.status_code == 401
        assert text.id not in page.text
        assert post(client, {"token": token, "drop": text.id}, headers=headers).status_code == 401
    assert desk.state_of(text) is MessageState.DEAD_LETTER


def test_the_trace_names_whoever_gave_the_password(desk: Operated) -> None:
    client, text = locked(desk), desk.give_up()
    token = token_of(client, headers=basic("ann"))
    assert post(client, {"token": token, "drop": text.id}, headers=basic("bob")).status_code == 403
    assert post(client, {"token": token, "drop": text.id}, headers=basic("ann")).status_code == 303
    assert desk.decisions(text) == ["dropped by ann, on the operators' page"]


def test_a_name_of_odd_characters_is_cut_to_a_name(desk: Operated) -> None:
    client, text = locked(desk), desk.give_up()
    odd = basic("\n" + "a" * 500)
    post(client, {"token": token_of(client, headers=odd), "drop": text.id}, headers=odd)
    assert desk.decisions(text) == [f"dropped by {'a' * 40}, on the operators' page"]


def test_the_page_runs_no_script_and_sends_forms_nowhere_else(desk: Operated, client: FlaskClient) -> None:
    desk.give_up()
    page = client.get(PATH, **HERE)
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text


@pytest.mark.parametrize("token", ["9" * 5_000 + ".a", "9999999999.ä", "²."])
def test_a_token_nobody_made_is_refused(desk: Operated, client: FlaskClient, token: str) -> None:
    text = desk.give_up()
    token_of(client)
    assert post(client, {"token": token, "drop": text.id}).status_code == 403
    now = int(desk.now.timestamp())
    assert post(client, {"token": f"{now + 60}.ä", "drop": text.id}).status_code == 403


@pytest.mark.parametrize("public", ["https://sms.example.com", "http://192.0.2.1:8000"])
def test_without_a_password_an_app_with_a_public_address_shows_the_page_to_nobody(desk: Operated, public: str) -> None:
    """A proxy on this machine that adds no header makes everybody look as if they were here."""
    desk.connector.settings = replace(desk.connector.settings, public_url=public)
    assert create_app(desk.connector).test_client().get(PATH, **HERE).status_code == 403
