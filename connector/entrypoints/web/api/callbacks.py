"""Which callbacks could not be delivered, and how are they sent anew?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.entrypoints.web.api.authentication import caller
from connector.entrypoints.web.api.given_up_schemas import FailedCallbacksSchema
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.api.schemas import IdsSchema, LimitSchema
from connector.entrypoints.web.requests import connector
from connector.ports.api_keys import APIScope
from connector.ports.effects import EffectRow

blueprint = APIBlueprint("callbacks", "/callbacks", "Callbacks that could not be delivered.")


@blueprint.operation(Operation("GET", "/failed", APIScope.DEAD_LETTERS_READ, FailedCallbacksSchema, query=LimitSchema))
def list_failed_callbacks(query: Mapping[str, Any]) -> Any:
    """List callbacks that could not be delivered within a day, or were refused for good, newest first."""
    rows = connector().callback_replay.failed(caller().account_id, query["limit"])
    return {"callbacks": [_shown(row) for row in rows]}


@blueprint.operation(Operation("POST", "/replay", APIScope.DEAD_LETTERS_WRITE, IdsSchema, takes=IdsSchema))
def replay_callbacks(given: Mapping[str, Any]) -> Any:
    """Send failed callbacks anew, under the ids they had; the answer names those that will be sent."""
    return {"ids": connector().callback_replay.replay(caller().account_id, given["ids"])}


def _shown(row: EffectRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "type": (row.payload.get("data") or {}).get("type", ""),
        "message_id": row.payload.get("message_id"),
        "host": row.channel,
        "error": row.error,
        "tries": row.attempts,
        "failed_at": row.ended_at,
    }
