"""How do services see to it that one process at a time does something that goes on and on?"""

from __future__ import annotations

from typing import Protocol


class Lease(Protocol):
    """The right to do something, which ends by itself unless it is renewed."""

    def renew(self) -> bool:
        """Begin the time anew; False when the right is somebody else's by now, or may be soon."""
        ...

    def release(self) -> None:
        """Give it back; never raises, since it ends by itself anyway."""
        ...


class Leases(Protocol):
    """Rights by name, over all processes."""

    def take(self, name: str) -> Lease | None:
        """Take a right; None when another has it, or when nobody can be asked."""
        ...
