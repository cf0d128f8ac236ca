"""How fast, how much, how often again, and after which look-up may texts go, according to `mappings/gateways.yaml`?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from connector.adapters.gateway_reading import GatewayReading
from connector.adapters.gateway_values import Chosen, money, per_second
from connector.adapters.journey_schema import SLUG
from connector.adapters.yaml_file import Trail
from connector.adapters.yaml_shapes import Shape, closest, listed, quoted, spoken
from connector.adapters.yaml_values import Anything, Choice, Duration, Parsed, WholeNumber, Words, YesNo
from connector.domain.gateway_book import (
    RETRIES,
    Budget,
    BudgetScope,
    GatewayBook,
    Jitter,
    LookupRule,
    Rate,
    Rates,
    RetryRule,
)
from connector.domain.message import Purpose

_MOST_AT_ONCE = 1000  # requests: more connections than one process can hold
_MOST_BURST = 100_000  # texts: ten seconds of the fastest rate there is
_MOST_TEXTS = 100_000_000  # a day, at a thousand a second
_MOST_TRIES = 50  # at the longest waits, more than four hours of them
_LONGEST_WAIT = timedelta(hours=6)
_LONGEST_LIFE = timedelta(days=7)  # gateways keep nothing longer
_LONGEST_SILENCE = timedelta(days=3)  # the gateways' own last word comes after 72 hours
_LONGEST_KEPT = timedelta(days=730)


class RatesShape(Shape):
    """How fast texts may go."""

    what: ClassVar[str] = "rates (gateways, account, campaign)"

    gateways = Anything()
    account = Anything()
    campaign = Anything()


class RateShape(Shape):
    """One rate."""

    what: ClassVar[str] = "a rate (per_second, burst, concurrency)"

    per_second = Parsed(per_second, required=True)
    burst = WholeNumber(1, _MOST_BURST)
    concurrency = WholeNumber(1, _MOST_AT_ONCE)


class BudgetShape(Shape):
    """One budget."""

    what: ClassVar[str] = "a budget (scope, name, per_day_texts, per_day_spend)"

    scope = Choice([scope.value for scope in BudgetScope], required=True)
    name = Words()
    per_day_texts = WholeNumber(1, _MOST_TEXTS)
    per_day_spend = Parsed(money)


class RetryShape(Shape):
    """How texts of one purpose are tried again."""

    what: ClassVar[str] = "retries (tries, base, cap, lifetime, jitter, resend_undelivered, unknown_after)"

    tries = WholeNumber(1, _MOST_TRIES)
    base = Duration(longest=_LONGEST_WAIT)
    cap = Duration(longest=_LONGEST_WAIT)
    lifetime = Duration(longest=_LONGEST_LIFE)
    jitter = Choice([jitter.value for jitter in Jitter])
    resend_undelivered = YesNo()
    unknown_after = Duration(longest=_LONGEST_SILENCE)


class LookupsShape(Shape):
    """Which numbers are looked up."""

    what: ClassVar[str] = "lookups (gateways, purposes, keep, per_day)"

    gateways = Chosen(pattern=SLUG, expected="a gateway such as twilio", required=True)
    purposes = Chosen([purpose.value for purpose in Purpose])
    keep = Duration(longest=_LONGEST_KEPT)
    per_day = WholeNumber(1, _MOST_TEXTS)


def read_rates(reading: GatewayReading) -> Rates:
    """Read the rates."""
    if "rates" not in reading.top:
        return Rates()
    found = reading.shape(RatesShape(), ("rates",), reading.top["rates"]) or {}
    gateways = found.get("gateways", {})
    if not isinstance(gateways, dict):
        reading.say(("rates", "gateways"), f"expected rates by gateway, found {spoken(gateways)}")
        gateways = {}
    each = {name: _rate(reading, ("rates", "gateways", name), raw) for name, raw in gateways.items()}
    account, campaign = (
        _rate(reading, ("rates", part), found[part]) if part in found else None for part in ("account", "campaign")
    )
    return Rates({name: rate for name, rate in each.items() if rate is not None}, account, campaign)


def _rate(reading: GatewayReading, trail: Trail, raw: Any) -> Rate | None:
    found = reading.shape(RateShape(), trail, raw)
    if found is None:
        return None
    return Rate(found["per_second"], found.get("burst"), found.get("concurrency"))


def read_budgets(reading: GatewayReading) -> tuple[Budget, ...]:
    """Read the budgets; two for the same are a mistake, since a reviewer would see the wrong one."""
    seen: set[tuple[BudgetScope, str]] = set()

    def read(trail: Trail, raw: Any) -> Budget | None:
        budget = _budget(reading, trail, raw)
        if budget is not None and (budget.scope, budget.name) in seen:
            whose = f"{budget.scope} {budget.name}".rstrip()
            reading.say(trail, f"a budget for {quoted(whose)} stands above already", "write both limits in one")
        if budget is not None:
            seen.add((budget.scope, budget.name))
        return budget

    return reading.listed("budgets", read)


def _budget(reading: GatewayReading, trail: Trail, raw: Any) -> Budget | None:
    found = reading.shape(BudgetShape(), trail, raw)
    if found is None:
        return None
    scope, name = BudgetScope(found["scope"]), found.get("name", "")
    texts, spend = found.get("per_day_texts"), found.get("per_day_spend")
    if texts is None and spend is None:
        reading.say(trail, "limits nothing", "add per_day_texts, per_day_spend or both")
    if name and scope is not BudgetScope.ACCOUNT and not re.fullmatch(SLUG, name):
        reading.say((*trail, "name"), f"{quoted(name)} is no {scope} of small letters and hyphens")
    return Budget(scope, name, texts, spend)


_PRICED = ("prices", "routes", "budgets")


def refuse_uncounted_spending(reading: GatewayReading, book: GatewayBook) -> None:
    """Money is counted by price lists: without one in its currency a budget would hold back everything, or nothing.

    Looked at once all these parts are right: a list that is wrong would be told as missing.
    """
    if any(mistake.path.startswith(_PRICED) for mistake in reading.mistakes):
        return
    for number, budget in enumerate(book.budgets):
        if budget.per_day_spend is not None:
            _refuse_uncounted(reading, book, number, budget, budget.per_day_spend.currency)


def _refuse_uncounted(reading: GatewayReading, book: GatewayBook, number: int, budget: Budget, currency: str) -> None:
    trail: Trail = ("budgets", number, "per_day_spend")
    priced = {gateway for gateway, prices in book.prices.items() if prices.currency == currency}
    if not priced:
        reading.say(trail, f"no price list is in {currency}, so nothing can be counted", "add one under prices")
        return
    if budget.per_day_texts is not None:
        return  # what has no price is limited by that
    routed = {gateway for rule in book.routes.values() for gateway in rule.gateways}
    is_one = budget.scope is BudgetScope.GATEWAY and budget.name
    if missing := sorted(({budget.name} if is_one else routed) - priced):
        told = f"what goes through {listed(missing)} cannot be counted: no price list of theirs is in {currency}"
        reading.say(trail, told, "add one under prices, or per_day_texts, which limits them all the same")


def read_retries(reading: GatewayReading) -> Mapping[Purpose, RetryRule]:
    """Read how each purpose is tried again."""
    found = reading.named("retries", lambda trail, name, raw: _retry(reading, trail, name, raw))
    return {Purpose(name): rule for name, rule in found.items()}


def _retry(reading: GatewayReading, trail: Trail, name: str, raw: Any) -> RetryRule | None:
    names = [purpose.value for purpose in Purpose]
    if name not in names:
        hint = closest(name, names) or f"there are {listed(names)}"
        reading.say(trail, f"{quoted(name)} is no purpose", hint, key=True)
        return None
    found = reading.shape(RetryShape(), trail, raw)
    if found is None:
        return None
    if "jitter" in found:
        found["jitter"] = Jitter(found["jitter"])
    rule = replace(RETRIES[Purpose(name)], **found)
    if rule.cap < rule.base:
        reading.say(
            (*trail, "cap" if "cap" in found else "base"), "the longest wait (cap) is shorter than the first (base)"
        )
    return rule


def read_lookups(reading: GatewayReading) -> LookupRule:
    """Read what is looked up."""
    if "lookups" not in reading.top:
        return LookupRule()
    found = reading.shape(LookupsShape(), ("lookups",), reading.top["lookups"])
    if found is None:
        return LookupRule()
    if "purposes" in found:
        found["purposes"] = frozenset(Purpose(purpose) for purpose in found["purposes"])
    return LookupRule(**found)
