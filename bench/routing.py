"""What does choosing gateways by what became of their texts save, and how soon does it leave one that falls silent?

A play with made-up gateways whose true quality nobody is told, at two texts a second to two countries. Quality drifts.
One gateway is down for a country for a while: it says `undelivered`. Later the gateway that carries most texts of the
policy at hand falls silent: it goes on accepting texts, delivers none and says nothing. Every policy is given the same
texts with the same luck, so what differs is the choice alone.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import NormalDist

from bench.report import Figure
from connector.domain.gateway_book import EXPLORED, QUALITY_FLOORS, GatewayBook, Preference, RouteRule
from connector.domain.message import Purpose
from connector.domain.prices import PriceList
from connector.domain.routing import NoRoute, Wanted, choose
from connector.domain.scoring import LONGEST_DELIVERY, Scores, Tally, score

_START = datetime(2026, 11, 20, 9, tzinfo=UTC)
_TEXTS_PER_SECOND = 2  # what a shop of some hundred thousand customers sends
_SCORED_EVERY = 20  # seconds; about as often as a worker reads the tallies anew
_COUNTRIES = ("US", "GB")
_SPREAD = 0.8  # of the logarithm of delays: some receipts take five times as long as most
_TOLD = 0.8  # of the texts that do not arrive, this share gets a receipt that says so
_WINDOW = 20  # seconds, over which the parts of the traffic are counted
_LEFT = 0.05  # a gateway is left when it gets no more than this share of what it got before
_BEFORE = 90  # windows: half an hour


@dataclass(frozen=True, slots=True)
class Truth:
    """What a gateway is really like; only the oracles read it.

    Attributes:
        price: USD a text.
        rate: share delivered, on average.
        drift: by which the rate goes up and down, within `period` hours.
        seconds: the median delay of a receipt.
        outage: the country, and the part of the play from which and until which it gets nothing.
    """

    price: str
    rate: float
    drift: float
    period: float
    seconds: float
    outage: tuple[str, float, float] = ("", 0.0, 0.0)


GATEWAYS: Mapping[str, Truth] = {
    "alder": Truth("0.0110", 0.965, 0.010, 5.0, 4.0),
    "birch": Truth("0.0083", 0.940, 0.030, 3.0, 8.0),
    "cedar": Truth("0.0079", 0.930, 0.020, 4.0, 6.0, ("GB", 0.25, 0.35)),
    "dogwood": Truth("0.0060", 0.620, 0.050, 2.0, 20.0),  # a grey route, cheap for a reason
}
_SILENT_FROM = 0.6  # of the play


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be sent; its luck is the same whoever sends it."""

    id: str
    country: str
    second: float

    def luck(self, about: str) -> float:
        """Draw a number from 0 up to 1."""
        digest = hashlib.sha256(f"bench\0{about}\0{self.id}".encode()).digest()
        return int.from_bytes(digest[:6]) / 2**48


@dataclass(slots=True)
class Sky:
    """What befalls the gateways of one play of so many hours."""

    hours: float
    silent: str = ""

    @property
    def silent_from(self) -> float:
        """The second in which one falls silent."""
        return self.hours * 3600 * _SILENT_FROM

    def rate(self, name: str, text: Text) -> float:
        """Give the chance that a text arrives through a gateway."""
        truth, part = GATEWAYS[name], text.second / (self.hours * 3600)
        country, begins, ends = truth.outage
        if name == self.silent or (country == text.country and begins <= part < ends):
            return 0.0
        return truth.rate + truth.drift * math.sin(2 * math.pi * text.second / 3600 / truth.period)


Policy = Callable[[Text, Scores, Sky], str]
"""Names the gateway of a text, by what is known of gateways; only an oracle looks at the sky."""


def fixed_priority(_text: Text, _scores: Scores, _sky: Sky) -> str:
    """Take the first one of a list: it accepts every text, so the second is never needed."""
    return "cedar"


def cheapest_only(_text: Text, _scores: Scores, _sky: Sky) -> str:
    """Take the lowest list price."""
    return min(GATEWAYS, key=lambda name: Decimal(GATEWAYS[name].price))


