"""How is everything done that is not a lane of its own, though one part of it fails?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger(__name__)


class Maintenance:
    """Runs its parts in their order, the most urgent first.

    Args of the constructor:
        parts: by name; one that gives True has more to do.
    """

    def __init__(self, parts: Mapping[str, Callable[[], object]]) -> None:
        self._parts = parts

    def run(self) -> bool:
        """Do one round of every part; tell whether any has more to do.

        A part that failed is not said to have more: the clock looks every second for what is due.
        """
        told = [self._run(name, part) for name, part in self._parts.items()]
        return any(told)

    def _run(self, name: str, part: Callable[[], object]) -> bool:
        try:
            return part() is True
        except Exception as error:  # noqa: BLE001 - whatever it is, the other parts are to have their turn
            log.error("maintenance.failed", part=name, error=type(error).__name__)
            return False
