"""Is one event that is told twice heard once, whichever telling comes first?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connector.domain.twice_told import Telling, is_known, same_value

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def webhook(value: str | None, minutes: float = 0) -> Telling:
    return Telling(NOON + timedelta(minutes=minutes), value, is_found=False)


def poll(value: str | None, minutes: float = 0) -> Telling:
    return Telling(NOON + timedelta(minutes=minutes), value, is_found=True)


@pytest.mark.parametrize(
    ("new", "heard", "known"),
    [
        # A poll: nothing was heard, this was, another value was.
        (poll("won"), [], False),
        (poll("won"), [webhook("won")], True),
        (poll("won", 30), [webhook("won")], True),  # the record changed later, the property did not
        (poll("won", 30), [webhook("lost")], False),
        (poll("won"), [webhook("lost", 30)], True),  # a webhook was faster than the page that was read
        (poll("won", 60), [webhook("won"), webhook("lost", 30)], False),
        (poll("won", 0.5), [webhook("lost")], False),  # two changes in one minute
        (poll("won", 60), [webhook("lost", 30), webhook("won")], False),  # heard in any order
        (poll("won", 1), [poll("won", 1)], True),
        (poll("won", 30), [webhook(None, 29.5)], True),  # what an older version wrote down has no value
        (poll("won", 30), [webhook(None, 20)], False),
        # A webhook that comes after the poll that found the same change.
        (webhook("won"), [poll("won")], True),
        (webhook("won"), [poll("won", -0.5)], True),  # the two clocks differ a little
        (webhook("won"), [poll("won", 30)], True),  # a CRM without a history tells the record's time
        (webhook("won"), [poll("won", -30)], False),  # it was won again
        (webhook("lost"), [poll("won")], False),
        (webhook("won"), [poll("won"), webhook("lost", 40)], True),
        # Webhooks among themselves are told apart by their ids.
        (webhook("won"), [webhook("won")], False),
        (webhook("won"), [], False),
    ],
)
def test_a_change_is_known_or_new(new: Telling, heard: list[Telling], known: bool) -> None:
    assert is_known(new, heard, happens_once=False) is known


@pytest.mark.parametrize(
    ("new", "heard", "known"),
    [
        (poll(None), [], False),
        (poll(None, 90), [webhook(None)], True),
        (webhook(None, 90), [poll(None)], True),
        (webhook(None), [webhook(None)], False),
    ],
)
def test_a_record_is_made_once(new: Telling, heard: list[Telling], known: bool) -> None:
    assert is_known(new, heard, happens_once=True) is known


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("won", "won", True),
        ("won", "lost", False),
        (None, None, False),
        ("won", None, False),
        ("1763700000000", "2025-11-21T04:40:00Z", True),
        ("1763700000000", "2025-11-21T04:40:00.001Z", False),
        ("600", "600.00", False),
    ],
)
def test_times_are_the_same_however_the_crm_writes_them(one: str | None, other: str | None, same: bool) -> None:
    assert same_value(one, other) is same
