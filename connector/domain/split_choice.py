"""Which arm of a split does a contact get, and why that one?

The draw is a hash: SHA-256 over journey, step and contact, so that the same contact always draws the same arm, every
process draws alike, and what one split gives somebody says nothing about the next.
"""

from __future__ import annotations

import hashlib
from itertools import accumulate

from connector.domain.steps import Arm, Split
from connector.domain.surroundings import ArmStanding


def choose_arm(split: Split, journey_id: str, contact_id: str, standing: ArmStanding) -> tuple[Arm, str]:
    """Give the arm and, for people, the reason.

    Whoever has been in an arm stays in it, even when another has won since; a new contact gets the winner. An arm
    that the journey no longer has counts for nothing.
    """
    arms = {arm.name: arm for arm in split.arms}
    if standing.assigned in arms:
        return arms[standing.assigned], "the contact has been in it before"
    if standing.winner in arms:
        return arms[standing.winner], "it has won"
    total = sum(arm.weight for arm in split.arms)
    arm = drawn_arm(split, journey_id, contact_id)
    return arm, f"drawn with a chance of {arm.weight} in {total}"


def drawn_arm(split: Split, journey_id: str, contact_id: str) -> Arm:
    """Draw an arm: the first eight bytes of SHA-256 of `journey NUL step NUL contact`, modulo all weights.

    Arms take up the remainders in the order of the file. A remainder modulo at most some thousands of a 64-bit number
    is even enough: the arms' shares are off by less than one in 10^15.
    """
    digest = hashlib.sha256(f"{journey_id}\x00{split.id}\x00{contact_id}".encode(errors="replace")).digest()
    bounds = list(accumulate(arm.weight for arm in split.arms))
    left = int.from_bytes(digest[:8]) % bounds[-1]
    return next(arm for arm, bound in zip(split.arms, bounds, strict=True) if left < bound)
