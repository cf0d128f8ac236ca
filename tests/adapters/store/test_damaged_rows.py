"""Does a row whose body does not open end or wait by itself, and never keep the others from whoever works them?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from connector.adapters.secrets import Vault
from connector.adapters.store import inbox
from connector.adapters.store.raw_events import said_in
from connector.adapters.store.tables import external_event, message
from connector.adapters.store.unit_of_work import SQLLedger
from connector.domain.message import Direction
from connector.errors import DecryptionError, MissingKeyError
from connector.ports.inbox import InboxRow
from tests.adapters.store.factories import NOW, a_message, an_event

LATER = NOW + timedelta(minutes=10)
OURS, THEIRS = "account-1", "account-2"


def keep(ledger: SQLLedger, events: Sequence[InboxRow]) -> None:
    with ledger.begin() as uow:
        uow.inbox.add(events)
        uow.commit()


def change(ledger: SQLLedger, event: InboxRow, **values: Any) -> None:
    with ledger.engine.begin() as connection:
        connection.execute(sa.update(external_event).where(external_event.c.id == event.id).values(**values))


def row_of(ledger: SQLLedger, event: InboxRow) -> sa.Row[Any]:
    with ledger.engine.connect() as connection:
        return connection.execute(sa.select(external_event).where(external_event.c.id == event.id)).one()


def claim(ledger: SQLLedger, limit: int = 10, now: Any = NOW) -> list[str]:
    with ledger.begin() as uow:
        found = [row.id for row in uow.inbox.claim(["hubspot"], limit, now, now + timedelta(minutes=1))]
        uow.commit()
    return found


@contextmanager
def statements_of(ledger: SQLLedger) -> Iterator[list[str]]:
    """Give a list that gets every statement of the block."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    sa.event.listen(ledger.engine, "before_cursor_execute", hear)
    yield said
    sa.event.remove(ledger.engine, "before_cursor_execute", hear)


def with_keys(ledger: SQLLedger, *secrets: str) -> SQLLedger:
    """The ledger as another process sees it, which has other keys."""
    return SQLLedger(ledger.engine, Vault(secrets), lambda _: None)


def test_an_event_moved_between_accounts_ends_and_the_others_are_claimed(sql_ledger: SQLLedger) -> None:
    events = [an_event(OURS), an_event(OURS, body=b"the moved one"), an_event(THEIRS)]
    keep(sql_ledger, events)
    change(sql_ledger, events[1], account_id=THEIRS)
    with capture_logs() as logs:
        assert claim(sql_ledger) == [events[0].id, events[2].id]
        assert claim(sql_ledger, now=LATER) == [events[0].id, events[2].id]  # whose lease has run out
    ended = row_of(sql_ledger, events[1])
    assert (ended.handled_at, ended.outcome, ended.lease_until) == (NOW, "cannot be opened", None)
    assert [(each["event"], each["inbox_id"], each["source"], each["rows"]) for each in logs] == [
        ("inbox.cannot_be_opened", events[1].id, "hubspot", 1)
    ]


@pytest.mark.parametrize("length", [0, 3, 8, 20])
def test_an_event_cut_short_anywhere_keeps_no_other_waiting(sql_ledger: SQLLedger, length: int) -> None:
    events = [an_event(OURS), an_event(OURS)]
    keep(sql_ledger, events)
    change(sql_ledger, events[0], body_sealed=bytes(row_of(sql_ledger, events[0]).body_sealed)[:length])
    assert claim(sql_ledger) == [events[1].id]
    assert row_of(sql_ledger, events[0]).outcome == "cannot be opened"


def test_a_claim_is_filled_up_with_what_waits_behind_the_damaged_rows(sql_ledger: SQLLedger) -> None:
    events = [an_event(OURS, received_at=NOW + timedelta(seconds=number)) for number in range(6)]
    keep(sql_ledger, events)
    for damaged in (events[0], events[1], events[3]):
        change(sql_ledger, damaged, account_id=THEIRS)
    assert claim(sql_ledger, limit=2, now=LATER) == [events[2].id, events[4].id]
    assert claim(sql_ledger, limit=2, now=LATER) == [events[5].id]


