"""How does a test wait for something that other processes do?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

_LOOK_EVERY_SECONDS = 0.02  # short beside what is waited for, long enough to leave the cores to those who work


def eventually(found: Callable[[], _T], what: str, seconds: float = 20) -> _T:
    """Look until there is something to see, and give it.

    Raises:
        AssertionError: it did not come to pass in time; `what` says what.
    """
    ends = time.monotonic() + seconds
    while not (seen := found()):
        if time.monotonic() > ends:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(_LOOK_EVERY_SECONDS)
    return seen
