"""Can an operator write, compare, publish and take back an account's journey in a browser, and nobody else?"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connector.entrypoints.web import journey_form
from connector.entrypoints.web.app import create_app
from connector.services.journey_versions import is_own
from connector.services.publications import Hand
from tests.entrypoints.operated import Operated, operated

HERE = {"base_url": "http://localhost:8000"}
JOURNEY = "demo-booked"


@dataclass
class Desk:
    """An operator's browser at one account's journeys."""

    operated: Operated
    browser: FlaskClient

    @property
    def path(self) -> str:
        return f"/accounts/{self.operated.account_id}/journeys/"

    def get(self, name: str = JOURNEY) -> str:
        page = self.browser.get(self.path + name, **HERE)
        assert page.status_code == 200, page.text
        return page.text

    def form(self, name: str = JOURNEY) -> dict[str, Any]:
        """Give the form as a browser would send it back: hidden fields, the journey and its texts."""
        page = self.get(name)
        return {
            "token": _value(page, "token"),
            "based_on": _value(page, "based_on"),
            "journey": _areas(page, "journey")[0],
            "name": [*re.findall(r'<input name="name" value="([^"]+)"', page), ""],
            "text": _areas(page, "text"),
        }

    def act(self, act: str, of: str = JOURNEY, status: int = 200, **changed: Any) -> str:
        answer: TestResponse = self.browser.post(self.path + of, data=self.form(of) | {"act": act} | changed, **HERE)
        assert answer.status_code == status, answer.text
        return html.unescape(answer.text)

    def edited(self, old: str, new: str, name: str = JOURNEY) -> str:
        """Give the journey with words changed, its lines parted as browsers part them."""
        text: str = self.form(name)["journey"]
        assert old in text
        return text.replace(old, new, 1).replace("\n", "\r\n")

    def in_service(self, name: str = JOURNEY) -> tuple[int, str]:
        connector = self.operated.connector
        with connector.ledger.begin(write=False) as uow:
            found = connector.versions.in_service(uow, self.operated.account_id)[name]
        return found.version, found.journey.title

    def is_own(self, name: str = JOURNEY) -> bool:
        with self.operated.connector.ledger.begin(write=False) as uow:
            return is_own(uow, self.operated.account_id, name)


def _value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def _areas(page: str, name: str) -> list[str]:
    """Give what textareas hold; a browser drops the line break right after the tag."""
    found = re.findall(rf'<textarea[^>]* name="{name}"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    return [html.unescape(each) for each in found]


@pytest.fixture
def desk(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with operated(tmp_path, redis_url, monkeypatch) as found:
        found.connector.publish_first(found.account_id)
        yield Desk(found, create_app(found.connector).test_client())


def test_the_list_names_every_journey_with_how_it_stands(desk: Desk) -> None:
    page = desk.get("")
    assert page.count("in service") == 3
    assert page.count("switched off") == len(desk.operated.connector.journey_files().journeys) - 3
    assert f'href="{desk.path}{JOURNEY}"' in page
    assert "its own" not in page


def test_what_was_not_changed_is_the_same_version(desk: Desk) -> None:
    before = desk.in_service()
    told = desk.act("publish")
    assert desk.in_service() == before
    assert "version 1" in told


def test_a_check_publishes_nothing_and_names_line_and_column(desk: Desk) -> None:
    told = desk.act("check", status=422, journey=desk.edited("- send:", "- sendd:"))
    assert "there is no step `sendd`" in told
    assert re.search(r"line \d+, column 5", told)
    assert "sendd" in _areas(html.escape(told, quote=False).replace("&lt;", "<").replace("&gt;", ">"), "journey")[0]
    assert desk.in_service() == (1, "Demo confirmation")
    assert "It can run. Nothing was published." in desk.act("check")


def test_a_comparison_shows_what_would_change(desk: Desk) -> None:
    told = desk.act("compare", journey=desk.edited("title: Demo confirmation", "title: Ours"))
    assert "differs from version 1" in told
    assert "+ Ours" in told
    assert desk.in_service() == (1, "Demo confirmation")


def test_published_here_it_is_the_accounts_own_and_releases_leave_it_alone(desk: Desk) -> None:
    told = desk.act("publish", journey=desk.edited("title: Demo confirmation", "title: Ours"))
    assert "Published, version 2 instead of version 1." in told
    connector = desk.operated.connector
    connector.publisher.publish(desk.operated.account_id, connector.journey_files(), (), Hand("a release"))
    assert (desk.in_service(), desk.is_own()) == ((2, "Ours"), True)
    assert "its own" in desk.get("")


def test_a_text_is_changed_one_is_added_and_an_emptied_one_is_gone(desk: Desk) -> None:
    form = desk.form()
    names, texts = form["name"][:-1], form["text"][:-1]
    german = names.index("demo-booked/confirmation.de.txt.j2")
    spanish = names.index("demo-booked/rescheduling.es.txt.j2")
    texts[german] = "Hallo, bis bald! Abmelden: STOP"
    texts[spanish] = texts[names.index("demo-booked/confirmation.es.txt.j2")] = ""
    added = "templates/demo-booked/confirmation.it.txt.j2"
    journey = desk.edited("locales: [de, fr, es]", "locales: [de, fr]")
    told = desk.act("publish", journey=journey, name=[*names, added], text=[*texts, "A presto! STOP"])
    assert "Published, version 2" in told
    kept = dict(zip(desk.form()["name"], desk.form()["text"], strict=True))
    assert kept["demo-booked/confirmation.de.txt.j2"] == "Hallo, bis bald! Abmelden: STOP"
    assert kept["demo-booked/confirmation.it.txt.j2"] == "A presto! STOP"
    assert not [name for name in kept if ".es." in name]


@pytest.mark.parametrize("name", ["../../etc/passwd", "demo-booked/../x.txt.j2", "demo-booked/x.html", "/x/y.txt.j2"])
def test_a_text_has_the_name_of_a_text(desk: Desk, name: str) -> None:
    told = desk.act("publish", status=422, name=[name], text=["Hello"])
    assert "A text is named like demo-booked/reminder.txt.j2" in told
    assert desk.in_service()[0] == 1


def test_a_journey_has_so_many_texts_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey_form, "_MOST_TEXTS", 2)
    assert "at most 2 texts" in desk.act("publish", status=422)


def test_what_somebody_else_published_meanwhile_is_not_overwritten_unseen(desk: Desk) -> None:
    mine = desk.edited("title: Demo confirmation", "title: Mine")
    form = desk.form()
    desk.act("publish", journey=desk.edited("title: Demo confirmation", "title: Theirs"))
    told = desk.act("publish", status=409, based_on=form["based_on"], journey=mine)
    assert "meanwhile version 2 is in service" in told
    assert _value(told, "based_on") == "2"
    assert desk.in_service() == (2, "Theirs")
    desk.act("publish", based_on="2", journey=mine)
    assert desk.in_service() == (3, "Mine")


def test_an_earlier_version_is_put_back_and_the_shared_file_followed_again(desk: Desk) -> None:
    desk.act("publish", journey=desk.edited("title: Demo confirmation", "title: Ours"))
    desk.act("publish", journey=desk.edited("title: Ours", "title: Better"))
    assert "Put back" in desk.get()
    assert "version 2 instead of version 3" in desk.act("restore", version="2")
    assert (desk.in_service(), desk.is_own()) == ((2, "Ours"), True)
    assert "Published, version 1" in desk.act("follow")
    assert (desk.in_service(), desk.is_own()) == ((1, "Demo confirmation"), False)


@pytest.mark.parametrize("act", ["restore", "follow", "retire"])
def test_nothing_is_taken_out_of_service_that_was_not_seen_there(desk: Desk, act: str) -> None:
    desk.act("publish", journey=desk.edited("title: Demo confirmation", "title: Mine"))
    stale = desk.form()["based_on"]
    desk.act("publish", journey=desk.edited("title: Mine", "title: Theirs"))
    told = desk.act(act, status=409, based_on=stale, version="1")
    assert "Nothing was changed: meanwhile version 3 is in service" in told
    assert desk.in_service() == (3, "Theirs")


def test_what_to_put_back_has_to_be_said(desk: Desk) -> None:
    desk.act("restore", status=400)


def test_what_was_taken_out_of_service_can_be_written_on(desk: Desk) -> None:
    desk.act("publish", journey=desk.edited("title: Demo confirmation", "title: Ours"))
    desk.act("retire")
    assert "title: Ours" in desk.form()["journey"]


def test_a_shared_file_with_a_mistake_is_shown_as_it_stands(desk: Desk) -> None:
    broken = desk.operated.connector.settings.mappings_dir / "journeys" / "broken.yaml"
    broken.write_text("journey: broken\nsteps: [", encoding="utf-8")
    assert desk.form("broken")["journey"] == "journey: broken\nsteps: ["


def test_own_journeys_may_lead_to_each_other(desk: Desk) -> None:
    onwards = desk.form("deal-won")["journey"].replace("steps:\n", "steps:\n  - enroll: our-second\n", 1)
    assert "no journey is named `our-second`" in desk.act("check", "deal-won", status=422, journey=onwards)
    desk.act("publish", "our-second")
    assert "It can run" in desk.act("check", "deal-won", journey=onwards)


def test_two_texts_of_one_name_are_refused(desk: Desk) -> None:
    name = "demo-booked/confirmation.txt.j2"
    assert "Two texts have the same name" in desk.act("publish", status=422, name=[name, name], text=["One", "Two"])


def test_a_version_that_never_was_changes_nothing(desk: Desk) -> None:
    assert "Nothing was changed" in desk.act("restore", status=409, version="9")
    assert desk.in_service()[0] == 1


def test_a_journey_is_taken_out_of_service(desk: Desk) -> None:
    assert "Retired" in desk.act("retire")
    assert "retired" in desk.get("")
    assert "Nothing was changed" in desk.act("retire", status=409)


def test_a_new_journey_begins_with_one_that_can_run(desk: Desk) -> None:
    answer = desk.browser.get(f"{desk.path}?journey=deal-won", **HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{desk.path}deal-won")
    assert "It can run" in desk.act("check", "deal-won")
    assert "Published, version 1." in desk.act("publish", "deal-won")
    assert desk.is_own("deal-won")
    assert "takes nobody in while it says" in desk.get("deal-won")


@pytest.mark.parametrize("name", ["Deal Won", "../x", "", "-", "ä", "x" * 65])
def test_an_id_is_in_small_letters_digits_and_hyphens(desk: Desk, name: str) -> None:
    answer = desk.browser.get(desk.path, query_string={"journey": name}, **HERE)
    assert answer.status_code == 400


def test_a_journey_switched_off_by_its_file_says_so(desk: Desk) -> None:
    assert "takes nobody in while it says" in desk.get("lead-welcome")
    assert "takes nobody in while it says" not in desk.get()


def test_people_in_flight_are_taken_along_only_where_that_is_ticked(desk: Desk) -> None:
    assert "people moved" not in desk.act("publish", journey=desk.edited("title: Demo confirmation", "title: One"))
    assert "0 people moved, 0 stay" in desk.act("publish", journey=desk.edited("title: One", "title: Two"), moves="yes")


@pytest.mark.parametrize("act", ["", "burn"])
def test_a_form_that_does_not_say_what_to_do_does_nothing(desk: Desk, act: str) -> None:
    desk.act(act, status=400)


def test_a_form_that_was_not_shown_to_this_browser_does_nothing(desk: Desk) -> None:
    form = desk.form() | {"act": "retire"}
    stranger = create_app(desk.operated.connector).test_client()
    assert stranger.post(desk.path + JOURNEY, data=form, **HERE).status_code == 403
    assert desk.in_service()[0] == 1


def test_the_pages_ask_for_the_password(desk: Desk) -> None:
    connector = desk.operated.connector
    connector.settings = replace(connector.settings, start_page_password="a password")
    for path in (desk.path, f"{desk.path}?journey=a", desk.path + JOURNEY):
        assert desk.browser.get(path, **HERE).status_code == 401
    assert desk.browser.post(desk.path + JOURNEY, data={}, **HERE).status_code == 401


def test_there_is_no_such_account(desk: Desk) -> None:
    assert desk.browser.get("/accounts/nobody/journeys/", **HERE).status_code == 404


def test_every_shipped_journey_comes_back_from_the_form_as_it_was(desk: Desk) -> None:
    for name, journey in desk.operated.connector.journey_files().journeys.items():
        form = desk.form(name)
        assert form["journey"] == journey.source["journey"]
        assert dict(zip(form["name"], form["text"], strict=True)) == {**journey.source["templates"], "": ""}  # type: ignore[dict-item]
