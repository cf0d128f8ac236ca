"""Does the ledger keep what journeys want done outside, so that nothing is lost and nobody does it twice unawares?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from connector.adapters.secrets import Vault
from connector.adapters.store.tables import effect
from connector.adapters.store.unit_of_work import SQLLedger
from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.ledger import Ledger
from tests.adapters.store.factories import NOW, an_account

SECOND = timedelta(seconds=1)
LEASE = timedelta(minutes=2)
CALL = EffectRow(
    id="effect-1",
    account_id="account-1",
    kind=EffectKind.CALL,
    key="enrollment-1:steps[2]",
    channel="scoring",
    payload={"title": "Score", "data": {"amount": Decimal("12.50"), "since": NOW, "name": "Zoë"}},
    not_before=NOW,
    expires_at=NOW + timedelta(minutes=5),
    created_at=NOW,
    enrollment_id="enrollment-1",
    contact_id="contact-1",
    path="steps[2].call",
    is_awaited=True,
)


@pytest.fixture(autouse=True)
def account(request: pytest.FixtureRequest) -> None:
    ledger: Ledger = request.getfixturevalue("sql_ledger" if "sql_ledger" in request.fixturenames else "ledger")
    with ledger.begin() as work:
        work.accounts.add(an_account(id="account-1"))
        work.commit()


def test_an_effect_is_read_back_as_added_and_by_its_account_only(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.effects.add(CALL)
        assert work.effects.get("account-1", "effect-1") == CALL
        assert work.effects.get("account-2", "effect-1") is None
        assert work.effects.by_keys("account-1", [CALL.key, "another"]) == {CALL.key: CALL}
        assert work.effects.by_keys("account-2", [CALL.key]) == {}


def test_the_same_action_asks_once(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert work.effects.add(CALL)
        assert not work.effects.add(replace(CALL, id="effect-2"))
        assert work.effects.add(replace(CALL, id="effect-3", account_id="account-2"))


def test_what_is_sent_and_answered_is_unreadable_at_rest(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.effects.add(CALL)
        work.effects.end("effect-1", EffectState.DONE, NOW, answer={"verdict": "solvent"})
        work.commit()
    with sql_ledger.engine.connect() as connection:
        row = connection.execute(sa.select(effect.c.payload_sealed, effect.c.answer_sealed)).one()
    assert "Score" not in repr(bytes(row.payload_sealed))
    assert "solvent" not in repr(bytes(row.answer_sealed))


def test_an_effect_whose_key_is_not_here_waits_for_who_has_it_until_its_time_is_over(sql_ledger: SQLLedger) -> None:
    with sql_ledger.begin() as work:
        work.effects.add(CALL)
        work.commit()
    other = SQLLedger(sql_ledger.engine, Vault(["x" * 32]), lambda _lane: None)
    with other.begin() as work:
        assert work.effects.claim(9, NOW, NOW + LEASE) == []
    with sql_ledger.begin() as work:
        assert work.effects.claim(9, NOW, NOW + LEASE) == [CALL]
    with other.begin() as work:
        [row] = work.effects.claim(9, CALL.expires_at, CALL.expires_at + LEASE)
    assert not row.is_readable


def test_due_effects_are_claimed_oldest_first_up_to_the_limit(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for count in (1, 3, 2):
            row = replace(CALL, id=f"effect-{count}", key=str(count), not_before=NOW - count * SECOND)
            work.effects.add(row)
        work.effects.add(replace(CALL, id="effect-4", key="4", not_before=NOW + SECOND))
        assert [row.id for row in work.effects.claim(2, NOW, NOW + LEASE)] == ["effect-3", "effect-2"]
        assert [row.id for row in work.effects.claim(9, NOW, NOW + LEASE)] == ["effect-1"]
        assert not work.effects.any_due(NOW)
        assert work.effects.any_due(NOW + SECOND)


def test_what_a_dead_worker_left_is_claimed_as_one_that_may_have_been_done(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.effects.add(CALL)
        assert [row.state for row in work.effects.claim(1, NOW, NOW + LEASE)] == [EffectState.WAITING]
        assert work.effects.claim(1, NOW + LEASE - SECOND, NOW + 2 * LEASE) == []
        assert [row.state for row in work.effects.claim(1, NOW + LEASE, NOW + 2 * LEASE)] == [EffectState.SENDING]


def test_a_postponed_effect_was_certainly_not_done_and_counts_a_try(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.effects.add(CALL)
        work.effects.claim(1, NOW, NOW + LEASE)
        work.effects.postpone("effect-1", "503", NOW + SECOND)
        assert work.effects.claim(1, NOW, NOW + LEASE) == []
        [again] = work.effects.claim(1, NOW + SECOND, NOW + LEASE)
        assert (again.state, again.attempts, again.error) == (EffectState.WAITING, 1, "503")
        work.effects.postpone("effect-1", "later", NOW + SECOND, tried=False)
        [again] = work.effects.claim(1, NOW + SECOND, NOW + LEASE)
    assert (again.attempts, again.error) == (1, "later")


def test_effects_of_an_account_that_is_not_active_wait(ledger: Ledger) -> None:
    with ledger.begin() as work:
        work.effects.add(CALL)
        work.accounts.set_status("account-1", "disconnected", "")
        assert not work.effects.any_due(NOW)
        assert work.effects.claim(9, NOW, NOW + LEASE) == []
        work.accounts.set_status("account-1", "active", "")
        assert work.effects.any_due(NOW)
        assert len(work.effects.claim(9, NOW, NOW + LEASE)) == 1


def test_an_effect_ends_once_and_is_not_claimed_any_more(ledger: Ledger) -> None:
    answer = {"score": 7, "words": ["a\x00b", None], "$decimal": "no number of ours"}
    with ledger.begin() as work:
        work.effects.add(CALL)
        work.effects.claim(1, NOW, NOW + LEASE)
        assert work.effects.end("effect-1", EffectState.DONE, NOW + SECOND, answer=answer)
        assert not work.effects.end("effect-1", EffectState.FAILED, NOW + LEASE, error="late")
        work.effects.postpone("effect-1", "late", NOW)
        assert work.effects.claim(1, NOW + 2 * LEASE, NOW + 3 * LEASE) == []
        found = work.effects.get("account-1", "effect-1")
    assert found is not None
    assert (found.state, found.error, found.ended_at) == (EffectState.DONE, "", NOW + SECOND)
    assert found.answer == answer


def test_nobody_ends_an_effect_that_is_not_there(ledger: Ledger) -> None:
    with ledger.begin() as work:
        assert not work.effects.end("effect-1", EffectState.DONE, NOW)


def test_those_that_failed_are_told_newest_first(ledger: Ledger) -> None:
    with ledger.begin() as work:
        for count in range(3):
            work.effects.add(replace(CALL, id=f"effect-{count}", key=str(count)))
        work.effects.add(replace(CALL, id="effect-9", account_id="account-2"))
        for count in range(2):
            work.effects.end(f"effect-{count}", EffectState.FAILED, NOW + count * SECOND, error="refused")
        work.effects.end("effect-2", EffectState.DONE, NOW)
        work.effects.end("effect-9", EffectState.FAILED, NOW + LEASE, error="gone")
        assert [row.id for row in work.effects.failed("account-1", 9)] == ["effect-1", "effect-0"]
        assert [row.id for row in work.effects.failed(None, 2)] == ["effect-9", "effect-1"]


def test_a_claim_passes_over_the_accounts_it_is_told_to(ledger: Ledger) -> None:
    with ledger.begin() as uow:
        uow.accounts.add(an_account(id="account-other", external_id="other"))
        uow.effects.add(CALL)
        uow.effects.add(replace(CALL, id="effect-2", account_id="account-other"))
        found = uow.effects.claim(9, NOW, NOW + LEASE, ["account-1"])
        assert [row.id for row in found] == ["effect-2"]
        assert [row.id for row in uow.effects.claim(9, NOW, NOW + LEASE)] == ["effect-1"]
