"""Which function does a worker run? One: drain a lane."""

from __future__ import annotations

import os
import threading

from connector.bootstrap import Connector, build_connector
from connector.entrypoints.log_setup import set_up_logging
from connector.settings import read_settings

_lock = threading.Lock()
_built: dict[int, Connector] = {}


def drain(lane: str) -> None:
    """Work what waits in a lane, and nudge it again when more is left than one drain takes."""
    _connector().drain(lane)


def prepare() -> None:
    """Set up logging and build this process's connector before its first nudge, which then need not wait for it."""
    set_up_logging(_connector().settings)


def _connector() -> Connector:
    """Give this process's connector; a forked child builds its own."""
    with _lock:
        if os.getpid() not in _built:
            _built.clear()
            _built[os.getpid()] = build_connector(read_settings())
        return _built[os.getpid()]
