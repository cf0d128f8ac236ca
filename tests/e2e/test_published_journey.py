"""Does a journey that is published while everything runs take people in, with links, codes, notes and consent?"""

from __future__ import annotations

import re
from pathlib import Path

import httpx

from connector.adapters.journey_files import read_journey
from connector.adapters.world_files import read_world
from connector.adapters.yaml_file import read_yaml
from connector.ports.consents import ConsentKind
from connector.services.publications import Hand, JourneyFiles
from connector.services.traces import TraceLine
from tests.e2e.scene import Person, Scene
from tests.waiting import eventually

MAPPINGS, TEMPLATES = Path("mappings"), Path("templates")
_LINK = re.compile(r"https?://\S+/l/\w+")


def publish(scene: Scene, name: str) -> None:
    """Switch a journey of the library on, for this scene's portal, as an admin would with its file."""
    path = MAPPINGS / "journeys" / f"{name}.yaml"
    text = path.read_text(encoding="utf-8").replace("enabled: no", "enabled: yes")
    journey, mistakes = read_journey(read_yaml(text, str(path)), name, read_world(MAPPINGS, TEMPLATES)[0])
    assert journey is not None, mistakes
    connector = scene.rig.connector
    with connector.ledger.begin(write=False) as uow:
        [account_id] = uow.accounts.by_external_ids("hubspot", [str(scene.portal_id)]).values()
    connector.publisher.publish(account_id, JourneyFiles({name: journey}), [name], Hand("the test"))


def arrives(scene: Scene) -> Person:
    """A new contact, whose creation the portal has told us."""
    person = scene.person("Nora")
    scene.rig.webhooks.flush()
    return person


def why(scene: Scene, person: Person) -> list[TraceLine]:
    return list(scene.rig.connector.traces.explain(person.crm_id))


def test_link_that_is_followed_ends_the_welcome_and_leaves_a_note(scene: Scene) -> None:
    publish(scene, "lead-welcome")
    person = arrives(scene)
    scene.gets(person.number, "thanks for your interest")
    scene.books.settle()
    [link] = _LINK.findall(scene.texts(person.number)[0])
    answer = httpx.get(link, headers={"User-Agent": "Mozilla/5.0"}, trust_env=False)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://www.example.com/verify?contact=")
    eventually(lambda: any("number confirmed" in line.summary for line in why(scene, person)), "the journey ends")
    scene.books.settle()
    rows = scene.rig.hubspot.timeline(scene.portal_id, person.crm_id)
    notes = [row["body"] for row in rows if row["type"] == "notes"]
    assert len(notes) == 1
    assert "has confirmed this number" in notes[0]
    scene.rig.push(hours=25)
    scene.books.settle()
    assert scene.tasks(person) == []


def test_lead_who_does_nothing_for_a_day_is_called(scene: Scene) -> None:
    publish(scene, "lead-welcome")
    person = arrives(scene)
    scene.gets(person.number, "thanks for your interest")
    scene.books.settle()
    scene.rig.push(hours=24)
    scene.books.settle()
    [task] = scene.tasks(person)
    assert task["hs_task_subject"] == "Call Nora Lindqvist: no answer to the welcome text"


def test_double_opt_in_is_a_consent_with_its_words(scene: Scene) -> None:
    publish(scene, "double-opt-in")
    person = arrives(scene)
    scene.change("contacts", person.crm_id, sms_connector_opt_in_requested_at="2026-11-21T10:00:00Z")
    scene.gets(person.number, "Reply YES to agree")
    scene.books.settle()
    scene.write(person.number, "Yes!")
    scene.gets(person.number, "You will get our offers")
    scene.books.settle()
    with scene.rig.connector.ledger.begin(write=False) as uow:
        [account_id] = uow.accounts.by_external_ids("hubspot", [str(scene.portal_id)]).values()
        assert uow.consents.marketing_consent(account_id, [person.number]) == {person.number: ConsentKind.OPT_IN}
        assert [event.wording for event in uow.consents.history(account_id, person.number)] == ["Yes!"]


def test_one_time_code_is_taken_once_and_never_shown(scene: Scene) -> None:
    publish(scene, "one-time-code")
    person = arrives(scene)
    scene.change("contacts", person.crm_id, sms_connector_code_requested_at="2026-11-21T10:00:00Z")
    scene.gets(person.number, "We never ask you for it")
    scene.books.settle()
    code = scene.texts(person.number)[0][:6]
    scene.write(person.number, f"it is {code}")
    eventually(lambda: any("right code" in line.summary for line in why(scene, person)), "the code is taken")
    scene.books.settle()
    confirmed = scene.rig.hubspot.get(scene.portal_id, "contacts", person.crm_id)["properties"]
    assert confirmed.get("sms_connector_code_confirmed", "").startswith("2026-11-21T10:00:00")
    assert not any(code in str(line) for line in why(scene, person))
