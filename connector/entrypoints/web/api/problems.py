"""How does the API say that something went wrong?

As RFC 9457 describes it: `application/problem+json` with a `type` that programs tell apart, a `title` and a `detail`
for people, and for a request with mistakes all of them under `errors`. No problem repeats a value it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from flask import Response, json
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from connector.errors import ConnectorError, InvalidNumberError, QueueUnavailableError
from connector.services.card_contacts import CRMAwayError
from connector.services.card_refusals import CardRefusedError
from connector.services.card_settings import SettingMistakesError
from connector.services.consent_orders import OptOutStandsError
from connector.services.message_desk import TooLateError
from connector.services.text_orders import KeyReusedError, UnusableOrderError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:sms-connector:problem:"
_SOON = 10  # seconds after which a part that was away is worth asking again

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "unsigned": (401, "The signature does not hold"),
    "unauthorized": (401, "No valid API key"),
    "not-allowed": (403, "Only an admin of the account may do that"),
    "forbidden": (403, "The key lacks a scope"),
    "not-found": (404, "There is no such thing here"),
    "method-not-allowed": (405, "The method is not allowed here"),
    "idempotency-key-reused": (409, "Another order came under this idempotency key"),
    "opt-out-stands": (409, "The opt-out stands"),
    "lookup-impossible": (409, "No gateway can be asked about the number"),
    "too-late": (409, "It cannot be stopped any more"),
    "refused": (409, "It is not done, for the reason in `code`"),
    "too-large": (413, "The request is too large"),
    "unsupported-media-type": (415, "The request is no JSON"),
    "invalid": (422, "The request has mistakes"),
    "rate-limited": (429, "Too many calls with this key"),
    "defect": (500, "A defect of ours"),
    "gateway": (502, "The gateway did not say"),
    "unavailable": (503, "Not done, please try again"),
}
"""Every kind of problem, with its status and title."""

_BY_STATUS: Mapping[int, str] = {
    status: kind for kind, (status, _) in PROBLEMS.items() if status != HTTPStatus.CONFLICT
}

_MEANINGS: tuple[tuple[type[ConnectorError], str], ...] = (
    (KeyReusedError, "idempotency-key-reused"),
    (OptOutStandsError, "opt-out-stands"),
    (TooLateError, "too-late"),
    (QueueUnavailableError, "unavailable"),
    (CRMAwayError, "unavailable"),
)

_CARD_KINDS: Mapping[str, str] = {
    "too_long": "invalid",
    "empty": "invalid",
    "template_incomplete": "invalid",
    "invalid": "invalid",
    "no_wording": "invalid",
    "idempotency_key_reused": "idempotency-key-reused",
    "not_allowed": "not-allowed",
    "no_such_journey": "not-found",
}
"""What a card's refusals are; all others hang on the contact, and are "refused"."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a request: where, as a JSON pointer (RFC 6901) into the body or the name of a parameter."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, by a kind of `PROBLEMS`.

    Attributes:
        more: members of its own beside those that every problem has, such as `code`.
    """

    kind: str
    detail: str = ""
    errors: Sequence[Mistake] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """Its HTTP status."""
        return PROBLEMS[self.kind][0]

    def document(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        status, title = PROBLEMS[self.kind]
        said: dict[str, Any] = {"type": _TYPE + self.kind, "title": title, "status": status}
        if self.detail:
            said["detail"] = self.detail
        if self.errors:
            said["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in self.errors]
        return said | dict(self.more)

    def response(self) -> Response:
        """Give it as an answer."""
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(json.dumps(self.document()) + "\n", self.status, headers, content_type=MEDIA_TYPE)


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, kind: str, detail: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(kind)
        self.problem = Problem(kind, detail, headers=headers or {})

    @classmethod
    def of(cls, problem: Problem) -> ProblemError:
        """Make one of a problem that is known in full."""
        made = cls(problem.kind)
        made.problem = problem
        return made


def problem_of(error: ConnectorError) -> Problem:
    """Say what an error of the use cases means to who called."""
    if isinstance(error, InvalidNumberError):
        return Problem("invalid", errors=[Mistake("/to", str(error))])
    if isinstance(error, UnusableOrderError):
        return Problem("invalid", errors=[Mistake(f"/{error.field}", error.detail)])
    if isinstance(error, CardRefusedError):
        return Problem(_CARD_KINDS.get(error.code, "refused"), error.detail, more={"code": error.code})
    if isinstance(error, SettingMistakesError):
        return Problem("invalid", "nothing was changed", more={"code": "invalid", "errors": error.mistakes})
    kind = next((kind for meant, kind in _MEANINGS if isinstance(error, meant)), "defect")
    return unavailable() if kind == "unavailable" else Problem(kind)


def unavailable() -> Problem:
    """Say that a part was away and nothing was done."""
    return Problem("unavailable", "nothing was done; send it again", headers={"Retry-After": str(_SOON)})


def mistakes(messages: Any, pointer: str = "") -> list[Mistake]:
    """Give the mistakes a schema found, as a flat list."""
    if isinstance(messages, Mapping):
        return [found for name, inner in messages.items() for found in mistakes(inner, f"{pointer}{_step(name)}")]
    if isinstance(messages, list | tuple):
        return [found for inner in messages for found in mistakes(inner, pointer)]
    return [Mistake(pointer or "/", str(messages))]


def answer(error: Exception) -> Response:
    """Answer with the problem that an error means; what nobody foresaw is a defect, and only its type is logged."""
    if isinstance(error, ProblemError):
        return error.problem.response()
    if isinstance(error, HTTPException):
        return _http_problem(error).response()
    if isinstance(error, ConnectorError):
        found = problem_of(error)
        if found.kind == "defect":
            log.error("api.defect", error=type(error).__name__)
        return found.response()
    if isinstance(error, RecursionError):
        return Problem("bad-request", "it is nested too deeply").response()
    log.error("api.not_done", error=type(error).__name__)
    return (unavailable() if isinstance(error, SQLAlchemyError) else Problem("defect")).response()


def _http_problem(error: HTTPException) -> Problem:
    """Say what an HTTP error of the framework means; a schema hangs what it found on it as `data`."""
    kind = _BY_STATUS.get(error.code or 500, "bad-request" if (error.code or 500) < 500 else "defect")
    data = getattr(error, "data", None) or {}
    found = [each for inner in (data.get("messages") or {}).values() for each in mistakes(inner)]
    allowed = getattr(error, "valid_methods", None)
    headers = {"Allow": ", ".join(sorted(allowed))} if allowed else {}
    return Problem(kind, errors=found, headers=headers)


def _step(name: object) -> str:
    return "" if name == "_schema" else "/" + str(name).replace("~", "~0").replace("/", "~1")
