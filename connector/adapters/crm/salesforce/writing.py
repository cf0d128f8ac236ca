"""How do our texts, tasks and notes get into an organisation, up to 200 at a time, one result per row?

A text's own record goes first: it is upserted by our reference, so that writing it again after anything that failed
is harmless. Only then its Task is created, which is not: after a lost answer it is looked up by the same reference.
Either is written once more, for whoever they are now, where somebody was merged or converted meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector.adapters.crm.salesforce.calls import OrgCalls
from connector.adapters.crm.salesforce.collections import Collections, Results, Row
from connector.adapters.crm.salesforce.contacts import OrgContacts
from connector.adapters.crm.salesforce.errors import GONE_PEOPLE, UNKNOWN_NAMES
from connector.adapters.crm.salesforce.fields import OrgFields
from connector.adapters.crm.salesforce.ids import full_id, is_id
from connector.adapters.crm.salesforce.names import MESSAGE, MESSAGE_ID, OrgNames
from connector.adapters.crm.salesforce.org_facts import OrgFacts
from connector.adapters.crm.salesforce.record_format import OrgShape, carries, changeable, creation, message
from connector.adapters.crm.salesforce.soql import batched, is_in, select
from connector.errors import CRMError, CRMRefusedError, CRMUnavailableError
from connector.ports.crm import CRMAccount
from connector.ports.crm_writing import RecordWrite, WriteResult

log = logging.getLogger(__name__)

_TASK = "Task"


@dataclass(frozen=True, slots=True)
class OrgWriting:
    """Writes Tasks, and texts as records of our package."""

    calls: OrgCalls
    fields: OrgFields
    facts: OrgFacts
    contacts: OrgContacts

    def create(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> list[WriteResult]:
        """Create records; see the port."""

        def write() -> Results:
            shape = self._shape(account)
            texts = self._write_texts(account, rows, shape)
            return texts.beside(self._create(account, texts.written, shape))

        found = self.fields.with_present(account, write)
        return [found[row.ref] for row in rows]

    def update(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> list[WriteResult]:
        """Update records; see the port."""

        def write() -> Results:
            shape = self._shape(account)
            texts = self._write_texts(account, rows, shape)
            tasks = [
                Row(row.ref, _TASK, {"Id": row.crm_record_id, **changeable(row, shape)}, row.contact_crm_id)
                for row in texts.written
            ]
            return texts.beside(Collections(self.calls).update(account, "update Tasks", tasks, can_wait=True))

        found = self.fields.with_present(account, write)
        return [found[row.ref] for row in rows]

    def find_written(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> dict[str, str]:
        """Find rows that exist by our reference: in its own field, or without the package in the comments of the
        person's Tasks, which cannot be searched.
        """

        def find() -> dict[str, str]:
            ref_field = self._shape(account).ref_field
            if ref_field is None:
                return self._in_comments(account, rows)
            found: dict[str, str] = {}
            wanted = {row.ref for row in rows}
            for some in batched(sorted(wanted)):
                soql = select((ref_field,), _TASK, [is_in(ref_field, some)], order="Id")
                tasks = self.calls.query(account, "look up Tasks", soql)
                # SOQL does not tell capitals apart, our references do.
                found |= {
                    str(task[ref_field]): str(task["Id"]) for task in reversed(tasks) if task[ref_field] in wanted
                }
            return found

        return self.fields.with_present(account, find)

    def _in_comments(self, account: CRMAccount, rows: Sequence[RecordWrite]) -> dict[str, str]:
        people = sorted({full_id(row.contact_crm_id) for row in rows if is_id(row.contact_crm_id)})
        now = self.contacts.successors(account, people)
        found: dict[str, str] = {}
        for some in batched(sorted({*people, *now.values()})):
            soql = select(("Subject", "Description"), _TASK, [is_in("WhoId", some)], order="Id")
            for task in self.calls.query(account, "look up Tasks", soql):
                text = f"{task.get('Subject') or ''}\n{task.get('Description') or ''}"
                for ref in [row.ref for row in rows if row.ref not in found and carries(text, row.ref)]:
                    found[ref] = str(task["Id"])
        return found

    def _shape(self, account: CRMAccount) -> OrgShape:
        names = OrgNames.of(account)
        return OrgShape(
            names=names,
            task=self.fields.of(account, _TASK),
            message=self.fields.of(account, names.packaged(MESSAGE)),
            statuses=self.facts.task_statuses(account),
            time_zone=str(account.settings.get("time_zone") or "UTC"),
        )

    def _create(self, account: CRMAccount, rows: Sequence[RecordWrite], shape: OrgShape) -> Results:
        """Create Tasks; once more for people who were merged or converted into others meanwhile."""
        found = self._create_tasks(account, rows, shape)

        def create_moved(moved: Sequence[RecordWrite]) -> Results:
            texts = _Texts(moved, self._upsert_texts(account, moved, shape))
            return texts.beside(self._create_tasks(account, texts.written, shape))

        return found | self._follow(account, _orphans(rows, found), create_moved)

    def _follow(
        self, account: CRMAccount, orphans: Sequence[RecordWrite], write: Callable[[Sequence[RecordWrite]], Results]
    ) -> Results:
        """Write what is of people who became others. What fails is these rows' own, never raised: the Tasks of the
        other rows are there, and would be created again if their ids were lost.
        """
        moved: Sequence[RecordWrite] = orphans
        try:
            now = self.contacts.successors(account, [row.contact_crm_id for row in orphans]) if orphans else {}
            moved = [
                replace(row, contact_crm_id=now[row.contact_crm_id]) for row in orphans if row.contact_crm_id in now
            ]
            return write(moved) if moved else {}
        except CRMRefusedError as error:
            if error.category not in UNKNOWN_NAMES:
                return _failed(moved, error)
            self.fields.forget(account)  # the organisation has changed since: the next try looks at it again
            return _failed(moved, CRMUnavailableError(str(error), status=error.status, category=error.category))
        except CRMError as error:
            return _failed(moved, error)

    def _create_tasks(self, account: CRMAccount, rows: Sequence[RecordWrite], shape: OrgShape) -> Results:
        tasks = [Row(row.ref, _TASK, creation(row, shape), row.contact_crm_id) for row in rows]
        return Collections(self.calls).create(account, "create Tasks", tasks, can_wait=True)

    def _write_texts(self, account: CRMAccount, rows: Sequence[RecordWrite], shape: OrgShape) -> _Texts:
        """Write the texts' own records; once more for people who were merged or converted into others meanwhile.

        One that is refused for good does not keep its Task from the timeline: the reason is logged, and given with it.
        """
        found, now = self._upsert_texts(account, rows, shape), {row.ref: row for row in rows}

        def upsert_moved(moved: Sequence[RecordWrite]) -> Results:
            now.update({row.ref: row for row in moved})
            return self._upsert_texts(account, moved, shape)

        found |= self._follow(account, _orphans(rows, found), upsert_moved)
        _tell_refusals(account, found)
        return _Texts(list(now.values()), found)

    def _upsert_texts(self, account: CRMAccount, rows: Sequence[RecordWrite], shape: OrgShape) -> Results:
        """Upsert the texts' own records, one result for each row that is a text."""
        api_name, id_field = (shape.names.packaged(each) for each in (MESSAGE, MESSAGE_ID))
        texts = [
            Row(row.ref, api_name, message(row, row.sms, shape), row.contact_crm_id)
            for row in rows
            if row.sms is not None and id_field in shape.message
        ]
        if not texts:
            return {}
        try:
            return Collections(self.calls).upsert(account, f"write {api_name}", texts, id_field, can_wait=True)
        except CRMRefusedError as error:
            if error.category in UNKNOWN_NAMES:
                raise  # the package has gone since; the organisation is looked at again
            return {row.ref: WriteResult(row.ref, error=error) for row in texts}


