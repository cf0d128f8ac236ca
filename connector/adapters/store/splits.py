"""How is kept which arm of a split a contact is in, and how are the arms counted?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Interval,
    and_,
    case,
    exists,
    func,
    literal,
    select,
    type_coerce,
)

from connector.adapters.secrets import Vault
from connector.adapters.store.ids import new_id
from connector.adapters.store.rows import insert_new
from connector.adapters.store.tables import message, split_assignment, split_winner
from connector.domain.documents import from_document, to_document
from connector.domain.steps import Metric
from connector.domain.surroundings import ArmStanding
from connector.ports.splits import ArmCount, WinnerRow

_DID: Mapping[Metric, Column[Any]] = {
    Metric.REPLY_RATE: message.c.replied_at,
    Metric.CLICK_RATE: message.c.clicked_at,
    Metric.OPT_OUT_RATE: message.c.opted_out_at,
}
"""Where a text keeps when its reader first did what a metric counts."""

_IN = split_assignment.c
_WON = split_winner.c
_MICROSECOND = timedelta(microseconds=1)


class SQLSplitRepository:
    """Splits; see `connector.ports.splits.SplitRepository`."""

    def __init__(self, connection: Connection, _vault: Vault) -> None:
        self._connection = connection

    def assign(
        self, account_id: str, journey: str, step: str, contact_id: str, enrollment_id: str, arm: str, at: datetime
    ) -> bool:
        """Note the arm a contact is in; False when it has one already, which stays."""
        row = {
            "id": new_id(),
            "account_id": account_id,
            "journey": journey,
            "step": step,
            "contact_id": contact_id,
            "enrollment_id": enrollment_id,
            "arm": arm,
            "at": at,
        }
        return insert_new(self._connection, split_assignment, [row]) == 1

    def standing(self, account_id: str, journey: str, contact_id: str) -> Mapping[str, ArmStanding]:
        """Give, by the id of each split of a journey, the contact's arm and the winner."""
        own = select(_IN.step, _IN.arm).where(
            _IN.account_id == account_id, _IN.journey == journey, _IN.contact_id == contact_id
        )
        arms = {row.step: row.arm for row in self._connection.execute(own)}
        won = select(_WON.step, _WON.arm).where(_WON.account_id == account_id, _WON.journey == journey)
        winners = {row.step: row.arm for row in self._connection.execute(won)}
        return {step: ArmStanding(arms.get(step), winners.get(step)) for step in sorted(arms.keys() | winners.keys())}

    def count(
        self,
        account_id: str,
        journey: str,
        step: str,
        metric: Metric,
        entered_before: datetime,
        within: timedelta,
    ) -> Mapping[str, ArmCount]:
        """Count by arm who entered, whose time is over, and who of them did in time what the metric counts."""
        is_over = _IN.at <= entered_before
        did = and_(is_over, exists().where(*_answers(_DID[metric], self._after(within))))
        query = (
            select(_IN.arm, func.count().label("entered"), _how_many(is_over, "people"), _how_many(did, "hits"))
            .where(_IN.account_id == account_id, _IN.journey == journey, _IN.step == step)
            .group_by(_IN.arm)
            .order_by(_IN.arm)
        )
        return {row.arm: ArmCount(row.people, row.hits, row.entered) for row in self._connection.execute(query)}

    def win(self, account_id: str, journey: str, step: str, winner: WinnerRow) -> bool:
        """Note that an arm has won; False when one has already."""
        row = {
            "id": new_id(),
            "account_id": account_id,
            "journey": journey,
            "step": step,
            "arm": winner.arm,
            "at": winner.at,
            "evidence": to_document(winner.evidence),
        }
        return insert_new(self._connection, split_winner, [row]) == 1

    def winner(self, account_id: str, journey: str, step: str) -> WinnerRow | None:
        """Read the winner of a split."""
        query = select(split_winner).where(_WON.account_id == account_id, _WON.journey == journey, _WON.step == step)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else WinnerRow(row.arm, row.at, from_document(row.evidence))

    def _after(self, within: timedelta) -> ColumnElement[Any]:
        """Give the end of a contact's time in its arm, in the words of the database at hand."""
        if self._connection.dialect.name == "postgresql":
            return _IN.at + literal(within, Interval)
        return type_coerce(_IN.at, BigInteger) + within // _MICROSECOND


def _answers(did_at: Column[Any], until: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    """Be a text of the enrollment that gave the arm, made from then on, whose reader did it by then."""
    return (
        message.c.enrollment_id == _IN.enrollment_id,
        message.c.recipient == "contact",
        message.c.created_at >= _IN.at,
        did_at <= until,
    )


def _how_many(those: ColumnElement[bool], name: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((those, 1), else_=0)), 0).label(name)
