"""Who are the two tenants, and by which ids, numbers and words is each of them known?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

HUBSPOT, SALESFORCE = "hubspot", "salesforce"

OWN, SHARED = "own", "shared"
"""Sets of rows that each account has. Natural keys (numbers, ids in the CRM, idempotency keys, journeys, cursors …) of
the first are its own; those of the second are the same in every account, so that whoever forgets to ask for the
account finds somebody else's row."""


@dataclass(frozen=True)
class Owner:
    """One account of a tenant.

    Attributes:
        tenant: a word that stands in every id, text, name and secret of the tenant's, and nowhere else.
        digit: stands in its numbers.
        external_id: the CRM's id of the portal or organisation.
        crm_contact: the CRM's id of its own contact.
    """

    tenant: str
    digit: int
    crm: str
    external_id: str
    crm_contact: str

    @property
    def account_id(self) -> str:
        return f"{self.tenant}-{self.crm}"

    def id(self, key: str, what: str) -> str:
        """Give our id of one of its rows, which no two accounts share."""
        return f"{self.account_id}-{key}-{what}"

    def natural(self, key: str, what: str) -> str:
        """Give a key that the outside world chooses, which every account has in its shared set."""
        return f"everybodys-{what}" if key == SHARED else f"{self.account_id}-{what}"

    def number(self, key: str) -> str:
        """Give the number of its contact."""
        crm = 0 if self.crm == HUBSPOT else 1
        return "+12025550177" if key == SHARED else f"+120255501{crm}{self.digit}"

    def contact_in_crm(self, key: str) -> str:
        """Give the CRM's id of its contact."""
        return f"{self.crm}-51" if key == SHARED else self.crm_contact

    @cached_property
    def words(self) -> frozenset[str]:
        """What no other tenant may ever read: its word, which stands in all that is its own, its ids and numbers."""
        return frozenset({self.tenant, self.external_id, self.crm_contact, self.number(OWN).removeprefix("+1")})


@dataclass(frozen=True)
class Tenant:
    """A customer with an account in each CRM."""

    hubspot: Owner
    salesforce: Owner

    @property
    def owners(self) -> tuple[Owner, Owner]:
        return self.hubspot, self.salesforce

    @property
    def word(self) -> str:
        return self.hubspot.tenant

    @cached_property
    def words(self) -> frozenset[str]:
        return self.hubspot.words | self.salesforce.words


ALDER = Tenant(
    Owner("alder", 3, HUBSPOT, "41414141", "9400051"),
    Owner("alder", 3, SALESFORCE, "00D000000000001EAA", "003A00000000051IAA"),
)
BIRCH = Tenant(
    Owner("birch", 8, HUBSPOT, "82828282", "9800052"),
    Owner("birch", 8, SALESFORCE, "00D000000000002EAA", "003B00000000052IAA"),
)
TENANTS = (ALDER, BIRCH)
OWNERS = tuple(owner for tenant in TENANTS for owner in tenant.owners)
EVERYTHING = tuple(product(OWNERS, (OWN, SHARED)))
"""Every set of rows there is: whose it is, and which of the two."""
