"""Does one gateway answer, know our credentials, and carry a text?

Asked without a text, a gateway is asked what became of an attempt that never was: that it knows of none is the answer
of a gateway that works and lets us in. A text that tries a gateway out is a text like any other, with all that is asked
at its claim; only its route is fixed, so that it takes this gateway or none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from connector.domain.gateway_book import VIA
from connector.domain.message import Purpose
from connector.errors import ConfigurationError, SendError, UnanswerableError
from connector.ports.gateway import AttemptQuery, Handle, SMSGateway
from connector.ports.ledger import Ledger
from connector.ports.messages import MessageRow
from connector.ports.time import Clock
from connector.services.single_texts import SingleTexts, TextOrder

LIFETIME = timedelta(minutes=10)
"""How long a text that tries a gateway out may wait: whoever sent it looks at the phone now, not tomorrow."""

_NOBODY = "+12025550100"  # of a range reserved for fiction: gateways that search by number look for nobody's texts


@dataclass(frozen=True, slots=True)
class Reached:
    """What came back when a gateway was asked about an attempt that never was.

    Attributes:
        is_well: it answered and let us in; None when it cannot be asked at all, so that nothing is known.
        said: what it said, in a sentence.
        code: its own error code, or a transport word; empty when there was none.
    """

    is_well: bool | None
    said: str
    code: str = ""


class GatewayTrials:
    """Tries gateways out."""

    def __init__(self, ledger: Ledger, gateways: Mapping[str, SMSGateway], texts: SingleTexts, clock: Clock) -> None:
        self._ledger, self._gateways, self._texts, self._clock = ledger, gateways, texts, clock

    def reach(self, slug: str) -> Reached:
        """Ask a gateway about an attempt that never was; nothing is sent and nothing is written.

        Raises:
            ConfigurationError: the gateway is not in use here.
        """
        gateway = self._gateway(slug)
        handles = gateway.capabilities.asked_by
        if not handles:
            return Reached(None, "it cannot be asked about texts, so only a text tries it out")
        try:
            found = gateway.find(self._question(handles))
        except UnanswerableError as error:
            return Reached(None, f"it cannot be asked from here: {error}", error.code)
        except SendError as error:
            return Reached(False, str(error), error.code)
        if found is None:
            return Reached(True, "it answered and let us in; it knows of no text that was never sent")
        return Reached(True, f"it answered and let us in: {found.raw_status}")

    def send(self, slug: str, account_id: str, to: str, body: str, purpose: Purpose, by: str) -> MessageRow:
        """Queue a text that goes through this gateway or not at all; opt-outs, windows and caps hold for it.

        Raises:
            ConfigurationError: the gateway is not in use here.
            InvalidNumberError, UnusableOrderError: see `SingleTexts.put`.
        """
        self._gateway(slug)
        order = TextOrder(
            account_id,
            to,
            body,
            purpose,
            ordered_by=by,
            expires_at=self._clock.now() + LIFETIME,
            route=f"{VIA}{slug}",
        )
        return self._texts.queue(order).message

    def _gateway(self, slug: str) -> SMSGateway:
        try:
            return self._gateways[slug]
        except KeyError:
            raise ConfigurationError(f"{slug} is not in use here; in use are {', '.join(self._gateways)}") from None

    def _question(self, handles: frozenset[Handle]) -> AttemptQuery:
        """Ask by our own reference or by number where one can: an id of theirs that is made up may be ill-formed."""
        made_up = self._ledger.new_id()
        by_id = not handles & {Handle.REFERENCE, Handle.TEXT}
        return AttemptQuery(
            attempt_id=made_up,
            provider_message_id=made_up if by_id else None,
            to=_NOBODY,
            sender=None,
            body=made_up,
            requested_at=self._clock.now(),
        )
