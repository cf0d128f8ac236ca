"""How does a portal let our app in, and how does the app leave it again?

Authorization code with PKCE at HubSpot's consent page, then dated endpoints only
(developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens). An answer is believed after
introspection has named the same portal. Leaving is the uninstall call, made with the portal's own access token, and
then the revocation of the refresh token.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from connector.adapters.crm.hubspot.tokens import PortalTokens
from connector.adapters.crm.refreshing import CLIENT_ID, TIMEOUT, decoded, opened
from connector.errors import (
    ConfigurationError,
    CRMDisconnectedError,
    CRMError,
    CRMUnavailableError,
    DecryptionError,
    InstallRefusedError,
)
from connector.ports.installing import Asking, Grant
from connector.ports.ledger import AccountRow

log = logging.getLogger(__name__)

SCOPES = (
    "oauth",  # every OAuth app must ask for it
    "crm.objects.contacts.read",  # whom to text
    "crm.objects.contacts.write",  # opt-outs, and texts on the timeline
    "crm.schemas.contacts.write",  # our own properties
    "crm.objects.deals.read",  # deal journeys
    "tickets",  # ticket journeys
    "crm.objects.invoices.read",  # invoice journeys
    "crm.objects.owners.read",  # whom to notify
)
"""Without these the app is not installed; the same as `requiredScopes` in the app's project, or HubSpot refuses it."""

OPTIONAL_SCOPES = (
    "automation",  # to end the wait of a workflow action
    "crm.objects.carts.read",  # journeys on carts, orders, appointments, payments: those who have them
    "crm.objects.orders.read",
    "crm.objects.appointments.read",
    "crm.objects.commercepayments.read",
)
"""HubSpot leaves out those that the portal's edition has not."""

_REAL_API = "https://api.hubapi.com"
_CONSENT_PAGE = "https://app.hubspot.com"  # it leads people of other data centres to theirs

_PLAIN: Mapping[str, str] = {
    "access_denied": "You did not allow the connector to use your HubSpot account. Nothing was installed.",
    "invalid_scope": "This connector asks for other rights than its HubSpot app does. Its operator has to mend it.",
    "BAD_AUTH_CODE": "HubSpot's answer was used already or is too old. Please install again.",
    "BAD_CODE_VERIFIER": "HubSpot's answer does not belong to this browser's request. Please install again.",
    "BAD_REDIRECT_URI": "This connector's address is not the one its HubSpot app names. Its operator has to mend it.",
    "BAD_SCOPES": "This connector asks for other rights than its HubSpot app does. Its operator has to mend it.",
    "BAD_CLIENT_ID": "HubSpot does not know this connector's app. Its operator has to check HUBSPOT_CLIENT_ID.",
    "BAD_CLIENT_SECRET": "HubSpot refuses this connector's app. Its operator has to check HUBSPOT_CLIENT_SECRETS.",
}


