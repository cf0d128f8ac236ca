"""Where is it written who agreed to what, and whom we never text again?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, not_, select

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_or_ignore
from connector.adapters.store.tables import consent_event, suppression
from connector.domain.documents import clean_text
from connector.ports.consents import LIFTED_BY_OTHERS, ConsentEvent, ConsentKind, Scope, Suppression

_WORDING, _ASKED = "consent_event.wording", "consent_event.asked"


class SQLConsentRepository:
    """Evidence and suppressions in SQL; see `connector.ports.consents.ConsentRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def record(self, event: ConsentEvent) -> bool:
        """Append evidence; False when the same source said it before."""
        statement = (
            insert_or_ignore(self._connection, consent_event)
            .values(
                id=event.id,
                account_id=event.account_id,
                msisdn=event.msisdn,
                contact_id=event.contact_id,
                kind=event.kind,
                scope=event.scope,
                mechanism=event.mechanism,
                wording_sealed=self._sealed(event.wording, event.account_id, _WORDING),
                asked_sealed=self._sealed(event.asked, event.account_id, _ASKED),
                source=event.source,
                jurisdiction=event.jurisdiction,
                at=event.at,
            )
            .returning(consent_event.c.id)
        )
        return self._connection.execute(statement).first() is not None

    def suppress(self, event: ConsentEvent) -> bool:
        """Make the number suppressed because of `event`; False when it was already."""
        statement = (
            insert_or_ignore(self._connection, suppression)
            .values(
                id=new_id(),
                account_id=event.account_id,
                msisdn=event.msisdn,
                scope=event.scope,
                consent_event_id=event.id,
                since=event.at,
            )
            .returning(suppression.c.id)
        )
        return self._connection.execute(statement).first() is not None

    def lift(self, account_id: str, msisdn: str, scope: Scope) -> bool:
        """Remove a suppression; False when there was none."""
        table = suppression.c
        statement = delete(suppression).where(
            table.account_id == account_id, table.msisdn == msisdn, table.scope == scope
        )
        return self._connection.execute(statement).rowcount > 0

    def suppressions(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, Sequence[Suppression]]:
        """Read the suppressions of numbers; a number without any is absent."""
        table = suppression.c
        query = (
            select(table.msisdn, table.scope, table.consent_event_id, table.since, consent_event.c.mechanism)
            .join_from(suppression, consent_event, consent_event.c.id == table.consent_event_id)
            .where(table.account_id == account_id, table.msisdn.in_(msisdns))
            .order_by(table.since, table.id)
        )
        found: dict[str, list[Suppression]] = {}
        for row in self._connection.execute(query):
            found.setdefault(row.msisdn, []).append(
                Suppression(row.msisdn, Scope(row.scope), row.consent_event_id, row.since, row.mechanism)
            )
        return found

    def marketing_consent(self, account_id: str, msisdns: Sequence[str]) -> Mapping[str, ConsentKind]:
        """Give the latest word of each number about marketing; a number that never said anything is absent."""
        table = consent_event.c
        is_block_lifted = and_(
            table.kind == ConsentKind.OPT_IN, table.scope == Scope.ALL, table.mechanism.in_(LIFTED_BY_OTHERS)
        )
        query = (
            select(table.msisdn, table.kind)
            .where(table.account_id == account_id, table.msisdn.in_(msisdns), not_(is_block_lifted))
            .order_by(table.at, table.id)
        )
        return {row.msisdn: ConsentKind(row.kind) for row in self._connection.execute(query)}

    def history(self, account_id: str, msisdn: str) -> Sequence[ConsentEvent]:
        """Read all evidence about a number, oldest first."""
        table = consent_event.c
        query = (
            select(consent_event)
            .where(table.account_id == account_id, table.msisdn == msisdn)
            .order_by(table.at, table.id)
        )
        return [self._event(row) for row in self._connection.execute(query)]

    def _event(self, row: Row[Any]) -> ConsentEvent:
        return ConsentEvent(
            id=row.id,
            account_id=row.account_id,
            msisdn=row.msisdn,
            kind=ConsentKind(row.kind),
            scope=Scope(row.scope),
            mechanism=row.mechanism,
            source=row.source,
            at=row.at,
            contact_id=row.contact_id,
            wording=self._opened(row.wording_sealed, row.account_id, _WORDING),
            asked=self._opened(row.asked_sealed, row.account_id, _ASKED),
            jurisdiction=row.jurisdiction,
        )

    def _sealed(self, said: str, account_id: str, column: str) -> bytes | None:
        clean = clean_text(said)
        return self._vault.seal(clean, account=account_id, column=column) if clean else None

    def _opened(self, sealed: bytes | None, account_id: str, column: str) -> str:
        return self._vault.open_text(sealed, account=account_id, column=column) if sealed else ""
