"""Does every row of an account go, of whichever table, and no row of another account?"""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connector.adapters.store.tables import metadata
from connector.adapters.store.tables.columns import ID
from connector.adapters.store.tenant_data import GOES_WITH, KEPT, OF_NOBODY, SQLTenantData, tenant_tables
from connector.adapters.store.types import UTCDateTime
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.erasing import ErasureRow, ErasureScope
from tests.adapters.store.factories import NOW, NUMBER, SENDER, a_message, an_account, an_attempt, an_event

OURS, THEIRS = "account-1", "account-2"
ERASURE = ErasureRow("erasure-1", OURS, "hubspot", "12345", ErasureScope.ACCOUNT, "ann", NOW)
_numbers = itertools.count(1)


@pytest.fixture
def data(sql_ledger: SQLLedger) -> SQLTenantData:
    with sql_ledger.begin() as work:
        for account_id in (OURS, THEIRS):
            work.accounts.add(an_account(id=account_id, external_id=account_id))
        work.erasures.add(ERASURE)
        work.commit()
    return SQLTenantData(sql_ledger.engine, sql_ledger.vault)


def any_row(table: sa.Table, account_id: str) -> dict[str, Any]:
    """Make up a row of any table."""
    return {column.name: _value(column, account_id) for column in table.c}


def _value(column: sa.Column[Any], account_id: str) -> Any:
    number = next(_numbers)
    if column.name == "account_id":
        return account_id
    if isinstance(column.type, sa.String):
        return f"{number:x}"[: column.type.length or ID.length]
    kinds: dict[type[Any], Any] = {
        UTCDateTime: NOW,
        sa.Boolean: False,
        sa.Integer: number,
        sa.Float: number,
        sa.LargeBinary: b"sealed",
    }
    return next((value for kind, value in kinds.items() if isinstance(column.type, kind)), {})


def erase_all(data: SQLTenantData, limit: int = 100) -> dict[str, int]:
    """Erase until nothing is left; give what went."""
    went: dict[str, int] = {}
    while gone := data.erase(ERASURE.id, OURS, limit, NOW, is_last=True):
        for name, rows in gone.items():
            went[name] = went.get(name, 0) + rows
    return went


def test_every_table_has_an_account_or_goes_with_another_or_is_nobodys() -> None:
    named = {*GOES_WITH, *OF_NOBODY, *KEPT}
    forgotten = {table.name for table in metadata.sorted_tables if "account_id" not in table.c} - named
    assert forgotten == set()
    assert named <= set(metadata.tables)
    assert set(GOES_WITH.values()) <= {table.name for table in tenant_tables()}


def test_nothing_of_an_account_is_left_in_any_table_and_nothing_of_another_one_is_missing(
    sql_ledger: SQLLedger, data: SQLTenantData
) -> None:
    tables = tenant_tables()
    with sql_ledger.engine.begin() as connection:
        for table in tables:
            for account_id in (OURS, THEIRS, OURS):
                connection.execute(sa.insert(table).values(any_row(table, account_id)))
    went = erase_all(data, limit=1)
    assert {name: rows for name, rows in went.items() if rows} == {table.name: 2 for table in tables}
    with sql_ledger.engine.connect() as connection:
        for table in tables:
            left = connection.execute(sa.select(table.c.account_id)).scalars().all()
            assert left == [THEIRS], table.name
    assert data.end_account(ERASURE.id, OURS)
    with sql_ledger.begin(write=False) as work:
        assert [row.id for row in work.accounts.all()] == [THEIRS]
        found = work.erasures.get(ERASURE.id)
    assert found is not None
    assert dict(found.counts) == {**{table.name: 2 for table in tables}, "account": 1}


def test_parts_of_texts_and_of_replies_go_with_theirs(sql_ledger: SQLLedger, data: SQLTenantData) -> None:
    part, piece = metadata.tables["attempt_part"], metadata.tables["incoming_piece"]
    mine, other = a_message(OURS, sender=SENDER), a_message(THEIRS, msisdn="+12025550199", sender=SENDER)
    tries = {message.id: an_attempt(message) for message in (mine, other)}
    with sql_ledger.begin() as work:
        for message in (mine, other):
            assert work.messages.add(message)
            work.attempts.add([tries[message.id]])
        work.commit()
    with sql_ledger.engine.begin() as connection:
        for message in (mine, other):
            values = any_row(part, "") | {"attempt_id": tries[message.id].id}
            connection.execute(sa.insert(part).values(values))
            values = any_row(piece, "") | {"msisdn": message.msisdn, "sender": SENDER}
            connection.execute(sa.insert(piece).values(values))
    went = erase_all(data)
    assert (went["attempt_part"], went["incoming_piece"]) == (1, 1)
    with sql_ledger.engine.connect() as connection:
        assert connection.execute(sa.select(part.c.attempt_id)).scalars().all() == [tries[other.id].id]
        assert connection.execute(sa.select(piece.c.msisdn)).scalars().all() == [other.msisdn]


