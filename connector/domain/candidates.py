"""Which gateways and senders could carry a text, what speaks against the others, and how do those that could compare?

Candidates are compared by one number, a weighed product of four: the lower bound of the share that arrives, one over
the price, one over the delay, and the share of requests that go well. Its weights are exponents, so they read as an
exchange: with 0.25 for the price, half the price makes up for 16 % fewer deliveries (2 ** -0.25 = 0.84). With 1 for
both, it is deliveries per money. Being a product, it does not matter in which currency all the prices are.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from connector.domain.gateway_book import CountryRule, GatewayBook, Preference, RouteRule, SenderEntry
from connector.domain.message import Purpose
from connector.domain.prices import Price
from connector.domain.scoring import Estimate, Scores
from connector.domain.sender_rules import Alphanumeric, reaches


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text that wants to go out.

    Attributes:
        message_id: ours; lots are drawn from it, so a replay draws the same.
        country: ISO 3166, of the recipient's number; None when not known.
        carrier: the recipient's, or empty.
        route: the route its step names, or empty for its purpose's.
        sender: the sender its step or order names, or None.
        conversation_sender: the one that the last text to this number came from, or None.
        tried: gateways that have failed with this text.
        own: senders that the account says are its own: where one of them can be used, no other is.
        foreign: senders that only other accounts say are theirs: never used.
    """

    message_id: str
    purpose: Purpose
    country: str | None
    carrier: str = ""
    segments: int = 1
    route: str = ""
    sender: str | None = None
    conversation_sender: str | None = None
    tried: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Weights:
    """Exponents: by how much each side counts."""

    delivery: float
    price: float
    delay: float
    errors: float


WEIGHTS: Mapping[Preference, Weights] = MappingProxyType(
    {
        Preference.PREMIUM: Weights(
            delivery=1.0,
            price=0.03,  # half the price makes up for 2 % of deliveries: a code costs a cent, a customer more
            delay=0.2,  # a minute instead of seconds makes up for 13 %: people ask for another code meanwhile
            errors=0.5,  # a request that fails is tried again elsewhere, seconds later
        ),
        Preference.BALANCED: Weights(
            delivery=1.0,
            price=0.25,  # half the price makes up for 16 %
            delay=0.05,  # a minute makes up for 3 %: a reminder may take one
            errors=0.2,
        ),
        Preference.CHEAPEST: Weights(
            delivery=1.0,  # deliveries per money, exactly: nothing is gained by texts that do not arrive
            price=1.0,
            delay=0.0,
            errors=0.1,  # only so that of two equals the one that works is taken
        ),
        Preference.IN_ORDER: Weights(delivery=1.0, price=0.0, delay=0.0, errors=0.0),  # only shown: the order decides
    }
)

_DELAY = 60.0  # seconds that count as a delay at all: a factor of two in the product before its exponent
_FREE = 0.0001  # added to prices, a hundredth of a cent: nothing is infinitely cheaper than anything
_WORST = 0.001  # a bound or share of zero would hide all other differences


@dataclass(frozen=True, slots=True)
class Candidate:
    """One gateway with one sender.

    Attributes:
        sender: None leaves it to the gateway.
        price: of this text; None when not known.
        score: higher is better.
        hope: the score it would have with its upper bound.
        is_below: it delivers less than the route asks for.
        is_tried: it has failed with this text already.
        refused: why it cannot be used now; empty when it can.
        is_for_good: that will not change by waiting.
    """

    gateway: str
    sender: str | None
    estimate: Estimate
    price: Price | None = None
    score: float = 0.0
    hope: float = 0.0
    is_below: bool = False
    is_tried: bool = False
    refused: str = ""
    is_for_good: bool = False

    def numbers(self) -> dict[str, Any]:
        """Give what speaks for and against it, for the trace."""
        found: dict[str, Any] = {"gateway": self.gateway}
        if self.sender is not None:
            found["sender"] = self.sender
        if self.refused:
            return {**found, "refused": self.refused}
        if self.price is not None:
            found |= {"price": str(self.price.amount), "currency": self.price.currency}
        found |= {
            "rate": round(self.estimate.delivery_rate, 3),
            "lower": round(self.estimate.lower, 3),
            "texts": round(self.estimate.texts, 1),
            "latency": round(self.estimate.latency_seconds, 1),
            "errors": round(self.estimate.error_rate, 3),
            "score": round(self.score, 4),
        }
        marks = {"below_floor": self.is_below, "tried": self.is_tried}
        return found | {name: True for name, holds in marks.items() if holds}


@dataclass(frozen=True, slots=True)
class Field:
    """Everything a choice is made from.

    Attributes:
        shares: by gateway in use here, the share of its usual traffic that its circuit lets through.
    """

    book: GatewayBook
    wanted: Wanted
    rule: RouteRule
    shares: Mapping[str, float]
    scores: Scores
    country: CountryRule = field(default_factory=CountryRule)


def candidates(around: Field) -> list[Candidate]:
    """Give every gateway of the route with every sender it could use, in the order written."""
    found = [each for gateway in around.rule.gateways for each in _of_gateway(around, gateway)]
    return _compared(around, found)


