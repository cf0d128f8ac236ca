"""Does work in the pretend HubSpot leave the records, timelines and changes it should?"""

import threading
from datetime import timedelta

import httpx
import pytest

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.app import run
from connector.sandbox.hubspot.changes import Change
from connector.sandbox.hubspot.portal import Pipeline, Stage
from connector.sandbox.hubspot.refusals import RefusalError
from connector.sandbox.hubspot.world import HubSpotWorld

PORTAL, V = 12345, "2026-09"


def sms(text: str, at: str) -> dict[str, str]:
    return {
        "hs_communication_channel_type": "SMS",
        "hs_communication_logged_from": "CRM",
        "hs_communication_body": text,
        "hs_timestamp": at,
    }


def test_a_timeline_shows_messages_tasks_and_notes_newest_first(world: HubSpotWorld) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    deal = world.create(PORTAL, "deals", {"dealname": "A"}, [("contacts", contact)])["id"]
    to_both = [("contacts", contact), ("deals", deal)]
    world.create(PORTAL, "communications", sms("first", "2026-11-20T10:00:00Z"), to_both)
    world.create(
        PORTAL,
        "tasks",
        {"hs_task_subject": "Call", "hs_task_body": "call back", "hs_timestamp": "2026-11-20T12:00:00Z"},
        [("contacts", contact)],
    )
    world.create(PORTAL, "communications", sms("second", "2026-11-20T11:00:00Z"), [("contacts", contact)])
    note = {"hs_note_body": "paid", "hs_timestamp": "2026-11-20T13:00:00Z"}
    world.create(PORTAL, "notes", note, [("contacts", contact), ("deals", deal)])
    timeline = world.timeline(PORTAL, contact)
    assert [(each["type"], each["body"]) for each in timeline] == [
        ("notes", "paid"),
        ("tasks", "call back"),
        ("communications", "second"),
        ("communications", "first"),
    ]
    assert timeline[-1]["associations"] == {"contacts": [contact], "deals": [deal]}


def test_a_note_needs_its_time_and_a_task_s_queue_has_to_exist(world: HubSpotWorld) -> None:
    with pytest.raises(RefusalError, match="required properties were not set"):
        world.create(PORTAL, "notes", {"hs_note_body": "paid"})
    queue = world.add_task_queue(PORTAL, "Collections")
    task = {"hs_task_subject": "Call", "hs_timestamp": "2026-11-20T12:00:00Z"}
    made = world.create(PORTAL, "tasks", {**task, "hs_queue_membership_ids": queue})
    assert made["properties"]["hs_queue_membership_ids"] == queue
    with pytest.raises(RefusalError, match="not one of the allowed options"):
        world.create(PORTAL, "tasks", {**task, "hs_queue_membership_ids": "7"})


def test_times_are_kept_in_utc_however_they_were_written(world: HubSpotWorld) -> None:
    bodies = ["1795168800000", "2026-11-20T10:00:00Z", "2026-11-20T11:00:00+01:00", "2026-11-20T10:00:00"]
    made = [world.create(PORTAL, "communications", sms("x", each)) for each in bodies]
    assert {each["properties"]["hs_timestamp"] for each in made} == {"2026-11-20T10:00:00.000Z"}


def test_a_merged_contact_leads_to_the_one_it_became(world: HubSpotWorld, api: httpx.Client) -> None:
    kept = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    gone = world.create(PORTAL, "contacts", {"firstname": "A.", "city": "Ghent", "email": "ada@example.com"})["id"]
    deal = world.create(PORTAL, "deals", {"dealname": "A"}, [("contacts", gone)])["id"]
    body = {"primaryObjectId": kept, "objectIdToMerge": gone}
    assert api.post(f"/crm/objects/{V}/contacts/merge", json=body).json()["id"] == kept
    merged = world.get(PORTAL, "contacts", gone)
    assert (merged["id"], merged["properties"]["firstname"], merged["properties"]["city"]) == (kept, "Ada", "Ghent")
    assert merged["properties"]["hs_merged_object_ids"] == gone
    assert world.associated(PORTAL, "deals", deal, "contacts") == [kept]
    assert [each["id"] for each in world.list(PORTAL, "contacts")] == [kept]
    with pytest.raises(RefusalError, match="itself"):
        world.merge(PORTAL, kept, gone)


