"""How is any call to an organisation made: within its day's calls, with its token, with errors that mean something?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from connector.adapters.crm.salesforce.clients import OrgClients
from connector.adapters.crm.salesforce.errors import QUOTA_GONE, translated
from connector.adapters.crm.salesforce.limits import OrgLimits
from connector.errors import CRMUnavailableError
from connector.ports.crm import CRMAccount

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OrgCalls:
    """Makes calls for accounts."""

    clients: OrgClients
    limits: OrgLimits

    def make(
        self,
        account: CRMAccount,
        what: str,
        call: Callable[[Any], Any],
        *,
        is_repeatable: bool = True,
        can_wait: bool = False,
    ) -> Any:
        """Make one call and give its decoded JSON answer.

        Args:
            account: whose organisation.
            what: the call in words, for error messages.
            call: does it, with simple-salesforce's client.
            is_repeatable: False for creations, whose lost answer is ambiguous.
            can_wait: the timeline's: it leaves the last calls of a day to others.

        Raises:
            CRMError: by the table of `errors`.
        """
        client = self.clients.of(account)
        self.limits.admit(account, can_wait=can_wait)
        try:
            with translated(what, is_repeatable=is_repeatable):
                return call(client)
        except CRMUnavailableError as error:
            if error.category == QUOTA_GONE:
                self.limits.note_gone(account.account_id)
            raise

    def query(self, account: CRMAccount, what: str, soql: str, *, with_deleted: bool = False) -> list[Record]:
        """Give every record a query finds, page by page; with `with_deleted`, those in the recycle bin as well.

        Raises:
            CRMUnavailableError: the pages go round in a circle, which would use up the day's calls.
            CRMError: by the table of `errors`.
        """
        answer = self.make(account, what, lambda sf: _answered(sf.query(soql, include_deleted=with_deleted)))
        records: list[Record] = list(answer["records"])
        seen = set[str]()
        while not answer["done"]:
            url = str(answer["nextRecordsUrl"])
            if url in seen:
                raise CRMUnavailableError(f"{what}: Salesforce's pages go round in a circle")
            seen.add(url)
            answer = self.make(account, what, _following(url))
            records += answer["records"]
        return records

    def rest(
        self,
        account: CRMAccount,
        what: str,
        path: str,
        *,
        method: str = "GET",
        body: Any = None,
        is_repeatable: bool = True,
        can_wait: bool = False,
    ) -> Any:
        """Call a path below `/services/data/v68.0/`."""
        more = {} if body is None else {"json": body}
        return self.make(
            account,
            what,
            lambda sf: sf.restful(path, method=method, **more),
            is_repeatable=is_repeatable,
            can_wait=can_wait,
        )


def _following(url: str) -> Callable[[Any], Any]:
    return lambda sf: _answered(sf.query_more(url, identifier_is_url=True))


def _answered(answer: Any) -> Any:
    """A page without its parts is no page; KeyError is translated as an answer that cannot be read."""
    return {"records": answer["records"], "done": answer["done"], "nextRecordsUrl": answer.get("nextRecordsUrl")}
