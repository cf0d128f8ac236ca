"""Through which gateway, and from which sender, does a text go?

In this order: what cannot be used is refused (`domain.candidates`); a gateway that has failed with the text, or
delivers less than the route asks for, comes after the others; of those that come first a conversation keeps its sender,
else the best score wins.
A bounded share of texts tries another one, since a gateway that is never tried is never known to have become better:
mostly those that would win if they were as good as they may be, seldom any.

Everything is drawn from the message's id, so the same text meets the same choice as long as nothing else has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connector.domain.candidates import Candidate, Field, Wanted, candidates, lot
from connector.domain.gateway_book import VIA, GatewayBook, Preference, RouteRule
from connector.domain.scoring import Scores

__all__ = ["Choice", "NoRoute", "Wanted", "choose"]

_HOPELESS = 0.1
"""Share of the trials that go to candidates which would not win however lucky: prices and networks change, and a
gateway that was silent yesterday may work today."""

_SHOWN = 8  # candidates in a trace: routes have two to four gateways; a pool of fifty numbers need not be told


@dataclass(frozen=True, slots=True)
class Choice:
    """The way a text takes.

    Attributes:
        sender: None leaves it to the gateway.
        reason: one sentence for the trace.
        numbers: what it was chosen by, ready for JSON; holds no recipient.
        is_trial: it was not the best, but is to be learned about.
    """

    gateway: str
    sender: str | None
    reason: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class NoRoute:
    """No way is open.

    Attributes:
        is_final: waiting does not help; somebody has to change the file or the text.
    """

    reason: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    is_final: bool = False


def choose(
    book: GatewayBook, wanted: Wanted, shares: Mapping[str, float], scores: Scores, default_gateway: str
) -> Choice | NoRoute:
    """Choose a text's way.

    Args:
        book: what the file says.
        wanted: the text.
        shares: by gateway in use here, the share of its usual traffic that its circuit lets through, 0 to 1.
        scores: how gateways fare.
        default_gateway: for texts without a route, and for routes none of whose gateways is in use here; not for
            those that try one gateway out.
    """
    rule = _rule(book, wanted, shares, default_gateway)
    country = book.country(wanted.country)
    if country.most_segments is not None and wanted.segments > country.most_segments:
        told = f"it takes {wanted.segments} SMS, and texts to {country.country} may take {country.most_segments}"
        return NoRoute(told, {"segments": wanted.segments, "most": country.most_segments}, is_final=True)
    found = candidates(Field(book, wanted, rule, shares, scores, country))
    usable = [each for each in found if not each.refused]
    if not usable:
        return _none(rule, found)
    best, reason = _best(rule, wanted, usable)
    trial = None if wanted.tried or _is_bound(wanted, best) else _trial(rule, wanted, usable, best)
    chosen, why = (best, reason) if trial is None else (trial, f"a trial, as {rule.explore:.0%} of texts may be")
    told = f"{_named(chosen)}: {why}"
    return Choice(chosen.gateway, chosen.sender, told, _numbers(rule, found, chosen), is_trial=trial is not None)


def _rule(book: GatewayBook, wanted: Wanted, shares: Mapping[str, float], default_gateway: str) -> RouteRule:
    """Give the text's route; one none of whose gateways is in use here must not hold its texts for ever.

    A text that tries one gateway out takes no other: through the usual one it would say that a gateway works which
    nobody has asked.
    """
    rule = book.route_for(wanted.purpose, wanted.route)
    if wanted.route.startswith(VIA) or any(gateway in shares for gateway in rule.gateways):
        return rule
    return replace(rule, gateways=(default_gateway,))


def _best(rule: RouteRule, wanted: Wanted, usable: Sequence[Candidate]) -> tuple[Candidate, str]:
    """Give the one that goes before all others, and why; of equals, the one that is written first."""
    rank = min(_rank(each) for each in usable)
    first = [each for each in usable if _rank(each) == rank]
    if kept := [each for each in first if _keeps_conversation(wanted, each)]:
        return _leading(rule, kept), "the conversation's sender"
    if len(first) == 1:
        return first[0], _only(usable, rank)
    in_order = rule.prefer is Preference.IN_ORDER
    return _leading(rule, first), "the first in order" if in_order else f"the best of {len(first)}, {rule.prefer}"


def _leading(rule: RouteRule, of: Sequence[Candidate]) -> Candidate:
    return of[0] if rule.prefer is Preference.IN_ORDER else max(of, key=lambda each: each.score)


def _keeps_conversation(wanted: Wanted, each: Candidate) -> bool:
    """Say whether a text goes on with its conversation, unless it names that sender itself: then there is no choice."""
    return each.sender is not None and each.sender == wanted.conversation_sender != wanted.sender


def _rank(each: Candidate) -> tuple[bool, bool]:
    return each.is_tried, each.is_below


def _only(usable: Sequence[Candidate], rank: tuple[bool, bool]) -> str:
    is_tried, is_below = rank
    if is_tried:
        return "tried before, and nothing else is left"
    if is_below:
        return "below the quality floor, and nothing better is left"
    return "the only one" if len(usable) == 1 else "the only one left that delivers enough"


def _is_bound(wanted: Wanted, best: Candidate) -> bool:
    """Say whether the text keeps to its sender: no trial tears a conversation in two."""
    return best.sender is not None and best.sender in {wanted.sender, wanted.conversation_sender}


def _trial(rule: RouteRule, wanted: Wanted, usable: Sequence[Candidate], best: Candidate) -> Candidate | None:
    """Draw whether the text tries another one, and which; at most the route's share of texts does."""
    draw = lot(wanted.message_id, "trial")
    others = [each for each in usable if each is not best]
    if draw >= rule.explore or not others:
        return None
    if draw >= rule.explore * _HOPELESS:
        others = [each for each in others if each.hope > best.score]
    return others[int(lot(wanted.message_id, "which trial") * len(others))] if others else None


def _none(rule: RouteRule, found: Sequence[Candidate]) -> NoRoute:
    told = "; ".join(dict.fromkeys(f"{each.gateway} {each.refused}" for each in found))
    is_final = all(each.is_for_good for each in found)
    return NoRoute(f"no gateway can take it: {told}", _numbers(rule, found, None), is_final=is_final)


def _numbers(rule: RouteRule, found: Sequence[Candidate], chosen: Candidate | None) -> Mapping[str, Any]:
    """Give the route and its candidates, those that count first."""
    shown = sorted(found, key=lambda each: (each is not chosen, bool(each.refused), _rank(each), -each.score))
    route = {"route": rule.name, "prefer": rule.prefer.value, "floor": rule.quality_floor, "explore": rule.explore}
    more = {"more": len(found) - _SHOWN} if len(found) > _SHOWN else {}
    return {**route, "candidates": [each.numbers() for each in shown[:_SHOWN]], **more}


def _named(chosen: Candidate) -> str:
    return chosen.gateway if chosen.sender is None else f"{chosen.gateway} from {chosen.sender}"
