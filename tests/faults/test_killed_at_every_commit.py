"""Is a text lost or doubled when its process dies at any commit or request on its way, found by counting them?

Killed with SIGKILL before and after each commit to the ledger and each request to a gateway, from the claim to the
last question about it; then another process goes on with what is left.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import make_engine
from connector.domain.message import MessageState, Purpose
from connector.ports.messages import MessageRow
from tests.faults.books import check_sums, check_trace
from tests.faults.emulated import Emulated
from tests.faults.killing import Killing, Mortals, Postbox, urls
from tests.faults.mortal_sender import Order
from tests.faults.proving import Proving, Traveller, open_ledger
from tests.faults.wiring import BEGIN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # some hundred processes


@dataclass
class Way:
    """What happens to the text at its first gateway, and which commits its way must have in it.

    Attributes:
        may_need_a_person: the gateway cannot be asked about a text of which it never told us the id, so that after some
            deaths nobody can tell.
    """

    name: str
    arm: Callable[[Emulated], None]
    commits: frozenset[str]
    gateways: tuple[str, str] = ("twilio", "infobip")
    may_need_a_person: bool = False

    def __str__(self) -> str:
        return self.name


def _taken_in_silence(vendor: Emulated) -> None:
    vendor.break_sends("accept_then_timeout", 1, then="reset")
    vendor.bend_receipts("silent")


_SENT = frozenset({"claiming.claim", "outcomes.record", "gateway_health.tell"})
_HEARD = frozenset({"receipts._work", "receipts.drain", "wiring.run"})
_ASKED = frozenset({"reconcile.ask", "reconcile._record"})

WAYS = (
    Way("delivered", lambda _: None, _SENT | _HEARD),
    Way("refused for now", lambda vendor: vendor.break_sends("status", 1, status=429), _SENT | _HEARD),
    Way("not taken, and nobody said so", lambda vendor: vendor.break_sends("reset", 1), _SENT | _HEARD | _ASKED),
    Way("taken, and nobody said so", _taken_in_silence, _SENT | _ASKED),
    Way("cannot be asked", lambda _: None, _SENT | _HEARD, ("telnyx", "twilio"), may_need_a_person=True),
)


@pytest.fixture(scope="module")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortals]:
    running = Mortals(tmp_path_factory.mktemp("mortals") / "log")
    yield running
    running.stop()


@dataclass
class World:
    """Both gateways, the postbox, and a ledger that is made anew for every walk."""

    new_url: Callable[[], str]
    way: Way
    vendors: Sequence[Emulated]
    postbox: Postbox
    time: Traveller
    clock: Path
    text: MessageRow = field(init=False)
    url: str = ""

    def begin(self) -> str:
        """Begin anew: a text is ordered."""
        self.postbox.empty()
        self.time.move_to(BEGIN, tick=False)
        self.clock.write_text(BEGIN.isoformat(), encoding="ascii")
        for vendor in self.vendors:
            vendor.begin_test(self.postbox)
        self.way.arm(self.vendors[0])
        self.url = self.new_url()
        with self.proving() as proving:
            self.text = proving.order(Purpose.TRANSACTIONAL)[Purpose.TRANSACTIONAL]
        return self.url

    def proving(self) -> Opened:
        """Look into the ledger."""
        return Opened(self)


class Opened:
    """The ledger of a walk, open as long as somebody looks into it."""

    def __init__(self, world: World) -> None:
        self._ledger = open_ledger(world.url)
        self._proving = Proving(
            self._ledger, world.vendors, {vendor.slug: vendor.gateway for vendor in world.vendors}, world.time
        )

    def __enter__(self) -> Proving:
        return self._proving

    def __exit__(self, *_: object) -> None:
        self._ledger.close()


@pytest.fixture
def new_url(
    request: pytest.FixtureRequest, database: str, empty_ledger: Path, tmp_path: Path
) -> Iterator[Callable[[], str]]:
    """Make an empty ledger, again and again."""
    if database == "sqlite":
        yield lambda: f"sqlite:///{shutil.copy(empty_ledger, tmp_path / f'{uuid4().hex}.sqlite3')}"
        return
    url = str(request.getfixturevalue("postgres_url"))
    engine = make_engine(url)
    metadata.create_all(engine)
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)

    def emptied() -> str:
        with engine.begin() as connection:  # waits for what the dead still hold
            connection.exec_driver_sql(f"TRUNCATE {names}")
        return url

    yield emptied
    engine.dispose()


@pytest.fixture
def world(
    new_url: Callable[[], str], way: Way, vendors: Callable[[str], Emulated], time: Traveller, tmp_path: Path
) -> Iterator[World]:
    both = [vendors(slug) for slug in way.gateways]
    postbox = Postbox(both, time)
    with postbox.server:
        yield World(new_url, way, both, postbox, time, tmp_path / "clock")


# On PostgreSQL, where each death takes three times as long, those ways that between them have every commit.
_CASES = [("sqlite", way) for way in WAYS] + [("postgresql", WAYS[0]), ("postgresql", WAYS[3])]


@pytest.mark.parametrize(("database", "way"), _CASES, ids=str)
def test_text_survives_the_death_of_its_process_at_every_place_of_its_way(
    way: Way, world: World, mortals: Mortals, tmp_path: Path
) -> None:
    order = Order("", urls(world.vendors), world.postbox.server.url, str(world.clock), str(tmp_path / "places"), 0)
    killing = Killing(mortals, order, world.begin)
    places = killing.places()
    assert complaint(world) == ""
    committed = {place.rpartition("connector.services.")[2] for place in places if "the commit of" in place}
    committed = {each.rpartition("tests.faults.")[2] for each in committed}
    assert way.commits <= committed
    assert places.count("before a request") >= 1
    ends = {}
    for number, place in enumerate(places, start=1):
        assert killing.die_at(number) == place
        if wrong := complaint(world):
            ends[f"{number}: {place}"] = wrong
    assert ends == {}


def complaint(world: World) -> str:
    """Say what is wrong with the text in the end; nothing when it arrived, once, and the ledger knows."""
    text = world.text
    taken = sum(vendor.taken(text.body) for vendor in world.vendors)
    copies = sum(vendor.copies(text.body) for vendor in world.vendors)
    with world.proving() as proving:
        row = proving.row(text)
        if row.state is MessageState.DEAD_LETTER and world.way.may_need_a_person:
            expected, seen = MessageState.DEAD_LETTER, (1, 1) if taken <= 1 else (taken, copies)
        else:
            expected, seen = MessageState.DELIVERED, (taken, copies)
        if seen != (1, 1) or row.state is not expected:
            return f"taken {taken} times, on {copies} phones, {row.state}: {row.state_reason}"
        check_trace(proving, text)
        check_sums(proving, [text])
    return ""