def test_callbacks_that_tell_of_its_numbers_go_and_others_stay(sql_ledger: SQLLedger, data: SQLTenantData) -> None:
    said = {
        "form": b"From=%2B12025550143&Body=STOP",
        "json": b'{"to": "+1 (202) 555-0143", "status": "delivered"}',
        "another's": b'{"to": "+12025550199", "status": "delivered"}',
        "nobody's": b'{"status": "ok"}',
        "not handled yet": b"From=%2B12025550143",
        "another's, not handled yet": b"From=%2B12025550199",
    }
    events = [an_event(None, source="twilio.inbound", external_id=name, body=body) for name, body in said.items()]
    with sql_ledger.begin() as work:
        assert work.messages.add(a_message(OURS, msisdn=NUMBER))
        assert work.messages.add(a_message(THEIRS, msisdn="+12025550199"))
        work.inbox.add(events)
        work.inbox.finish([each.id for each in events if "not handled" not in each.external_id], "ok", NOW)
        work.commit()
    assert erase_all(data, limit=2)["external_event"] == 3
    table = metadata.tables["external_event"]
    with sql_ledger.engine.connect() as connection:
        left = set(connection.execute(sa.select(table.c.external_id)).scalars())
    assert left == {"another's", "nobody's", "another's, not handled yet"}


def left_events(sql_ledger: SQLLedger) -> set[str]:
    table = metadata.tables["external_event"]
    with sql_ledger.engine.connect() as connection:
        return set(connection.execute(sa.select(table.c.external_id)).scalars())


def test_callbacks_about_a_number_that_two_accounts_text_go_by_the_attempt_they_name(
    sql_ledger: SQLLedger, data: SQLTenantData
) -> None:
    mine, other = a_message(OURS, msisdn=NUMBER), a_message(THEIRS, msisdn=NUMBER)
    tries = {"mine": an_attempt(mine), "theirs": an_attempt(other)}
    body = b"To=%2B12025550143&MessageStatus=delivered"
    named = {name: {"attempt_id": attempt.id} for name, attempt in tries.items()}
    events = [
        an_event(None, source="twilio.status", external_id=name, body=body, context=context)
        for name, context in {**named, "names none": {}}.items()
    ]
    with sql_ledger.begin() as work:
        for message in (mine, other):
            assert work.messages.add(message)
        work.attempts.add(list(tries.values()))
        work.inbox.add(events)
        work.inbox.finish([each.id for each in events], "ok", NOW)
        work.commit()
    erase_all(data)
    assert left_events(sql_ledger) == {"theirs", "names none"}


def test_callbacks_that_come_before_the_last_look_are_found_by_texts_that_wait_for_it(
    sql_ledger: SQLLedger, data: SQLTenantData
) -> None:
    with sql_ledger.begin() as work:
        assert work.messages.add(a_message(OURS, msisdn=NUMBER))
        work.commit()
    while data.erase(ERASURE.id, OURS, 100, NOW, is_last=False):
        pass
    late = an_event(None, source="twilio.inbound", external_id="late", body=b"From=%2B12025550143")
    with sql_ledger.begin() as work:
        work.inbox.add([late])
        work.commit()
    assert erase_all(data)["external_event"] == 1
    assert left_events(sql_ledger) == set()
    assert data.end_account(ERASURE.id, OURS)


def test_callbacks_are_opened_once_even_if_the_account_does_not_end_at_once(
    sql_ledger: SQLLedger, data: SQLTenantData
) -> None:
    with sql_ledger.begin() as work:
        work.inbox.add([an_event(None, source="twilio.inbound", body=b"From=%2B12025550199")])
        work.commit()
    assert erase_all(data)[""] == 1
    data.look_again(ERASURE.id)
    assert erase_all(data) == {}


def test_an_account_that_somebody_still_writes_for_does_not_end(sql_ledger: SQLLedger, data: SQLTenantData) -> None:
    early = a_message(OURS, id="00000000-0000-7000-8000-000000000001")
    with sql_ledger.begin() as work:
        assert work.messages.add(a_message(OURS))
        work.commit()
    assert erase_all(data)["message"] == 1
    with sql_ledger.begin() as work:
        assert work.messages.add(early)  # with an id behind which the walk has passed already
        work.commit()
    assert not data.end_account(ERASURE.id, OURS)
    assert erase_all(data)["message"] == 1
    assert data.end_account(ERASURE.id, OURS)


def test_the_lease_ends_with_the_batch_that_kept_it(sql_ledger: SQLLedger, data: SQLTenantData) -> None:
    until = NOW + timedelta(minutes=5)
    with sql_ledger.begin() as work:
        assert work.messages.add(a_message(OURS))
        work.commit()
    data.erase(ERASURE.id, OURS, 10, until, is_last=True)
    with sql_ledger.begin() as work:
        assert work.erasures.claim(NOW, until) is None
        assert work.erasures.claim(until, until) is not None