def ours(prefer: Preference) -> Policy:
    """Choose as the connector does, on a route of all gateways that prefers this."""
    checked = date(2026, 11, 20)
    prices = {name: PriceList("USD", Decimal(each.price), {}, "made up", checked) for name, each in GATEWAYS.items()}
    rule = RouteRule("bench", tuple(GATEWAYS), prefer, QUALITY_FLOORS[prefer], EXPLORED[prefer])
    book, shares = GatewayBook(prices=prices, routes={"bench": rule}), dict.fromkeys(GATEWAYS, 1.0)

    def chosen(text: Text, scores: Scores, _sky: Sky) -> str:
        wanted = Wanted(text.id, Purpose.TRANSACTIONAL, text.country, route="bench")
        choice = choose(book, wanted, shares, scores, "alder")
        if isinstance(choice, NoRoute):
            raise TypeError(f"every gateway is open here: {choice.reason}")
        return choice.gateway

    return chosen


def cheapest_oracle(text: Text, _scores: Scores, sky: Sky) -> str:
    """Take the least money per text that arrives, by the truth."""
    return max(GATEWAYS, key=lambda name: sky.rate(name, text) / float(GATEWAYS[name].price))


def best_oracle(text: Text, _scores: Scores, sky: Sky) -> str:
    """Take whoever delivers most, by the truth."""
    return max(GATEWAYS, key=lambda name: sky.rate(name, text))


@dataclass(slots=True)
class Told:
    """What came of a policy; `sent` are texts per window and gateway, `silent` fell silent in `silent_window`."""

    texts: int = 0
    delivered: int = 0
    cost: Decimal = Decimal(0)
    sent: dict[int, Counter[str]] = field(default_factory=dict)
    silent: str = ""
    silent_window: int = 0

    @property
    def cost_per_delivered(self) -> float:
        """USD per thousand texts that arrived."""
        return 1000 * float(self.cost) / max(self.delivered, 1)

    @property
    def delivered_share(self) -> float:
        """Percent of the texts that arrived."""
        return 100 * self.delivered / max(self.texts, 1)

    def busiest(self, window: int) -> str:
        """Name the gateway that carried most texts in the half hour before a window."""
        counts = sum((self.sent.get(each, Counter()) for each in range(window - _BEFORE, window)), Counter[str]())
        return counts.most_common(1)[0][0]

    def seconds_until_left(self) -> float:
        """Give how long the silent gateway got more than one in twenty of the texts it had got before.

        It counts as left when that holds for a minute on end; the whole rest of the play when it never does.
        """
        usual = self._part(range(self.silent_window - _BEFORE, self.silent_window))
        last = max(self.sent) + 1
        for window in range(self.silent_window, last - 2):
            if self._part(range(window, window + 3)) <= usual * _LEFT:
                return float((window - self.silent_window) * _WINDOW)
        return float((last - self.silent_window) * _WINDOW)

    def _part(self, windows: range) -> float:
        counts = [self.sent.get(window, Counter[str]()) for window in windows]
        return sum(count[self.silent] for count in counts) / max(sum(count.total() for count in counts), 1)


class Ledger:
    """What is known: tallies, and receipts that are still on their way."""

    def __init__(self) -> None:
        self._coming: list[tuple[float, int, Tally]] = []
        self._minute: dict[tuple[str, str, datetime], list[float]] = {}

    def note(self, tally: Tally) -> None:
        """Add to a minute."""
        counts = self._minute.setdefault((tally.gateway, tally.country, tally.slot), [0, 0, 0, 0.0])
        new = tally.sent, tally.delivered, tally.undelivered, tally.delivery_seconds
        counts[:] = [count + more for count, more in zip(counts, new, strict=True)]

    def expect(self, second: float, tally: Tally) -> None:
        """Note something when its time comes."""
        heapq.heappush(self._coming, (second, len(self._coming), tally))

    def scores(self, second: float) -> Scores:
        """Take in what has come by now, and estimate."""
        while self._coming and self._coming[0][0] <= second:
            self.note(heapq.heappop(self._coming)[2])
        return score(self._tallies(), _START + timedelta(seconds=second))

    def _tallies(self) -> Iterator[Tally]:
        for (gateway, country, slot), (sent, delivered, undelivered, seconds) in self._minute.items():
            counts = int(sent), int(delivered), int(undelivered)
            yield Tally(gateway, country, "", "", slot, *counts, delivery_seconds=seconds)


