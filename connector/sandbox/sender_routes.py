"""How does somebody see, over HTTP, what a pretend CRM sent, and say how it misbehaves from now on?"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Generic, TypeVar

from flask import Blueprint
from flask.typing import ResponseReturnValue

from connector.sandbox.change_sender import ChangeSender

SHOWN_DELIVERIES = 100  # what a person scrolls through
SETTINGS = ("duplicates", "shuffle", "delay_seconds", "batch_size", "is_paused")

DeliveryT = TypeVar("DeliveryT")


class SenderViews(Generic[DeliveryT]):
    """What was delivered, and how the next deliveries misbehave.

    Args:
        sender: whose deliveries.
        shown: gives one delivery as plain data.
        wanted: reads the request's settings, of `SETTINGS` only.
        refusal: makes the vendor's refusal of a wrong value.
    """

    def __init__(
        self,
        sender: ChangeSender[Any, DeliveryT],
        *,
        shown: Callable[[DeliveryT], Mapping[str, Any]],
        wanted: Callable[[], dict[str, Any]],
        refusal: Callable[[str], Exception],
    ) -> None:
        self._sender = sender
        self._shown = shown
        self._wanted = wanted
        self._refusal = refusal

    def add_to(self, pages: Blueprint, path: str) -> None:
        """GET and POST `path`, and POST `path/flush`."""
        pages.get(path)(self.show)
        pages.post(path)(self.change)
        pages.post(f"{path}/flush")(self.flush)

    def show(self) -> ResponseReturnValue:
        """Say what waits, what was given up and what was sent of late."""
        shown = list(self._sender.deliveries)[-SHOWN_DELIVERIES:]
        return {
            "waiting": len(self._sender.waiting),
            "abandoned": len(self._sender.abandoned),
            "deliveries": [self._shown(each) for each in shown],
        }

    def change(self) -> ResponseReturnValue:
        """Take settings over."""
        try:
            read = dict(self._read(name, value) for name, value in self._wanted().items())
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refusal(str(error)) from error
        for name, value in read.items():
            setattr(self._sender, name, value)
        return self.show()

    def _read(self, name: str, value: Any) -> tuple[str, Any]:
        if name == "delay_seconds":
            return "delay", timedelta(seconds=float(value))
        kind = type(getattr(self._sender, name))
        if kind is bool and not isinstance(value, bool):
            raise TypeError(f"{name} is true or false")
        return name, kind(value)

    def flush(self) -> ResponseReturnValue:
        """Deliver all that waits."""
        self._sender.flush()
        return self.show()