@dataclass(frozen=True, slots=True)
class _Texts:
    """What became of the texts' own records among some rows, each as it is addressed now."""

    rows: Sequence[RecordWrite]
    results: Results

    @property
    def written(self) -> list[RecordWrite]:
        """The rows whose Tasks may be written: the others wait whole, for their texts."""
        return [row for row in self.rows if not isinstance(self._error(row.ref), CRMUnavailableError)]

    def beside(self, tasks: Results) -> Results:
        """Give what became of the rows: of their Tasks, with what was refused of their texts."""
        waiting = {ref: each for ref, each in self.results.items() if isinstance(each.error, CRMUnavailableError)}
        return waiting | {ref: self._with_refusal(each) for ref, each in tasks.items()}

    def _with_refusal(self, task: WriteResult) -> WriteResult:
        error = self._error(task.ref)
        return replace(task, refused_beside=error) if isinstance(error, CRMRefusedError) else task

    def _error(self, ref: str) -> CRMError | None:
        return self.results[ref].error if ref in self.results else None


def _failed(rows: Sequence[RecordWrite], error: CRMError) -> Results:
    return {row.ref: WriteResult(row.ref, error=error) for row in rows}


def _orphans(rows: Sequence[RecordWrite], found: Results) -> list[RecordWrite]:
    """Give the rows that were refused because their person may have become another."""
    return [row for row in rows if row.ref in found and _lost_contact(found[row.ref]) and is_id(row.contact_crm_id)]


def _lost_contact(result: WriteResult) -> bool:
    return isinstance(result.error, CRMRefusedError) and result.error.category in GONE_PEOPLE


def _tell_refusals(account: CRMAccount, found: Mapping[str, WriteResult]) -> None:
    refused = [result.error for result in found.values() if isinstance(result.error, CRMRefusedError)]
    if refused:
        log.warning("account %s: %d texts refused as records: %s", account.account_id, len(refused), refused[0])