def play(policy: Policy, hours: float, *, learns: bool) -> Told:
    """Send every text of a play; a policy that does not learn gets no scores, which take the longest to make."""
    sky, ledger, told, scores = Sky(hours), Ledger(), Told(), Scores()
    told.silent_window = int(sky.silent_from // _WINDOW)
    for text in _texts(hours):
        if text.second >= sky.silent_from and not sky.silent:
            sky.silent = told.silent = told.busiest(told.silent_window)
        if learns and text.second % _SCORED_EVERY == 0:
            scores = ledger.scores(text.second)
        gateway = policy(text, scores, sky)
        _send(text, gateway, sky, ledger, told)
    return told


def _texts(hours: float) -> Iterator[Text]:
    for index in range(int(hours * 3600 * _TEXTS_PER_SECOND)):
        yield Text(f"text-{index}", _COUNTRIES[index % len(_COUNTRIES)], index / _TEXTS_PER_SECOND)


def _send(text: Text, gateway: str, sky: Sky, ledger: Ledger, told: Told) -> None:
    at = _START + timedelta(seconds=text.second)
    slot = at.replace(second=0, microsecond=0)
    arrives = text.luck("delivery") < sky.rate(gateway, text)
    told.texts += 1
    told.cost += Decimal(GATEWAYS[gateway].price)
    told.delivered += arrives
    told.sent.setdefault(int(text.second // _WINDOW), Counter())[gateway] += 1
    ledger.note(Tally(gateway, text.country, "", "", slot, sent=1, answer_seconds=0.2))
    if gateway == sky.silent or not (arrives or text.luck("telling") < _TOLD):
        return
    takes = GATEWAYS[gateway].seconds * math.exp(_SPREAD * NormalDist().inv_cdf(text.luck("delay") or 0.5))
    seconds = min(takes, LONGEST_DELIVERY.total_seconds()) if arrives else 0.0
    came = Tally(gateway, text.country, "", "", slot, 0, int(arrives), int(not arrives), delivery_seconds=seconds)
    ledger.expect(text.second + takes, came)


def measure(hours: float) -> list[Figure]:
    """Play each policy, and hold it against whoever knows the truth."""
    cheapest, best = (play(policy, hours, learns=False) for policy in (cheapest_oracle, best_oracle))
    told = {
        "fixed priority": play(fixed_priority, hours, learns=False),
        "cheapest only": play(cheapest_only, hours, learns=False),
        "ours, cheapest": play(ours(Preference.CHEAPEST), hours, learns=True),
        "ours, balanced": play(ours(Preference.BALANCED), hours, learns=True),
        "ours, premium": play(ours(Preference.PREMIUM), hours, learns=True),
    }
    return [figure for name, each in told.items() for figure in _figures(name, each, cheapest, best)]


def _figures(name: str, told: Told, cheapest: Told, best: Told) -> list[Figure]:
    is_ours = name.startswith("ours")
    note = f"{told.texts:,} texts over four made-up gateways; {told.silent} fell silent"
    return [
        Figure(
            "routing",
            f"cost per 1,000 delivered, {name}",
            told.cost_per_delivered,
            "USD",
            floor=cheapest.cost_per_delivered,
            floor_is="an oracle that knows each gateway's true rate, and takes the cheapest per delivered text",
            aim="≤ 1.1" if name == "ours, cheapest" else "",
            note=note,
        ),
        Figure(
            "routing",
            f"delivered, {name}",
            told.delivered_share,
            "%",
            floor=best.delivered_share,
            floor_is="an oracle that takes whoever delivers most",
            aim="≥ 0.95" if name == "ours, premium" else "",
        ),
        Figure(
            "routing",
            f"until 95 % have left the silent one, {name}",
            told.seconds_until_left(),
            "s",
            aim="≤ 300" if is_ours else "",
            note="" if is_ours else "never: it is held to the end of the play",
        ),
    ]
