"""How long from a webhook to the text's arrival at the gateway, when nothing else is going on?

Through real web and worker processes: signature, inbox, nudge, reading deal and contact from the pretend HubSpot,
enrollment, text, permission, claim, POST. The floor is made of the same round trips and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx

from bench.load import drive
from bench.report import Figure, percentile
from bench.texts import daytime_zones
from bench.webhooks import deal_moved
from bench.world import PORTAL_ID, TOKEN, World, fetch, free_port, running, smsctl, wait_for, wait_until_ready

_STAGE = "presentationscheduled"  # the stage that starts the journey that confirms a demo
_PAUSE_SECONDS = 0.3  # lets write-back and the portal's rate limit settle, so that every event meets an idle system
_GIVE_UP_SECONDS = 20.0


def measure(world: World, events: int) -> list[Figure]:
    """Send one event after the other, each to a system at rest."""
    ports = {name: free_port() for name in ("web", "floor", "gateway", "hubspot")}
    gateway, hubspot = f"http://127.0.0.1:{ports['gateway']}", f"http://127.0.0.1:{ports['hubspot']}"
    environment = world.environment(
        "latency", TWILIO_API_URL=gateway, HUBSPOT_API_URL=hubspot, WORKER_PROCESSES="1", SEND_RATE="100"
    )
    cli = "connector.entrypoints.cli"
    with (
        running(world, "gateway", environment, "bench.gateway", str(ports["gateway"]), "0"),
        running(
            world, "hubspot", environment, cli, "sandbox", "hubspot", "--port", str(ports["hubspot"]), "--token", TOKEN
        ),
    ):
        wait_for(ports["gateway"])
        wait_for(ports["hubspot"])
        smsctl(environment, "migrate")
        smsctl(environment, "account", "add", "--external-id", PORTAL_ID, "--token", TOKEN, "--region", "US")
        floor_database = str(world.folder / "latency-floor.sqlite3")
        with (
            running(world, "web", environment, cli, "web", "--host", "127.0.0.1", "--port", str(ports["web"])),
            running(world, "floor", environment, "bench.floor_server", str(ports["floor"]), floor_database, "each"),
            running(world, "worker", environment, cli, "worker"),
        ):
            wait_until_ready(f"http://127.0.0.1:{ports['web']}/readyz")
            wait_for(ports["floor"])
            return _figures(ports, gateway, hubspot, events)


def _figures(ports: Mapping[str, int], gateway: str, hubspot: str, events: int) -> list[Figure]:
    _sample(ports["web"], gateway, hubspot, 0)  # the first event finds a worker that is still starting
    before = _reads(hubspot)
    latencies = [_sample(ports["web"], gateway, hubspot, index) for index in range(1, events + 1)]
    reads = (_reads(hubspot) - before) / events
    floors = _floors(ports["floor"], gateway, hubspot, round(reads), events)
    floor_is = f"one durable insert, {reads:.1f} bare GETs to the same pretend HubSpot and one bare POST, in a row"
    return [
        Figure(
            "latency",
            f"webhook → gateway at idle, p{percent}",
            1000 * percentile(latencies, percent),
            "ms",
            1000 * percentile(floors, percent),
            floor_is if percent == 50 else "as above",
            note=f"{events} events, one at a time" if percent == 50 else "",
        )
        for percent in (50, 99)
    ]


def _sample(web: int, gateway: str, hubspot: str, index: int) -> float:
    """Make a contact with a deal, say that the deal moved, and give the seconds until the text arrives."""
    to = f"+120255501{index % 100:02d}"  # this one is checked against the number plan
    properties = {"firstname": "Maya", "mobilephone": to, "hs_timezone": daytime_zones(datetime.now(UTC))[0]}
    contact = fetch(f"{hubspot}/_sandbox/records/{PORTAL_ID}/contacts", {"properties": properties})
    body = {
        "properties": {"dealname": f"Deal {index}", "dealstage": _STAGE},
        "associations": [["contacts", contact["id"]]],
    }
    deal = fetch(f"{hubspot}/_sandbox/records/{PORTAL_ID}/deals", body)
    time.sleep(_PAUSE_SECONDS)
    started = time.monotonic()
    drive(web, [deal_moved(deal["id"], _STAGE)], 1)
    while time.monotonic() < started + _GIVE_UP_SECONDS:
        time.sleep(_PAUSE_SECONDS)  # asking more often would not be idle
        arrived = [at for at, number_ in fetch(f"{gateway}/arrivals") if number_ == to]
        if arrived:
            return float(arrived[0]) - started
    raise SystemExit("no text arrived at the gateway; see the worker's log in the bench's folder")


def _reads(hubspot: str) -> int:
    """Count the calls so far that read records; write-back happens after the text has left."""
    calls = fetch(f"{hubspot}/_sandbox/calls")
    return sum(count for name, count in calls.items() if "communications" not in name and "create" not in name)


def _floors(floor: int, gateway: str, hubspot: str, reads: int, events: int) -> list[float]:
    url = f"{hubspot}/crm/objects/2026-09/contacts/1"
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {TOKEN}"}) as client:

        def once() -> None:
            drive(floor, [deal_moved(1, _STAGE)], 1)
            for _ in range(reads):
                client.get(url)
            client.post(f"{gateway}/2010-04-01/Accounts/AC/Messages.json", content=b"To=%2B12025550100&Body=x")

        once()
        return [_timed(once) for _ in range(events)]


def _timed(work: Callable[[], None]) -> float:
    time.sleep(_PAUSE_SECONDS / 10)
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
