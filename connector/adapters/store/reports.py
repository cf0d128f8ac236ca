"""How are people and texts of one journey counted?

Every count begins at the enrollments of one journey since a time, found by their index, and goes to their texts by
theirs: it costs what that time holds, however large the ledger is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Engine, Executable, case, func, select

from connector.adapters.store.tables import LIVE_ENROLLMENT, enrollment, message
from connector.domain.message import Direction, MessageState
from connector.ports.reports import EndCount, PeopleCount, ReasonCount, TextCount

_NEEDS_A_REASON = tuple(
    state.value
    for state in (
        MessageState.HELD,
        MessageState.SUPPRESSED,
        MessageState.EXPIRED,
        MessageState.CANCELLED,
        MessageState.FAILED,
        MessageState.UNDELIVERED,
        MessageState.DEAD_LETTER,
    )
)

_E, _M = enrollment.c, message.c


class SQLJourneyFigures:
    """Counts in SQL; see `connector.ports.reports.JourneyFigures`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(writes=False)

    def ends(self, account_id: str, journey: str, since: datetime) -> Sequence[EndCount]:
        """Count people by how their way stands or ended."""
        query = (
            select(_E.status, _E.exit_reason, func.count().label("people"))
            .where(*_entered(account_id, journey, since))
            .group_by(_E.status, _E.exit_reason)
            .order_by(func.count().desc(), _E.exit_reason)
        )
        return [EndCount(row.status, row.exit_reason, row.people) for row in self._rows(query)]

    def standing(self, account_id: str, journey: str) -> Sequence[tuple[str, int]]:
        """Count who is in the journey now by the path of their step."""
        step = _E.state["run"]["cursor"].as_string()
        query = (
            select(step.label("step"), func.count().label("people"))
            .where(_E.account_id == account_id, _E.journey == journey, LIVE_ENROLLMENT)
            .group_by(step)
            .order_by(step)
        )
        return [(row.step or "", row.people) for row in self._rows(query)]

    def texts(self, account_id: str, journey: str, since: datetime) -> Sequence[TextCount]:
        """Count texts by step, state and currency; prices are few, and are added up exactly, which SQLite cannot."""
        query = (
            select(
                _M.step, _M.state, _M.currency, _M.cost,
                func.count().label("texts"), func.sum(_M.segments).label("segments"),
                _noted(_M.sent_at, "sent"), _noted(_M.replied_at, "replied"),
                _noted(_M.clicked_at, "clicked"), _noted(_M.opted_out_at, "opted_out"),
            )
            .select_from(enrollment.join(message, _M.enrollment_id == _E.id))
            .where(*_entered(account_id, journey, since), _M.direction == Direction.OUT.value)
            .group_by(_M.step, _M.state, _M.currency, _M.cost)
            .order_by(_M.step, _M.state, _M.currency)
        )  # fmt: skip
        found: dict[tuple[str, str, str | None], TextCount] = {}
        for row in self._rows(query):
            key = row.step, row.state, row.currency
            found[key] = _added(found.get(key), row)
        return list(found.values())

    def reasons(self, account_id: str, journey: str, since: datetime) -> Sequence[ReasonCount]:
        """Count texts that wait or never arrived by why."""
        query = (
            select(_M.state, _M.state_reason, func.count().label("texts"))
            .select_from(enrollment.join(message, _M.enrollment_id == _E.id))
            .where(*_entered(account_id, journey, since), _M.direction == Direction.OUT.value)
            .where(_M.state.in_(_NEEDS_A_REASON))
            .group_by(_M.state, _M.state_reason)
            .order_by(func.count().desc(), _M.state, _M.state_reason)
        )
        return [ReasonCount(row.state, row.state_reason, row.texts) for row in self._rows(query)]

    def people(self, account_id: str, journey: str, since: datetime) -> PeopleCount:
        """Count people who got a text."""
        query = (
            select(
                func.count(_M.contact_id.distinct()).label("texted"),
                _people(_M.replied_at, "replied"),
                _people(_M.clicked_at, "clicked"),
                _people(_M.opted_out_at, "opted_out"),
            )
            .select_from(enrollment.join(message, _M.enrollment_id == _E.id))
            .where(*_entered(account_id, journey, since), _M.direction == Direction.OUT.value)
            .where(_M.recipient == "contact", _M.sent_at.is_not(None))
        )
        row = self._rows(query)[0]
        return PeopleCount(row.texted, row.replied, row.clicked, row.opted_out)

    def has_any(self, account_id: str, journey: str) -> bool:
        """Tell whether anybody ever entered the journey."""
        query = select(_E.id).where(_E.account_id == account_id, _E.journey == journey).limit(1)
        return bool(self._rows(query))

    def _rows(self, query: Executable) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return connection.execute(query).all()


def _entered(account_id: str, journey: str, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return _E.account_id == account_id, _E.journey == journey, _E.started_at >= since


def _noted(at: ColumnElement[Any], name: str) -> ColumnElement[int]:
    return func.sum(case((at.is_not(None), 1), else_=0)).label(name)


def _people(at: ColumnElement[Any], name: str) -> ColumnElement[int]:
    return func.count(case((at.is_not(None), _M.contact_id)).distinct()).label(name)


def _added(before: TextCount | None, row: Any) -> TextCount:
    """Add texts of one price to those of the others."""
    had = before or TextCount(row.step, row.state, 0, 0, 0, 0, 0, 0, Decimal(0), row.currency)
    return TextCount(
        row.step,
        row.state,
        had.texts + row.texts,
        had.segments + row.segments,
        had.sent + row.sent,
        had.replied + row.replied,
        had.clicked + row.clicked,
        had.opted_out + row.opted_out,
        had.cost + row.texts * Decimal(row.cost or 0),
        row.currency,
    )
