from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connector.adapters.sms.smpp import SMPPGateway
from connector.adapters.sms.smpp_settings import SMPPOptions
from connector.errors import AmbiguousSendError, SendError, TransientSendError
from connector.ports.gateway import Accepted
from connector.sandbox.gateways.smpp_server import SMPPServer
from tests.adapters.smpp.binding import QUICK, Shelf, outcomes, pool_on, text

TEXTS = 300


def send(gateway: SMPPGateway, number: int, body: str) -> Accepted | SendError:
    try:
        return gateway.send(text(f"attempt-{number}", body))
    except (TransientSendError, AmbiguousSendError) as error:
        return error


@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_submit_ends_accepted_transient_or_ambiguous_whatever_breaks(seed: int, long: bool) -> None:
    rng, shelf = random.Random(seed), Shelf()
    bodies = [f"text {number:03}: " + ("x" * 300 if long else "") for number in range(TEXTS)]
    with SMPPServer() as server:
        pool = pool_on(server, shelf=shelf, bound=2, binds=2, timing=replace(QUICK, answer=0.5, room=0.5))
        gateway = SMPPGateway(SMPPOptions(), pool)
        done = threading.Event()

        def break_things() -> None:
            while not done.wait(rng.uniform(0.005, 0.02)):
                kind = rng.choice(["cut", "cut", "drop_before", "drop_after", "silent", "refuse", "unbind"])
                if kind == "cut":
                    server.cut()
                elif kind == "unbind":
                    server.unbind()
                else:
                    server.arm(kind)

        breaker = threading.Thread(target=break_things)
        breaker.start()
        with ThreadPoolExecutor(16) as threads:
            results = list(threads.map(lambda number: send(gateway, number, bodies[number]), range(TEXTS)))
        done.set()
        breaker.join()
        pool.close()
        arrived, ids = [message.text for message in server.messages], {message.id for message in server.messages}
    assert set(outcomes(results)) <= {"Accepted", "TransientSendError", "AmbiguousSendError"}
    assert "Accepted" in outcomes(results)
    assert len(outcomes(results)) > 1  # things did break
    for body, result in zip(bodies, results, strict=True):
        copies = sum(each.startswith(body[:10]) for each in arrived)
        if isinstance(result, Accepted):
            assert copies == 1  # sent, and sent once
            assert {result.provider_message_id, *result.part_ids} <= ids
        elif isinstance(result, TransientSendError):
            assert copies == 0  # certainly not sent
        else:
            assert copies <= 1
