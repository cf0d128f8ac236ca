"""Whose token is this, does it still hold, and how is a new one got?

Authorization code with PKCE, refresh tokens that may rotate, sessions that end after two idle hours
(help.salesforce.com: OAuth 2.0 Web Server Flow; Refresh Token Rotation; Session Settings). On the sandbox clock.
"""

import base64
import hashlib
import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connector.sandbox.clock import SandboxClock
from connector.sandbox.salesforce.refusals import session_is_invalid

SESSION_LIFE = timedelta(hours=2)  # an org's default session timeout
CODE_LIFE = timedelta(minutes=15)  # the vendor's documented life of an authorization code
APPROVALS_PER_USER = 5  # a sixth approval of one app by one user ends the oldest
DEFAULT_SCOPES = ("api", "refresh_token", "id")


@dataclass(frozen=True)
class App:
    """An External Client App: what its owner copies out of the packaging org."""

    client_id: str
    client_secret: str | None
    redirect_uris: tuple[str, ...] = ()
    rotates: bool = True
    needs_pkce: bool = True


@dataclass
class Approval:
    """One user's consent to one app, with every token that came of it."""

    org_id: str
    user_id: str
    client_id: str
    scopes: tuple[str, ...]
    refresh_token: str = ""
    sessions: set[str] = field(default_factory=set)


@dataclass
class _Session:
    approval: Approval
    used_at: datetime


@dataclass(frozen=True)
class _Code:
    approval: Approval
    redirect_uri: str
    challenge: str | None
    expires_at: datetime


@dataclass(frozen=True)
class Issued:
    """What a token request brought: an access token, and a refresh token when there is a new one to tell."""

    approval: Approval
    access_token: str
    refresh_token: str | None


