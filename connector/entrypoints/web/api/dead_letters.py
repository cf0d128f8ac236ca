"""Which texts wait for a decision, and how does a program send them again or drop them?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connector.entrypoints.web.api.authentication import caller, caller_name
from connector.entrypoints.web.api.given_up_schemas import (
    DeadLettersQuerySchema,
    DeadLettersSchema,
    DecidedSchema,
    ReplaySchema,
)
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.api.schemas import IdsSchema
from connector.entrypoints.web.api.shown import status_shown
from connector.entrypoints.web.requests import connector
from connector.ports.api_keys import APIScope
from connector.ports.message_filters import DeadLetterFilter
from connector.services.dead_letters import DeadLetter, Decided

blueprint = APIBlueprint("dead_letters", "/dead-letters", "Texts that were given up and wait for a decision.")


@blueprint.operation(Operation("GET", "", APIScope.DEAD_LETTERS_READ, DeadLettersSchema, query=DeadLettersQuerySchema))
def list_dead_letters(query: Mapping[str, Any]) -> Any:
    """List texts that were given up, oldest first, with every try to send them."""
    which = DeadLetterFilter(caller().account_id, query["gateway"], query["error_code"], query["since"])
    letters = connector().dead_letters.find(which, query["limit"])
    return {"dead_letters": [status_shown(each.message, each.attempts) for each in letters]}


@blueprint.operation(
    Operation("POST", "/replay", APIScope.DEAD_LETTERS_WRITE, DecidedSchema, takes=ReplaySchema, sends=True)
)
def replay_dead_letters(given: Mapping[str, Any]) -> Any:
    """Send texts again that were given up; opt-outs, windows and caps are asked anew."""
    desk, by = connector().dead_letters, caller_name()
    return _decide(given["ids"], lambda letters: desk.replay(letters, by, afresh=given["afresh"]))


@blueprint.operation(Operation("POST", "/drop", APIScope.DEAD_LETTERS_WRITE, DecidedSchema, takes=IdsSchema))
def drop_dead_letters(given: Mapping[str, Any]) -> Any:
    """Be done with texts that were given up."""
    desk, by = connector().dead_letters, caller_name()
    return _decide(given["ids"], lambda letters: desk.drop(letters, by))


def _decide(ids: Sequence[str], decide: Callable[[Sequence[DeadLetter]], Decided]) -> dict[str, Any]:
    account_id, desk = caller().account_id, connector().dead_letters
    found = {each: desk.get(account_id, each) for each in dict.fromkeys(ids)}
    decided = decide([letter for letter in found.values() if letter is not None])
    done = frozenset(decided.done)
    passed_over = [each for each, letter in found.items() if letter is None or letter.message.id not in done]
    return {"done": list(decided.done), "passed_over": passed_over}
