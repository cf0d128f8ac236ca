"""What came of a replay: who got what, at what cost, what was held back, and how do two versions differ?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector.domain.journey import Journey
from connector.domain.message import Direction, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.ports.messages import MessageRow
from connector.ports.rehearsal import PlayableLedger
from connector.services.backtest import Replayed

Price = Callable[[MessageRow], tuple[Decimal, str] | None]
"""Gives what a text costs and in which currency; None when no price is known."""

_LEFT = frozenset({MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED})
_VARIES = re.compile(r"\s*\([^)]*\)|\s+until .*|\b\d[\d:.,-]*\b")
_NOT_SENT = {EntryKind.MESSAGE_HELD: "held", EntryKind.NOT_ENROLLED: "refused"}


@dataclass(frozen=True, slots=True)
class Played:
    """What one version would have done.

    Attributes:
        enrolled: how many enrollments began.
        refused: how many did not, by reason.
        texts: by step id or path, how many texts went out.
        segments: of all of them.
        cost: by (country, currency); only of texts whose price is known.
        unpriced: texts without a known price.
        held: how often a text was held, by reason.
        withheld: texts that never went out (suppressed, expired, cancelled, failed), by reason.
        by_contact: the steps whose texts each contact got, in order.
    """

    enrolled: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, int] = field(default_factory=dict)
    segments: int = 0
    cost: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    unpriced: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    withheld: Mapping[str, int] = field(default_factory=dict)
    by_contact: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """How an edited version differs from the published one, by contact.

    Attributes:
        only_edited: contacts that would get texts now and did not before.
        only_published: contacts that got texts and would get none now.
        changed: contacts that would get other texts, as (before, now).
        same: contacts for whom nothing changes.
    """

    only_edited: Mapping[str, tuple[str, ...]]
    only_published: Mapping[str, tuple[str, ...]]
    changed: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    same: int


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """All of it.

    Attributes:
        published: what the version in service would have done; None when none is.
        difference: between the two.
        not_played: what of the past is not in it, in words; empty when nothing is missing.
    """

    replayed: Replayed
    edited: Played
    published: Played | None = None
    difference: Difference | None = None
    not_played: str = ""


def starts_not_played(journeys: Iterable[Journey]) -> str:
    """Say of journeys that begin by a schedule that nobody begins them: who was in an audience then is not kept."""
    names = sorted({journey.id for journey in journeys if journey.trigger.schedule})
    return f"starts by schedule are not played: nobody enters {', '.join(names)} by it" if names else ""


def summarise(ledger: PlayableLedger, step_names: Mapping[str, str], price: Price) -> Played:
    """Sum up what was played on a ledger.

    Args:
        ledger: where it was played.
        step_names: step id by path.
        price: what a text costs.
    """
    sent, withheld, by_contact = [], Counter[str](), dict[str, list[str]]()
    for message in ledger.all_messages():
        if message.direction is not Direction.OUT:
            continue
        if message.state in _LEFT:
            sent.append(message)
            name = step_names.get(message.step, message.step or "keyword answer")
            by_contact.setdefault(message.contact_id or "", []).append(name)
        else:
            withheld[f"{message.state}: {_reason(message.state_reason)}"] += 1
    cost, unpriced = _cost(sent, price)
    refused, held = _reasons(ledger.all_entries())
    return Played(
        enrolled=sum(1 for _ in ledger.all_enrollments()),
        refused=refused,
        texts=Counter(step_names.get(message.step, message.step or "keyword answer") for message in sent),
        segments=sum(message.segments for message in sent),
        cost=cost,
        unpriced=unpriced,
        held=held,
        withheld=withheld,
        by_contact={contact: tuple(steps) for contact, steps in by_contact.items()},
    )


def compare(edited: Played, published: Played) -> Difference:
    """Tell for whom two versions do not do the same."""
    now, before = edited.by_contact, published.by_contact
    both = now.keys() & before.keys()
    changed = {contact: (before[contact], now[contact]) for contact in both if before[contact] != now[contact]}
    return Difference(
        {contact: steps for contact, steps in now.items() if contact not in before},
        {contact: steps for contact, steps in before.items() if contact not in now},
        changed,
        len(both) - len(changed),
    )


def to_json(report: BacktestReport) -> dict[str, Any]:
    """Give a report for programs."""
    difference = report.difference
    return {
        "events": {
            "read": report.replayed.read,
            "played": report.replayed.played,
            "unrecorded": report.replayed.unrecorded,
        },
        "not_played": report.not_played,
        "edited": _played_json(report.edited),
        "published": None if report.published is None else _played_json(report.published),
        "difference": None
        if difference is None
        else {
            "only_edited": {contact: list(steps) for contact, steps in difference.only_edited.items()},
            "only_published": {contact: list(steps) for contact, steps in difference.only_published.items()},
            "changed": {
                contact: {"published": list(before), "edited": list(now)}
                for contact, (before, now) in difference.changed.items()
            },
            "same": difference.same,
        },
    }


def _played_json(played: Played) -> dict[str, Any]:
    return {
        "enrolled": played.enrolled,
        "refused": dict(played.refused),
        "texts": dict(played.texts),
        "segments": played.segments,
        "cost": [
            {"country": country, "currency": currency, "amount": str(amount)}
            for (country, currency), amount in sorted(played.cost.items())
        ],
        "unpriced": played.unpriced,
        "held": dict(played.held),
        "withheld": dict(played.withheld),
    }


def _cost(sent: Iterable[MessageRow], price: Price) -> tuple[dict[tuple[str, str], Decimal], int]:
    cost: dict[tuple[str, str], Decimal] = {}
    unpriced = 0
    for message in sent:
        found = price(message)
        if found is None:
            unpriced += 1
            continue
        amount, currency = found
        key = (message.country or "unknown", currency)
        cost[key] = cost.get(key, Decimal(0)) + amount
    return cost, unpriced


def _reasons(entries: Iterable[TimelineEntry]) -> tuple[Counter[str], Counter[str]]:
    """Count refusals to enroll and holds by reason, the particulars of each case left out."""
    counted = {"refused": Counter[str](), "held": Counter[str]()}
    for entry in entries:
        kind = _NOT_SENT.get(entry.kind)
        if kind is not None:
            text = entry.summary.partition(": ")[2] or entry.summary
            counted[kind][text if kind == "refused" else _reason(text)] += 1  # a condition's numbers are its own
    return counted["refused"], counted["held"]


def _reason(text: str) -> str:
    return " ".join(_VARIES.sub("", text).split()) or "no reason given"
