"""Does the bench of gateways still speak their protocols, and send through real workers?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench import gateway, gateways
from bench.bare import Errand, post_bare
from bench.gateway_run import Load, mapping_file
from bench.gateways import Extent
from bench.texts import BODY, number
from bench.vendors import VENDORS, recipient, vendor_of
from bench.world import World, fetch, free_port, running, wait_for
from connector.adapters.gateway_file import load_gateways
from connector.adapters.sms.catalogue import gateway_plugins
from connector.domain.message import MessageState, Purpose
from connector.ports.gateway import OutgoingSMS

ALL_FOUR = Load(gateways=4, latency=0.2, rate=400.0)


@pytest.fixture
def world(tmp_path: Path, redis_url: str) -> World:
    return World(tmp_path, redis_url)


@pytest.fixture
def url() -> Iterator[str]:
    """A pretend gateway that answers at once, in a thread of its own."""
    port, loop = free_port(), asyncio.new_event_loop()
    pretend = gateway.Gateway(0.0)

    async def serve() -> asyncio.Server:
        return await loop.create_server(lambda: gateway._Connection(pretend), "127.0.0.1", port)

    server = loop.run_until_complete(serve())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(server.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(server.wait_closed())
    loop.close()


@pytest.mark.parametrize("slug", VENDORS)
def test_a_real_adapter_is_understood_and_understands_the_answer(url: str, slug: str) -> None:
    plugin = gateway_plugins()[slug]
    values = {setting.name: setting.default or "" for setting in plugin.settings}
    values |= {"TWILIO_ACCOUNT_SID": VENDORS["twilio"].path.split("/")[3], "TWILIO_AUTH_TOKENS": "0" * 32}
    adapter = plugin.build(values | dict(VENDORS[slug].settings(url)))
    accepted = adapter.send(
        OutgoingSMS(
            attempt_id="a-1",
            to="+12025550143",
            body=BODY,
            sender=None,
            status_url="https://sms.example.com/callbacks/a-1",
            valid_for=timedelta(hours=1),
            purpose=Purpose.TRANSACTIONAL,
        )
    )
    adapter.close()
    assert accepted.state is MessageState.ACCEPTED
    assert fetch(f"{url}/counts")["counts"] == dict.fromkeys(VENDORS, 0) | {slug: 1}
    ((_, to),) = fetch(f"{url}/arrivals")
    assert to.lstrip("+") == "12025550143"


@pytest.mark.parametrize("slug", VENDORS)
def test_the_bare_loop_s_request_goes_to_the_same_vendor_and_number(slug: str) -> None:
    vendor = VENDORS[slug]
    assert vendor_of(f"POST {vendor.path} HTTP/1.1\r\n".encode()) is vendor
    assert recipient(vendor.request(7, number(7), BODY)) == number(7)


def test_the_mappings_of_a_run_give_each_gateway_its_rate_and_a_route_with_the_others_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "gateways.yaml"
    path.write_text(mapping_file(ALL_FOUR), encoding="utf-8")
    book = load_gateways(path)
    assert {slug: rate.per_second for slug, rate in book.rates.gateways.items()} == dict.fromkeys(VENDORS, 100.0)
    for rate in book.rates.gateways.values():
        assert (rate.concurrency or 0) >= rate.per_second * ALL_FOUR.latency
    assert book.routes["by-plivo"].gateways == ("plivo", "sinch", "twilio", "telnyx")


def test_a_run_without_a_brake_is_one_that_no_machine_can_reach(tmp_path: Path) -> None:
    path = tmp_path / "gateways.yaml"
    path.write_text(mapping_file(Load(gateways=1, latency=0.05, rate=0.0)), encoding="utf-8")
    assert load_gateways(path).rates.gateways["twilio"].per_second == 10_000


@pytest.mark.slow
def test_the_bare_loop_keeps_its_rate(world: World) -> None:
    port = free_port()
    with running(world, "gateway", world.environment("none"), "bench.gateway", str(port), "0.01"):
        wait_for(port)
        pace = post_bare(Errand(f"http://127.0.0.1:{port}", tuple(VENDORS), rate=40.0, seconds=1.0, threads=4))
    assert 0 < pace.per_second <= 50
    assert pace.cpu_ms > 0


@pytest.mark.slow
def test_two_workers_send_through_two_gateways(world: World) -> None:
    extent = Extent((2,), (0.01,), seconds=0.5, databases=("SQLite",), limits=())
    figures = gateways.measure(world, extent)
    assert [figure.name for figure in figures] == [
        "texts per second, 2 gateways, 10 ms, SQLite",
        "CPU per text, 2 gateways, 10 ms, SQLite",
        "CPU per text at 10 ms, 2 gateways, SQLite",
        "the machine's limit, 2 gateways, 10 ms, SQLite",
    ]
    assert all(figure.value > 0 and figure.floor for figure in figures)