@dataclass(frozen=True, slots=True)
class HubSpotInstalling:
    """HubSpot's door; see `connector.ports.installing.OAuthDoor`. What it is made of is the tokens' own."""

    tokens: PortalTokens
    slug: str = "hubspot"

    def host(self, named: str) -> str:
        """Give the consent page's host; HubSpot has one for everybody."""
        if named:
            raise InstallRefusedError("HubSpot has one login page for everybody.", code="host")
        url = self.tokens.url.rstrip("/")
        return _CONSENT_PAGE if url == _REAL_API else url  # a double shows the page itself

    def authorize_url(self, asking: Asking) -> str:
        """Give the address of the consent page."""
        query = {
            "client_id": self._app()["client_id"],
            "redirect_uri": asking.redirect_uri,
            "scope": " ".join(SCOPES),
            "optional_scope": " ".join(OPTIONAL_SCOPES),
            "state": asking.state,
            "code_challenge": asking.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self.host('')}/oauth/authorize?{urlencode(query, quote_via=quote)}"  # scopes are parted by %20

    def refusal(self, word: str) -> str:
        """Say in plain words why the consent page sent somebody back without a code."""
        return _PLAIN.get(word, f"HubSpot did not let the connector in ({word}). Please install again.")

    def exchange(self, code: str, verifier: str, asking: Asking) -> Grant:
        """Give what a code stands for, once introspection has said the same."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asking.redirect_uri,
            "code_verifier": verifier,
        }
        answer = self._post("token", form)
        grant = Grant(
            external_id=str(answer.get("hub_id") or ""),
            access_token=str(answer["access_token"]),
            refresh_token=str(answer.get("refresh_token") or "") or None,
            expires_at=self.tokens.clock.now() + timedelta(seconds=int(answer.get("expires_in") or 0)),
            settings={CLIENT_ID: self._app()["client_id"]},
        )
        try:
            return self._confirmed(grant, answer.get("scopes") or ())
        except (InstallRefusedError, CRMError):
            if not self._is_in_use(grant):
                self.give_back(grant)
            raise

    def _confirmed(self, grant: Grant, scopes: Sequence[str]) -> Grant:
        seen = self._post("token/introspect", {"token": grant.access_token, "token_type_hint": "access_token"})
        portal = grant.external_id or str(seen.get("hub_id") or "")
        if not seen.get("active") or not portal or str(seen.get("hub_id")) != portal:
            raise InstallRefusedError("HubSpot does not confirm the account it let us into.", code="introspection")
        _demand_scopes(seen.get("scopes") or scopes)
        by = {"installed_by": str(seen["user"])} if seen.get("user") else {}
        return replace(grant, external_id=portal, settings={**grant.settings, **by})

    def _is_in_use(self, grant: Grant) -> bool:
        """Whether a portal's account works with an installation already: giving this one back would end that one."""
        with self.tokens.ledger.begin(write=False) as work:
            found = work.accounts.installed(self.slug, [grant.external_id]).get(grant.external_id)
            try:
                return found is not None and work.accounts.with_tokens(found).refresh_token is not None
            except DecryptionError:
                return True  # there is something: perhaps another process opens it, and a person can mend it

    def give_back(self, grant: Grant) -> None:
        """Uninstall what is not wanted."""
        try:
            self._uninstall(grant.access_token)
            self._revoke(grant.refresh_token)
        except CRMError as error:
            log.warning("an unwanted installation of HubSpot could not be undone: %s", error)

    def leave(self, account_id: str) -> Sequence[str]:
        """Uninstall the app from an account's portal."""
        with self.tokens.ledger.begin(write=False) as work:
            account = opened(work, account_id)
        if account.refresh_token is None:
            return _by_hand(account)
        try:
            self._uninstall(self.tokens.token(account_id))
        except CRMDisconnectedError:
            return ()  # it was uninstalled there before
        with self.tokens.ledger.begin(write=False) as work:
            self._revoke(opened(work, account_id).refresh_token)  # the call may have renewed it
        return ()

    def _uninstall(self, access_token: str) -> None:
        url = f"{self._api()}/appinstalls/{self.tokens.version}/external-install"
        headers = {"Authorization": f"Bearer {access_token}"}
        response = self._sent("DELETE", url, headers=headers)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise CRMDisconnectedError("HubSpot does not take the account's token any more", status=401)
        if not response.is_success and response.status_code != httpx.codes.NOT_FOUND:
            raise CRMUnavailableError(
                f"uninstalling: HubSpot answered HTTP {response.status_code}", status=response.status_code
            )

    def _revoke(self, refresh_token: str | None) -> None:
        if refresh_token is None:
            return
        try:
            self._post("token/revoke", {"token": refresh_token, "token_type_hint": "refresh_token"})
        except InstallRefusedError as error:
            log.info("HubSpot had nothing to revoke: %s", error.code)  # the uninstallation has ended it

    def _post(self, path: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        """Post a form as our app.

        Raises:
            InstallRefusedError: refused, in words for the person at the browser.
            CRMUnavailableError: no answer that tells anything.
        """
        url = f"{self._api()}/oauth/{self.tokens.version}/{path}"
        response = self._sent("POST", url, data={**self._app(), **form})
        answer = decoded(response)
        if response.is_success and (path != "token" or answer.get("access_token")):
            return answer
        word = str(answer.get("status") or answer.get("error") or "")
        if response.status_code in {400, 401, 403}:
            if word not in {"BAD_AUTH_CODE", "BAD_CODE_VERIFIER", "BAD_REFRESH_TOKEN"}:
                log.error("HubSpot refuses our app at %s: %s", path, word)
            raise InstallRefusedError(_PLAIN.get(word, f"HubSpot refuses the installation ({word})."), code=word)
        raise CRMUnavailableError(f"HubSpot answered HTTP {response.status_code}", status=response.status_code)

    def _sent(self, method: str, url: str, **parts: Any) -> httpx.Response:
        try:
            return self.tokens.http.request(method, url, timeout=TIMEOUT, follow_redirects=False, **parts)
        except httpx.HTTPError:
            raise CRMUnavailableError("no answer from HubSpot") from None  # the request holds a secret

    def _api(self) -> str:
        return self.tokens.url.rstrip("/")

    def _app(self) -> dict[str, str]:
        app = self.tokens.app
        if app is None:
            raise ConfigurationError("HUBSPOT_CLIENT_ID and HUBSPOT_CLIENT_SECRETS are needed to install from HubSpot")
        return {"client_id": app.client_id, "client_secret": app.client_secrets[0]}


def _demand_scopes(given: Sequence[str]) -> None:
    missing = [scope for scope in SCOPES if scope not in given]
    if missing:
        raise InstallRefusedError(
            f"HubSpot granted less than the connector needs; missing: {', '.join(missing)}. "
            "Please install again and allow everything that is asked for.",
            code="missing_scopes",
        )


def _by_hand(account: AccountRow) -> Sequence[str]:
    if account.access_token is None:
        return ()
    return ("delete the private app in HubSpot's settings: its token goes on until then",)
