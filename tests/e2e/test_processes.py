"""Do the processes end cleanly when asked, and does what came meanwhile go on afterwards?"""

from __future__ import annotations

import time

import pytest

from tests.e2e.rig import Rig
from tests.e2e.scene import Scene

pytestmark = pytest.mark.slow

_PLATFORM_SECONDS = 30  # platforms kill what has not ended so long after SIGTERM


def test_asked_to_stop_each_process_ends_cleanly_and_what_came_meanwhile_goes_on_later(rig: Rig, scene: Scene) -> None:
    person, later = scene.person("Maya"), scene.person("Priya")
    scene.book(person)
    for name in ("worker", "clock", "web"):
        began = time.monotonic()
        assert rig.stop_process(name) == 0, f"{name} did not end cleanly"
        assert time.monotonic() - began < _PLATFORM_SECONDS
    scene.book(later)  # nobody answers; HubSpot tries again
    assert rig.webhooks.deliveries[-1].status is None
    for name in ("web", "worker", "clock"):
        rig.start_process(name)
    rig.wait_until_ready()
    rig.webhooks.flush()
    for each in (person, later):
        scene.gets(each.number, "your demo")
    scene.books.settle()
    assert scene.books.states() == {"delivered": 2}
