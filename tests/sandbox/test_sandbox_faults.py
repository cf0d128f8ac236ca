"""Do armed faults meet the right calls, as a client on a real socket sees them?"""

import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from flask import Flask

from connector.sandbox.clock import SandboxClock
from connector.sandbox.control import control_blueprint
from connector.sandbox.faults import ConnectionCutError, Faults
from connector.sandbox.serve import Server


class Shop:
    """A tiny application with one guarded operation that counts its work."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.sold = 0
        self.app = Flask(__name__)
        self.app.register_blueprint(control_blueprint(SandboxClock(), self.faults))
        self.app.post("/sell")(self.faults.guard("shop.sell")(self.sell))

    def sell(self) -> dict[str, int]:
        self.sold += 1
        return {"sold": self.sold}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(shop: Shop) -> Iterator[httpx.Client]:
    with Server(shop.app) as server, httpx.Client(base_url=server.url, timeout=0.2) as client:
        yield client


def sell(client: httpx.Client) -> httpx.Response:
    return client.post("/sell", json={"a": 1})


def test_without_a_fault_the_work_is_done(shop: Shop, client: httpx.Client) -> None:
    assert sell(client).json() == {"sold": 1}


def test_a_status_fault_answers_its_status_body_and_headers_once(shop: Shop, client: httpx.Client) -> None:
    shop.faults.arm("shop.sell", "status", status=429, body={"no": 1}, headers={"Retry-After": "7"})
    refused = sell(client)
    assert (refused.status_code, refused.json(), refused.headers["Retry-After"]) == (429, {"no": 1}, "7")
    assert shop.sold == 0
    assert sell(client).status_code == 200


def test_a_timeout_leaves_the_work_undone_and_the_client_waiting(shop: Shop, client: httpx.Client) -> None:
    shop.faults.arm("shop.sell", "timeout")
    with pytest.raises(httpx.ReadTimeout):
        sell(client)
    assert shop.sold == 0


def test_a_timeout_that_ends_drops_the_connection_without_an_answer(shop: Shop, client: httpx.Client) -> None:
    shop.faults.arm("shop.sell", "timeout", seconds=0.01)
    with pytest.raises(httpx.RemoteProtocolError):
        sell(client)
    assert shop.sold == 0


@pytest.mark.parametrize("then", ["hold", "reset"])
def test_accept_then_timeout_does_the_work_first(shop: Shop, client: httpx.Client, then: str) -> None:
    shop.faults.arm("shop.sell", "accept_then_timeout", then=then)
    with pytest.raises((httpx.ReadTimeout, httpx.ReadError)):
        sell(client)
    assert shop.sold == 1


@pytest.mark.parametrize("kind", ["timeout", "reset"])
def test_without_a_socket_a_cut_connection_is_an_exception_at_once(shop: Shop, kind: str) -> None:
    shop.faults.arm("shop.sell", kind)
    with pytest.raises(ConnectionCutError):
        shop.app.test_client().post("/sell")


def test_a_reset_is_seen_as_a_broken_connection(shop: Shop, client: httpx.Client) -> None:
    shop.faults.arm("shop.sell", "reset")
    with pytest.raises(httpx.ReadError):
        sell(client)
    assert shop.sold == 0


def test_a_slow_call_succeeds_in_the_end(shop: Shop, client: httpx.Client) -> None:
    shop.faults.arm("shop.sell", "slow", seconds=0.01)
    assert sell(client).json() == {"sold": 1}


def test_a_wildcard_meets_every_operation_below_it_as_often_as_told(shop: Shop, client: httpx.Client) -> None:
    shop.faults.arm("shop.*", "status", times=2, status=500)
    assert [sell(client).status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_for_another_operation_is_left_alone(shop: Shop, client: httpx.Client) -> None:
    shop.faults.arm("shop.return", "status", times=None)
    assert sell(client).status_code == 200
    assert shop.faults.take("shop.return") is not None
    shop.faults.clear()
    assert shop.faults.take("shop.return") is None


def test_faults_are_armed_and_cleared_over_http(shop: Shop, client: httpx.Client) -> None:
    armed = client.post("/_sandbox/faults", json={"operation": "shop.sell", "kind": "status", "status": 418})
    assert armed.status_code == 201
    assert sell(client).status_code == 418
    client.post("/_sandbox/faults", json={"operation": "shop.sell", "kind": "reset"})
    assert client.get("/_sandbox/faults").json() == [{"operation": "shop.sell", "kind": "reset", "left": 1}]
    client.delete("/_sandbox/faults")
    assert sell(client).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "a", "kind": "explode"},
        {"operation": "a", "kind": "status", "colour": 1},
        {"operation": "a", "kind": "status", "times": 0},
        {"kind": "status"},
        [],
    ],
)
def test_a_mistaken_fault_is_refused(client: httpx.Client, body: object) -> None:
    assert client.post("/_sandbox/faults", json=body).status_code == 400


def test_the_clock_is_pushed_over_http(client: httpx.Client) -> None:
    assert client.get("/_sandbox/clock").json()["offset_seconds"] == 0
    assert client.post("/_sandbox/clock", json={"advance_seconds": 90}).json()["offset_seconds"] == 90
    mistakes: list[object] = [{}, {"advance_seconds": -1}, {"advance_seconds": "soon"}, []]
    for mistake in mistakes:
        assert client.post("/_sandbox/clock", json=mistake).status_code == 400


def test_stopping_the_server_does_not_wait_for_a_held_request(shop: Shop) -> None:
    shop.faults.arm("shop.sell", "timeout", seconds=60)
    server = Server(shop.app).start()
    held = threading.Thread(target=lambda: _ignore_errors(server.url), daemon=True)
    held.start()
    _wait_until(lambda: not shop.faults.armed())
    began = time.monotonic()
    server.stop()
    server.stop()
    held.join(5)
    assert not held.is_alive()
    assert time.monotonic() - began < 5


def _ignore_errors(url: str) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{url}/sell", timeout=30)


def _wait_until(seen: object) -> None:
    deadline = time.monotonic() + 5
    while not seen():  # type: ignore[operator]
        assert time.monotonic() < deadline
