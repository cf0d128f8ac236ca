"""Are failed callbacks found, and tried anew when somebody asks for it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.ports.effects import EffectKind, EffectRow, EffectState
from connector.ports.ledger import Ledger, UnitOfWork
from tests.adapters.store.factories import NOW, an_account

ACCOUNT, OTHER = an_account(id="account-1"), an_account(id="account-2")
ROW = EffectRow(
    id="effect-1",
    account_id="account-1",
    kind=EffectKind.CALLBACK,
    key="callback:message-1:delivered:1",
    channel="https://shop.example",
    payload={"url": "https://shop.example/hook?token=s3cret", "data": {"type": "message.delivered"}},
    not_before=NOW,
    expires_at=NOW + timedelta(hours=24),
    created_at=NOW,
)
LATER = NOW + timedelta(days=2)


@pytest.fixture
def work(ledger: Ledger) -> Iterator[UnitOfWork]:
    with ledger.begin() as work:
        for account in (ACCOUNT, OTHER):
            work.accounts.add(account)
        rows = (
            ROW,
            replace(ROW, id="effect-2", key="key-2", kind=EffectKind.CALL),
            replace(ROW, id="effect-3", key="key-3", account_id="account-2"),
            replace(ROW, id="effect-4", key="key-4"),
        )
        for row in rows:
            assert work.effects.add(row)
        for effect_id in ("effect-1", "effect-2", "effect-3"):
            work.effects.postpone(effect_id, "down", NOW)
            assert work.effects.end(effect_id, EffectState.FAILED, NOW, error="its time is over")
        yield work


def test_failed_ones_of_a_kind_are_found(work: UnitOfWork) -> None:
    assert [row.id for row in work.effects.failed("account-1", 10, EffectKind.CALLBACK)] == ["effect-1"]
    assert [row.id for row in work.effects.failed("account-1", 10)] == ["effect-2", "effect-1"]


def test_only_failed_ones_of_the_account_and_the_kind_are_tried_anew(work: UnitOfWork) -> None:
    asked = ["effect-4", "effect-3", "effect-2", "effect-1", "effect-of-nobody"]
    again = LATER + timedelta(hours=24)
    assert work.effects.revive("account-1", asked, EffectKind.CALLBACK, LATER, again) == ["effect-1"]
    assert work.effects.revive("account-1", asked, EffectKind.CALLBACK, LATER, again) == []
    fresh = replace(ROW, not_before=LATER, expires_at=again)
    assert work.effects.get("account-1", "effect-1") == fresh
    claimed = work.effects.claim(10, LATER, LATER + timedelta(minutes=2))
    assert {row.id for row in claimed} == {"effect-1", "effect-4"}
