"""Which account does an operator mean?"""

from __future__ import annotations

from connector.bootstrap import Connector
from connector.errors import ConfigurationError


def account_of(connector: Connector, external_id: str | None) -> str:
    """Give our id of the account with an external id, or of the only one.

    Raises:
        ConfigurationError: there is none, or several and none is named.
    """
    with connector.ledger.begin(write=False) as uow:
        accounts = uow.accounts.all()
    chosen = [account for account in accounts if external_id in {None, account.external_id}]
    if len(chosen) == 1:
        return chosen[0].id
    if not accounts:
        raise ConfigurationError("there is no account yet; add one with: smsctl account add")
    known = ", ".join(account.external_id for account in accounts)
    raise ConfigurationError(f"say which account with --account; known are {known}")
