"""How does an organisation let our External Client App in, and how does the app leave it again?

Authorization code with PKCE at the login page of production, of sandboxes, or of the organisation's own domain
(help.salesforce.com, "OAuth 2.0 Web Server Flow for Web App Integration"). The answer names an address that we are
to call with the organisation's token: it is believed only under Salesforce's own domains, and after that address has
itself said whose token it is.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from connector.adapters.crm.oauth_app import OAuthApp
from connector.adapters.crm.refreshing import CLIENT_ID, TIMEOUT, decoded, opened
from connector.adapters.crm.salesforce.addresses import instance_url, is_salesforce
from connector.adapters.crm.salesforce.ids import full_id, is_id, short
from connector.adapters.crm.salesforce.tokens import TOKEN_PATH
from connector.errors import ConfigurationError, CRMError, CRMRefusedError, CRMUnavailableError, InstallRefusedError
from connector.ports.installing import Asking, Grant
from connector.ports.ledger import Ledger

log = logging.getLogger(__name__)

SCOPES = ("api", "refresh_token", "id")  # records; to go on when nobody is logged in; whose organisation it is
PRODUCTION, SANDBOXES = "https://login.salesforce.com", "https://test.salesforce.com"

_OWN_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)?\.my\.salesforce\.(?:com|mil)")
_ORGANISATION = "00D"  # what ids of organisations begin with

_NOT_OURS = "This connector's app is not set up as Salesforce expects. Its operator has to check"
_PLAIN: Mapping[str, str] = {
    "access_denied": "You did not allow the connector to use your organisation. Nothing was installed.",
    "OAUTH_APP_BLOCKED": "An admin of your organisation has blocked the connector. Ask them to unblock it in Setup.",
    "OAUTH_APP_ACCESS_DENIED": "You may not use the connector in your organisation yet. Ask an admin to allow it.",
    "invalid_app_access": "You may not use the connector in your organisation yet. Ask an admin to allow it.",
    "invalid_grant": "Salesforce's answer was used already or is too old. Please install again.",
    "invalid_scope": f"{_NOT_OURS} the OAuth scopes of the External Client App: {', '.join(SCOPES)}.",
    "redirect_uri_mismatch": f"{_NOT_OURS} its callback URL.",
    "invalid_client_id": f"{_NOT_OURS} SALESFORCE_CLIENT_ID.",
    "invalid_client": f"{_NOT_OURS} SALESFORCE_CLIENT_SECRETS.",
    "inactive_org": "This organisation is not active any more.",
    "inactive_user": "This user is not active any more. Please log in as another.",
}
_THEIRS = frozenset({"access_denied", "invalid_grant", "inactive_org", "inactive_user"})


@dataclass(frozen=True, slots=True)
class SalesforceInstalling:
    """Salesforce's door; see `connector.ports.installing.OAuthDoor`.

    Args:
        app: None while the connector has no External Client App.
        login_url: of the usual login page.
        url: of a double that stands for every address of Salesforce's; empty for the real ones.
    """

    ledger: Ledger
    http: httpx.Client
    app: OAuthApp | None
    login_url: str = PRODUCTION
    url: str = ""
    slug: str = "salesforce"

    def host(self, named: str) -> str:
        """Give the login page: the usual one, production's, that of sandboxes, or an organisation's own domain."""
        text = named.strip().lower()
        if not text:
            return self.login_url.rstrip("/")
        try:
            host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        except ValueError:  # a bracket that does not close
            host = ""
        host = host.replace(".lightning.force.com", ".my.salesforce.com")  # what people copy from their browser
        if f"https://{host}" in {PRODUCTION, SANDBOXES} or _OWN_DOMAIN.fullmatch(host):
            return f"https://{host}"
        raise InstallRefusedError(
            "That is no login page of Salesforce's. Expected login.salesforce.com, test.salesforce.com, "
            "or your own domain such as acme.my.salesforce.com.",
            code="host",
        )

    def authorize_url(self, asking: Asking) -> str:
        """Give the address of the consent page."""
        query = {
            "response_type": "code",
            "client_id": self._app()["client_id"],
            "redirect_uri": asking.redirect_uri,
            "scope": " ".join(SCOPES),
            "state": asking.state,
            "code_challenge": asking.challenge,
            "code_challenge_method": "S256",
            "prompt": "login consent",  # an admin is to see which organisation it is, also when logged in already
        }
        return f"{self._at(asking.host)}/services/oauth2/authorize?{urlencode(query, quote_via=quote)}"

    def refusal(self, word: str) -> str:
        """Say in plain words why the consent page sent somebody back without a code."""
        return _PLAIN.get(word, f"Salesforce did not let the connector in ({word}). Please install again.")

    def exchange(self, code: str, verifier: str, asking: Asking) -> Grant:
        """Give what a code stands for, once the organisation's own address has said the same."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asking.redirect_uri,
            "code_verifier": verifier,
            **self._app(),
        }
        login = self._at(asking.host)
        answer = self._token(login, form)
        try:
            grant = self._granted(answer)
            self._demand_offline(grant)
            self._demand_same(grant)
        except (InstallRefusedError, CRMError):
            # Where it was given: the address that the answer names may be nobody's we know.
            self._give_back(login, str(answer.get("refresh_token") or answer["access_token"]))
            raise
        return grant

    def give_back(self, grant: Grant) -> None:
        """Revoke what is not wanted; the package, if one is installed, stays."""
        self._give_back(str(grant.settings["instance_url"]), grant.refresh_token or grant.access_token)

    def _give_back(self, base: str, token: str) -> None:
        try:
            self._revoke(base, token)
        except CRMError as error:
            log.warning("an unwanted approval of Salesforce could not be revoked: %s", error)

    def leave(self, account_id: str) -> Sequence[str]:
        """Revoke the account's tokens; a package can be uninstalled by an admin only."""
        with self.ledger.begin(write=False) as work:
            account = opened(work, account_id)
        token = account.refresh_token or account.access_token
        if token:
            try:
                self._revoke(instance_url(account.settings), token)
            except CRMRefusedError as error:
                log.warning("a Salesforce token could not be revoked: %s", error)
        return ("uninstall the package in Setup, Installed Packages: Salesforce lets no app do that itself",)

    def _granted(self, answer: Mapping[str, Any]) -> Grant:
        """Take what the answer says, if it may be believed."""
        instance = str(answer.get("instance_url") or "").rstrip("/")
        organisation = _organisation_of(str(answer.get("id") or ""))
        if not (is_salesforce(instance) or (self.url and instance == self.url.rstrip("/"))) or not organisation:
            log.error("Salesforce's token endpoint named an address or an organisation that is none of its own")
            raise InstallRefusedError("Salesforce's answer could not be understood. Please install again.", code="id")
        return Grant(
            external_id=organisation,
            access_token=str(answer["access_token"]),
            refresh_token=str(answer.get("refresh_token") or "") or None,
            expires_at=None,
            settings={"instance_url": instance, CLIENT_ID: self._app()["client_id"]},
        )

    def _demand_offline(self, grant: Grant) -> None:
        if not grant.refresh_token:
            raise InstallRefusedError(
                "Salesforce granted no offline access; the connector could not work while nobody is logged in. "
                f"{_NOT_OURS} the scope refresh_token of the External Client App.",
                code="missing_scopes",
            )

    def _demand_same(self, grant: Grant) -> None:
        """Ask the organisation's own address whose token it is."""
        url = str(grant.settings["instance_url"])
        headers = {"Authorization": f"Bearer {grant.access_token}", "Accept": "application/json"}
        response = self._sent("GET", url, "/services/oauth2/userinfo", headers=headers)
        told = str(decoded(response).get("organization_id") or "")
        if not response.is_success or short(told) != short(grant.external_id):
            raise InstallRefusedError("Salesforce does not confirm the organisation it let us into.", code="userinfo")

    def _token(self, base: str, form: Mapping[str, str]) -> Mapping[str, Any]:
        response = self._sent("POST", base, TOKEN_PATH, data=form, headers={"Accept": "application/json"})
        answer = decoded(response)
        if response.is_success and answer.get("access_token"):
            return answer
        word = str(answer.get("error") or "")
        if word and response.status_code in {400, 401, 403}:
            if word not in _THEIRS:
                log.error("Salesforce refuses our app: %s", word)
            raise InstallRefusedError(self.refusal(word), code=word)
        raise CRMUnavailableError(f"Salesforce answered HTTP {response.status_code}", status=response.status_code)

    def _revoke(self, instance: str, token: str) -> None:
        response = self._sent("POST", instance, "/services/oauth2/revoke", data={"token": token})
        if response.status_code >= 500 or response.status_code == 429:
            raise CRMUnavailableError(
                f"revoking: Salesforce answered HTTP {response.status_code}", status=response.status_code
            )  # 400 says that the token was dead already

    def _sent(self, method: str, base: str, path: str, **parts: Any) -> httpx.Response:
        """Call an address of Salesforce's, or the double that stands for it under the name it would have."""
        headers = {**parts.pop("headers", {}), "Host": urlsplit(base).netloc}
        url = f"{self.url.rstrip('/') or base}{path}"
        try:
            return self.http.request(method, url, headers=headers, timeout=TIMEOUT, follow_redirects=False, **parts)
        except httpx.HTTPError:
            raise CRMUnavailableError("no answer from Salesforce") from None  # the request holds a secret

    def _at(self, host: str) -> str:
        return self.url.rstrip("/") or host or self.login_url.rstrip("/")

    def _app(self) -> dict[str, str]:
        if self.app is None:
            raise ConfigurationError("SALESFORCE_CLIENT_ID is needed to install from Salesforce")
        secret = {"client_secret": self.app.client_secrets[0]} if self.app.client_secrets else {}
        return {"client_id": self.app.client_id, **secret}


def _organisation_of(identity: str) -> str:
    """Give the 18 characters of the organisation in `https://login.salesforce.com/id/<organisation>/<user>`."""
    parts = urlsplit(identity).path.strip("/").split("/")
    found = parts[1] if len(parts) == 3 and parts[0] == "id" else ""
    return full_id(found) if is_id(found) and found.startswith(_ORGANISATION) else ""
