"""Do two tellings of a CRM's event mean the same one?

Webhooks tell of every change once or more often; a poll finds what is different from what we heard. A poll may come
before a webhook that is late, or after one whose value has been set again meanwhile. Journeys must hear of it once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.domain.record_values import read_moment

SAME_MOMENT = timedelta(minutes=1)
"""How far apart the times of one change may be that a CRM tells in a webhook and in a record's history."""


@dataclass(frozen=True, slots=True)
class Telling:
    """How we heard of one event of a record.

    Attributes:
        value: what a property became; None where that is not known, or for an event that is no change of a property.
        is_found: whether a poll found it; else a webhook told it.
    """

    at: datetime
    value: str | None
    is_found: bool


def is_known(new: Telling, heard: Iterable[Telling], *, happens_once: bool) -> bool:
    """Tell whether an event has been heard of before.

    Args:
        new: the telling that has come now.
        heard: those of the same event and record that came before.
        happens_once: whether it can happen to a record only once, as its creation.
    """
    before = sorted(heard, key=lambda each: each.at)
    if happens_once:
        return any(new.is_found or each.is_found for each in before)
    if not new.is_found:
        return any(each.is_found and same_value(each.value, new.value) and _covers(each, new) for each in before)
    last = before[-1] if before else None
    if last is None or same_value(last.value, new.value):
        return last is not None
    return _covers(last, new) if last.value is None else last.at > new.at


def same_value(one: str | None, other: str | None) -> bool:
    """Tell whether two texts are the same value: webhooks write times as milliseconds, records as ISO 8601."""
    if one is None or other is None:
        return False
    if one == other:
        return True
    moments = read_moment(one), read_moment(other)
    return moments[0] is not None and moments[0] == moments[1]


def _covers(heard: Telling, new: Telling) -> bool:
    """Whether what was heard is at least as new."""
    return heard.at >= new.at - SAME_MOMENT
