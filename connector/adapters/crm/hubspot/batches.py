"""How is a long list cut into the batches HubSpot takes?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

LARGEST_BATCH = 100  # inputs of one batch call, for every CRM object
LONGEST_VALUES = 2_500  # characters of the values of a search: HubSpot takes 3 000 in all, and names need some
_AROUND = 4  # quotes, a comma and a space around each value
T = TypeVar("T")


def batched(items: Sequence[T], size: int = LARGEST_BATCH) -> Iterator[Sequence[T]]:
    """Cut `items` into runs of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def fitting(values: Sequence[str], most: int = LONGEST_VALUES) -> Iterator[list[str]]:
    """Cut values into runs that fit into one search each, in order; at most as many as HubSpot takes in a list."""
    run: list[str] = []
    for value in values:
        if run and (len(run) == LARGEST_BATCH or sum(len(each) + _AROUND for each in [*run, value]) > most):
            yield run
            run = []
        run.append(value)
    if run:
        yield run
