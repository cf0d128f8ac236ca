"""How does an account come to us and leave again: attempts to install, and the CRM's own door?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class InstallAttemptRow:
    """One visitor on the way through a CRM's consent page.

    Attributes:
        state_hash: SHA-256 of the state, hex; the state itself is only in the browser.
        verifier: of PKCE; encrypted at rest.
        account_id: the account to be connected again; None when any may come.
        details: what the way back needs: `host` of the login page, `by` whom, `may_be_new`.
    """

    id: str
    crm: str
    state_hash: str = field(repr=False)
    verifier: str = field(repr=False)
    account_id: str | None
    details: Mapping[str, Any]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None


class InstallRepository(Protocol):
    """Attempts to install."""

    def add(self, attempt: InstallAttemptRow) -> None:
        """Insert an attempt."""
        ...

    def use(self, crm: str, state_hash: str, now: datetime) -> InstallAttemptRow | None:
        """Give the attempt with this state, once and in time; None when there is none, or it is used or too old."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete attempts whose time was over before a time; give how many."""
        ...


@dataclass(frozen=True, slots=True)
class Asking:
    """What the CRM's consent page is asked with.

    Attributes:
        challenge: of PKCE, S256.
        redirect_uri: where the browser comes back to; the same at the exchange.
        host: the login page the visitor named, or empty for the usual one.
    """

    state: str = field(repr=False)
    challenge: str
    redirect_uri: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the CRM gave for a code.

    Attributes:
        external_id: the portal or organisation it speaks for, as the CRM itself says.
        expires_at: of the access token; None when nobody tells.
        settings: what the account needs to be reached, such as `instance_url`.
    """

    external_id: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_at: datetime | None
    settings: Mapping[str, Any] = field(default_factory=dict)


class OAuthDoor(Protocol):
    """The way in and out of one kind of CRM."""

    @property
    def slug(self) -> str:
        """Name the CRM."""
        ...

    def host(self, named: str) -> str:
        """Give the login page for what a visitor named, empty for the usual one.

        Raises:
            InstallRefusedError: it is no address of this CRM's.
        """
        ...

    def authorize_url(self, asking: Asking) -> str:
        """Give the address of the consent page."""
        ...

    def refusal(self, word: str) -> str:
        """Say in plain words why the consent page sent somebody back without a code, by the CRM's word for it."""
        ...

    def exchange(self, code: str, verifier: str, asking: Asking) -> Grant:
        """Give what a code stands for.

        Raises:
            InstallRefusedError: the CRM refuses the code, or grants less than is needed.
            CRMUnavailableError: no answer; the code may be used up.
        """
        ...

    def give_back(self, grant: Grant) -> None:
        """Undo an installation that is not wanted, as far as the CRM lets us; never raises a `CRMError`."""
        ...

    def leave(self, account_id: str) -> Sequence[str]:
        """Uninstall the app and revoke its tokens; give, in words, what could not be done and has to be by a person.

        Repeating it is harmless.

        Raises:
            CRMUnavailableError: not done for now; try again.
        """
        ...