def test_a_claim_ends_damaged_rows_in_bounded_rounds_and_claims_go_on_where_it_stopped(
    sql_ledger: SQLLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers wait for a claim, so that one that ended every damaged row of a large ledger would stop them all."""
    monkeypatch.setattr(inbox, "_SWEPT", 4)
    monkeypatch.setattr(inbox, "_ROUNDS", 3)
    events = [an_event(OURS, received_at=NOW + timedelta(seconds=number)) for number in range(12)]
    keep(sql_ledger, events)
    for damaged in events[:11]:
        change(sql_ledger, damaged, account_id=THEIRS)
    with statements_of(sql_ledger) as said:
        assert claim(sql_ledger, limit=2, now=LATER) == []
    assert len([each for each in said if each.startswith("UPDATE")]) == 3
    assert [bool(row_of(sql_ledger, event).handled_at) for event in events] == [True] * 10 + [False] * 2
    assert claim(sql_ledger, limit=2, now=LATER) == [events[11].id]


def test_a_sweep_leases_no_more_than_was_asked_for(sql_ledger: SQLLedger) -> None:
    events = [an_event(OURS, received_at=NOW + timedelta(seconds=number)) for number in range(4)]
    keep(sql_ledger, events)
    change(sql_ledger, events[0], account_id=THEIRS)
    assert claim(sql_ledger, limit=1, now=LATER) == [events[1].id]
    assert [row_of(sql_ledger, event).lease_until is not None for event in events] == [False, True, False, False]


def test_an_event_sealed_with_a_key_that_is_not_here_yet_is_open_to_a_process_that_has_it_at_once(
    sql_ledger: SQLLedger,
) -> None:
    """While a release goes round, the processes before it look for work among what those behind it have sealed."""
    renewed = with_keys(sql_ledger, "n" * 32, "k" * 32)
    old, new = an_event(OURS), an_event(OURS)
    keep(sql_ledger, [old])
    keep(renewed, [new])
    with capture_logs() as logs:
        assert claim(sql_ledger) == [old.id]
        assert claim(sql_ledger, now=LATER) == [old.id]
    waiting = row_of(sql_ledger, new)
    assert (waiting.handled_at, waiting.lease_until, waiting.attempts) == (None, None, 0)
    assert "SECRET_KEYS" in waiting.error
    assert [(each["event"], each["inbox_id"]) for each in logs] == [("inbox.key_missing", new.id)]
    assert claim(renewed, now=LATER) == [new.id]


def test_a_claim_is_filled_up_with_what_waits_behind_events_whose_key_is_not_here(sql_ledger: SQLLedger) -> None:
    events = [an_event(OURS, received_at=NOW + timedelta(seconds=number)) for number in range(5)]
    keep(with_keys(sql_ledger, "n" * 32), events[:4])
    keep(sql_ledger, events[4:])
    assert claim(sql_ledger, limit=2, now=LATER) == [events[4].id]


def test_a_page_of_the_past_is_filled_up_with_what_stands_behind_the_damaged_rows(sql_ledger: SQLLedger) -> None:
    events = sorted((an_event(OURS) for _ in range(5)), key=lambda event: event.id)
    keep(sql_ledger, events)
    with sql_ledger.begin() as uow:
        uow.inbox.finish([event.id for event in events], "enrolled", NOW)
        uow.commit()
    theirs = bytes(row_of(sql_ledger, events[4]).body_sealed)
    for damaged in events[:2]:
        change(sql_ledger, damaged, body_sealed=theirs[:-1])
    with capture_logs() as logs, sql_ledger.begin(write=False) as uow:
        found = uow.past.raw_events(OURS, ["hubspot"], NOW, LATER, "", 2)
    assert [row.id for row in found] == [events[2].id, events[3].id]
    assert [(each["table"], each["first"], each["rows"]) for each in logs] == [("external_event", events[0].id, 2)]


def test_a_reply_that_does_not_open_keeps_no_other_from_being_read(sql_ledger: SQLLedger) -> None:
    replies = [a_message(OURS, direction=Direction.IN, created_at=NOW + timedelta(seconds=at)) for at in range(2)]
    with sql_ledger.begin() as uow:
        for reply in replies:
            assert uow.messages.add(reply)
        uow.commit()
    with sql_ledger.engine.begin() as connection:
        damaged = sa.update(message).where(message.c.id == replies[0].id)
        connection.execute(damaged.values(body_sealed=b"damaged"))
    with sql_ledger.begin(write=False) as uow:
        assert [row.id for row in uow.past.replies(OURS, NOW, LATER)] == [replies[1].id]


def test_an_erasure_reads_what_opens_and_tells_how_much_did_not(sql_ledger: SQLLedger) -> None:
    events = [an_event(OURS, body=b"From=%2B12025550143") for _ in range(3)]
    keep(sql_ledger, events)
    for damaged in events[:2]:
        change(sql_ledger, damaged, body_sealed=b"damaged")
    rows = [row_of(sql_ledger, event) for event in events]
    with capture_logs() as logs:
        said = said_in(rows, sql_ledger.vault)
    assert [said[event.id] for event in events] == ["", "", "From=%2B12025550143"]
    assert [(each["first"], each["rows"]) for each in logs] == [(events[0].id, 2)]


def test_a_ciphertext_says_whether_it_is_damaged_or_its_key_is_missing() -> None:
    sealed = Vault(["o" * 32]).seal("hello", account="a", column="c")
    with pytest.raises(MissingKeyError):
        Vault(["n" * 32]).open(sealed, account="a", column="c")
    for damaged in (sealed[:-1], sealed[:8], sealed[:4], b""):
        with pytest.raises(DecryptionError) as caught:
            Vault(["o" * 32]).open(damaged, account="a", column="c")
        assert not isinstance(caught.value, MissingKeyError)
