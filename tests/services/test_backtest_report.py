"""Are the reasons of a replay grouped, its texts priced, and two versions compared by contact?"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from connector.adapters.memory.ledger import MemoryLedger
from connector.domain.message import Direction, MessageState
from connector.domain.timeline import EntryKind, TimelineEntry
from connector.services.backtest import Replayed
from connector.services.backtest_report import BacktestReport, Played, compare, summarise, to_json
from tests.adapters.store.factories import a_message

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def an_entry(kind: EntryKind, summary: str) -> TimelineEntry:
    return TimelineEntry("a", kind, f"x:{summary}", "", NOW, summary)


def test_a_replay_is_summed_up_with_its_reasons_grouped_and_its_texts_priced() -> None:
    ledger, sent = MemoryLedger(), MessageState.DELIVERED
    with ledger.begin() as uow:
        for each in (
            a_message("a", state=sent, step="steps[0]", contact_id="c1", country="US", segments=2),
            a_message("a", state=sent, step="", contact_id="c1", country=None),
            a_message("a", state=sent, step="steps[1]", contact_id="c2", country="DE"),
            a_message("a", state=MessageState.EXPIRED, state_reason="since 2026-11-20 it is late (by 3)"),
            a_message("a", state=MessageState.SUPPRESSED, state_reason=""),
            a_message("a", direction=Direction.IN, state=MessageState.RECEIVED),
        ):
            uow.messages.add(each)
        uow.timeline.add(
            [
                an_entry(EntryKind.MESSAGE_HELD, "Held: window daytime is closed until 09:00"),
                an_entry(EntryKind.MESSAGE_HELD, "Held: window daytime is closed until 10:00"),
                an_entry(EntryKind.NOT_ENROLLED, "Not enrolled in j: invoice.balance_due >= 10 does not hold"),
                an_entry(EntryKind.STEP_TAKEN, "Waits"),
            ]
        )
        uow.commit()
    played = summarise(
        ledger,
        {"steps[0]": "first"},
        lambda message: None if message.country == "DE" else (Decimal("0.01") * message.segments, "USD"),
    )
    assert played.texts == {"first": 1, "keyword answer": 1, "steps[1]": 1}
    assert (played.segments, played.unpriced) == (4, 1)
    assert played.cost == {("US", "USD"): Decimal("0.02"), ("unknown", "USD"): Decimal("0.01")}
    assert played.by_contact == {"c1": ("first", "keyword answer"), "c2": ("steps[1]",)}
    assert played.held == {"window daytime is closed": 2}
    assert played.refused == {"invoice.balance_due >= 10 does not hold": 1}
    assert played.withheld == {"expired: since it is late": 1, "suppressed: no reason given": 1}


def test_two_versions_are_compared_by_contact() -> None:
    now = Played(by_contact={"new": ("a",), "other": ("a", "b"), "same": ("a",)})
    before = Played(by_contact={"gone": ("a",), "other": ("a",), "same": ("a",)})
    found = compare(now, before)
    assert (found.only_edited, found.only_published) == ({"new": ("a",)}, {"gone": ("a",)})
    assert (found.changed, found.same) == ({"other": (("a",), ("a", "b"))}, 1)
    told = to_json(BacktestReport(Replayed(), now, before, found))["difference"]
    assert told["changed"] == {"other": {"published": ["a"], "edited": ["a", "b"]}}
