"""Which function does a worker run? One: drain a lane."""

from __future__ import annotations

import os
import threading

from connector.bootstrap import Connector, build_connector
from connector.settings import read_settings

_lock = threading.Lock()
_built: dict[int, Connector] = {}


def drain(lane: str) -> None:
    """Work what waits in a lane, and nudge it again when more is left than one drain takes."""
    _connector().drain(lane)


def prepare() -> None:
    """Build this process's connector before its first nudge, so that the first text does not wait for imports."""
    _connector()


def _connector() -> Connector:
    """Give this process's connector; a forked child builds its own."""
    with _lock:
        if os.getpid() not in _built:
            _built.clear()
            _built[os.getpid()] = build_connector(read_settings())
        return _built[os.getpid()]
