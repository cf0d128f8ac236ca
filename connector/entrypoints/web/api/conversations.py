"""What was said between us and a person?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.entrypoints.web.api.authentication import caller
from connector.entrypoints.web.api.message_schemas import ConversationSchema, MessagePageSchema
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.api.shown import page_shown
from connector.entrypoints.web.requests import connector
from connector.ports.api_keys import APIScope

blueprint = APIBlueprint("conversations", "/conversations", "What went to and came from a number.")


@blueprint.operation(
    Operation("POST", "/search", APIScope.CONVERSATIONS_READ, MessagePageSchema, takes=ConversationSchema)
)
def read_conversation(given: Mapping[str, Any]) -> Any:
    """Read what went to and came from a number, newest first."""
    limit = given["limit"]
    rows = connector().message_desk.conversation(caller().account_id, given["number"], limit, given["before"])
    return page_shown(rows, limit)
