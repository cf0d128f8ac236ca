"""Which pretend vendors do the fault tests share, and how does each test get time and a ledger of its own?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine

from tests.faults.emulated import Emulated
from tests.faults.gateways import started
from tests.faults.proving import Traveller, new_ledger_file
from tests.faults.wiring import BEGIN

Vendor = Callable[[str], Emulated]


@pytest.fixture(scope="session")
def vendors() -> Iterator[Vendor]:
    """Start pretend vendors, each when it is first wanted, with their adapters."""
    running: dict[str, Emulated] = {}

    def vendor(slug: str) -> Emulated:
        if slug not in running:
            running[slug] = started(slug)
        return running[slug]

    yield vendor
    for each in running.values():
        each.stop()


@pytest.fixture
def time() -> Iterator[Traveller]:
    """Time that stands still, for the connector and for the vendors, until it is moved."""
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger to copy."""
    return new_ledger_file(tmp_path_factory.mktemp("ledger"))
