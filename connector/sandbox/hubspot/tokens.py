"""Whose token is this, does it still hold, and how is a new one got?

30-minute access tokens, refresh tokens that last until revoked or uninstalled and may rotate, one-time codes
(developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens). All on the sandbox clock.
"""

import base64
import hashlib
import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.sandbox.clock import SandboxClock
from connector.sandbox.hubspot.refusals import RefusalError

ACCESS_TOKEN_LIFE = timedelta(seconds=1800)
CODE_LIFE = timedelta(minutes=10)  # long enough for a browser's round trip


@dataclass(frozen=True)
class App:
    """A registered app: what its owner copies out of the developer account."""

    client_id: str
    client_secret: str
    app_id: int
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """What a token, refresh token or code stands for; `scopes` None means all, `expires_at` None never."""

    portal_id: int
    scopes: frozenset[str] | None = None
    client_id: str | None = None
    redirect_uri: str | None = None
    expires_at: datetime | None = None
    challenge: str | None = None


def s256(verifier: str) -> str:
    """PKCE's challenge for a verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class TokenError(Exception):
    """An OAuth request refused: the status word, the OAuth error and the text HubSpot answers with."""

    def __init__(self, status: str, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error


class Tokens:
    """Apps, codes, access and refresh tokens. `rotates` hands out a new refresh token at each refresh."""

    def __init__(self, clock: SandboxClock, rng: random.Random) -> None:
        self._clock = clock
        self._random = rng
        self._lock = threading.RLock()
        self.rotates = False
        self.apps: dict[str, App] = {}
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._codes: dict[str, Grant] = {}
        self._app_tokens: dict[str, Grant] = {}

    def add_app(self, client_id: str, client_secret: str, app_id: int, redirect_uris: Iterable[str] = ()) -> App:
        """Register an app that may use the OAuth endpoints."""
        app = App(client_id, client_secret, app_id, tuple(redirect_uris))
        self.apps[client_id] = app
        return app

    def add_static(self, token: str, portal_id: int, scopes: Iterable[str] | None = None) -> None:
        """Let `token` act for a portal for ever, as a private app's does."""
        self._access[token] = Grant(portal_id, None if scopes is None else frozenset(scopes))

    def issue_code(
        self,
        client_id: str,
        portal_id: int,
        redirect_uri: str,
        scopes: Iterable[str] | None = None,
        challenge: str | None = None,
    ) -> str:
        """What the browser brings back after an installer agreed; `challenge` is PKCE's, S256."""
        with self._lock:
            code = self._invent("code")
            self._codes[code] = Grant(
                portal_id,
                None if scopes is None else frozenset(scopes),
                client_id,
                redirect_uri,
                self._clock.now() + CODE_LIFE,
                challenge,
            )
            return code

    def exchange_code(self, app: App, code: str, redirect_uri: str, verifier: str = "") -> dict[str, Any]:
        """Tokens for a code, which works once; `verifier` answers the challenge the code was asked for with."""
        with self._lock:
            grant = self._codes.pop(code, None)
            if grant is None or grant.client_id != app.client_id or self._has_expired(grant):
                raise TokenError("BAD_AUTH_CODE", "invalid_grant", "missing or unknown auth code")
            if grant.redirect_uri != redirect_uri:
                raise TokenError("BAD_REDIRECT_URI", "invalid_grant", "redirect_uri does not match the code")
            if grant.challenge is not None and s256(verifier) != grant.challenge:
                raise TokenError("BAD_CODE_VERIFIER", "invalid_grant", "code_verifier does not match the code")
            return self._answer(grant, self._new_refresh(grant))

    def refresh(self, app: App, refresh_token: str) -> dict[str, Any]:
        """A new access token; the refresh token comes back too, a new one when they rotate."""
        with self._lock:
            grant = self._refresh.get(refresh_token)
            if grant is None or grant.client_id != app.client_id:
                raise TokenError("BAD_REFRESH_TOKEN", "invalid_grant", "missing or invalid refresh token")
            if self.rotates:
                del self._refresh[refresh_token]
                refresh_token = self._new_refresh(grant)
            return self._answer(grant, refresh_token)

    def grant(self, token: str) -> Grant:
        """What an access token stands for; 401 when it is unknown or its time is up."""
        grant = self._access.get(token)
        if grant is None:
            raise RefusalError(401, "INVALID_AUTHENTICATION", NO_CREDENTIALS)
        if self._has_expired(grant):
            raise RefusalError(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")
        return grant

    def issue_app_token(self, app: App, scopes: str) -> dict[str, Any]:
        """A token of the app itself and of no portal, by its own credentials."""
        with self._lock:
            token = self._invent("app")
            expires_at = self._clock.now() + ACCESS_TOKEN_LIFE
            self._app_tokens[token] = Grant(0, frozenset(scopes.split()), app.client_id, None, expires_at)
            life = int(ACCESS_TOKEN_LIFE.total_seconds())
            return {"token_type": "bearer", "access_token": token, "expires_in": life, "scopes": scopes.split()}

    def app_grant(self, token: str, scope: str) -> Grant:
        """What a token of the app stands for; 401 for any other, 403 without the scope."""
        grant = self._app_tokens.get(token)
        if grant is None or self._has_expired(grant):
            raise RefusalError(401, "INVALID_AUTHENTICATION", NO_CREDENTIALS)
        if scope not in (grant.scopes or ()):
            raise RefusalError(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.")
        return grant

    def find(self, token: str) -> tuple[str, Grant] | None:
        """The kind and grant of a live token, for introspection."""
        if token in self._refresh:
            return "refresh_token", self._refresh[token]
        grant = self._access.get(token)
        return ("access_token", grant) if grant and not self._has_expired(grant) else None

    def revoke(self, token: str) -> None:
        """Forget a refresh token; live access tokens go on till their time is up, as HubSpot's do."""
        with self._lock:
            self._refresh.pop(token, None)

    def uninstall(self, portal_id: int, client_id: str | None = None) -> None:
        """Forget every token of a portal (for one app when given)."""
        with self._lock:
            for tokens in (self._access, self._refresh):
                for token, grant in list(tokens.items()):
                    if grant.portal_id == portal_id and client_id in {None, grant.client_id}:
                        del tokens[token]

    def _has_expired(self, grant: Grant) -> bool:
        return grant.expires_at is not None and grant.expires_at <= self._clock.now()

    def _new_refresh(self, grant: Grant) -> str:
        token = self._invent("refresh")
        self._refresh[token] = Grant(grant.portal_id, grant.scopes, grant.client_id)
        return token

    def _answer(self, grant: Grant, refresh_token: str) -> dict[str, Any]:
        token = self._invent("access")
        expires_at = self._clock.now() + ACCESS_TOKEN_LIFE
        self._access[token] = Grant(grant.portal_id, grant.scopes, grant.client_id, None, expires_at)
        return {
            "token_type": "bearer",
            "token_use": "access_token",
            "access_token": token,
            "refresh_token": refresh_token,
            "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
            "hub_id": grant.portal_id,
            "scopes": sorted(grant.scopes or ()),
            "user_id": 1_000_001,
        }

    def _invent(self, kind: str) -> str:
        return f"sandbox-{kind}-{self._random.getrandbits(128):032x}"


NO_CREDENTIALS = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
    "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
