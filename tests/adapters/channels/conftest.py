"""What do the tests of channels share?"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.channels.listening import Listener


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()
