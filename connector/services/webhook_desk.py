"""How does an operator let a system deliver webhooks for an account, change its secret, and end it?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connector.errors import ConfigurationError
from connector.ports.account_secrets import AccountSecretRow
from connector.services.account_secrets import AccountSecrets
from connector.services.webhook_intake import secret_name

_SHORTEST = 16
"""Characters of a secret that another system chose. Shorter ones can be tried out by whoever recorded one request."""


@dataclass(frozen=True, slots=True)
class OpenEndpoint:
    """An address to which a system delivers for an account.

    Attributes:
        url: holds nothing secret.
        secret: shown once, when it is made; empty later.
        since: when the secret in use was made.
        until: when the one before it ends, while both hold.
    """

    source: str
    url: str
    since: datetime
    until: datetime | None = None
    secret: str = field(default="", repr=False)


class WebhookDesk:
    """Opens and closes addresses.

    Args of the constructor:
        sources: the systems that `mappings/events/generic.yaml` describes.
        public_url: where this connector is reached.
    """

    def __init__(self, secrets: AccountSecrets, sources: Collection[str], public_url: str) -> None:
        self._secrets, self._sources, self._public_url = secrets, sources, public_url

    def add(self, account_id: str, source: str, given: str = "") -> OpenEndpoint:
        """Open an address with a new secret, or with the one that the other system chose.

        Raises:
            ConfigurationError: no such source, it is open already, or the secret is too short or known.
        """
        self._demand(source)
        if self._valid(account_id, source):
            raise ConfigurationError(f"{source} is open already; a new secret: smsctl webhook rotate")
        return self._renewed(account_id, source, given, at_once=True)

    def rotate(self, account_id: str, source: str, given: str = "", *, at_once: bool = False) -> OpenEndpoint:
        """Give an open address a new secret; the last one holds for a week more, or no longer.

        Raises:
            ConfigurationError: it is not open, or the secret is too short or known.
        """
        self._demand(source)
        if not self._valid(account_id, source):
            raise ConfigurationError(f"{source} is not open for this account; open it: smsctl webhook add")
        return self._renewed(account_id, source, given, at_once=at_once)

    def remove(self, account_id: str, source: str) -> bool:
        """Close an address at once, also one that no file describes any more; False when it was not open."""
        return self._secrets.remove(account_id, secret_name(source)) > 0

    def opened(self, account_id: str) -> Sequence[OpenEndpoint]:
        """Give the addresses that are open for an account, without their secrets."""
        found = [(source, self._valid(account_id, source)) for source in sorted(self._sources)]
        return [self._endpoint(account_id, source, rows) for source, rows in found if rows]

    def _renewed(self, account_id: str, source: str, given: str, *, at_once: bool) -> OpenEndpoint:
        if given and len(given) < _SHORTEST:
            raise ConfigurationError(f"the secret is shorter than {_SHORTEST} characters: have a longer one made")
        if given and self._secrets.is_known(given):
            raise ConfigurationError("this secret is or was in use here: have a new one made")
        made = self._secrets.rotate(account_id, secret_name(source), given, at_once=at_once)
        rows = self._valid(account_id, source)
        return self._endpoint(account_id, source, rows, made.secret)

    def _endpoint(
        self, account_id: str, source: str, rows: Sequence[AccountSecretRow], secret: str = ""
    ) -> OpenEndpoint:
        url = f"{self._public_url}/webhooks/generic/{source}/{account_id}"
        return OpenEndpoint(source, url, rows[0].created_at, rows[1].retires_at if len(rows) > 1 else None, secret)

    def _valid(self, account_id: str, source: str) -> Sequence[AccountSecretRow]:
        return self._secrets.valid(account_id, secret_name(source))

    def _demand(self, source: str) -> None:
        if source not in self._sources:
            known = ", ".join(sorted(self._sources)) or "none yet"
            raise ConfigurationError(f"mappings/events/generic.yaml describes no source {source}; there are {known}")
