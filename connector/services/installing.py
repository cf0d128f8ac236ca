"""How does an admin's yes in a CRM become an account, and only the account it was given for?

The way there and back is the browser's. What it brings back counts once, for ten minutes, in the very browser that
set out: the state stands in its cookie and, hashed, in the ledger, and PKCE's verifier never leaves the ledger.
A portal nobody knows becomes an account only where the operator let anybody install, or set out himself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from connector.domain.account_status import AccountStatus
from connector.errors import ConfigurationError, InstallRefusedError
from connector.ports.installing import Asking, Grant, InstallAttemptRow, OAuthDoor
from connector.ports.ledger import AccountRow, Ledger
from connector.ports.time import Clock
from connector.services.accounts import Accounts, Added, Installation

log = structlog.get_logger(__name__)

LIFETIME = timedelta(minutes=10)
"""Long enough to log in and to read what is asked for; HubSpot's and Salesforce's codes live no longer either."""

_KEPT = timedelta(days=1)  # attempts are of no use after their time; a day of them helps when somebody asks why


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sets out.

    Attributes:
        may_bring_new: whether a portal nobody knows may become an account.
        by: who it is, as far as we know.
    """

    may_bring_new: bool
    by: str = "somebody at the CRM's consent page"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and what it is to bring back."""

    url: str = field(repr=False)
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Return:
    """What the browser brought back.

    Attributes:
        state: of the address.
        kept_state: of the browser's cookie.
        error: the CRM's word for why there is no code.
    """

    state: str = field(repr=False)
    kept_state: str = field(repr=False)
    code: str = field(default="", repr=False)
    error: str = ""


@dataclass(frozen=True, slots=True)
class Installed:
    """An installation that came to something."""

    added: Added
    is_new: bool


class Installer:
    """Installs and reconnects.

    Args of the constructor:
        doors: of every CRM whose app this connector has.
        accounts: takes what came in.
        public_url: under which browsers come back.
        new_secret: makes texts of 43 or more characters that nobody can guess.
    """

    def __init__(
        self,
        ledger: Ledger,
        doors: Mapping[str, OAuthDoor],
        accounts: Accounts,
        clock: Clock,
        public_url: str,
        new_secret: Callable[[], str],
    ) -> None:
        self._ledger, self._doors, self._accounts, self._clock = ledger, doors, accounts, clock
        self._public_url, self._new_secret = public_url, new_secret

    def begin(self, crm: str, visitor: Visitor, host: str = "", account_id: str | None = None) -> Begun:
        """Set out for a CRM's consent page, to install or, with an account, to connect it again.

        Raises:
            InstallRefusedError: no such CRM, login page or account.
        """
        door, now = self._door(crm), self._clock.now()
        if account_id is not None and self.account(account_id).crm != crm:
            raise InstallRefusedError("This account is of another CRM.", code="account")
        state, verifier = self._new_secret(), self._new_secret()
        asking = Asking(state, _challenge(verifier), self._back_to(crm), door.host(host))
        url = door.authorize_url(asking)
        with self._ledger.begin() as uow:
            uow.installs.forget(now - _KEPT)
            uow.installs.add(
                InstallAttemptRow(
                    id=self._ledger.new_id(),
                    crm=crm,
                    state_hash=_hash(state),
                    verifier=verifier,
                    account_id=account_id,
                    details={"host": asking.host, "may_bring_new": visitor.may_bring_new, "by": visitor.by},
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
            )
            uow.commit()
        return Begun(url, state)

    def finish(self, crm: str, back: Return) -> Installed:
        """Make what the browser brought back an account.

        Raises:
            InstallRefusedError: it comes to nothing; says why, for the person at the browser.
            CRMError: the CRM does not answer, or not as it should.
        """
        door = self._door(crm)
        attempt = self._used(crm, back)
        if back.error or not back.code:
            raise InstallRefusedError(door.refusal(back.error or "no answer"), code=back.error or "no_code")
        asking = Asking(back.state, _challenge(attempt.verifier), self._back_to(crm), str(attempt.details["host"]))
        grant = door.exchange(back.code, attempt.verifier, asking)
        known = self._known(crm, grant)
        try:
            _demand_right(attempt, known, grant)
        except InstallRefusedError:
            if known is None:  # of a portal that is an account already, another approval may still be in use
                door.give_back(grant)
            raise
        return Installed(self._taken(crm, grant), is_new=known is None)

    def account(self, account_id: str) -> AccountRow:
        """Give an account that is to be connected again.

        Raises:
            InstallRefusedError: there is none, or none any more.
        """
        try:
            with self._ledger.begin(write=False) as uow:
                found = uow.accounts.get(account_id)
        except KeyError:
            raise InstallRefusedError("There is no such account.", code="account") from None
        if found.status == AccountStatus.ERASING:
            raise InstallRefusedError("This account's data is being erased.", code="account")
        return found

    def offered(self) -> Sequence[str]:
        """Name the CRMs from which one can install."""
        return sorted(self._doors)

    def _door(self, crm: str) -> OAuthDoor:
        door = self._doors.get(crm)
        if door is None:
            raise InstallRefusedError("This connector is not set up to be installed from there.", code="crm")
        return door

    def _used(self, crm: str, back: Return) -> InstallAttemptRow:
        is_same = bool(back.state) and hmac.compare_digest(back.state.encode(), back.kept_state.encode())
        if not is_same:
            raise InstallRefusedError(
                "This answer does not belong to this browser, or was too long on its way. Please install again, "
                "in one window and with cookies allowed.",
                code="state",
            )
        with self._ledger.begin() as uow:
            attempt = uow.installs.use(crm, _hash(back.state), self._clock.now())
            uow.commit()
        if attempt is None:
            raise InstallRefusedError(
                "This answer was used already, or came more than ten minutes after the start. Please install again.",
                code="state",
            )
        return attempt

    def _known(self, crm: str, grant: Grant) -> AccountRow | None:
        with self._ledger.begin(write=False) as uow:
            found = uow.accounts.by_external_ids(crm, [grant.external_id]).get(grant.external_id)
            return None if found is None else uow.accounts.get(found)

    def _taken(self, crm: str, grant: Grant) -> Added:
        installation = Installation(
            crm, grant.external_id, grant.access_token, grant.refresh_token, grant.settings, grant.expires_at
        )
        try:
            return self._accounts.add(installation)
        except ConfigurationError as error:
            log.error("install.refused", crm=crm, external_id=grant.external_id, why=str(error))
            raise InstallRefusedError(f"The account could not be added: {error}.", code="account") from error

    def _back_to(self, crm: str) -> str:
        return f"{self._public_url}/install/{crm}/callback"


def _demand_right(attempt: InstallAttemptRow, known: AccountRow | None, grant: Grant) -> None:
    """Refuse what may not become an account, or not the account that was meant."""
    if attempt.account_id is not None and (known is None or known.id != attempt.account_id):
        raise InstallRefusedError(
            f"You logged in to {grant.external_id}, which is not the account to be connected again. "
            "Please log out there and begin anew.",
            code="other_account",
        )
    if known is None and not attempt.details.get("may_bring_new"):
        raise InstallRefusedError(
            f"Account {grant.external_id} is not known here, and this connector takes new accounts from its operator "
            "only. Ask them to begin the installation, or to set INSTALL_OPEN=yes.",
            code="closed",
        )
    if known is not None and known.status == AccountStatus.ERASING:
        raise InstallRefusedError(
            "The data of this account is being erased. Please install again in a quarter of an hour.", code="erasing"
        )


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _challenge(verifier: str) -> str:
    """Give PKCE's challenge for a verifier (RFC 7636, 4.2: S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
