"""What is known of numbers, and what does a gateway say when it is asked?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.entrypoints.web.api.authentication import caller
from connector.entrypoints.web.api.gateway_schemas import (
    KnownNumberSchema,
    KnownNumbersSchema,
    LookupSchema,
    NumbersSchema,
)
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.api.problems import ProblemError
from connector.entrypoints.web.api.shown import cost_shown
from connector.entrypoints.web.requests import connector
from connector.errors import ConfigurationError, SendError
from connector.ports.api_keys import APIScope
from connector.ports.lookups import NumberRow
from connector.ports.number_lookup import LineType
from connector.services.lookups import known_numbers
from connector.services.message_desk import number_of

blueprint = APIBlueprint("lookups", "/lookups", "What kind of number a number is.")


@blueprint.operation(Operation("POST", "/search", APIScope.LOOKUPS_READ, KnownNumbersSchema, takes=NumbersSchema))
def known_of_numbers(given: Mapping[str, Any]) -> Any:
    """Tell what is known of numbers, without asking anybody."""
    account_id, ledger = caller().account_id, connector().ledger
    with ledger.begin(write=False) as uow:
        read = [number_of(uow, account_id, text, f"numbers/{n}") for n, text in enumerate(given["numbers"])]
    known = known_numbers(ledger, account_id, read)
    return {"numbers": [_shown(number, known.get(number)) for number in read]}


@blueprint.operation(
    Operation(
        "POST",
        "",
        APIScope.LOOKUPS_WRITE,
        KnownNumberSchema,
        takes=LookupSchema,
        also={409: "No gateway can be asked, or the day's budget is used up.", 502: "The gateway did not say."},
        sends=True,
    )
)
def look_up_number(given: Mapping[str, Any]) -> Any:
    """Ask a gateway about a number, whatever is known of it; this costs money."""
    account_id, ledger = caller().account_id, connector().ledger
    with ledger.begin(write=False) as uow:
        number = number_of(uow, account_id, given["number"], "number")
    try:
        return _shown(number, connector().lookups.look_up(account_id, number, given["gateway"]))
    except ConfigurationError as error:
        raise ProblemError("lookup-impossible", str(error)) from error
    except SendError as error:
        raise ProblemError("gateway", f"its code is {error.code}" if error.code else "") from error


def _shown(number: str, row: NumberRow | None) -> dict[str, Any]:
    return {
        "number": number,
        "state": "unheard_of" if row is None else row.state.value,
        "line_type": (LineType.UNKNOWN if row is None else row.line_type).value,
        "is_reachable": None if row is None else row.is_reachable,
        "country": None if row is None else row.country,
        "carrier": "" if row is None else row.carrier,
        "source": "" if row is None else row.source,
        "known_at": None if row is None else row.known_at,
        "cost": None if row is None else cost_shown(row.price, row.currency),
    }
