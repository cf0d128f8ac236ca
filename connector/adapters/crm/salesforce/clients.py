"""How is simple-salesforce kept on one API version, within time limits, and one session to a thread?

The library pins an old version and knows no time-outs; requests does not promise that threads may share a session.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce

from connector.adapters.crm.salesforce.addresses import instance_url
from connector.adapters.crm.salesforce.token_auth import TokenAuth, Tokens
from connector.ports.crm import CRMAccount

API_VERSION = "68.0"
"""Winter '27; a version is supported for three years at least (developer.salesforce.com, "API end-of-life policy")."""

TIMEOUT = (3.05, 20.0)  # connect: just over one TCP retransmission; read: calls of 20 s count against a limit of 25
_KEPT_ORGS = 32  # of one thread; more than these are connected to anew
USAGE_HEADER = "Sforce-Limit-Info"


class _Transport(HTTPAdapter):
    """Gives every request a time-out; may lead all of them to a double, with the host they were meant for."""

    def __init__(self, double: str) -> None:
        self._double = urlsplit(double) if double else None
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Send one request."""
        if how.get("timeout") is None:
            how["timeout"] = TIMEOUT
        if self._double is not None:
            meant = urlsplit(str(request.url))
            if meant.netloc != self._double.netloc:
                request.headers["Host"] = meant.netloc
            request.url = urlunsplit(meant._replace(scheme=self._double.scheme, netloc=self._double.netloc))
        return super().send(request, *args, **how)


@dataclass(slots=True)
class OrgClients:
    """Makes and keeps each thread's client of each organisation.

    Args:
        tokens: of all accounts.
        note_usage: is told of the limit header of every answer: account id and the header's text.
        url: of a double, or empty.
    """

    tokens: Tokens
    note_usage: Callable[[str, str], None]
    url: str = ""
    _local: threading.local = field(default_factory=threading.local, repr=False)

    def of(self, account: CRMAccount) -> Salesforce:
        """Give this thread's client for an account; made anew when the organisation has moved.

        Raises:
            CRMRefusedError: the account's address is none of Salesforce's.
        """
        address = instance_url(account.settings)
        kept: OrderedDict[str, tuple[str, Salesforce]] = self._local.__dict__.setdefault("kept", OrderedDict())
        known = kept.get(account.account_id)
        if known is None or known[0] != address:
            if known is not None:
                known[1].session.close()
            known = kept[account.account_id] = (address, self._make(account.account_id, address))
        kept.move_to_end(account.account_id)
        while len(kept) > _KEPT_ORGS:
            kept.popitem(last=False)[1][1].session.close()
        return known[1]

    def _make(self, account_id: str, address: str) -> Salesforce:
        http = requests.Session()
        http.trust_env = False  # a .netrc or a proxy of the host's must not see tokens
        http.max_redirects = 0
        http.auth = TokenAuth(self.tokens, account_id)
        http.mount("https://", _Transport(self.url))

        def note(response: requests.Response, **_: Any) -> None:
            if told := response.headers.get(USAGE_HEADER):
                self.note_usage(account_id, told)

        http.hooks["response"].append(note)
        return Salesforce(
            session_id="replaced by TokenAuth",
            instance_url=address,
            session=http,
            version=API_VERSION,
            object_pairs_hook=dict,
        )
