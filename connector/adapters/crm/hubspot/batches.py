"""How is a long list cut into the batches HubSpot takes?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

LARGEST_BATCH = 100  # inputs of one batch call, for every CRM object
T = TypeVar("T")


def batched(items: Sequence[T], size: int = LARGEST_BATCH) -> Iterator[Sequence[T]]:
    """Cut `items` into runs of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