class TokenError(Exception):
    """An OAuth request refused: HTTP 400 with `error` and `error_description`."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


class Tokens:
    """Apps, approvals, codes, access and refresh tokens of all orgs."""

    def __init__(self, clock: SandboxClock, rng: random.Random) -> None:
        self._clock = clock
        self._random = rng
        self._lock = threading.RLock()
        self.apps: dict[str, App] = {}
        self._approvals: list[Approval] = []
        self._sessions: dict[str, _Session] = {}
        self._refresh: dict[str, Approval] = {}
        self._codes: dict[str, _Code] = {}

    def add_app(
        self,
        client_id: str,
        client_secret: str | None,
        redirect_uris: Iterable[str] = (),
        *,
        rotates: bool = True,
        needs_pkce: bool = True,
    ) -> App:
        """Register an app, or change one; without `redirect_uris` any is taken, without a secret none is asked."""
        app = App(client_id, client_secret, tuple(redirect_uris), rotates, needs_pkce)
        self.apps[client_id] = app
        return app

    def issue_code(
        self,
        app: App,
        org_id: str,
        user_id: str,
        redirect_uri: str,
        challenge: str | None = None,
        scopes: Iterable[str] = DEFAULT_SCOPES,
    ) -> str:
        """What the browser brings back after somebody agreed. It ends in `==`, which a URL must escape."""
        with self._lock:
            code = f"aPrx{self._invent()}=="
            approval = Approval(org_id, user_id, app.client_id, tuple(scopes))
            self._codes[code] = _Code(approval, redirect_uri, challenge, self._clock.now() + CODE_LIFE)
            return code

    def exchange_code(self, app: App, code: str, redirect_uri: str, verifier: str | None) -> Issued:
        """Tokens for a code, which works once."""
        with self._lock:
            known = self._codes.pop(code, None)
            if known is None or known.approval.client_id != app.client_id:
                raise TokenError("invalid_grant", "invalid authorization code")
            if known.expires_at <= self._clock.now():
                raise TokenError("invalid_grant", "expired authorization code")
            if known.redirect_uri != redirect_uri:
                raise TokenError("redirect_uri_mismatch", "redirect_uri must match configuration")
            _check_verifier(known.challenge, verifier)
            return self._approve(known.approval)

    def grant(self, org_id: str, user_id: str, client_id: str, scopes: Iterable[str] = DEFAULT_SCOPES) -> Issued:
        """Tokens without the web flow, as tests that begin after an installation want them."""
        with self._lock:
            return self._approve(Approval(org_id, user_id, client_id, tuple(scopes)))

    def refresh(self, app: App, refresh_token: str) -> Issued:
        """A new access token; a new refresh token too when they rotate, and the old one is dead at once."""
        with self._lock:
            approval = self._refresh.get(refresh_token)
            if approval is None or approval.client_id != app.client_id:
                raise TokenError("invalid_grant", "expired access/refresh token")
            fresh = None
            if app.rotates:
                del self._refresh[refresh_token]
                fresh = self._new_refresh(approval)
            return Issued(approval, self._new_session(approval), fresh)

    def approval_of_refresh(self, refresh_token: str) -> Approval | None:
        """Whose refresh token this is, while it lives."""
        return self._refresh.get(refresh_token)

    def session(self, token: str) -> Approval:
        """What an access token stands for, its idle time begun anew; 401 when unknown or idle for too long."""
        with self._lock:
            session = self._sessions.get(token)
            if session is None or session.used_at + SESSION_LIFE <= self._clock.now():
                self._sessions.pop(token, None)
                raise session_is_invalid()
            session.used_at = self._clock.now()
            return session.approval

    def revoke(self, token: str) -> bool:
        """End a token: with a refresh token go its sessions too. False when nobody knows it."""
        with self._lock:
            if token in self._sessions:
                del self._sessions[token]
                return True
            approval = self._refresh.get(token)
            if approval is None:
                return False
            self._end(approval)
            return True

    def expire_sessions(self, org_id: str) -> None:
        """End every access token of an org, as an admin may; refresh tokens live on."""
        with self._lock:
            for token, session in list(self._sessions.items()):
                if session.approval.org_id == org_id:
                    del self._sessions[token]

    def uninstall(self, org_id: str, client_id: str | None = None) -> None:
        """End every approval of an org (for one app when given)."""
        with self._lock:
            for approval in list(self._approvals):
                if approval.org_id == org_id and client_id in {None, approval.client_id}:
                    self._end(approval)

    def _approve(self, approval: Approval) -> Issued:
        alike = [
            each
            for each in self._approvals
            if (each.org_id, each.user_id, each.client_id) == (approval.org_id, approval.user_id, approval.client_id)
        ]
        if len(alike) >= APPROVALS_PER_USER:
            self._end(alike[0])
        self._approvals.append(approval)
        wants_refresh = not {"refresh_token", "offline_access"}.isdisjoint(approval.scopes)
        refresh_token = self._new_refresh(approval) if wants_refresh else None
        return Issued(approval, self._new_session(approval), refresh_token)

    def _end(self, approval: Approval) -> None:
        self._refresh.pop(approval.refresh_token, None)
        for token in approval.sessions:
            self._sessions.pop(token, None)
        self._approvals.remove(approval)

    def _new_refresh(self, approval: Approval) -> str:
        approval.refresh_token = f"5Aep861{self._invent()}"
        self._refresh[approval.refresh_token] = approval
        return approval.refresh_token

    def _new_session(self, approval: Approval) -> str:
        token = f"{approval.org_id[:15]}!AQ{self._invent()}"
        approval.sessions.add(token)
        self._sessions[token] = _Session(approval, self._clock.now())
        return token

    def _invent(self) -> str:
        return f"{self._random.getrandbits(192):048x}"


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    if challenge is None:
        return
    if not verifier:
        raise TokenError("invalid_request", "missing required code verifier")
    if challenge_of(verifier) != challenge:
        raise TokenError("invalid_grant", "invalid code verifier")
