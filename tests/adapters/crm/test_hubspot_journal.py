"""Does the journal tell of what happened while we were away, in the words of webhooks?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connector.adapters.crm.hubspot.journal import HubSpotJournal
from connector.adapters.crm.oauth_app import OAuthApp
from connector.domain.event import ChangeKind, ObjectRef
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError, PlaceLostError
from connector.ports.journals import JournalEntry, JournalNotice
from connector.sandbox.clock import SandboxClock
from connector.sandbox.faults import Faults
from connector.sandbox.hubspot.app import create_app
from connector.sandbox.hubspot.journal import Journal
from connector.sandbox.hubspot.world import HubSpotWorld
from connector.sandbox.serve import Server
from tests.adapters.crm.conftest import CLIENT_ID, CLIENT_SECRET, PORTAL, TOKEN

WATCHED = {"contact": ["mobilephone"], "deal": ["dealstage"]}


@dataclass
class Stage:
    """A journal and the world it tells of."""

    journal: HubSpotJournal
    world: HubSpotWorld
    told: Journal
    clock: SandboxClock
    faults: Faults

    def follow(self) -> int:
        return self.journal.follow(str(PORTAL), WATCHED)

    def all(self, after: str = "") -> tuple[list[JournalNotice], str]:
        """Read to the end; give what was told and where that was."""
        found = list[JournalNotice]()
        while (entry := self.journal.read(after)) is not None:
            found += entry.notices
            after = entry.offset
        return found, after

    def deal(self, **more: str) -> str:
        return str(self.world.create(PORTAL, "deals", {"dealname": "Roof", "dealstage": "closedwon", **more})["id"])


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock, faults = SandboxClock(), Faults()
    world = HubSpotWorld(clock, seed=1)
    world.limits.per_ten_seconds = None
    world.add_portal(PORTAL, token=TOKEN)
    world.tokens.add_app(CLIENT_ID, CLIENT_SECRET, 678)
    told = Journal(world)
    with Server(create_app(world, clock, faults, journal=told)) as server, httpx.Client() as http:
        app = OAuthApp(CLIENT_ID, (CLIENT_SECRET,))
        yield Stage(HubSpotJournal(http, app, server.url, "2026-09", clock), world, told, clock, faults)


def test_an_empty_journal_tells_nothing(stage: Stage) -> None:
    assert stage.journal.read("") is None


def test_following_twice_makes_no_second_subscriptions_and_more_properties_make_more(stage: Stage) -> None:
    assert stage.follow() == 4
    assert stage.follow() == 0
    assert stage.journal.follow(str(PORTAL), {"deal": ["amount"]}) == 1
    assert stage.journal.follow(str(PORTAL + 1), {"deal": ["amount"]}) == 2


def test_what_happens_is_told_in_order_and_once(stage: Stage) -> None:
    stage.follow()
    deal = stage.deal()
    first, place = stage.all()
    assert [(str(each.notice.ref), each.notice.kind, each.notice.property_value) for each in first if each.notice] == [
        (f"deal:{deal}", ChangeKind.CREATED, None),
        (f"deal:{deal}", ChangeKind.CHANGED, "closedwon"),
    ]
    assert stage.all(place) == ([], place)
    stage.world.update(PORTAL, "deals", deal, {"dealstage": "closedlost", "amount": "9"})
    (moved,) = stage.all(place)[0]
    assert moved.notice is not None
    assert (moved.notice.property_name, moved.notice.property_value) == ("dealstage", "closedlost")
    assert moved.notice.occurred_at == stage.world.portal(PORTAL).records["deals"][deal].history["dealstage"][-1][
        0
    ].replace(microsecond=moved.notice.occurred_at.microsecond)


def test_merges_deletions_restorations_and_erasures_are_told(stage: Stage) -> None:
    stage.follow()
    one, two, three = (str(stage.world.create(PORTAL, "contacts", {"firstname": "Lea"})["id"]) for _ in range(3))
    _, place = stage.all()
    stage.world.merge(PORTAL, one, two)
    stage.world.delete(PORTAL, "contacts", one)
    stage.world.restore(PORTAL, "contacts", one)
    stage.world.forget(PORTAL, three)
    notices = [each.notice for each in stage.all(place)[0] if each.notice is not None]
    assert [(each.kind, each.ref, each.merged_ids) for each in notices] == [
        (ChangeKind.MERGED, ObjectRef("contact", one), (two,)),
        (ChangeKind.DELETED, ObjectRef("contact", one), ()),
        (ChangeKind.RESTORED, ObjectRef("contact", one), ()),
        (ChangeKind.PRIVACY_DELETED, ObjectRef("contact", three), ()),
        (ChangeKind.DELETED, ObjectRef("contact", three), ()),
    ]


def test_imports_are_told_as_such(stage: Stage) -> None:
    stage.follow()
    stage.world.create(PORTAL, "contacts", {"firstname": "Lea"}, source="IMPORT")
    (made,) = stage.all()[0]
    assert made.notice is not None
    assert made.notice.is_import


def test_an_app_that_was_taken_out_is_told(stage: Stage) -> None:
    stage.follow()
    stage.told.uninstalled(PORTAL)
    (told,) = stage.all()[0]
    assert (told.external_account_id, told.is_uninstall) == (str(PORTAL), True)
    assert told.occurred_at is not None


def test_a_place_that_is_no_longer_kept_is_told_as_lost(stage: Stage) -> None:
    stage.follow()
    stage.deal()
    _, place = stage.all()
    stage.clock.advance(timedelta(days=4))
    stage.deal()
    with pytest.raises(PlaceLostError, match="read the journal"):
        stage.journal.read(place)
    found, _ = stage.all()
    assert len(found) == 2


def test_a_token_whose_time_is_up_is_replaced(stage: Stage) -> None:
    stage.follow()
    stage.clock.advance(timedelta(hours=1))
    stage.deal()
    assert stage.all()[0]
    assert stage.world.calls["hubspot.oauth.token"] == 2


def test_a_token_that_is_refused_is_replaced_once(stage: Stage) -> None:
    stage.follow()
    stage.faults.arm("hubspot.journal.earliest", "status", status=401)
    stage.deal()
    assert stage.all()[0]
    stage.faults.arm("hubspot.journal.earliest", "status", status=401, times=2)
    with pytest.raises(CRMUnavailableError) as refused:
        stage.journal.read("")
    assert refused.value.status == 401, "no portal is to blame, so none is disconnected"


@pytest.mark.parametrize(
    ("operation", "status", "error"),
    [
        ("oauth.token", 500, CRMUnavailableError),
        ("journal.earliest", 503, CRMUnavailableError),
        ("journal.earliest", 403, CRMRefusedError),
        ("journal.subscriptions", 429, CRMUnavailableError),
    ],
)
def test_trouble_is_told_by_its_meaning(stage: Stage, operation: str, status: int, error: type[CRMError]) -> None:
    stage.told.subscriptions.append(
        {"subscriptionType": "OBJECT", "portalId": PORTAL, "objectTypeId": "0-3", "actions": ["CREATE"]}
    )
    stage.deal()
    stage.faults.arm(f"hubspot.{operation}", "status", status=status)
    with pytest.raises(error):
        stage.follow() if operation.endswith("subscriptions") else stage.journal.read("")


def scripted(stage: Stage, *answers: Any) -> HubSpotJournal:
    """A journal whose calls behind the token are answered by script."""
    script = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "app-token", "expires_in": 1800})
        return httpx.Response(200, json=next(script))

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return HubSpotJournal(http, OAuthApp("a", ("b",)), "https://api.hubapi.com", "2026-09", stage.clock)


@pytest.mark.parametrize("address", ["", "http://files.example/1.json", "file:///etc/passwd", "https://[", "ftp://x/1"])
def test_an_entry_is_not_fetched_from_just_anywhere(stage: Stage, address: str) -> None:
    entry = scripted(stage, {"currentOffset": "o", "url": address}).read("")
    why = "read an entry of the journal: its address is none that may be fetched from"
    assert entry == JournalEntry("o", unreadable=why)


def test_an_answer_that_names_no_entry_is_asked_for_again(stage: Stage) -> None:
    with pytest.raises(CRMUnavailableError, match="names no entry"):
        scripted(stage, {"url": "https://files.example/1.json"}).read("")


@pytest.mark.parametrize(("status", "is_away"), [(404, False), (403, False), (500, True), (503, True), (429, True)])
def test_an_entry_whose_file_is_not_given_out_is_told_with_the_place_behind_it(
    stage: Stage, status: int, *, is_away: bool
) -> None:
    stage.follow()
    stage.deal()
    stage.faults.arm("hubspot.journal.file", "status", status=status)
    entry = stage.journal.read("")
    assert entry is not None
    assert entry.unreadable.startswith("read an entry of the journal: ")
    assert entry.is_away == is_away
    read_again = stage.journal.read("")
    assert read_again is not None
    assert (read_again.offset, read_again.unreadable, len(read_again.notices)) == (entry.offset, "", 2)


class Trickle(httpx.SyncByteStream):
    """A file that does not end, a megabyte at a time; counts what was read of it."""

    def __init__(self, pass_time: Callable[[], object]) -> None:
        self.read, self._pass_time = 0, pass_time

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.read += 1
            self._pass_time()
            yield b"[" * 1024 * 1024


def endless(stage: Stage, file: Trickle) -> JournalEntry | None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "files.example":
            return httpx.Response(200, stream=file)
        told = {"currentOffset": "o", "url": "https://files.example/1.json", "access_token": "t", "expires_in": 1800}
        return httpx.Response(200, json=told)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return HubSpotJournal(http, OAuthApp("a", ("b",)), "https://api.hubapi.com", "2026-09", stage.clock).read("")


def test_a_file_that_is_too_large_is_left_before_it_is_all_there(stage: Stage) -> None:
    file = Trickle(lambda: None)
    assert endless(stage, file) == JournalEntry("o", unreadable="read an entry of the journal: it is too large")
    assert file.read == 33


def test_a_file_that_trickles_is_left_after_a_minute(stage: Stage) -> None:
    file = Trickle(lambda: stage.clock.advance(timedelta(seconds=25)))
    entry = endless(stage, file)
    assert entry == JournalEntry(
        "o", unreadable="read an entry of the journal: it takes too long to come", is_away=True
    )
    assert file.read == 3


def test_a_store_of_files_that_does_not_answer_is_told_with_the_place_behind_it(stage: Stage) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "files.example":
            raise httpx.ConnectError("refused")
        told = {"currentOffset": "o", "url": "https://files.example/1.json", "access_token": "t", "expires_in": 1800}
        return httpx.Response(200, json=told)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    journal = HubSpotJournal(http, OAuthApp("a", ("b",)), "https://api.hubapi.com", "2026-09", stage.clock)
    why = "read an entry of the journal: no answer from HubSpot"
    assert journal.read("") == JournalEntry("o", unreadable=why, is_away=True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 200_000])
def test_a_file_that_is_no_json_is_told_with_the_place_behind_it(stage: Stage, body: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "files.example":
            return httpx.Response(200, content=body)
        told = {"currentOffset": "o", "url": "https://files.example/1.json", "access_token": "t", "expires_in": 1800}
        return httpx.Response(200, json=told)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    journal = HubSpotJournal(http, OAuthApp("a", ("b",)), "https://api.hubapi.com", "2026-09", stage.clock)
    why = "read an entry of the journal: HubSpot's answer cannot be read"
    assert journal.read("") == JournalEntry("o", unreadable=why)


@pytest.mark.parametrize(
    "event",
    [
        None,
        {},
        {"portalId": 5},
        {"portalId": 5, "action": "CREATE", "objectTypeId": "0-1", "objectId": 1},
        {"portalId": 5, "action": "CREATE", "objectTypeId": "0-1", "objectId": 1, "occurredAt": "noon"},
        {"portalId": 5, "action": "ASSOCIATION_ADDED", "objectTypeId": "0-1", "objectId": 1, "occurredAt": 1},
        {"action": "CREATE", "objectTypeId": "0-1", "objectId": 1, "occurredAt": 1},
    ],
)
def test_what_is_not_understood_is_left_out(stage: Stage, event: object) -> None:
    good = {"portalId": 5, "action": "CREATE", "objectTypeId": "0-1", "objectId": 1, "occurredAt": 1763700000000}
    file = {"offset": "o", "journalEvents": [event, good]}
    entry = scripted(stage, {"currentOffset": "o", "url": "https://files.example/1.json"}, file).read("")
    assert entry is not None
    assert [each.external_account_id for each in entry.notices] == ["5"]


@pytest.mark.parametrize("file", [[], {}, {"journalEvents": 7}])
def test_a_file_of_another_shape_tells_nothing(stage: Stage, file: object) -> None:
    entry = scripted(stage, {"currentOffset": "o", "url": "https://files.example/1.json"}, file).read("")
    assert entry is not None
    assert entry.notices == []


def test_our_secret_and_token_are_not_shown(stage: Stage) -> None:
    stage.follow()
    assert CLIENT_SECRET not in repr(stage.journal)
    assert "sandbox-app" not in repr(stage.journal)
