"""How is HubSpot's official client kept on a dated API version, within time limits and free of hidden retries?

`hubspot-api-client` 12 speaks `/crm/v3` and `/crm/v4`, which HubSpot stops supporting in 2027
(developers.hubspot.com/changelog, "legacy APIs"). Its `api_factory` hook lets every path be written anew. The same
hook sets what the client lacks: time-outs, one connection pool for all its packages, our name, and plain JSON answers
for every 2xx status (its own models know only the statuses and fields of the old versions).
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import certifi
import hubspot
import urllib3

from connector.adapters.crm.hubspot.errors import UnreadableAnswerError

TIMEOUT = (3.05, 15.0)  # connect: just over one TCP retransmission; read: HubSpot's slowest batches stay under it
USER_AGENT = "sms-connector"
_KEPT_PORTALS = 512  # API objects are small once they share a pool; more portals than this are made anew
_POOL_SIZE = 32  # more threads than one worker process runs

_RULES = tuple(
    (re.compile(pattern), target)
    for pattern, target in (
        (r"^/crm/v[34]/objects/", "/crm/objects/{v}/"),
        (r"^/crm/v4/associations/", "/crm/associations/{v}/"),
        (r"^/crm/v3/properties/", "/crm/properties/{v}/"),
        (r"^/crm/v3/pipelines/", "/crm/pipelines/{v}/"),
        (r"^/crm/v3/owners", "/crm/owners/{v}"),
        (r"^/account-info/v3/", "/account-info/{v}/"),
        (r"^/automation/v4/actions/callbacks/", "/automation/actions/callbacks/{v}/"),
    )
)


def dated_path(path: str, version: str) -> str:
    """Write a legacy path of the SDK as the dated one; LookupError for a path that has no rule."""
    for pattern, target in _RULES:
        dated, hits = pattern.subn(target.format(v=version), path)
        if hits:
            return dated.rstrip("/")
    raise LookupError(f"no dated path for {path}")


@dataclass(frozen=True, slots=True)
class PortalAPI:
    """The API objects of one portal's token; every method answers with decoded JSON, None for an empty body."""

    batches: Any
    searches: Any
    associations: Any
    pipelines: Any
    owners: Any
    properties: Any
    property_groups: Any
    callbacks: Any

    def account_details(self) -> Any:
        """GET the portal's own facts; the SDK has no method for it."""
        client = self.batches.api_client
        path, auth = "/account-info/v3/details", ["oauth2"]
        return client.call_api(path, "GET", auth_settings=auth, _return_http_data_only=True)


@dataclass(slots=True)
class DatedClients:
    """Makes and keeps the API objects of each portal; safe to share between threads.

    Args:
        url: `https://api.hubapi.com`, or a double's.
        version: such as `2026-09`.
    """

    url: str
    version: str
    _kept: OrderedDict[str, tuple[str, PortalAPI]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _pool: urllib3.PoolManager = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._pool = urllib3.PoolManager(maxsize=_POOL_SIZE, retries=urllib3.Retry(0), ca_certs=certifi.where())

    def of_portal(self, portal_id: str, token: str) -> PortalAPI:
        """Give the portal's API objects, made anew when its token has changed."""
        with self._lock:
            known = self._kept.get(portal_id)
            if known is None or known[0] != token:
                known = (token, self._make(token))
                self._kept[portal_id] = known
            self._kept.move_to_end(portal_id)
            while len(self._kept) > _KEPT_PORTALS:
                self._kept.popitem(last=False)
            return known[1]

    def _make(self, token: str) -> PortalAPI:
        client = hubspot.Client.create(
            access_token=token, retry=urllib3.Retry(0), host=self.url.rstrip("/"), api_factory=self._api
        )
        crm = client.crm
        return PortalAPI(
            batches=crm.objects.batch_api,
            searches=crm.objects.search_api,
            associations=crm.associations.v4.batch_api,
            pipelines=crm.pipelines.pipelines_api,
            owners=crm.owners.owners_api,
            properties=crm.properties.core_api,
            property_groups=crm.properties.groups_api,
            callbacks=client.automation.actions.callbacks_api,
        )

    def _api(self, package: Any, api_name: str, config: dict[str, Any]) -> Any:
        """Stand in for the SDK's own factory. A fresh Configuration also keeps its loggers above DEBUG, where they
        would write whole answers.
        """
        configuration = package.Configuration()
        configuration.access_token, configuration.host = config["access_token"], config["host"]
        configuration.retries = config["retry"]
        client = _dated(package.ApiClient, self.version)(configuration=configuration)
        client.rest_client.pool_manager = self._pool
        client.user_agent = USER_AGENT
        return getattr(package, api_name)(api_client=client)


class _AnyStatus(dict[int, str]):
    """Declares a JSON answer for every 2xx: the SDK answers None, silently, for a status it does not know."""

    def get(self, status: int, default: Any = None) -> Any:  # noqa: ARG002 - the signature is dict's
        return None if status == 204 else "object"


def _dated(base: Any, version: str) -> Any:
    class DatedClient(base):  # type: ignore[misc]  # the SDK is untyped
        def call_api(self, path: str, method: str, *args: Any, **options: Any) -> Any:
            options["response_types_map"] = _AnyStatus()
            if options.get("_request_timeout") is None:
                options["_request_timeout"] = TIMEOUT
            return super().call_api(dated_path(path, version), method, *args, **options)

        def deserialize(self, response: Any, response_type: str) -> Any:  # noqa: ARG002 - as the SDK calls it
            try:
                return json.loads(response.data)
            except ValueError:
                raise UnreadableAnswerError from None

    return DatedClient
