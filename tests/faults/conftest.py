"""Which pretend vendors do the fault tests share, and how does each test get time and a ledger of its own?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import time_machine

from connector.adapters import http
from tests.faults.emulated import Emulated
from tests.faults.gateways import started
from tests.faults.proving import BEGIN, Traveller, new_ledger_file

Vendor = Callable[[str], Emulated]

_TIMEOUT = httpx.Timeout(3.0, connect=0.15, read=0.25)  # a test need not sit out fifteen seconds


@pytest.fixture(scope="session")
def vendors() -> Iterator[Vendor]:
    """Start pretend vendors, each when it is first wanted, with their adapters."""
    running: dict[str, Emulated] = {}

    def vendor(slug: str) -> Emulated:
        if slug not in running:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(http, "TIMEOUT", _TIMEOUT)
                running[slug] = started(slug)
        return running[slug]

    yield vendor
    for each in running.values():
        each.stop()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let adapters wait no longer than tests can afford."""
    monkeypatch.setattr(http, "TIMEOUT", _TIMEOUT)


@pytest.fixture
def time() -> Iterator[Traveller]:
    """Time that stands still, for the connector and for the vendors, until it is moved."""
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger to copy."""
    return new_ledger_file(tmp_path_factory.mktemp("ledger"))
