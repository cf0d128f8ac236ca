"""Where is it written what the CRM is to show, and what it shows already?"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from connector.adapters.secrets import Vault
from connector.adapters.store.rows import checked, locked
from connector.adapters.store.tables import account, crm_record
from connector.domain.documents import clean_text
from connector.ports.records import CRMRecordRow, RecordSubject

_PAYLOAD = "crm_record.payload"
_T = crm_record.c


class SQLCRMRecordRepository:
    """What the CRM is to show, in SQL; see `connector.ports.records.CRMRecordRepository`."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    def want(self, records: Sequence[CRMRecordRow]) -> None:
        """Insert each record, or count one more change on the one with the same (account, kind, subject)."""
        if not records:
            return
        self._lock(
            tuple_(_T.account_id, _T.kind, _T.subject).in_(
                [(record.account_id, record.kind, record.subject) for record in records]
            )
        )
        make = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        statement = make(crm_record)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=[_T.account_id, _T.kind, _T.subject],
            set_={
                **_one_more_change(new.not_before),
                "payload_sealed": func.coalesce(new.payload_sealed, _T.payload_sealed),
            },
        )
        self._connection.execute(statement, [self._values(record) for record in records])

    def changed(
        self, account_id: str, kind: RecordSubject, subjects: Sequence[str], not_before: datetime
    ) -> Sequence[str]:
        """Count one more change on those records that exist; give the CRMs that are to show them."""
        names = {"b_account": account_id, "b_kind": kind.value, "b_subjects": list(subjects)}
        on_postgresql = self._connection.dialect.name == "postgresql"
        crms = set(self._connection.execute(_LOCK_THOSE if on_postgresql else _CRMS_OF_THOSE, names).scalars())
        if crms:
            self._connection.execute(_CHANGED, {**names, "b_not_before": not_before})
        return sorted(crms)

    def claim(
        self,
        crm: str,
        limit: int,
        now: datetime,
        lease_until: datetime,
        patience: timedelta = timedelta(0),
    ) -> Sequence[CRMRecordRow]:
        """Lease up to `limit` records of one active account that wait to be written (the one with the oldest)."""
        chosen = self._ripe_account(crm, limit, now, patience)
        if chosen is None:
            return []
        query = select(crm_record).where(_T.crm == crm, _T.account_id == chosen, _free(now))
        query = locked(self._connection, query.order_by(_T.not_before, _T.id).limit(limit), skip=True)
        rows = self._connection.execute(query).all()
        leased = update(crm_record).where(_T.id.in_([row.id for row in rows])).values(lease_until=lease_until)
        self._connection.execute(leased)
        return [self._record(row) for row in rows]

    def _ripe_account(self, crm: str, limit: int, now: datetime, patience: timedelta) -> str | None:
        due = and_(_T.crm == crm, _of_active_account(), _free(now))
        query = select(_T.account_id, _T.not_before).where(due).order_by(_T.not_before, _T.id).limit(1)
        oldest = self._connection.execute(query).first()
        if oldest is None or oldest.not_before <= now - patience:
            return None if oldest is None else str(oldest.account_id)
        # Everything that is due is younger than `patience`, so there is little to count.
        full = select(_T.account_id).where(due).group_by(_T.account_id).having(func.count() >= limit)
        return self._connection.execute(full.order_by(func.min(_T.not_before)).limit(1)).scalar()

    def mark_creating(self, record_ids: Sequence[str], now: datetime) -> None:
        """Note that a create is about to leave."""
        self._lock(_T.id.in_(record_ids))
        statement = update(crm_record).where(_T.id.in_(record_ids)).values(state="creating", create_sent_at=now)
        self._connection.execute(statement)

    def mark_written(self, written: Sequence[tuple[str, int, str | None]], now: datetime) -> None:
        """Note (record id, change now shown, CRM id); a record with newer changes stays waiting."""
        if not written:
            return
        change = bindparam("change", type_=_T.written.type)
        statement = (
            update(crm_record)
            .where(_T.id == bindparam("record_id"))
            .values(
                written=case((_T.written > change, _T.written), else_=change),
                state=case((_T.wanted > change, "waiting"), else_="written"),
                crm_record_id=func.coalesce(bindparam("shown_as", type_=_T.crm_record_id.type), _T.crm_record_id),
                create_sent_at=null(),
                lease_until=null(),
                attempts=0,
                error="",
                written_back_at=now,
            )
        )
        rows = [{"record_id": row, "change": number, "shown_as": crm_id} for row, number, crm_id in sorted(written)]
        self._connection.execute(statement, rows)

    def mark_refused(self, record_id: str, error: str, now: datetime) -> None:
        """Note that the CRM refuses it for good, and why."""
        statement = update(crm_record).where(_T.id == record_id)
        values = {"state": "refused", "error": clean_text(error), "lease_until": None, "create_sent_at": None}
        self._connection.execute(statement.values(**values, not_before=now, attempts=_T.attempts + 1))

    def mark_refused_in_part(self, record_id: str, error: str) -> None:
        """Note why the CRM refuses a part of a written record for good."""
        self._connection.execute(update(crm_record).where(_T.id == record_id).values(error=clean_text(error)))

    def postpone(self, record_ids: Sequence[str], error: str, not_before: datetime, *, certain: bool) -> None:
        """Give records back; `certain` says that a create certainly did not happen."""
        values: dict[str, Any] = {"error": clean_text(error), "not_before": not_before, "lease_until": None}
        if certain:
            values |= {"state": "waiting", "create_sent_at": None}
        self._lock(_T.id.in_(record_ids))
        statement = update(crm_record).where(_T.id.in_(record_ids))
        self._connection.execute(statement.values(**values, attempts=_T.attempts + 1))

    def put_off(self, account_id: str, now: datetime, not_before: datetime) -> None:
        """Let every record of an account that could be claimed now wait until `not_before`: its CRM is away."""
        due = select(_T.id).where(checked(_T.account_id) == account_id, _free(now))
        statement = update(crm_record).where(_T.id.in_(locked(self._connection, due, skip=True)))
        attempts = case((_T.attempts > 0, _T.attempts), else_=1)  # a change must not cut this wait short
        self._connection.execute(statement.values(not_before=not_before, attempts=attempts))

    def waiting(self, now: datetime) -> Mapping[str, int]:
        """Count records by CRM that could be written now."""
        query = select(_T.crm, func.count().label("number")).where(_of_active_account(), _free(now)).group_by(_T.crm)
        return {row.crm: row.number for row in self._connection.execute(query)}

    def flags(self, account_id: str, crm_ids: Sequence[str]) -> Mapping[str, CRMRecordRow]:
        """Read the records that set the opt-out flag on contacts, by the CRM's id of the contact."""
        ids = {f"contact:{crm_id}": crm_id for crm_id in crm_ids}
        query = select(crm_record).where(
            _T.account_id == account_id, _T.kind == RecordSubject.OPT_OUT_PROPERTY, _T.subject.in_(list(ids))
        )
        return {ids[row.subject]: self._record(row) for row in self._connection.execute(query)}

    def put_off_because(self, limit: int) -> Mapping[str, int]:
        """Count, by reason, the records that wait because writing them failed; the most frequent reasons first."""
        number = func.count().label("number")
        query = select(_T.error, number).where(_WAITING, _T.error != "").group_by(_T.error)
        query = query.order_by(number.desc(), _T.error).limit(limit)
        return {row.error: row.number for row in self._connection.execute(query)}

    def of_messages(self, account_id: str, message_ids: Sequence[str]) -> Mapping[str, CRMRecordRow]:
        """Read the records that show messages, by message id."""
        ids = {f"message:{message_id}": message_id for message_id in message_ids}
        query = select(crm_record).where(
            _T.account_id == account_id, _T.kind == RecordSubject.MESSAGE, _T.subject.in_(list(ids))
        )
        return {ids[row.subject]: self._record(row) for row in self._connection.execute(query)}

    def refused(
        self, account_id: str | None, limit: int, in_part_since: datetime | None = None
    ) -> Sequence[CRMRecordRow]:
        """Read records the CRM refused, newest first, then those of which it refused a part, newest first."""
        is_whole, in_part = _T.state == "refused", and_(_T.state == "written", _T.error != "")
        if in_part_since is not None:
            in_part = and_(in_part, _T.written_back_at >= in_part_since)
        query = select(crm_record).where(or_(is_whole, in_part))
        if account_id is not None:
            query = query.where(_T.account_id == account_id)
        newest = case((is_whole, _T.not_before), else_=_T.written_back_at)
        query = query.order_by(case((is_whole, 0), else_=1), newest.desc(), _T.id.desc()).limit(limit)
        return [self._record(row) for row in self._connection.execute(query)]

    def _lock(self, those: ColumnElement[bool]) -> None:
        """Lock rows in one order, so that two transactions over the same rows never wait for each other in a ring."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(select(_T.id).where(those).order_by(_T.id).with_for_update())

    def _values(self, record: CRMRecordRow) -> dict[str, Any]:
        sealed = None
        if record.payload:
            clear = clean_text(json.dumps(record.payload, ensure_ascii=False))
            sealed = self._vault.seal(clear, account=record.account_id, column=_PAYLOAD)
        return {
            "id": record.id,
            "account_id": record.account_id,
            "crm": record.crm,
            "kind": record.kind,
            "subject": record.subject,
            "ref": record.ref,
            "contact_id": record.contact_id,
            "contact_crm_id": record.contact_crm_id,
            "payload_sealed": sealed,
            "wanted": record.wanted,
            "written": record.written,
            "state": record.state,
            "at": record.at,
            "not_before": record.not_before,
        }

    def _record(self, row: Row[Any]) -> CRMRecordRow:
        payload: Mapping[str, Any] = {}
        if row.payload_sealed:
            payload = json.loads(self._vault.open(row.payload_sealed, account=row.account_id, column=_PAYLOAD))
        return CRMRecordRow(
            id=row.id,
            account_id=row.account_id,
            crm=row.crm,
            kind=RecordSubject(row.kind),
            subject=row.subject,
            ref=row.ref,
            at=row.at,
            not_before=row.not_before,
            contact_id=row.contact_id,
            contact_crm_id=row.contact_crm_id,
            payload=payload,
            crm_record_id=row.crm_record_id,
            wanted=row.wanted,
            written=row.written,
            state=row.state,
            create_sent_at=row.create_sent_at,
            attempts=row.attempts,
            error=row.error,
            written_back_at=row.written_back_at,
        )


_TRIED_AGAIN = (RecordSubject.OPT_OUT_PROPERTY, RecordSubject.PROPERTY, RecordSubject.FIND_SENDER)
_IS_TRIED_AGAIN = or_(*(_T.kind == kind.value for kind in _TRIED_AGAIN))
_REOPENED = or_(_T.state == "written", and_(_T.state == "refused", _IS_TRIED_AGAIN))


def _one_more_change(not_before: ColumnElement[datetime]) -> dict[str, Any]:
    return {
        "wanted": _T.wanted + 1,
        "state": case((_REOPENED, "waiting"), else_=_T.state),
        "not_before": case(
            # The present time of a leased row is spent: the new one is for what its holder does not write.
            (or_(_REOPENED, _T.lease_until.is_not(None)), not_before),
            (or_(_T.attempts > 0, _T.state == "creating"), _T.not_before),
            (not_before < _T.not_before, not_before),
            else_=_T.not_before,
        ),
    }


_THOSE = and_(
    _T.account_id == bindparam("b_account"),
    _T.kind == bindparam("b_kind"),
    _T.subject.in_(bindparam("b_subjects", expanding=True)),
)
# Built once: building them costs several times what running them does.
_CRMS_OF_THOSE = select(_T.crm).where(_THOSE).distinct()
_LOCK_THOSE = select(_T.crm).where(_THOSE).order_by(_T.id).with_for_update()
_CHANGED = (
    update(crm_record).where(_THOSE).values(_one_more_change(bindparam("b_not_before", type_=_T.not_before.type)))
)


_WAITING = text("crm_record.state IN ('waiting', 'creating')")  # as in the partial index: a bound value hides it


def _free(now: datetime) -> ColumnElement[bool]:
    return and_(
        _WAITING,
        _T.not_before <= now,
        or_(_T.lease_until.is_(None), _T.lease_until <= now),
    )


def _of_active_account() -> ColumnElement[bool]:
    return checked(_T.account_id).in_(select(account.c.id).where(account.c.status == "active"))
