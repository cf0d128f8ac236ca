"""How does a program send texts, ask what became of them, and stop them?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request, url_for
from marshmallow import ValidationError

from connector.entrypoints.web.api.authentication import caller, caller_name
from connector.entrypoints.web.api.message_schemas import (
    BatchAnswerSchema,
    BatchSchema,
    MessagePageSchema,
    MessageQuerySchema,
    MessageSchema,
    MessageSearchSchema,
    MessageStatusSchema,
    SendSchema,
)
from connector.entrypoints.web.api.operations import APIBlueprint, Operation
from connector.entrypoints.web.api.problems import Problem, ProblemError, mistakes, problem_of
from connector.entrypoints.web.api.shown import message_shown, page_shown, status_shown
from connector.entrypoints.web.requests import connector
from connector.errors import ChannelRefusedError, ConnectorError
from connector.ports.api_keys import APIScope
from connector.ports.message_filters import MessageFilter
from connector.services.single_texts import Ordered, TextOrder, UnusableOrderError

blueprint = APIBlueprint("messages", "/messages", "Texts that go out.")

_KEY_HEADER = "Idempotency-Key"
_REUSED = {409: "Another order came under this idempotency key."}
_UNKNOWN = {404: "The account has no such text."}


@blueprint.operation(
    Operation(
        "POST",
        "",
        APIScope.MESSAGES_SEND,
        MessageSchema,
        201,
        takes=SendSchema,
        also=_REUSED,
        again="The same order came under this idempotency key before: the text that was queued then.",
        headers={_KEY_HEADER: "The same as `idempotency_key` of the body."},
        sends=True,
    )
)
def send_message(given: Mapping[str, Any]) -> tuple[Any, int, dict[str, str]]:
    """Send one text.

    Opt-outs, consent, send windows and caps hold for it as for every other. The same idempotency key with the same
    order answers 200 with the text that was queued before; with another order it answers 409.
    """
    outcome = _put([_order(_with_key(given, request.headers.get(_KEY_HEADER)))])[0]
    if isinstance(outcome, ConnectorError):
        raise outcome
    where = url_for("api_messages.message_status", message_id=outcome.message.id)
    return message_shown(outcome.message), 201 if outcome.is_new else 200, {"Location": where}


@blueprint.operation(
    Operation(
        "POST",
        "/batch",
        APIScope.MESSAGES_SEND,
        BatchAnswerSchema,
        takes=BatchSchema,
        headers={_KEY_HEADER: "Gives each text without a key this one, a colon and its index."},
        sends=True,
    )
)
def send_messages(given: Mapping[str, Any]) -> Any:
    """Send up to 500 texts.

    The answer is 200 and has a result for each text, in order, with the status it would have been answered by itself:
    one that cannot be sent stops no other. All that can be sent are queued together or, when the answer is no 200, none
    is. A text without an idempotency key of its own gets the header's, a colon and its index.
    """
    header = request.headers.get(_KEY_HEADER)
    read = [
        _read(each, None if header is None else f"{header}:{index}") for index, each in enumerate(given["messages"])
    ]
    outcomes = iter(_put([each for each in read if isinstance(each, TextOrder)]))
    results = [_result(index, each if isinstance(each, Problem) else next(outcomes)) for index, each in enumerate(read)]
    return {"results": results, "refused": sum(result["problem"] is not None for result in results)}


@blueprint.operation(Operation("GET", "", APIScope.MESSAGES_READ, MessagePageSchema, query=MessageQuerySchema))
def list_messages(query: Mapping[str, Any]) -> Any:
    """List texts, newest first."""
    return _page(query)


@blueprint.operation(Operation("POST", "/search", APIScope.MESSAGES_READ, MessagePageSchema, takes=MessageSearchSchema))
def search_messages(given: Mapping[str, Any]) -> Any:
    """List texts, also by number, newest first."""
    return _page(given)


@blueprint.operation(
    Operation("GET", "/<string:message_id>", APIScope.MESSAGES_READ, MessageStatusSchema, also=_UNKNOWN)
)
def message_status(message_id: str) -> Any:
    """Tell what became of a text, with every try to send it."""
    found = connector().message_desk.status(caller().account_id, message_id)
    if found is None:
        raise ProblemError("not-found")
    return status_shown(found.message, found.attempts)


@blueprint.operation(
    Operation(
        "POST",
        "/<string:message_id>/cancel",
        APIScope.MESSAGES_CANCEL,
        MessageSchema,
        also=_UNKNOWN | {409: "It cannot be stopped any more."},
    )
)
def cancel_message(message_id: str) -> Any:
    """Stop a text that no gateway can have yet; harmless to repeat."""
    account_id, by, desk = caller().account_id, caller_name(), connector().message_desk
    found = connector().committer.run(lambda uow: desk.cancel(uow, account_id, message_id, by))
    if found is None:
        raise ProblemError("not-found")
    return message_shown(found)


def _page(given: Mapping[str, Any]) -> Any:
    which = MessageFilter(state=given["state"], msisdn=given.get("to"), since=given["since"], before_id=given["before"])
    rows = connector().message_desk.listed(caller().account_id, which, given["limit"])
    return page_shown(rows, given["limit"])


def _with_key(given: Mapping[str, Any], header: str | None) -> Mapping[str, Any]:
    """Take the idempotency key from body or header.

    Raises:
        UnusableOrderError: they name two.
    """
    own = given["idempotency_key"]
    if own is not None and header is not None and own != header:
        raise UnusableOrderError("idempotency_key", "the header names another one")
    return {**given, "idempotency_key": own or header}


def _read(each: Any, key: str | None) -> TextOrder | Problem:
    """Read one text of a batch."""
    try:
        given = SendSchema().load(each)
        return _order({**given, "idempotency_key": given["idempotency_key"] or key})
    except ValidationError as error:
        return Problem("invalid", errors=mistakes(error.messages))
    except UnusableOrderError as error:
        return problem_of(error)


def _order(given: Mapping[str, Any]) -> TextOrder:
    """Make an order of a body.

    Raises:
        UnusableOrderError: its callback address may never be called.
    """
    key = caller()
    if given["callback_url"] is not None:
        try:
            connector().outbound_guard.check_url(given["callback_url"])
        except ChannelRefusedError as error:
            raise UnusableOrderError("callback_url", str(error)) from None
    return TextOrder(account_id=key.account_id, ordered_by=f"api:{key.id}", **given)


def _put(orders: Sequence[TextOrder]) -> Sequence[Ordered | ConnectorError]:
    texts = connector().single_texts
    return connector().committer.run(lambda uow: texts.put_all(uow, orders))


def _result(index: int, outcome: Ordered | ConnectorError | Problem) -> dict[str, Any]:
    if isinstance(outcome, Ordered):
        status = 201 if outcome.is_new else 200
        return {"index": index, "status": status, "message": message_shown(outcome.message), "problem": None}
    problem = outcome if isinstance(outcome, Problem) else problem_of(outcome)
    return {"index": index, "status": problem.status, "message": None, "problem": problem.document()}
