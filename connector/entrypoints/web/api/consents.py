"""How does a program tell who agreed to what, and ask how a number stands?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.entrypoints.web.api.authentication import caller
from connector.entrypoints.web.api.consent_schemas import ConsentSchema, ConsentStandingSchema
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.api.schemas import NumberSchema
from connector.entrypoints.web.requests import connector
from connector.ports.api_keys import APIScope
from connector.ports.consents import ConsentKind, Scope
from connector.services.consent_orders import ConsentOrder, ConsentStanding, OptOutStandsError
from connector.services.text_orders import UnusableOrderError

blueprint = APIBlueprint("consents", "/consents", "Who agreed to what, and who never wants a text again.")


@blueprint.operation(Operation("POST", "/search", APIScope.CONSENTS_READ, ConsentStandingSchema, takes=NumberSchema))
def read_consent(given: Mapping[str, Any]) -> Any:
    """Tell how a number stands, with all evidence."""
    return _shown(connector().consent_orders.standing(caller().account_id, given["number"]))


@blueprint.operation(
    Operation(
        "POST",
        "",
        APIScope.CONSENTS_WRITE,
        ConsentStandingSchema,
        takes=ConsentSchema,
        also={409: "An opt-out stands that a program may not take back."},
    )
)
def record_consent(given: Mapping[str, Any]) -> Any:
    """Record an opt-in or opt-out.

    An opt-out holds from the answer on, for every text of the account. An opt-in takes back an opt-out that a program
    recorded; one that the person made by SMS, or the staff in the CRM, stands.
    """
    key, orders = caller(), connector().consent_orders
    order = ConsentOrder(
        account_id=key.account_id,
        number=given["number"],
        kind=ConsentKind(given["kind"]),
        scope=given["scope"],
        source=f"api:{key.prefix}:{given['source'] or connector().ledger.new_id()}",
        wording=given["wording"],
        asked=given["asked"],
    )
    if order.kind is ConsentKind.OPT_IN and order.scope is Scope.MARKETING and not order.wording.strip():
        raise UnusableOrderError("wording", "an opt-in to marketing needs what the person said or ticked")
    outcome = connector().committer.run(lambda uow: orders.record(uow, order))
    if isinstance(outcome, OptOutStandsError):
        raise outcome
    return _shown(outcome)


def _shown(standing: ConsentStanding) -> dict[str, Any]:
    return {
        "number": standing.msisdn,
        "may_be_texted": all(each.scope is not Scope.ALL for each in standing.suppressions),
        "marketing": None if standing.marketing is None else standing.marketing.value,
        "suppressions": [
            {"scope": each.scope.value, "mechanism": each.mechanism, "since": each.since}
            for each in standing.suppressions
        ],
        "history": [
            {
                "kind": each.kind.value,
                "scope": each.scope.value,
                "mechanism": each.mechanism,
                "source": each.source,
                "wording": each.wording,
                "asked": each.asked,
                "at": each.at,
            }
            for each in standing.history
        ],
    }
