"""What does one vendor's skin bring, and what does the shared engine do for it?

A skin is a thin layer over the engine: it speaks the vendor's HTTP and writes the vendor's callbacks; the message's
way, its oddities, its retries and the phones are the engine's (`world.GatewayWorld`).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from connector.sandbox.faults import Fault, Faults
from connector.sandbox.gateways.receipts import FailureCodes, Stage
from connector.sandbox.gateways.retries import RetryPolicy

if TYPE_CHECKING:
    from connector.sandbox.gateways.messages import Message
    from connector.sandbox.gateways.world import GatewayWorld

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class Call:
    """One HTTP request to the connector. A fragment in `url` stays with the gateway: it is not sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def with_headers(self, **headers: str) -> "Call":
        """The same with more headers; an underscore in a name stands for a hyphen."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **more})


Calls = Call | Sequence[Call] | None


class Skin(Protocol):
    """One vendor. Subclass it: what has a default here is the plain case.

    Attributes:
        slug: as everywhere in the project; faults are named `<slug>.send`, `.find`, `.lookup`, `.cancel`.
        codes: the vendor's error codes for what can happen to a text by itself.
        retry: when a callback that failed is sent again.
    """

    slug: str
    codes: FailureCodes = FailureCodes()
    retry: RetryPolicy = RetryPolicy()

    def new_id(self) -> str:
        """A message id as the vendor makes them."""
        ...

    def blueprint(self, world: "GatewayWorld", faults: Faults) -> Blueprint:
        """The vendor's API, as strict as the vendor's; each view wrapped in `operation`."""
        ...

    def status_call(self, message: "Message", stage: Stage, at: datetime) -> Calls:
        """The callback about `stage`, reached `at`; None: nothing is said.

        Where each part of a long text has its own there are several, the n-th about `stage.of_part(n)`.
        Asked at the moment the message moves, and only when it has a `callback_url` (its own or the world's
        `status_url`). `sign` is applied later, whenever it goes out.
        """
        ...

    def inbound_call(self, message: "Message", at: datetime) -> Calls:
        """The callback about a text a person wrote: `message.sender` is the person, `message.callback_url` where to."""
        ...

    def sign(self, call: Call, at: datetime) -> Call:
        """The call with the vendor's signature, made at `at`; as it is where the vendor signs nothing."""
        ...

    def forge(self, call: Call, at: datetime) -> Call:
        """The call as somebody else would make it: with the signature of another one.

        Where the vendor puts no signature into the headers, it comes unsigned and without the query of its address,
        which holds the key by which we know such vendors. To override where neither means anything.
        """
        other = self.sign(replace(call, url=call.url + "x", body=call.body + b" "), at)
        if dict(other.headers) != dict(call.headers):
            return replace(call, headers=other.headers)
        return replace(call, url=call.url.partition("?")[0])


def operation(
    world: "GatewayWorld", faults: Faults, name: str, respond: Callable[[Fault], Response] | None = None
) -> Callable[[View], View]:
    """Decorate a Flask view: count the call as `name`, let it meet the faults armed for `<slug>.<name>`.

    `respond` writes the vendor's own body for a `status` fault.
    """

    def decorate(view: View) -> View:
        guarded = faults.guard(f"{world.skin.slug}.{name}", respond)(view)

        @functools.wraps(view)
        def counted(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            world.count(name)
            return guarded(*args, **kwargs)

        return counted

    return decorate