def lot(message_id: str, about: str) -> float:
    """Draw a number from 0 up to 1, always the same for a message and a matter."""
    digest = hashlib.sha256(f"route\0{about}\0{message_id}".encode()).digest()
    return int.from_bytes(digest[:7]) / 2**56  # seven bytes: a float holds them exactly, so it is never 1


def _of_gateway(around: Field, gateway: str) -> list[Candidate]:
    wanted = around.wanted
    if gateway not in around.shares:
        return [_refused(around, gateway, "is not in use here", is_for_good=True)]
    senders, why = _senders(around, gateway)
    if not senders:
        return [_refused(around, gateway, why, is_for_good=True)]
    if closed := _closed(around, gateway):
        return [_refused(around, gateway, closed, is_for_good=False)]
    price = around.book.price(gateway, wanted.segments, wanted.country)
    is_tried = gateway in wanted.tried
    found = []
    for sender in senders:
        estimate = around.scores.of(gateway, wanted.country, sender or "", wanted.carrier)
        is_below = estimate.delivery_rate < around.rule.quality_floor
        found.append(Candidate(gateway, sender, estimate, price, is_below=is_below, is_tried=is_tried))
    return found


def _refused(around: Field, gateway: str, why: str, *, is_for_good: bool) -> Candidate:
    estimate = around.scores.of(gateway, around.wanted.country)
    return Candidate(gateway, None, estimate, refused=why, is_for_good=is_for_good)


def _closed(around: Field, gateway: str) -> str:
    """Say why a gateway takes no text now, or not this one; empty when it does."""
    share = around.shares[gateway]
    if lot(around.wanted.message_id, f"circuit {gateway}") < share:
        return ""
    return "its circuit is open" if share <= 0 else f"its circuit lets {share:.0%} of its traffic through"


def _senders(around: Field, gateway: str) -> tuple[list[str | None], str]:
    """Give the senders that a text may come from through a gateway, or why there is none."""
    book, wanted, country = around.book, around.wanted, around.country
    own = [entry for entry in book.senders if entry.gateway == gateway and entry.sender not in wanted.foreign]
    fit = _allowed(wanted, [entry.sender for entry in book.senders_for(gateway, wanted.country, wanted.purpose)])
    listed = [entry for entry in book.senders if entry.sender == wanted.sender]
    if wanted.sender in wanted.foreign:
        return [], "may not send from what is another account's"
    if listed and gateway not in {entry.gateway for entry in listed}:
        return [], f"does not send from {wanted.sender}"
    if wanted.sender is not None and (wanted.sender in fit or (not listed and not _unlisted(country, wanted.sender))):
        return [wanted.sender], ""
    if fit:
        return list(fit), ""
    if not country.needs_registration and not any(entry.gateway == gateway for entry in book.senders):
        return [None], ""
    return [], _no_sender(own, wanted, country)


def _allowed(wanted: Wanted, fit: Sequence[str]) -> list[str]:
    """Give those of the senders that this account may use: its own before those nobody named, never another's."""
    allowed = [sender for sender in fit if sender not in wanted.foreign]
    return [sender for sender in allowed if sender in wanted.own] or allowed


def _unlisted(country: CountryRule, sender: str) -> str:
    """Say why a sender that the file does not list cannot be used in a country; empty when it can."""
    if country.needs_registration:
        return "is not registered there"
    is_name = any(char.isalpha() for char in sender)
    return "names are refused there" if is_name and country.alphanumeric is Alphanumeric.REFUSED else ""


def _no_sender(own: Sequence[SenderEntry], wanted: Wanted, country: CountryRule) -> str:
    if country.needs_registration:
        return f"has no sender that is registered in {country.country}"
    if not own:
        return "has senders of other accounts only"
    reasons = {country.unfit(entry, wanted.purpose) if reaches(entry, wanted.country) else "" for entry in own}
    told = ", ".join(sorted(reason for reason in reasons if reason))
    where = wanted.country or "a number whose country is not known"
    return f"has no sender for {where}" + (f" ({told})" if told else "")


def _compared(around: Field, found: Sequence[Candidate]) -> list[Candidate]:
    """Score those that can be used; a price nobody knows counts as the highest that is known."""
    usable = [each for each in found if not each.refused]
    currencies = {each.price.currency for each in usable if each.price is not None}
    known = [each.price.amount for each in usable if each.price is not None]
    dearest = max(known, default=Decimal(0))
    weights = WEIGHTS[around.rule.prefer]

    def scored(each: Candidate) -> Candidate:
        amount = dearest if each.price is None or len(currencies) > 1 else each.price.amount
        rest = _product(each.estimate, float(amount), weights)
        score, hope = (
            math.exp(rest + weights.delivery * math.log(max(bound, _WORST)))
            for bound in (each.estimate.lower, each.estimate.upper)
        )
        return Candidate(
            each.gateway, each.sender, each.estimate, each.price, score, hope, each.is_below, each.is_tried
        )

    return [each if each.refused else scored(each) for each in found]


def _product(estimate: Estimate, price: float, weights: Weights) -> float:
    """Give the logarithm of everything in the product but the deliveries."""
    return (
        -weights.price * math.log(price + _FREE)
        - weights.delay * math.log1p(estimate.latency_seconds / _DELAY)
        + weights.errors * math.log(max(1 - estimate.error_rate, _WORST))
    )
