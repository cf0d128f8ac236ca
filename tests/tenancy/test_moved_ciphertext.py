"""Does what is sealed open in another account's row, once somebody has copied it there?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import select, update

from connector.adapters.store.tables import metadata
from connector.adapters.store.unit_of_work import SQLLedger
from connector.errors import DecryptionError
from connector.ports.ledger import UnitOfWork
from tests.adapters.store.factories import NOW
from tests.tenancy.calls import FUTURE, PAST
from tests.tenancy.filling import fill
from tests.tenancy.keeping import Kept, Ledgerful, install_state
from tests.tenancy.owners import ALDER, BIRCH, OWN
from tests.tenancy.telling import leaked, told

Read = Callable[[UnitOfWork, Kept], Any]


def _account(uow: UnitOfWork, kept: Kept) -> Any:
    return uow.accounts.with_tokens(kept.owner.account_id)


def _consents(uow: UnitOfWork, kept: Kept) -> Any:
    return uow.consents.history(kept.owner.account_id, kept.owner.number(kept.key))


def _effect(uow: UnitOfWork, kept: Kept) -> Any:
    return uow.effects.get(kept.owner.account_id, kept.rows["effects"].id)


def _message(uow: UnitOfWork, kept: Kept) -> Any:
    return uow.messages.get(kept.owner.account_id, kept.texts["delivered"].id)


def _install(uow: UnitOfWork, kept: Kept) -> Any:
    return uow.installs.use(kept.owner.crm, kept.rows["installs"].state_hash, NOW)


READERS: Mapping[str, Read] = {
    "account.access_token_sealed": _account,
    "account.refresh_token_sealed": _account,
    "account_secret.secret_sealed": lambda uow, kept: uow.secrets.by_hash(kept.rows["secrets"].hash),
    "callback_secret.secret_sealed": lambda uow, kept: uow.callback_secrets.valid(kept.owner.account_id, NOW),
    "consent_event.wording_sealed": _consents,
    "consent_event.asked_sealed": _consents,
    "crm_record.payload_sealed": lambda uow, kept: uow.records.refused(kept.owner.account_id, 10),
    "effect.payload_sealed": _effect,
    "effect.answer_sealed": _effect,
    "external_event.body_sealed": lambda uow, kept: uow.past.raw_events(
        kept.owner.account_id, [kept.owner.crm], PAST, FUTURE, "", 10
    ),
    "install_attempt.verifier_sealed": _install,
    "message.body_sealed": _message,
    "message.callback_url_sealed": _message,
    "short_link.url_sealed": lambda uow, kept: uow.links.by_code(kept.rows["links"].code),
    "workflow_call.inputs_sealed": lambda uow, kept: uow.workflow_calls.by_callback(
        kept.owner.account_id, kept.rows["workflow_calls"].callback_id
    ),
}
"""By column: what reads it, of an account."""

OF_NOBODY_YET = {"incoming_piece.body_sealed": "a part of a reply has no account before it is whole"}


@pytest.fixture
def rows(sql_ledger: SQLLedger) -> Ledgerful:
    return fill(sql_ledger)


def test_every_sealed_column_is_tried() -> None:
    sealed = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.c
        if column.name.endswith("_sealed")
    }
    assert sealed == {*READERS, *OF_NOBODY_YET}


@pytest.mark.parametrize("column", READERS)
def test_a_moved_ciphertext_does_not_open(sql_ledger: SQLLedger, rows: Ledgerful, column: str) -> None:
    mine = rows[ALDER.hubspot.account_id, OWN]
    with sql_ledger.begin() as uow:
        assert ALDER.word in told(READERS[column](uow, mine))
    _copy(sql_ledger, column)
    with sql_ledger.begin() as uow:
        assert not leaked(BIRCH, _opened(uow, mine, READERS[column]))


def _opened(uow: UnitOfWork, kept: Kept, read: Read) -> Any:
    """Read a row; what is said of one that does not open is told as well."""
    try:
        return read(uow, kept)
    except DecryptionError as error:
        return error


def _copy(ledger: SQLLedger, column: str) -> None:
    """Put Birch's ciphertext into every row of Alder's, and see that something has been put there."""
    table_name, _, name = column.partition(".")
    table = metadata.tables[table_name]
    owner = table.c.id if table_name == "account" else table.c.account_id
    with ledger.engine.begin() as connection:
        theirs = select(table.c[name]).where(owner == BIRCH.hubspot.account_id, table.c[name].is_not(None)).limit(1)
        moved = connection.execute(theirs).scalar_one()
        changed = update(table).where(owner == ALDER.hubspot.account_id, table.c[name].is_not(None))
        assert connection.execute(changed.values({name: moved})).rowcount


def test_the_state_of_an_installation_is_the_browsers_alone(rows: Ledgerful) -> None:
    """The ledger keeps its hash: a copy of the ledger finishes nobody's installation."""
    kept = rows[BIRCH.hubspot.account_id, OWN]
    assert install_state(BIRCH.hubspot, OWN) not in told(kept.rows["installs"])
