"""How do the gateways fare?

Gateways serve every account of an installation, so how many texts go through them is told to none of the accounts.
"""

from __future__ import annotations

from typing import Any

from connector.entrypoints.web.api.gateway_schemas import ProviderSchema, ProvidersSchema
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.api.problems import ProblemError
from connector.entrypoints.web.requests import connector
from connector.ports.api_keys import APIScope
from connector.services.providers import ProviderStatus

blueprint = APIBlueprint("providers", "/providers", "Gateways, and how they fare.")


@blueprint.operation(Operation("GET", "", APIScope.PROVIDERS_READ, ProvidersSchema))
def list_providers() -> Any:
    """Tell how every gateway in use fares."""
    return {"providers": [_shown(each) for each in connector().providers.status()]}


@blueprint.operation(
    Operation("GET", "/<string:name>", APIScope.PROVIDERS_READ, ProviderSchema, also={404: "It is not in use."})
)
def provider_status(name: str) -> Any:
    """Tell how one gateway fares."""
    found = connector().providers.status(name)
    if not found:
        raise ProblemError("not-found")
    return _shown(found[0])


def _shown(status: ProviderStatus) -> dict[str, Any]:
    able = status.capabilities
    return {
        "name": status.slug,
        "vendor": able.vendor,
        "state": status.state.value,
        "share": status.share,
        "reason": status.reason,
        "since": status.since,
        "until": status.until,
        "usual_seconds": status.usual_seconds,
        "error_rate": status.error_rate,
        "delivery_rate": status.estimate.delivery_rate,
        "routes": list(status.routes),
        "fallen": [{"country": each.country, "carrier": each.carrier or None} for each in status.fallen],
        "has_incoming": able.has_incoming,
        "has_lookup": able.has_lookup,
        "receipts": able.receipts,
    }
