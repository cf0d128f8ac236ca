"""Which function does a worker run? One: drain a lane."""

from __future__ import annotations

import atexit
import os
import threading
import time

import structlog

from connector.adapters.sms.smpp import open_gateway
from connector.bootstrap import Connector, build_connector
from connector.entrypoints.log_setup import set_up_logging
from connector.settings import read_settings

log = structlog.get_logger(__name__)

_ASK_EVERY_SECONDS = 5.0  # attempts are asked about after 30 s or more: a few seconds later is soon enough
_lock = threading.Lock()
_built: dict[int, Connector] = {}


def drain(lane: str) -> None:
    """Work what waits in a lane, and nudge it again when more is left than one drain takes."""
    _connector().drain(lane)


def prepare() -> None:
    """Set up logging and build this process's connector before its first nudge, which then need not wait for it."""
    set_up_logging(_connector().settings)


def stop() -> None:
    """Let the drain under way finish what it has begun, and take on nothing more."""
    for connector in _built.values():
        connector.is_stopping = True


def prepare_smpp() -> None:
    """Be the process of the SMPP gateway: bind, and ask about its attempts now and then."""
    prepare()
    connector = _connector()
    gateway = open_gateway(
        connector.settings.gateway_values,
        lambda request, kind: connector.intake.take_callback("smpp", kind, request, None),
    )
    connector.open_gateway("smpp", gateway)
    atexit.register(gateway.close)
    threading.Thread(target=_ask_now_and_then, args=(connector,), name="ask-smpp", daemon=True).start()


def _ask_now_and_then(connector: Connector) -> None:
    while True:
        try:
            connector.send_path.health.beat("smpp")
            while connector.send_path.reconciler.ask():
                pass
        except Exception as error:  # noqa: BLE001 - whatever is away comes back; the binds stay
            log.error("smpp.not_asked", error=type(error).__name__)
        time.sleep(_ASK_EVERY_SECONDS)


def _connector() -> Connector:
    """Give this process's connector; a forked child builds its own."""
    with _lock:
        if os.getpid() not in _built:
            _built.clear()
            _built[os.getpid()] = build_connector(read_settings())
        return _built[os.getpid()]
