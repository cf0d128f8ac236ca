"""What becomes of an account whose CRM lets us in no more?"""

from __future__ import annotations

from datetime import datetime

import structlog

from connector.domain.account_status import CONNECTED_AT, connection_lost
from connector.errors import CRMDisconnectedError
from connector.ports.crm import CRMAccount
from connector.ports.ledger import UnitOfWork

log = structlog.get_logger(__name__)


def disconnect(uow: UnitOfWork, account: CRMAccount, error: CRMDisconnectedError, now: datetime) -> bool:
    """Have an account wait to be connected again, and a person told; tell whether it does because of this.

    Part of the caller's transaction. `account` is as it was when the call was made that failed. A call takes seconds,
    and meanwhile somebody may have uninstalled the account, asked for its data to be erased, or connected it again:
    then nothing happens.
    """
    connected_at = account.settings.get(CONNECTED_AT)
    if not uow.accounts.disconnect(account.account_id, connected_at, str(error)):
        return False
    log.warning("account.disconnected", account_id=account.account_id, status=error.status, category=error.category)
    uow.timeline.add([connection_lost(account.account_id, str(error), now)])
    return True