def test_a_deleted_record_is_out_of_every_association(world: HubSpotWorld, api: httpx.Client) -> None:
    contact = world.create(PORTAL, "contacts", {"firstname": "Ada"})["id"]
    deal = world.create(PORTAL, "deals", {"dealname": "A"}, [("contacts", contact)])["id"]
    body = {"inputs": [{"id": deal}, {"id": "999"}]}
    assert api.post(f"/crm/objects/{V}/deals/batch/archive", json=body).status_code == 204
    assert world.associated(PORTAL, "contacts", contact, "deals") == []
    assert api.post(f"/crm/objects/{V}/contacts/gdpr-delete", json={"objectId": contact}).status_code == 204
    assert world.list(PORTAL, "contacts") == []


def test_clearing_a_value_is_a_change_to_empty_text(world: HubSpotWorld) -> None:
    seen: list[Change] = []
    contact = world.create(PORTAL, "contacts", {"mobilephone": "+12025550143"})["id"]
    world.on_change(seen.append)
    world.update(PORTAL, "contacts", contact, {"mobilephone": ""})
    values = {change.property_name: change.value for change in seen}
    assert values["mobilephone"] == ""
    assert values["hs_calculated_mobile_number"] == ""
    assert "mobilephone" not in world.get(PORTAL, "contacts", contact)["properties"]


def test_listeners_run_without_the_lock_so_another_thread_may_work(world: HubSpotWorld, api: httpx.Client) -> None:
    seen: list[int] = []

    def listener(_: Change) -> None:
        other = threading.Thread(target=lambda: seen.append(len(world.list(PORTAL, "deals"))))
        other.start()
        other.join(5)

    world.on_change(listener)
    world.create(PORTAL, "deals", {})
    assert seen
    assert set(seen) == {1}
    api.post(f"/crm/objects/{V}/deals", json={"properties": {}})
    assert set(seen) == {1, 2}


def test_a_pipeline_of_the_portals_own_brings_its_stages(world: HubSpotWorld) -> None:
    world.add_pipeline(PORTAL, "deals", Pipeline("repairs", "Repairs", (Stage("in", "In"), Stage("out", "Out"))))
    deal = world.create(PORTAL, "deals", {"pipeline": "repairs", "dealstage": "in"})["id"]
    world.update(PORTAL, "deals", deal, {"dealstage": "out"})
    with pytest.raises(RefusalError, match="closedwon"):
        world.update(PORTAL, "deals", deal, {"dealstage": "closedwon"})


def test_the_same_seed_invents_the_same_tokens(clock: SandboxClock) -> None:
    def code() -> str:
        return HubSpotWorld(clock, seed=7).tokens.issue_code("app", PORTAL, "http://localhost")

    assert code() == code()


def test_a_portal_opens_once(world: HubSpotWorld) -> None:
    with pytest.raises(ValueError, match="12345"):
        world.add_portal(PORTAL)


def test_records_are_listed_in_pages(world: HubSpotWorld, api: httpx.Client) -> None:
    ids = [world.create(PORTAL, "contacts", {"firstname": str(n)})["id"] for n in range(3)]
    first = api.get(f"/crm/objects/{V}/contacts", params={"limit": 2, "properties": "city,zip"}).json()
    rest = api.get(f"/crm/objects/{V}/contacts", params={"after": first["paging"]["next"]["after"]}).json()
    assert [row["id"] for row in first["results"] + rest["results"]] == ids
    assert first["results"][0]["properties"].keys() == {"hs_object_id", "createdate", "lastmodifieddate", "city", "zip"}
    assert rest["results"][0]["properties"]["firstname"] == "2"


