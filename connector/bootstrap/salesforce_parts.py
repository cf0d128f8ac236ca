"""Which parts let Salesforce organisations send us their changes?"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cached_property

from connector.adapters.crm.salesforce.door import SalesforceDoor
from connector.adapters.crm.salesforce.metadata_api import Made, OutboundMessageSpec
from connector.adapters.crm.salesforce.names import OrgNames
from connector.adapters.crm.salesforce.outbound_setup import outbound_messages
from connector.bootstrap.card_parts import CardParts
from connector.bootstrap.outside import SALESFORCE
from connector.ports.crm import CRMAccount
from connector.ports.ledger import AccountRow
from connector.services.account_secrets import SALESFORCE_INTAKE, AccountSecrets

_SECRET_BYTES = 32  # 256 bits: the address is the only proof of where a message comes from


class SalesforceParts(CardParts):
    """Salesforce's intake."""

    @cached_property
    def account_secrets(self) -> AccountSecrets:
        """Keeps what outside systems prove themselves with."""
        return AccountSecrets(self.ledger, self.clock, lambda: secrets.token_urlsafe(_SECRET_BYTES))

    @cached_property
    def salesforce_door(self) -> SalesforceDoor:
        """Lets outbound messages in."""
        return SalesforceDoor()

    def salesforce_organization(self, secret: str) -> str | None:
        """Give the id of the organisation whose address holds this secret; None when none does."""
        account_id = self.account_secrets.owner(secret, SALESFORCE_INTAKE)
        if account_id is None:
            return None
        with self.ledger.begin(write=False) as uow:
            account = uow.accounts.get(account_id)
        return account.external_id if account.crm == SALESFORCE else None

    def salesforce_messages(
        self, account: AccountRow, username: str, *, new_secret: bool = False
    ) -> Sequence[OutboundMessageSpec]:
        """Give the outbound messages an organisation must have; makes the secret of its address when there is none."""
        keeper = self.account_secrets
        make = keeper.rotate if new_secret else keeper.ensure
        secret = make(account.id, SALESFORCE_INTAKE).secret
        url = f"{self.settings.public_url}/salesforce/outbound-messages/{secret}"
        return list(outbound_messages(OrgNames(account.settings), url, username))

    def set_up_salesforce(self, account: AccountRow, specs: Sequence[OutboundMessageSpec]) -> Sequence[Made]:
        """Make the outbound messages in the organisation.

        Raises:
            CRMError: it could not be asked, or does not let us.
        """
        return self.salesforce.metadata.put(CRMAccount(account.id, account.external_id, account.settings), specs)
