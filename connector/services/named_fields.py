"""Can the fields of the CRM that an account's settings name ever say what they are named for?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from connector.domain.account_status import AccountStatus
from connector.errors import CRMError
from connector.ports.crm import CRM, CRMAccount
from connector.ports.ledger import AccountRow

log = structlog.get_logger(__name__)

NAME_FIELDS = frozenset(
    {"opt_out_fields", "phone_fields", "locale_field", "time_zone_field", "salesforce_consent_objects"}
)
"""Settings that name what the CRM may not have, which would go unnoticed."""


def names_others(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Tell whether a change of settings names other fields than before."""
    return any(before.get(each) != after.get(each) for each in NAME_FIELDS)


def mistakes_in_names(crms: Mapping[str, CRM], account: AccountRow, changed: Mapping[str, Any]) -> Mapping[str, str]:
    """Ask the CRM what is wrong with the fields that changed settings name, by setting; empty when nothing is.

    A CRM that is away refuses nothing: it tells what it lacks when the account is added again.

    Args:
        crms: by slug.
        account: as it is now.
        changed: settings that are to be changed, None for those that are to be removed.
    """
    wanted = {name: value for name, value in {**account.settings, **changed}.items() if value is not None}
    crm = crms.get(account.crm)
    if crm is None or account.status != AccountStatus.ACTIVE or not names_others(account.settings, wanted):
        return {}
    try:
        found = crm.mistakes_in_settings(CRMAccount(account.id, account.external_id, wanted))
    except CRMError as error:
        log.warning("account.names_not_checked", account_id=account.id, error=type(error).__name__)
        return {}
    return {name: told for name, told in found.items() if name in changed}
