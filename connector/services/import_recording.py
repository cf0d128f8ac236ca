"""What becomes of one row of an import: which evidence, which block, or why nothing?

An opt-out always counts. An opt-in never lifts an opt-out, whoever made it and however much earlier it was (promise
P3): who once refused is asked by a double opt-in, not by a file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from connector.domain.import_rows import CellTrouble, ImportColumn, PersonRow, Says
from connector.ports.consents import ConsentKind, Mechanism, Scope
from connector.ports.contacts import ContactRow
from connector.ports.ledger import UnitOfWork
from connector.services.consent import ConsentDesk, Saying


class Became(StrEnum):
    """What became of a row."""

    OPTED_IN = "opted_in"  # new evidence of an opt-in to marketing
    OPTED_OUT = "opted_out"  # the number is blocked from now on
    KNOWN = "known"  # said before, by this row or otherwise
    KEPT_OUT = "kept_out"  # an opt-in of somebody who has opted out
    NOTHING_SAID = "nothing_said"  # about consent
    REFUSED = "refused"


class RowRecorder:
    """Writes down what rows of one file say."""

    def __init__(self, desk: ConsentDesk, account_id: str, file_hash: str) -> None:
        self._desk, self._account_id, self._file_hash = desk, account_id, file_hash

    def record(
        self, uow: UnitOfWork, row_number: int, person: PersonRow, contact: ContactRow | None, now: datetime
    ) -> tuple[Became, tuple[CellTrouble, ...]]:
        """Write a row down; give what became of it, and everything that was wrong with it."""
        number = person.number or (contact.msisdn if contact is not None else None)
        if person.is_refused or (number is None and person.says is not Says.NOTHING):
            return Became.REFUSED, person.troubles or (_NO_NUMBER,)
        if number is None or person.says is Says.NOTHING:
            return Became.NOTHING_SAID, person.troubles
        said = Saying(
            account_id=self._account_id,
            msisdn=number,
            mechanism=Mechanism.IMPORT,
            source=f"import:{self._file_hash}:{row_number}",
            at=person.at or now,
            contact_id=None if contact is None else contact.id,
            wording=person.evidence,
            jurisdiction=person.region,
        )
        if person.says is not Says.OPT_IN:
            scope = Scope.ALL if person.says is Says.OPT_OUT else Scope.MARKETING
            news = [self._desk.opt_out(uow, each, now, scope) for each in _of_every_number(said, contact)]
            is_new = any(event is not None for event in news)
            return Became.OPTED_OUT if is_new else Became.KNOWN, person.troubles
        if self._has_refused(uow, said):
            return Became.KEPT_OUT, (*person.troubles, _STANDS)
        return Became.OPTED_IN if self._desk.agree_to_marketing(uow, said) else Became.KNOWN, person.troubles

    def _has_refused(self, uow: UnitOfWork, said: Saying) -> bool:
        """Whether a block stands, or the number's latest word was, or may have been, a refusal."""
        if uow.consents.suppressions(said.account_id, [said.msisdn]):
            return True
        word = uow.consents.marketing_consent(said.account_id, [said.msisdn]).get(said.msisdn)
        return word in {ConsentKind.OPT_OUT, ConsentKind.DOUBTFUL}


def _of_every_number(said: Saying, contact: ContactRow | None) -> list[Saying]:
    """Give a refusal for the number of the row and for the one that the CRM has: texts go to the latter."""
    other = contact.msisdn if contact is not None else None
    return [said] if other in {None, said.msisdn} else [said, replace(said, msisdn=other, jurisdiction=None)]


_NO_NUMBER = CellTrouble(ImportColumn.NUMBER.value, "there is no number that consent could be kept of")
_STANDS = CellTrouble("", "an opt-out of this number stands: the opt-in changes nothing")
