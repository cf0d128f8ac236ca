"""Whose record is a card open on, and what do the texts of that person know of them?

The ledger answers first. A contact it does not know, or has not read for a while, is read from the CRM and kept; while
the CRM is away the card shows what the ledger knows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog

from connector.domain.event_mapping import EventCatalogue
from connector.errors import ConnectorError, CRMError, CRMRefusedError
from connector.ports.contacts import ContactRow
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.time import Clock
from connector.services.contact_snapshots import ContactKeeper
from connector.services.crm_reading import CRMReader, Reading
from connector.services.names import names_of

log = structlog.get_logger(__name__)

FRESH_FOR = timedelta(minutes=10)
"""A number that was corrected in the CRM is on the card within ten minutes, for six calls an hour and open card."""

_CRM_RESTS = timedelta(minutes=1)  # a card asks every few seconds; a CRM that is away is not asked by each of them

_MOST_ABSENT = 1_000  # contacts the CRM just did not give, of all accounts; more are no cards of people at work


class PersonType(StrEnum):
    """Of which kind a record is that stands for a person."""

    CONTACT = "contact"
    LEAD = "lead"


LEADS_ARE_PEOPLE = frozenset({"salesforce"})
"""CRMs whose leads are people with ids of their own kind; HubSpot's leads are records about a contact."""


class CRMAwayError(ConnectorError):
    """The ledger does not know the contact, and the CRM cannot be asked now."""


@dataclass(frozen=True, slots=True)
class CardContact:
    """A person as the ledger has them, and whose customer they are."""

    account: AccountRow
    contact: ContactRow


class CardContacts:
    """Finds contacts by the CRM's ids, always of one account. Call it outside of write transactions.

    Args of the constructor:
        readable: CRMs that can be asked.
    """

    def __init__(
        self,
        ledger: Ledger,
        reader: CRMReader,
        keeper: ContactKeeper,
        catalogue: EventCatalogue,
        clock: Clock,
        readable: Collection[str],
    ) -> None:
        self._ledger, self._reader, self._keeper = ledger, reader, keeper
        self._catalogue, self._clock, self._readable = catalogue, clock, frozenset(readable)
        self._resting: dict[str, datetime] = {}
        self._absent: dict[tuple[str, str], datetime] = {}  # until when the CRM is not asked for a contact again

    def find(self, account_id: str, crm_id: str, kind: PersonType = PersonType.CONTACT) -> CardContact | None:
        """Give a contact; None when the account has none such.

        Raises:
            CRMAwayError: nobody can say now whether it has.
        """
        with self._ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
            known = uow.contacts.by_crm_ids(account_id, [crm_id]).get(crm_id)
        if kind is PersonType.LEAD and account.crm not in LEADS_ARE_PEOPLE:
            return None
        if known is not None and (known.deleted_at is not None or not self._is_stale(known)):
            return None if known.deleted_at is not None else CardContact(account, known)
        found = self._read(account, crm_id, known)
        return None if found is None else CardContact(account, found)

    def names(self, of: CardContact) -> dict[str, Any]:
        """Give what templates may say of a contact: `contact.*`, `owner.*` and `account.*`; no record, no event.

        An owner whom the CRM cannot name now has no name, so that a text that needs it says what it lacks.
        """
        account, contact = of.account, of.contact
        mapping = self._catalogue.by_crm.get(account.crm)
        if mapping is None:
            return {"contact": {"id": contact.crm_id, **contact.attributes}, "account": {"id": account.external_id}}
        try:
            owners = self._reader.owners(account) if contact.owner_id else {}
        except CRMError as error:
            log.warning("card.without_owner", account_id=account.id, status=error.status)
            owners = {}
        return names_of(account, mapping.contact, contact, owners.get(contact.owner_id or ""), {}, {})

    def _is_stale(self, contact: ContactRow) -> bool:
        return self._clock.now() - contact.read_at >= FRESH_FOR

    def _read(self, account: AccountRow, crm_id: str, known: ContactRow | None) -> ContactRow | None:
        """Read a contact from the CRM and keep it; give what the ledger has where the CRM does not say."""
        now, rests_until = self._clock.now(), self._resting.get(account.id)
        if account.crm not in self._readable or (rests_until is not None and now < rests_until):
            return _or_away(known, is_away=account.crm in self._readable)
        if now < self._absent.get((account.id, crm_id), now):
            return known
        reading = Reading()
        try:
            self._reader.read_contacts(account, reading, [crm_id])
        except CRMRefusedError as error:
            log.info("card.crm_refused", account_id=account.id, status=error.status)
        except CRMError as error:
            self._resting[account.id] = now + _CRM_RESTS
            log.warning("card.crm_away", account_id=account.id, status=error.status)
            return _or_away(known, is_away=True)
        if crm_id in reading.contacts:
            return self._keep(account, crm_id, reading)
        self._let_rest((account.id, crm_id), now)
        return known

    def _let_rest(self, contact: tuple[str, str], now: datetime) -> None:
        """Ask no more for a contact for a while; what is remembered of others is bounded."""
        if len(self._absent) >= _MOST_ABSENT:
            resting = {key: until for key, until in list(self._absent.items()) if now < until}
            self._absent = resting if len(resting) < _MOST_ABSENT else {}
        self._absent[contact] = now + _CRM_RESTS

    def _keep(self, account: AccountRow, crm_id: str, reading: Reading) -> ContactRow:
        with self._ledger.begin() as uow:
            saved = self._keeper.save(uow, account, reading.contacts, self._clock.now())
            uow.commit()
        return saved[crm_id]


def _or_away(known: ContactRow | None, *, is_away: bool) -> ContactRow | None:
    if known is None and is_away:
        raise CRMAwayError("the CRM cannot be asked about this contact now")
    return known
