"""How are the tallies and the health of gateways kept, and what was spent through them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_adding, insert_or_replace, locked
from connector.adapters.store.tables import gateway_health, route_tally, spending
from connector.domain.circuit import CircuitState, GatewayHealth
from connector.domain.scoring import Tally
from connector.ports.traffic import Spending

_MICROS = Decimal(1_000_000)
_COUNTED = ("sent", "delivered", "undelivered", "failed", "answer_seconds", "delivery_seconds")
_HEALTH = tuple(column.name for column in gateway_health.columns)
_SPENT = ("account_id", "day", "utc_day", "gateway", "journey", "currency")
_NAMED = ("slot", "gateway", "country", "sender", "carrier")


class SQLTrafficRepository:
    """Tallies, health and spending. See `connector.ports.traffic.TrafficRepository`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def note(self, tallies: Sequence[Tally]) -> None:
        """Add to the tallies of their minutes, always in the same order: two writers never wait for each other."""
        rows = [
            {"id": new_id()} | {name: getattr(tally, name) for name in (*_NAMED, *_COUNTED)}
            for tally in sorted(tallies, key=lambda tally: [str(getattr(tally, name)) for name in _NAMED])
        ]
        insert_adding(self._connection, route_tally, rows, _NAMED, _COUNTED)

    def tallies(self, since: datetime) -> Sequence[Tally]:
        """Read the tallies of every minute since a time."""
        query = select(route_tally).where(route_tally.c.slot >= since).order_by(route_tally.c.slot)
        names = (*_NAMED, *_COUNTED)
        return [Tally(**{name: getattr(row, name) for name in names}) for row in self._connection.execute(query)]

    def forget_tallies(self, before: datetime) -> int:
        """Delete tallies too old to matter."""
        return self._connection.execute(delete(route_tally).where(route_tally.c.slot < before)).rowcount

    def health(self, gateway: str) -> GatewayHealth | None:
        """Read how a gateway fares, locked until commit where the database can."""
        query = select(gateway_health).where(gateway_health.c.gateway == gateway)
        row = self._connection.execute(locked(self._connection, query, skip=False)).first()
        return None if row is None else _health(row)

    def all_health(self) -> Mapping[str, GatewayHealth]:
        """Read how every gateway fares."""
        return {row.gateway: _health(row) for row in self._connection.execute(select(gateway_health))}

    def save_health(self, health: GatewayHealth) -> None:
        """Write how a gateway fares."""
        values = {name: getattr(health, name) for name in _HEALTH}
        values["state"] = health.state.value
        insert_or_replace(self._connection, gateway_health, [values], ("gateway",))

    def spend(self, spendings: Sequence[Spending]) -> None:
        """Add to what was spent, always in the same order."""
        rows = [
            {
                "id": new_id(),
                "account_id": each.account_id,
                "day": each.day,
                "utc_day": each.utc_day,
                "gateway": each.gateway,
                "journey": each.journey,
                "currency": each.currency,
                "texts": each.texts,
                "micros": int(each.amount * _MICROS),
            }
            for each in sorted(spendings, key=lambda each: [str(getattr(each, name)) for name in _SPENT])
        ]
        insert_adding(self._connection, spending, rows, _SPENT, ("texts", "micros"))

    def spent(self, days: Sequence[str]) -> Sequence[Spending]:
        """Read what all accounts spent on some days, by their own clocks or by UTC."""
        query = select(spending).where(or_(spending.c.day.in_(days), spending.c.utc_day.in_(days)))
        return [
            Spending(
                row.account_id,
                row.day,
                row.gateway,
                row.journey,
                row.currency,
                row.texts,
                row.micros / _MICROS,
                row.utc_day,
            )
            for row in self._connection.execute(query)
        ]


def _health(row: Row[Any]) -> GatewayHealth:
    values = {name: getattr(row, name) for name in _HEALTH}
    return GatewayHealth(**(values | {"state": CircuitState(row.state)}))
