"""How is any call to a portal made: within its rate, with its token, and with errors that mean something?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.hubspot.dated_client import DatedClients, PortalAPI
from connector.adapters.crm.hubspot.errors import translated
from connector.adapters.crm.hubspot.limits import PortalLimits
from connector.adapters.crm.hubspot.tokens import PortalTokens
from connector.errors import CRMDisconnectedError
from connector.ports.crm import CRMAccount


@dataclass(frozen=True, slots=True)
class PortalCalls:
    """Makes calls for accounts."""

    tokens: PortalTokens
    clients: DatedClients
    limits: PortalLimits

    def make(
        self,
        account: CRMAccount,
        what: str,
        call: Callable[[PortalAPI], Any],
        *,
        is_repeatable: bool = True,
        is_search: bool = False,
    ) -> Any:
        """Make one call and give its decoded JSON answer.

        A token that HubSpot refuses is replaced once: its time may have been cut short.

        Args:
            account: whose portal.
            what: the call in words, for error messages.
            call: does it.
            is_repeatable: False for creations, whose lost answer is ambiguous.
            is_search: counts against the search limit.

        Raises:
            CRMError: by the table of `errors`.
        """
        token = self.tokens.token(account.account_id)
        self.limits.admit(account.external_id, is_search=is_search)
        try:
            return self._once(account, token, what, call, is_repeatable)
        except CRMDisconnectedError as error:
            if error.status != 401:
                raise
        token = self.tokens.renewed(account.account_id, token)
        return self._once(account, token, what, call, is_repeatable)

    def _once(
        self, account: CRMAccount, token: str, what: str, call: Callable[[PortalAPI], Any], is_repeatable: bool
    ) -> Any:
        with translated(what, is_repeatable=is_repeatable):
            return call(self.clients.of_portal(account.external_id, token))