def test_a_contact_is_read_by_its_email(world: HubSpotWorld, api: httpx.Client) -> None:
    contact = world.create(PORTAL, "contacts", {"email": "ada@example.com"})["id"]
    path = f"/crm/objects/{V}/contacts/ada@example.com"
    assert api.get(path, params={"idProperty": "email"}).json()["id"] == contact
    assert api.get(path, params={"idProperty": "firstname"}).status_code == 400
    body = {"idProperty": "email", "inputs": [{"id": "ada@example.com"}, {"id": "bob@example.com"}]}
    read = api.post(f"/crm/objects/{V}/contacts/batch/read", json=body)
    assert (read.status_code, [row["id"] for row in read.json()["results"]]) == (207, [contact])


def test_people_work_over_the_control_paths(world: HubSpotWorld, api: httpx.Client) -> None:
    seen: list[Change] = []
    world.on_change(seen.append)
    made = api.post(f"/_sandbox/records/{PORTAL}/contacts", json={"properties": {"firstname": "Ada"}, "source": "FORM"})
    contact = made.json()["id"]
    deal = {"properties": {"dealname": "A"}, "associations": [["contacts", contact]]}
    deal_id = api.post(f"/_sandbox/records/{PORTAL}/deals", json=deal).json()["id"]
    api.patch(f"/_sandbox/records/{PORTAL}/deals/{deal_id}", json={"properties": {"dealstage": "closedwon"}})
    assert {change.source for change in seen} == {"FORM", "CRM_UI"}
    assert (seen[-1].property_name, seen[-1].value) == ("dealstage", "closedwon")
    assert api.get(f"/_sandbox/records/{PORTAL}/deals/{deal_id}").json()["properties"]["dealstage"] == "closedwon"
    assert [row["id"] for row in api.get(f"/_sandbox/records/{PORTAL}/contacts").json()] == [contact]
    assert api.get(f"/_sandbox/timeline/{PORTAL}/{contact}").json() == []
    assert api.delete(f"/_sandbox/records/{PORTAL}/deals/{deal_id}").status_code == 204
    assert api.get(f"/_sandbox/records/{PORTAL}/deals/{deal_id}").status_code == 404
    assert api.post(f"/_sandbox/records/{PORTAL}/deals", json={"colour": 1}).status_code == 400
    assert api.get(f"/_sandbox/records/1/{'deals'}").status_code == 404


def test_run_serves_a_seeded_portal_and_sends_signed_webhooks(clock: SandboxClock) -> None:
    closed = "http://127.0.0.1:9/hook"
    running = run(0, clock=clock, webhook_url=closed, client_secret="hush", seed=1)
    try:
        assert running.webhooks is not None
        running.webhooks.is_paused = True
        header = {"Authorization": f"Bearer {running.token}"}
        contacts = httpx.get(f"{running.url}/crm/objects/{V}/contacts", headers=header).json()["results"]
        assert len(contacts) == 3
        deals = running.world.associated(running.portal_id, "contacts", contacts[0]["id"], "deals")
        running.world.update(running.portal_id, "deals", deals[0], {"dealstage": "closedwon"})
        shown = httpx.get(f"{running.url}/_sandbox/webhooks").json()
        assert (shown["waiting"], shown["deliveries"]) == (1, [])
        change = {"duplicates": 1, "shuffle": True, "delay_seconds": 3, "batch_size": 5}
        assert httpx.post(f"{running.url}/_sandbox/webhooks", json=change).status_code == 200
        assert (running.webhooks.duplicates, running.webhooks.delay) == (1, timedelta(seconds=3))
        flushed = httpx.post(f"{running.url}/_sandbox/webhooks/flush").json()
        (delivery,) = flushed["deliveries"]
        assert (delivery["status"], len(delivery["events"])) == (None, 2)
        assert "ConnectError" in delivery["error"]
        wrong = ({"colour": 1}, {"duplicates": "many"}, {"delay_seconds": 1e20}, {"is_paused": "no", "duplicates": 7})
        for mistake in wrong:
            assert httpx.post(f"{running.url}/_sandbox/webhooks", json=mistake).status_code == 400
        assert (running.webhooks.duplicates, running.webhooks.is_paused) == (1, True)
    finally:
        running.stop()


def test_webhooks_need_the_secret_they_are_signed_with() -> None:
    with pytest.raises(ValueError, match="client secret"):
        run(0, webhook_url="http://127.0.0.1:9/hook")
