"""Do the three books agree: the ledger, the gateways' lists of messages, and the CRM's timeline?

The ledger is read as rows, the others as the pretend vendors hold them. Every promise about exactly once comes down to
this comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select

from connector.adapters.store.message_rows import message_from_row
from connector.adapters.store.tables import (
    account,
    attempt,
    crm_record,
    enrollment,
    external_event,
    message,
    suppression,
)
from connector.domain.message import FINAL_STATES, Direction, MessageState
from connector.ports.messages import MessageRow
from connector.ports.records import RecordSubject
from connector.sandbox.page.plain_text import plain_text
from connector.services.writeback_text import message_text, reply_text
from tests.e2e.rig import Rig

_SHOWN = {RecordSubject.MESSAGE, RecordSubject.REPLY, RecordSubject.OPT_OUT}
_LEFT_US = FINAL_STATES - {MessageState.CANCELLED, MessageState.SUPPRESSED, MessageState.DEAD_LETTER}


@dataclass(frozen=True)
class Books:
    """What the ledger holds about one account."""

    rig: Rig
    portal_id: int

    @property
    def account_id(self) -> str:
        """Our id of the portal."""
        return str(self._rows(select(account.c.id).where(account.c.external_id == str(self.portal_id)))[0].id)

    def messages(self) -> list[MessageRow]:
        """Every message in or out, oldest first."""
        vault = self.rig.connector.ledger.vault
        query = select(message).where(message.c.account_id == self.account_id).order_by(message.c.id)
        return [message_from_row(row, vault) for row in self._rows(query)]

    def outbound(self) -> list[MessageRow]:
        """Every text of ours, oldest first."""
        return [each for each in self.messages() if each.direction is Direction.OUT]

    def states(self) -> Counter[str]:
        """How many texts of ours are in which state."""
        return Counter(each.state.value for each in self.outbound())

    def records(self) -> Sequence[Row[Any]]:
        """Rows of what the CRM is to show."""
        return self._rows(select(crm_record).where(crm_record.c.account_id == self.account_id))

    def enrollments(self) -> Sequence[Row[Any]]:
        """Rows of journeys in flight and ended, oldest first."""
        query = select(enrollment).where(enrollment.c.account_id == self.account_id)
        return self._rows(query.order_by(enrollment.c.id))

    def suppressed(self) -> set[str]:
        """Numbers that opted out."""
        query = select(suppression.c.msisdn).where(suppression.c.account_id == self.account_id)
        return {str(row.msisdn) for row in self._rows(query)}

    def inbox(self, source: str) -> Sequence[Row[Any]]:
        """Rows of the inbox from one source, handled or not."""
        return self._rows(select(external_event).where(external_event.c.source == source))

    def _rows(self, query: Any) -> Sequence[Row[Any]]:
        with self.rig.connector.ledger.engine.connect() as connection:
            return list(connection.execution_options(writes=False).execute(query))

    # -- has everything been said and done?

    def open_points(self) -> list[str]:
        """What is still to be done now, in words; empty when all that is left waits for its time.

        Read from one snapshot: work moves from table to table while we look.
        """
        now = self.rig.clock.now()
        engine = self.rig.connector.ledger.engine
        options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {"writes": False}
        with engine.connect().execution_options(**options) as connection:
            unhandled = connection.execute(select(external_event).where(external_event.c.handled_at.is_(None))).all()
            messages = connection.execute(select(message).where(message.c.state.not_in(_FINAL))).all()
            unwritten = connection.execute(select(crm_record).where(crm_record.c.state.in_(_UNWRITTEN))).all()
            live = connection.execute(select(enrollment).where(enrollment.c.status == "live")).all()
        points = [f"inbox: {row.source} {row.error}" for row in unhandled]
        points += [f"message {row.state}: {row.state_reason}" for row in messages if _is_open(row, now)]
        points += [f"record {row.kind} {row.state}: {row.error}" for row in unwritten]
        points += [
            f"enrollment of {row.journey}"
            for row in live
            if row.lease_until is not None or (row.due_at is not None and row.due_at <= now)
        ]
        return points

    def settle(self, *, step: float = 2, wait: float = 30, waits_for_work: bool = True) -> None:
        """Let time pass until nothing is left to be done now, then compare the books."""
        points: list[str] = []

        def is_done() -> bool:
            points[:] = self.open_points()
            return not points

        try:
            self.rig.while_time_passes(
                is_done, "everything is done", step=step, wait=wait, waits_for_work=waits_for_work
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; open: {points}") from None
        self.check()

    # -- the comparison

    def check(self) -> None:
        """Compare the books.

        Raises:
            AssertionError: a text is lost, doubled, not shown, shown twice, or shown as something it is not.
        """
        self._check_gateway()
        self._check_timeline()

    def _check_gateway(self) -> None:
        ours = self.outbound()
        sids = Counter(each.provider_message_id for each in ours if each.provider_message_id)
        taken = {number: self.rig.taken(number) for number in {row.msisdn for row in ours}}
        ids = Counter(text.id for texts in taken.values() for text in texts)
        left = [(row.id, row.state.value, row.state_reason, row.tries) for row in ours if not row.provider_message_id]
        assert ids == sids, f"the gateways took besides {ids - sids}, and not {sids - ids}; without an id are {left}"
        for each in ours:
            if each.provider_message_id:
                text = next(text for text in taken[each.msisdn] if text.id == each.provider_message_id)
                assert text.body == each.body
            else:
                assert each.state not in _LEFT_US - {MessageState.EXPIRED, MessageState.FAILED}, each.state
            assert each.state in FINAL_STATES or (each.state_reason and each.not_before > self.rig.clock.now())
        twice = select(attempt.c.message_id).where(attempt.c.provider_message_id.is_not(None))
        twice = twice.group_by(attempt.c.message_id).having(func.count() > 1)
        assert not self._rows(twice), "a message has two attempts that the gateway took"

    def _check_timeline(self) -> None:
        messages = {each.id: each for each in self.messages()}
        records = [row for row in self.records() if row.kind in _SHOWN]
        shown = [
            plain_text(str(each["properties"]["hs_communication_body"]))
            for each in self.rig.hubspot.list(self.portal_id, "communications")
        ]
        assert len(shown) == len(records), f"{len(shown)} communications for {len(records)} records"
        for row in records:
            found = [body for body in shown if f"Ref {row.ref}" in body.splitlines()]
            assert len(found) == 1, f"{row.kind} is shown {len(found)} times"
            about = messages.get(row.subject.partition(":")[2])
            if about is not None:
                assert _gist(found[0]) == _gist(_expected(about, row)), "the CRM shows another state than the ledger"
        with_contact = {each.id for each in messages.values() if each.contact_id}
        assert with_contact == {row.subject.partition(":")[2] for row in records if row.kind in {"message", "reply"}}, (
            "a message has no record"
        )
        self._check_tasks()
        self._check_flags()

    def _check_tasks(self) -> None:
        wanted = sorted(row.ref for row in self.records() if row.kind == RecordSubject.TASK)
        tasks = [str(each["properties"]["hs_task_body"]) for each in self.rig.hubspot.list(self.portal_id, "tasks")]
        assert len(tasks) == len(wanted), f"{len(tasks)} tasks for {len(wanted)} records"
        for ref in wanted:
            assert sum(ref in body for body in tasks) == 1, "a task is missing or doubled"

    def _check_flags(self) -> None:
        numbers = self.suppressed()
        for each in self.rig.hubspot.list(self.portal_id, "contacts"):
            values: Mapping[str, str] = each["properties"]
            number = values.get("hs_calculated_mobile_number") or values.get("hs_calculated_phone_number")
            flagged = values.get("sms_connector_opted_out") == "true"
            assert flagged == (number in numbers), "the opt-out flag is not what the ledger says"


_UNWRITTEN = ("waiting", "creating")
_FINAL = [state.value for state in FINAL_STATES]


def _is_open(row: Row[Any], now: datetime) -> bool:
    return row.state != MessageState.HELD or bool(row.not_before <= now)


def _expected(about: MessageRow, row: Row[Any]) -> str:
    if row.kind == RecordSubject.REPLY:
        return reply_text(about, "", row.ref)
    return message_text(about, row.ref)


def _gist(text: str) -> tuple[str, str]:
    """Give who and in which state, without the minute, and the text itself."""
    lines = [line for line in text.splitlines() if line.strip()]
    words = lines[0].split(" · ", 1)
    state = words[1].rsplit(" ", 2)[0] if words[1].endswith("UTC") else words[1]
    return f"{words[0]} · {state}", next((line for line in lines[1:] if not line.startswith("Why: ")), "")
